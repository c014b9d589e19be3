"""A film that somebody hands over on its own, whatever its kind: looked at, de-identified, and refused with a reason.

What a file is shows in its bytes, not in its name. DICOM goes through data.deidentify, and PNG, JPEG and TIFF lose the
notes inside them, all as in an import; nothing of the file as it came is kept.
"""

from dataclasses import dataclass
from typing import Final

from core.studies import IncomingImage, View
from data import dicom, images
from data.pixels import ImageTruncated, NotAnImage, UnreadableImage

MOST_BYTES: Final = 512 * 2**20
SMALLEST: Final = 32
SMALL: Final = 200
"""Films with a side under SMALLEST pixels are refused, those under SMALL are read with a caution."""

_NAME: Final = "film"


class NoFilm(UnreadableImage):
    """A picture that can be read and that no model could say anything of."""


@dataclass(frozen=True)
class Admitted:
    """A film that may be looked at, and what a person should know of it."""

    image: IncomingImage
    cautions: tuple[str, ...]


def admit(payload: bytes, secret: bytes) -> Admitted:
    """The frontal film in a file's bytes. Raises UnreadableImage, CannotDeidentify."""
    if not payload:
        raise ImageTruncated("The file is empty.")
    if len(payload) > MOST_BYTES:
        raise NoFilm(
            f"The file has {len(payload) / 2**20:,.0f} MiB; a film has a few. More than {MOST_BYTES >> 20} MiB are not "
            "opened."
        )
    image, cautions = _read(payload, secret)
    if image.view is View.LATERAL:
        raise NoFilm("It is a lateral film; the models read frontal ones only.")
    least = min(image.facts.width, image.facts.height)
    size = f"{image.facts.width:,} x {image.facts.height:,} pixels"
    if least < SMALLEST:
        raise NoFilm(f"The picture has only {size}, which is too small for a film.")
    pixels = images.read(image.payload)
    if int(pixels.min()) == int(pixels.max()):
        raise NoFilm("The picture is empty: all of its pixels are equally bright.")
    if least < SMALL:
        cautions = (*cautions, f"The film has only {size}; what a model says of so small a film may be worth little.")
    if min(image.facts.width, image.facts.height) * 3 < max(image.facts.width, image.facts.height):
        cautions = (*cautions, f"With {size} it is no usual shape for a film of the chest.")
    return Admitted(image, cautions)


def _read(payload: bytes, secret: bytes) -> tuple[IncomingImage, tuple[str, ...]]:
    try:
        kind = images.sniff(payload)
    except NotAnImage:
        # Old archives write DICOM without its preamble, so only its reader can tell.
        return _from_dicom(payload, secret)
    if kind == images.DICOM:
        return _from_dicom(payload, secret)
    kept = images.to_keep(payload)
    image = IncomingImage(_NAME, View.UNKNOWN, kept.facts, kept.payload, kept.media_type, turn=kept.turn)
    return image, (f"It was set upright: {kept.turn_reason}.",) if kept.turn_reason else ()


def _from_dicom(payload: bytes, secret: bytes) -> tuple[IncomingImage, tuple[str, ...]]:
    try:
        film = dicom.film(payload, secret)
    except NotAnImage:
        raise NotAnImage("The file is no PNG, JPEG, TIFF or DICOM image.") from None
    turned = (f"It was set upright: {film.image.turn_reason}.",) if film.image.turn_reason else ()
    return film.image, (*film.warnings, *turned)
