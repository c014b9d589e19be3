"""Bytes to pixels and back: what the store keeps of a film, how it is read, shown and turned.

What the store keeps. An 8- or 16-bit PNG and an 8-bit JPEG are kept as they came, so that the name in the store is the
hash of the file that the person has; only notes inside them (EXIF, comments), which may name a patient, are cut away
without touching the picture. Everything else (TIFF, DICOM, a photograph whose EXIF says that it lies on its side)
becomes a grey PNG of the stored values, never scaled: a film of 12 bits keeps its 4,096 values. Such a PNG tells its
bits, display window and pixel spacing in text entries of its own, so that a blob alone is enough to show the film.
"""

import io
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeVar

import imagecodecs
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from core.masks import MalformedMask, Mask
from core.studies import Photometric, PixelFacts, Turn, Window
from data import jpeg, png, tiff
from data.pixels import (
    MAX_PIXELS,
    ImageTruncated,
    NotAnImage,
    Pixels,
    UnsupportedPixels,
    luminance,
    require_openable,
)

Film = TypeVar("Film", Pixels, Mask)

PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
TIFF: Final = "image/tiff"
DICOM: Final = "application/dicom"

_TURNED_BY_EXIF: Final = {
    2: Turn.MIRROR,
    3: Turn.ROTATE_180,
    4: Turn.FLIP,
    5: Turn.TRANSPOSE,
    6: Turn.ROTATE_90,
    7: Turn.TRANSVERSE,
    8: Turn.ROTATE_270,
}
_EXIF_ORIENTATION: Final = 0x0112
_DISPLAY_TAILS: Final = (0.5, 99.5)

PIL.Image.MAX_IMAGE_PIXELS = MAX_PIXELS


@dataclass(frozen=True)
class Kept:
    """What the store is to keep of an image: the bytes, their type, and what is known of the pixels."""

    payload: bytes
    media_type: str
    facts: PixelFacts
    turn: Turn = Turn.NONE
    turn_reason: str | None = None


class Raw(NamedTuple):
    """Stored values for the editor: (H, W) pixels, how many bits they may use, and the largest that occurs."""

    pixels: Pixels
    bits: int
    max: int


