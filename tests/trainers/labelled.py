"""Drawn films with labels and reports, for classification: what is present can be seen, and may be told as well."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.findings import State
from core.labels import Source
from core.reports import Report
from core.studies import IncomingImage, IncomingLabel, IncomingStudy, PixelFacts, Split, View
from data.images import from_pixels
from db import intake
from db.intake import StoredImage
from tests.trainers.conftest import BY, House, drawn_film

SIDE = 64
CYCLE = (Split.TRAIN, Split.TRAIN, Split.VALIDATION, Split.TEST)
SEEN, OTHER = "cardiomegaly", "pleural_effusion"

States = Mapping[str, State]
Told = Callable[[int, States], str]


def alternating(number: int) -> States:
    """Cardiomegaly on half of each split's studies, effusion on a third; "no finding" where there is neither."""
    heart, fluid = (number // 4) % 2 == 0, (number // 8) % 3 == 0
    present = {SEEN: heart, OTHER: fluid, "no_finding": not heart and not fluid}
    return {key: State.PRESENT if there else State.ABSENT for key, there in present.items()}


def unrelated(number: int, states: States) -> str:
    return ("cough and fever", "chest pain since two days", "", "before surgery of the left knee")[number % 4]


def telling(number: int, states: States) -> str:
    """A context that says what is on the film."""
    return "swollen ankles" if states.get(SEEN) is State.PRESENT else "routine check"


def film_with(number: int, states: States, side: int = SIDE) -> NDArray[np.uint8]:
    """A drawn chest; with cardiomegaly a bright disc about the heart, with an effusion a bright base on the patient's
    left, which is the right of the image."""
    film, _ = drawn_film(number, side)
    rows, columns = np.mgrid[0:side, 0:side] / side
    if states.get(SEEN) is State.PRESENT:
        film[(rows - 0.62) ** 2 + (columns - 0.5) ** 2 < 0.03] = 250
    if states.get(OTHER) is State.PRESENT:
        film[(rows > 0.85) & (columns > 0.6)] = 250
    return film


def labels_of(states: States, source: Source = Source.IMPORTED) -> tuple[IncomingLabel, ...]:
    return tuple(IncomingLabel(key, state, source) for key, state in states.items())


def add_labelled(
    house: House,
    dataset: str,
    count: int,
    states: Callable[[int], States] = alternating,
    context: Told = unrelated,
    first: int = 0,
    views: Sequence[View] = (View.PA,),
    splits: Sequence[Split | None] = CYCLE,
    side: int = SIDE,
) -> None:
    """Put studies on record, one a patient, the splits taken in turn."""
    studies = []
    for number in range(first, first + count):
        said = states(number)
        films = tuple(
            film_of(film_with(number * len(views) + place, said, side), view, f"film-{place}")
            for place, view in enumerate(views)
        )
        told, split = context(number, said), splits[number % len(splits)]
        studies.append(labelled_study(number, films, told, labels_of(said), split))
    put(house, dataset, studies)


def film_of(pixels: NDArray[np.uint8], view: View = View.PA, name: str = "pa") -> IncomingImage:
    kept = from_pixels(pixels, 8)
    return IncomingImage(name, view, PixelFacts(*pixels.shape[::-1]), kept.payload, kept.media_type)


def labelled_study(
    number: int,
    films: tuple[IncomingImage, ...],
    told: str,
    labels: tuple[IncomingLabel, ...],
    split: Split | None,
    notes: str | None = None,
) -> IncomingStudy:
    report = Report(indication=told, findings="As seen.") if told else None
    return IncomingStudy(
        f"patient-{number}", f"study-{number}", films, report, notes=notes, split=split, labels=labels, order=number
    )


def put(house: House, dataset: str, studies: Sequence[IncomingStudy]) -> None:
    """All at once: what each study costs alone would be most of a test's time."""
    kept = iter(house.store.put_many(film.payload for study in studies for film in study.images))
    with house.database.writing() as session:
        for study in studies:
            stored = [StoredImage(next(kept), ()) for _ in study.images]
            intake.add_study(session, dataset, study, stored, BY)
