"""PNG files at the level of their chunks: written the same way every time, proved whole, rid of notes.

Grey images of 8 and 16 bits and 1-bit masks are written here and not by an imaging library, so that equal pixels give
equal bytes whatever library is installed: one filter for the whole image, one compression level, no metadata but the
four facts below, which a radiograph cannot be shown without (ISO/IEC 15948:2004, chapters 5 and 9).
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import ReadingRoomError
from data.pixels import Pixels

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
BITS_STORED: Final = "BitsStored"
WINDOW: Final = "Window"
SPACING: Final = "ImagerPixelSpacing"
KEPT_TEXTS: Final = (BITS_STORED, WINDOW, SPACING)

GREY: Final = 0
PALETTE: Final = 3
_ALPHA: Final = 4
_KEPT_CHUNKS: Final = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT")
_GREY_LEVEL: Final = 3
_MASK_LEVEL: Final = 6
_FILTER_NONE: Final = 0
_FILTER_UP: Final = 2


class DamagedPng(ReadingRoomError):
    """A PNG that is cut off, or in which a checksum fails."""


@dataclass(frozen=True)
class PngFacts:
    """The image header: size in pixels, bits a channel, the colour type's number, and our own text entries."""

    width: int
    height: int
    bits: int
    colour: int
    texts: Mapping[str, str]

    @property
    def has_alpha(self) -> bool:
        return bool(self.colour & _ALPHA)


def facts(payload: bytes) -> PngFacts:
    """The header and text entries, every chunk's checksum verified. Raises DamagedPng; decodes no pixel."""
    header: tuple[int, int, int, int] | None = None
    texts: dict[str, str] = {}
    for kind, body in _chunks(payload):
        if kind == b"IHDR" and len(body) == 13:
            header = struct.unpack(">IIBB", body[:10])
        elif kind == b"tEXt":
            keyword, _, text = body.partition(b"\0")
            texts[keyword.decode("latin-1")] = text.decode("latin-1")
    if header is None or not header[0] or not header[1]:
        raise DamagedPng("The PNG has no header, so it cannot be read. Copy or export it again.")
    return PngFacts(*header, texts={key: texts[key] for key in KEPT_TEXTS if key in texts})


def without_notes(payload: bytes) -> bytes:
    """The same image without comments, EXIF, times and private chunks, which may name a patient."""
    kept = [(kind, body) for kind, body in _chunks(payload) if _is_kept(kind, body)]
    return _file(kept)


def grey(pixels: Pixels, texts: Mapping[str, str] | None = None) -> bytes:
    """A grey PNG of (H, W) pixels, 8 or 16 bits as their type says, with our own text entries."""
    height, width = pixels.shape
    rows = pixels.astype(">u2") if pixels.dtype == np.uint16 else pixels
    bits = 16 if pixels.dtype == np.uint16 else 8
    lines = np.ascontiguousarray(rows).view(np.uint8).reshape(height, -1)
    filtered = lines.copy()
    filtered[1:] -= lines[:-1]
    return _image(width, height, bits, filtered, _FILTER_UP, _GREY_LEVEL, texts or {})


def bilevel(mask: NDArray[np.bool_]) -> bytes:
    """A 1-bit grey PNG of a (H, W) mask, white where it is True."""
    height, width = mask.shape
    return _image(width, height, 1, np.packbits(mask, axis=1), _FILTER_NONE, _MASK_LEVEL, {})


def _image(
    width: int, height: int, bits: int, lines: NDArray[np.uint8], line_filter: int, level: int, texts: Mapping[str, str]
) -> bytes:
    framed = np.empty((height, lines.shape[1] + 1), dtype=np.uint8)
    framed[:, 0] = line_filter
    framed[:, 1:] = lines
    entries = [(b"tEXt", f"{key}\0{text}".encode("latin-1")) for key, text in sorted(texts.items())]
    return _file(
        [
            (b"IHDR", struct.pack(">IIBBBBB", width, height, bits, GREY, 0, 0, 0)),
            *entries,
            (b"IDAT", zlib.compress(framed.data, level)),
            (b"IEND", b""),
        ]
    )


def _file(chunks: list[tuple[bytes, bytes]]) -> bytes:
    parts = [SIGNATURE]
    for kind, body in chunks:
        parts += [struct.pack(">I", len(body)), kind, body, struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))]
    return b"".join(parts)


def _is_kept(kind: bytes, body: bytes) -> bool:
    if kind == b"tEXt":
        return body.partition(b"\0")[0].decode("latin-1") in KEPT_TEXTS
    return kind in _KEPT_CHUNKS


def _chunks(payload: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(SIGNATURE)
    kind = b""
    while kind != b"IEND":
        head = payload[place : place + 8]
        length = int.from_bytes(head[:4], "big")
        end = place + 12 + length
        if len(head) < 8 or end > len(payload):
            raise DamagedPng("The PNG is cut off: its end is missing. Copy or export it again.")
        kind, body = head[4:], payload[place + 8 : end - 4]
        if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(payload[end - 4 : end], "big"):
            raise DamagedPng("The PNG is damaged: a checksum inside it fails. Copy or export it again.")
        yield kind, body
        place = end