def sniff(payload: bytes) -> str:
    """The media type that the first bytes show. Raises NotAnImage."""
    if payload.startswith(png.SIGNATURE):
        return PNG
    if payload.startswith(jpeg.SIGNATURE):
        return JPEG
    if payload[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return TIFF
    if payload[128:132] == b"DICM":
        return DICOM
    if not payload:
        raise ImageTruncated("The file is empty.")
    raise NotAnImage("The file is no PNG, JPEG, TIFF or DICOM image.")


def header(payload: bytes, media_type: str | None = None) -> PixelFacts:
    """What a PNG or JPEG says of itself, proved whole to its end, without decoding a pixel. Raises UnreadableImage."""
    kind = media_type or sniff(payload)
    try:
        if kind == JPEG:
            return _jpeg_facts(payload)
        if kind == PNG:
            return _png_facts(payload)
    except (png.DamagedPng, jpeg.DamagedJpeg) as error:
        raise ImageTruncated(str(error)) from error
    raise NotAnImage(f"The store keeps PNG and JPEG images only, not {kind}.")


def to_keep(payload: bytes) -> Kept:
    """What the store keeps of a PNG, JPEG or TIFF file, as the module's text says. Raises UnreadableImage."""
    kind = sniff(payload)
    if kind == TIFF:
        return from_pixels(*tiff.read(payload))
    if kind == DICOM:
        raise NotAnImage('The file is a DICOM image. Import it as "dicom", so that its header is cleaned first.')
    facts = header(payload, kind)
    if kind == PNG:
        return Kept(png.without_notes(payload), PNG, _with_window(facts, payload))
    turn = _exif_turn(payload) if jpeg.facts(payload).has_exif else Turn.NONE
    if turn is Turn.NONE:
        return Kept(jpeg.without_notes(payload), JPEG, facts)
    kept = from_pixels(turned(read(payload, JPEG), turn), facts.bits)
    return replace(kept, turn=turn, turn_reason=f"the camera's note said that the picture lies turned ({turn})")


def from_pixels(pixels: Pixels, bits: int, window: Window | None = None, spacing_mm: float | None = None) -> Kept:
    """A grey PNG of stored values that tells its bits, window and spacing. 16-bit values without a window get one."""
    height, width = pixels.shape
    window = window or display_window(pixels, bits)
    texts = {png.BITS_STORED: str(bits)} if bits != 8 * pixels.itemsize else {}
    if window:
        texts[png.WINDOW] = f"{window.center!r} {window.width!r}"
    if spacing_mm:
        texts[png.SPACING] = repr(spacing_mm)
    facts = PixelFacts(width, height, bits, Photometric.MONOCHROME2, spacing_mm, window)
    return Kept(png.grey(pixels, texts), PNG, facts)


def read(payload: bytes, media_type: str | None = None) -> Pixels:
    """Grey values (H, W), uint8 or uint16, of a PNG, JPEG or TIFF. Colour becomes luminance. Raises UnreadableImage."""
    kind = media_type or sniff(payload)
    if kind == TIFF:
        return tiff.read(payload)[0]
    if kind == DICOM:
        raise NotAnImage("The file is a DICOM image; data.dicom reads those.")
    header(payload, kind)
    if kind == PNG:
        facts = png.facts(payload)
        if facts.bits == 16:
            return luminance(_read_deep_png(payload), facts.has_alpha)
    return _read_with_pillow(payload)


def raw(payload: bytes) -> Raw:
    """The stored values of a kept image, with the bits they use."""
    pixels = read(payload)
    return Raw(pixels, header(payload).bits, int(pixels.max()))


def preview(
    pixels: Pixels,
    window: Window | None = None,
    max_side: int | None = None,
    photometric: Photometric = Photometric.MONOCHROME2,
    bits: int | None = None,
) -> bytes:
    """An 8-bit JPEG as a film is looked at: windowed, MONOCHROME1 inverted, shrunk to at most `max_side` pixels."""
    shown = PIL.Image.fromarray(to_8_bits(pixels, window, bits, photometric))
    if max_side and max(shown.size) > max_side:
        shown.thumbnail((max_side, max_side), PIL.Image.Resampling.BOX, reducing_gap=2.0)
    return _as_jpeg(shown, quality=90)


def thumbnail(payload: bytes, side: int = 96) -> bytes:
    """A small JPEG, at most `side` pixels on its longer side, of a kept image."""
    if sniff(payload) == JPEG:
        with PIL.Image.open(io.BytesIO(payload)) as image:
            image.draft("L", (side, side))
            small = image.convert("L")
            small.thumbnail((side, side), PIL.Image.Resampling.BOX)
            return _as_jpeg(small, quality=80)
    facts = header(payload)
    return preview(read(payload), facts.window, side, facts.photometric, facts.bits)


def to_8_bits(
    pixels: Pixels,
    window: Window | None = None,
    bits: int | None = None,
    photometric: Photometric = Photometric.MONOCHROME2,
) -> NDArray[np.uint8]:
    """Stored values through a linear window to 0..255 (DICOM PS3.3 C.11.2.1.2.1); without one, all bits are shown."""
    bits = bits or 8 * pixels.itemsize
    if pixels.dtype == np.uint8 and window is None and bits == 8 and photometric is Photometric.MONOCHROME2:
        return pixels.astype(np.uint8, copy=False)
    window = window or display_window(pixels, bits) or Window(2 ** (bits - 1), 2**bits)
    values = np.arange(1 << (8 * pixels.itemsize), dtype=np.float32)
    span = max(window.width - 1, 1)
    shares = np.clip((values - (window.center - 0.5)) / span + 0.5, 0, 1)
    if photometric is Photometric.MONOCHROME1:
        shares = 1 - shares
    table: NDArray[np.uint8] = np.rint(255 * shares).astype(np.uint8)
    shown: NDArray[np.uint8] = table[pixels]
    return shown


def display_window(pixels: Pixels, bits: int) -> Window | None:
    """A window over the middle 99 % of the values, for films of more than 8 bits that bring none."""
    if bits <= 8:
        return None
    low, high = np.percentile(pixels[::4, ::4], _DISPLAY_TAILS)
    width = max(float(high) - float(low), 1.0) + 1.0
    return Window(round((float(low) + float(high) + 1) / 2, 1), round(width, 1))


def turned(pixels: Film, turn: Turn) -> Film:
    """The (H, W) film or mask turned."""
    turns = {
        Turn.NONE: pixels,
        Turn.MIRROR: pixels[:, ::-1],
        Turn.ROTATE_90: np.rot90(pixels, -1),
        Turn.ROTATE_180: pixels[::-1, ::-1],
        Turn.ROTATE_270: np.rot90(pixels, 1),
        Turn.FLIP: pixels[::-1],
        Turn.TRANSPOSE: pixels.T,
        Turn.TRANSVERSE: pixels[::-1, ::-1].T,
    }
    return np.ascontiguousarray(turns[turn])


def mask_png(mask: Mask) -> bytes:
    """A 1-bit PNG of the mask, white where it is True. Equal masks give equal bytes."""
    return png.bilevel(mask)


def read_mask(payload: bytes) -> Mask:
    """The mask in a PNG that `mask_png` wrote. Raises MalformedMask."""
    try:
        with PIL.Image.open(io.BytesIO(payload), formats=("PNG",)) as image:
            if image.mode == "1":
                return np.array(image)
    except (OSError, SyntaxError, ValueError) as error:
        raise MalformedMask(f"The mask cannot be read ({error}). Restore it from a backup.") from error
    raise MalformedMask("The mask is no 1-bit PNG. Import it, so that it becomes one.")


def mask_from_file(payload: bytes) -> Mask:
    """The mask that a file from outside draws, whatever its format. Raises UnreadableImage.

    In a file of one or two grey levels all that is not black is marked (so 0 and 1, 0 and 255, or black and a palette's
    red all work). With more levels (soft edges, JPEG noise) a pixel is marked from half of full scale up.
    """
    values = read(payload)
    least, most = int(values.min()), int(values.max())
    if least in (0, most) and not ((values != least) & (values != most)).any():
        return values > 0
    return values >= (np.iinfo(values.dtype).max + 1) // 2


def _jpeg_facts(payload: bytes) -> PixelFacts:
    found = jpeg.facts(payload)
    require_openable(found.width, found.height)
    if found.bits != 8:
        raise UnsupportedPixels(f"The JPEG has {found.bits} bits a sample; only those of 8 bits are read.")
    return PixelFacts(found.width, found.height)


def _png_facts(payload: bytes) -> PixelFacts:
    found = png.facts(payload)
    require_openable(found.width, found.height)
    bits = 16 if found.bits == 16 else 8
    window = spacing = None
    if png.WINDOW in found.texts:
        center, width = found.texts[png.WINDOW].split()
        window = Window(float(center), float(width))
    if png.SPACING in found.texts:
        spacing = float(found.texts[png.SPACING])
    bits = int(found.texts.get(png.BITS_STORED, bits))
    return PixelFacts(found.width, found.height, bits, Photometric.MONOCHROME2, spacing, window)


def _with_window(facts: PixelFacts, payload: bytes) -> PixelFacts:
    if facts.bits <= 8 or facts.window:
        return facts
    return replace(facts, window=display_window(read(payload, PNG), facts.bits))


def _exif_turn(payload: bytes) -> Turn:
    with PIL.Image.open(io.BytesIO(payload)) as image:
        return _TURNED_BY_EXIF.get(image.getexif().get(_EXIF_ORIENTATION, 1), Turn.NONE)


def _read_with_pillow(payload: bytes) -> NDArray[np.uint8]:
    try:
        with PIL.Image.open(io.BytesIO(payload)) as image:
            has_alpha = image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info
            return np.array((_on_black(image) if has_alpha else image).convert("L"))
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageTruncated(f"The image cannot be decoded ({error}). Copy or export it again.") from error


def _on_black(image: PIL.Image.Image) -> PIL.Image.Image:
    ground = PIL.Image.new("RGBA", image.size, (0, 0, 0, 255))
    return PIL.Image.alpha_composite(ground, image.convert("RGBA"))


def _read_deep_png(payload: bytes) -> NDArray[np.uint16]:
    """16 bits a channel, which Pillow would cut to 8 in colour."""
    try:
        return np.asarray(imagecodecs.png_decode(payload), dtype=np.uint16)
    except RuntimeError as error:
        raise ImageTruncated(f"The image cannot be decoded ({error}). Copy or export it again.") from error


def _as_jpeg(image: PIL.Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()
