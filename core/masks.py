"""Masks: what is marked on a film. Boolean arrays of shape (H, W), True where the finding is.

Run lengths come in two orders. The house's own wire form is row by row; COCO's is column by column and may be
squeezed into a string (the LEB128-like code of the COCO API). Both start with the length of a run of zeros.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import ReadingRoomError

Mask = NDArray[np.bool_]

_LONGEST_NUMBER: Final = 60
"""Bits of a run length in COCO's string form: more would be no number of pixels."""


class MalformedMask(ReadingRoomError):
    """Bytes or numbers that describe no mask of the size they should."""


class MaskSizeDiffers(ReadingRoomError):
    """A mask whose height and width are not its image's."""

    def __init__(self, mask: tuple[int, int], image: tuple[int, int]) -> None:
        super().__init__(
            f"The mask is {mask[1]} x {mask[0]} pixels but its image is {image[1]} x {image[0]}. "
            "Export the mask at the image's own size."
        )


@dataclass(frozen=True)
class Box:
    """Half-open pixel box: columns left..right-1, rows top..bottom-1."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


@dataclass(frozen=True)
class MaskStats:
    """What a database row holds of a mask: size, area in pixels, and the box around it (None when empty)."""

    height: int
    width: int
    area: int
    box: Box | None


def stats(mask: Mask) -> MaskStats:
    height, width = mask.shape
    return MaskStats(height, width, int(np.count_nonzero(mask)), bounding_box(mask))


def bounding_box(mask: Mask) -> Box | None:
    """The smallest box around the mask, or None when nothing is marked."""
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(mask.any(axis=0))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def runs(mask: Mask) -> NDArray[np.uint32]:
    """Run lengths of the mask row by row, the first a run of zeros (0 when the first pixel is marked)."""
    return _runs(np.ascontiguousarray(mask).reshape(-1))


def from_runs(lengths: Sequence[int] | NDArray[np.uint32], height: int, width: int) -> Mask:
    """The (height, width) mask that row-by-row run lengths describe. Raises MalformedMask."""
    return _fill(lengths, height * width).reshape(height, width)


def to_wire(mask: Mask) -> bytes:
    """Row-by-row run lengths as little-endian uint32, the editor's form."""
    return runs(mask).astype("<u4").tobytes()


def from_wire(body: bytes, height: int, width: int) -> Mask:
    """The mask in an editor's message. Raises MalformedMask when it does not fill height x width exactly."""
    if len(body) % 4:
        raise MalformedMask("The drawing arrived cut off. It is still in the editor; it will be sent again.")
    return from_runs(np.frombuffer(body, "<u4"), height, width)


def coco_counts(mask: Mask) -> list[int]:
    """COCO's uncompressed run lengths: column by column."""
    return [int(n) for n in _runs(np.asfortranarray(mask).reshape(-1, order="F"))]


def from_coco_counts(counts: Sequence[int], height: int, width: int) -> Mask:
    return _fill(counts, height * width).reshape((height, width), order="F")


def squeeze(counts: Sequence[int]) -> str:
    """COCO's string form of run lengths: five bits a character, each third and later count as a difference."""
    out: list[str] = []
    for index, count in enumerate(counts):
        value = count - counts[index - 2] if index > 2 else count
        more = True
        while more:
            bits = value & 0x1F
            value >>= 5
            more = value != -1 if bits & 0x10 else value != 0
            out.append(chr((bits | 0x20 if more else bits) + 48))
    return "".join(out)


def unsqueeze(text: str) -> list[int]:
    """Run lengths from COCO's string form. Raises MalformedMask."""
    counts: list[int] = []
    value = shift = 0
    for character in text:
        code = ord(character) - 48
        if not 0 <= code < 64:
            raise MalformedMask("The run-length text holds a character that no run-length text can hold.")
        value |= (code & 0x1F) << shift
        shift += 5
        if code & 0x20:
            if shift > _LONGEST_NUMBER:
                raise MalformedMask("The run-length text holds a number larger than any image.")
            continue
        if code & 0x10:
            value |= -1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    if shift:
        raise MalformedMask("The run-length text ends in the middle of a number.")
    return counts


def intersection(a: Mask, b: Mask) -> int:
    _same_size(a, b)
    return int(np.count_nonzero(a & b))


def union(masks: Sequence[Mask]) -> Mask:
    """All that any of the masks marks. Needs at least one mask; all of one size."""
    joined = masks[0].copy()
    for mask in masks[1:]:
        _same_size(joined, mask)
        joined |= mask
    return joined


def dice(a: Mask, b: Mask) -> float:
    """Dice coefficient 2|A.B| / (|A| + |B|), in [0, 1] (Dice 1945); 1 when both are empty."""
    both = intersection(a, b)
    total = int(np.count_nonzero(a)) + int(np.count_nonzero(b))
    return 1.0 if total == 0 else 2 * both / total


def iou(a: Mask, b: Mask) -> float:
    """Jaccard index |A.B| / |A+B|, in [0, 1]; 1 when both are empty."""
    both = intersection(a, b)
    either = int(np.count_nonzero(a)) + int(np.count_nonzero(b)) - both
    return 1.0 if either == 0 else both / either


def pixel_accuracy(a: Mask, b: Mask) -> float:
    """Share of pixels on which two masks agree, in [0, 1]."""
    _same_size(a, b)
    return float(np.mean(a == b))


def require_size(mask: Mask, height: int, width: int) -> None:
    """Raises MaskSizeDiffers unless the mask is height x width."""
    if mask.shape != (height, width):
        raise MaskSizeDiffers((mask.shape[0], mask.shape[1]), (height, width))


def _same_size(a: Mask, b: Mask) -> None:
    if a.shape != b.shape:
        raise MaskSizeDiffers((a.shape[0], a.shape[1]), (b.shape[0], b.shape[1]))


def _runs(flat: NDArray[np.bool_]) -> NDArray[np.uint32]:
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate(([0], edges, [flat.size]))
    lengths = np.diff(bounds)
    if flat.size and flat[0]:
        lengths = np.concatenate(([0], lengths))
    return lengths.astype(np.uint32)


def _fill(lengths: Sequence[int] | NDArray[np.uint32], size: int) -> NDArray[np.bool_]:
    try:
        counts = np.asarray(lengths, dtype=np.int64)
    except (OverflowError, TypeError, ValueError) as error:
        raise MalformedMask("The run lengths are not a list of whole numbers.") from error
    # Each is looked at before they are added: a few huge ones can add up, past 64 bits, to the right sum.
    if counts.ndim != 1 or (counts < 0).any() or (counts > size).any() or int(counts.sum()) != size:
        raise MalformedMask("The run lengths do not fill the image they are for.")
    values = np.zeros(counts.size, dtype=np.bool_)
    values[1::2] = True
    return np.repeat(values, counts)


def require_size_of(stats: MaskStats, height: int, width: int) -> None:
    """Raises MaskSizeDiffers unless the mask these facts tell of is height x width."""
    if (stats.height, stats.width) != (height, width):
        raise MaskSizeDiffers((stats.height, stats.width), (height, width))
