"""Grey values as the house holds them, how large they may be, and why bytes may be no film."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import ReadingRoomError

Pixels = NDArray[np.uint8 | np.uint16]
"""Grey values as stored, (H, W), uint8 or uint16, dark to bright."""

MAX_PIXELS: Final = 200_000_000
"""Above this an image is refused by its header, before anything is decoded. A film of 4,280 x 3,520 has 15 million."""

_LUMA: Final = np.array([0.299, 0.587, 0.114], dtype=np.float32)


class UnreadableImage(ReadingRoomError):
    """Bytes that no film can be made of; the message says why."""


class NotAnImage(UnreadableImage):
    """Bytes of a kind that is not read here."""


class ImageTruncated(UnreadableImage):
    """A file that is cut off or damaged."""


class UnsupportedPixels(UnreadableImage):
    """Pixels of a type that cannot be kept as grey values of 8 to 16 bits."""


class ImageTooLarge(UnreadableImage):
    """A header that asks for more pixels than any film has: a decompression bomb, or a mistake."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__(
            f"The image says it is {width:,} x {height:,} pixels; more than {MAX_PIXELS:,} pixels are not opened. "
            "Scale it down if it is a real film."
        )


def require_openable(width: int, height: int) -> None:
    """Raises ImageTooLarge for more than MAX_PIXELS."""
    if width * height > MAX_PIXELS:
        raise ImageTooLarge(width, height)


def unsigned(values: NDArray[Any], bits: int) -> tuple[Pixels, int]:
    """The values as uint8 or uint16 and the bits they use; wider or signed ones only where they fit unchanged.

    Raises UnsupportedPixels for decimals, negatives and values above 65,535.
    """
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255), 8
    if values.dtype == np.uint8:
        return values, 8
    if values.dtype == np.uint16:
        return values, bits
    if np.issubdtype(values.dtype, np.integer) and values.size and values.min() >= 0 and values.max() <= 0xFFFF:
        return values.astype(np.uint16), 16
    raise UnsupportedPixels(
        f"The image holds {values.dtype} values that do not fit 16 bits. Save it as an 8- or 16-bit grey image."
    )


def luminance(values: Pixels, has_alpha: bool) -> Pixels:
    """Grey values of (H, W), or of (H, W, channels) by ITU-R BT.601 weights; transparent parts become black."""
    if values.ndim == 2:
        return values
    colours = values[..., :-1] if has_alpha else values
    weights = _LUMA if colours.shape[-1] == 3 else np.ones(1, dtype=np.float32)
    grey = colours.astype(np.float32) @ weights
    if has_alpha:
        grey = grey * (values[..., -1] / np.float32(np.iinfo(values.dtype).max))
    whole: Pixels = np.rint(grey).astype(values.dtype)
    return whole
