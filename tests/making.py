"""Small studies with known content, for tests that need something on record."""

from collections.abc import Iterable, Mapping
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from app.house import House
from core.masks import Mask, stats
from core.reports import Report
from core.studies import IncomingImage, IncomingLabel, IncomingMask, IncomingStudy, Split, Study, View
from data.images import from_pixels, mask_png
from db import intake, studies
from db.intake import Added, StoredImage

HEIGHT, WIDTH = 40, 32
BY = "tester"


def film(seed: int = 0, height: int = HEIGHT, width: int = WIDTH, bits: int = 8) -> NDArray[np.uint8 | np.uint16]:
    """(height, width) grey values that differ from seed to seed."""
    kind = np.uint8 if bits <= 8 else np.uint16
    return np.random.default_rng(seed).integers(0, 2**bits, (height, width)).astype(kind)


def block(top: int = 4, left: int = 6, height: int = HEIGHT, width: int = WIDTH, side: int = 8) -> Mask:
    """A (height, width) mask with one square marked."""
    mask = np.zeros((height, width), bool)
    mask[top : top + side, left : left + side] = True
    return mask


def image(
    name: str = "pa",
    seed: int = 0,
    masks: Mapping[str, Mask] | None = None,
    view: View = View.PA,
    pixels: NDArray[np.uint8 | np.uint16] | None = None,
    bits: int = 8,
) -> IncomingImage:
    kept = from_pixels(film(seed, bits=bits) if pixels is None else pixels, bits)
    drawn = tuple(IncomingMask(key, mask_png(mask), stats(mask)) for key, mask in (masks or {}).items())
    return IncomingImage(name, view, kept.facts, kept.payload, kept.media_type, drawn)


def study(
    key: str,
    images: Iterable[IncomingImage] = (),
    patient: str | None = None,
    report: str = "",
    split: Split | None = None,
    labels: Iterable[IncomingLabel] = (),
    order: int = 0,
) -> IncomingStudy:
    """A study of a patient of its own, unless told whose it is."""
    told = Report(findings=report) if report else None
    films = tuple(images) or (image(seed=crc32(key.encode())),)
    return IncomingStudy(patient or f"patient-{key}", key, films, told, split=split, labels=tuple(labels), order=order)


def put(house: House, dataset: str, *incoming: IncomingStudy) -> list[Added]:
    """Bytes into the store, rows on record, as an import does."""
    told = []
    for each in incoming:
        stored = [
            StoredImage(house.store.put(film.payload), tuple(house.store.put(mask.png) for mask in film.masks))
            for film in each.images
        ]
        with house.database.writing() as session:
            told.append(intake.add_study(session, dataset, each, stored, BY))
    return told


def read_study(house: House, number: int = 1) -> Study:
    with house.database.reading() as session:
        return studies.get_study(session, number)
