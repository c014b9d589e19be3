"""The demo: simulated studies for a workstation that holds none, so that there is something to read and learn from."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from app.house import House
from app.services import importing
from core.findings import State
from core.masks import stats
from core.studies import IncomingImage, IncomingLabel, IncomingMask, IncomingStudy, Split
from data import images
from data.importers.plan import ImportPlan
from db import datasets

if TYPE_CHECKING:
    from data.phantom import PhantomImage, PhantomStudy

DATASET = "demo"
STUDIES = 24
SIZE = 1024
SEED = 7
BITS = 12

_JUDGES = {3: Split.VALIDATION, 7: Split.TEST, 11: Split.VALIDATION, 15: Split.TEST}
"""Places (in the order of their first study) of the patients who judge; the others teach."""
_DRAWN = 12
"""Of this many of the patients who teach, and of all who judge, the true masks come in; the rest is left to draw."""

Say = Callable[[str], None]


def load_demo(house: House, say: Say, studies: int = STUDIES, size: int = SIZE) -> int:
    """Import simulated studies if the database holds no dataset at all. Gives how many came in."""
    with house.database.reading() as session:
        if datasets.dataset_names(session):
            return 0
    say(f"The database is empty: simulating {studies} demo studies (a few seconds).")
    found = ImportPlan(studies, simulated(studies, size))
    return importing.take_in(house, "demo", found, DATASET, "demo", lambda *_: None).studies


def simulated(studies: int, size: int, seed: int = SEED) -> Iterator[IncomingStudy]:
    """The first studies of the demo's series, as an importer would give them, `size` pixels a side."""
    # The simulator takes longer to load than a workstation that has its data should need to open.
    from data.phantom import simulate

    def one(index: int) -> tuple["PhantomStudy", list[IncomingImage]]:
        study = simulate(index, seed=seed, size=size)
        return study, [_image(image) for image in study.images]

    patients: dict[str, int] = {}
    with ThreadPoolExecutor(2) as pool:
        for order, (study, films) in enumerate(pool.map(one, range(studies))):
            place = patients.setdefault(study.patient, len(patients))
            yield _incoming(study, films, order, place)


def _incoming(study: "PhantomStudy", films: list[IncomingImage], order: int, place: int) -> IncomingStudy:
    split = _JUDGES.get(place, Split.TRAIN)
    is_drawn = split is not Split.TRAIN or place < _DRAWN
    stated = [IncomingLabel(finding, state) for finding, state in study.states.items() if state is not State.UNASSESSED]
    return IncomingStudy(
        patient=study.patient,
        key=study.key,
        images=tuple(film if is_drawn else replace(film, masks=()) for film in films),
        report=study.report,
        age=study.age,
        sex=study.sex,
        split=split,
        labels=tuple(stated) if is_drawn else (),
        order=order,
    )


def _image(image: "PhantomImage") -> IncomingImage:
    kept = images.from_pixels(image.pixels, BITS, spacing_mm=image.spacing_mm)
    masks = tuple(IncomingMask(finding, images.mask_png(mask), stats(mask)) for finding, mask in image.masks.items())
    return IncomingImage(str(image.view).lower(), image.view, kept.facts, kept.payload, kept.media_type, masks)
