"""TIFF files to grey values."""

import io

import numpy as np
import tifffile

from data.pixels import ImageTruncated, Pixels, UnsupportedPixels, luminance, require_openable, unsigned

_FAILURES = (tifffile.TiffFileError, ValueError, IndexError, KeyError, RuntimeError, OSError, AttributeError)


def read(payload: bytes) -> tuple[Pixels, int]:
    """The single film in a TIFF: (H, W) values, dark to bright, and the bits they use. Raises UnreadableImage."""
    try:
        with tifffile.TiffFile(io.BytesIO(payload)) as file:
            page = file.pages[0]
            require_openable(page.imagewidth, page.imagelength)
            frames = len(file.series[0].pages)
            is_palette = page.photometric == tifffile.PHOTOMETRIC.PALETTE
            is_inverted = page.photometric == tifffile.PHOTOMETRIC.MINISWHITE
            values = page.asrgb() if is_palette else page.asarray()
            has_alpha, bits = bool(page.extrasamples), page.bitspersample
    except _FAILURES as error:
        raise ImageTruncated(f"The TIFF cannot be decoded ({error}). Copy or export it again.") from error
    if frames != 1:
        raise UnsupportedPixels(f"The TIFF holds {frames} pictures; save each film as a file of its own.")
    stored, bits = unsigned(np.asarray(values), bits)
    pixels = luminance(stored, has_alpha)
    if is_inverted:
        pixels = (np.array((1 << bits) - 1, dtype=pixels.dtype) - pixels).astype(pixels.dtype)
    return pixels, bits
