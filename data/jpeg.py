"""JPEG files at the level of their segments: size, proof that the end is there, notes cut away (ITU-T T.81, B)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from core.errors import ReadingRoomError

SIGNATURE: Final = b"\xff\xd8\xff"
_END: Final = 0xD9
_SCAN: Final = 0xDA
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_NOTES: Final = frozenset({0xE1, *range(0xE3, 0xEE), 0xEF, 0xFE})
_EXIF: Final = 0xE1
_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


class DamagedJpeg(ReadingRoomError):
    """A JPEG that is cut off or whose segments make no sense."""


@dataclass(frozen=True)
class JpegFacts:
    """The frame header: size in pixels, bits a sample, how many components, and whether EXIF notes are there."""

    width: int
    height: int
    bits: int
    components: int
    has_exif: bool


def facts(payload: bytes) -> JpegFacts:
    """The frame header of a JPEG that is whole to its end marker. Raises DamagedJpeg; decodes no pixel."""
    frame = b""
    has_exif = False
    for marker, start, end in _segments(payload):
        if marker in _FRAMES and not frame:
            frame = payload[start:end]
        has_exif = has_exif or (marker == _EXIF and payload[start + 4 : start + 8] == b"Exif")
    height, width = int.from_bytes(frame[5:7], "big"), int.from_bytes(frame[7:9], "big")
    if not height or not width:
        raise DamagedJpeg("The JPEG has no frame header, so it cannot be read. Copy or export it again.")
    return JpegFacts(width, height, frame[4], frame[9], has_exif)


def without_notes(payload: bytes) -> bytes:
    """The same image without EXIF, XMP, comments and makers' segments, which may name a patient; the scan untouched."""
    pieces = [payload[:2]]
    pieces += [payload[start:end] for marker, start, end in _segments(payload) if marker not in _NOTES]
    return b"".join(pieces)


def _segments(payload: bytes) -> Iterator[tuple[int, int, int]]:
    """Each segment as (marker, start, end), a scan's coded data included in its segment, the end marker last."""
    place = 2
    while True:
        while payload[place : place + 2] == b"\xff\xff":
            place += 1
        if len(payload) < place + 2:
            raise DamagedJpeg("The JPEG is cut off: its end is missing. Copy or export it again.")
        if payload[place] != 0xFF:
            raise DamagedJpeg("The JPEG is damaged: its parts do not follow each other. Copy or export it again.")
        marker = payload[place + 1]
        if marker == _END:
            yield marker, place, place + 2
            return
        end = place + 2 + int.from_bytes(payload[place + 2 : place + 4], "big")
        if marker == _SCAN:
            found = _AFTER_SCAN.search(payload, end)
            end = found.start() if found else len(payload)
        yield marker, place, end
        place = end
