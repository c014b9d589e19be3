"""Drawn films with reports that say what is on them, for retrieval: what can be seen can be read."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.findings import State
from core.recipes import RetrievalRecipe, preset
from core.registry import ModelVersion
from core.reports import Report
from core.snapshots import Manifest
from core.studies import IncomingStudy, Split, View
from db import models, promotion
from db.models import NewModel
from tests.trainers.conftest import BY, House
from tests.trainers.labelled import CYCLE, SIDE, film_of, film_with, labels_of, put
from trainers.contract import Silent
from trainers.loop import train
from trainers.retrieval.family import Retrieval

PLACES = ("upper left", "upper right", "lower left", "lower right")
SIZES = ("tiny", "small", "large", "huge")


def seen_on(number: int) -> tuple[str, str, bool]:
    """Where a square lies on a study's films, how large it is, and whether the heart is large."""
    turn = number // len(CYCLE)
    return PLACES[turn % 4], SIZES[(turn // 4) % 4], (turn // 16) % 2 == 0


def drawn(number: int, view: View, side: int = SIDE) -> NDArray[np.uint8]:
    place, size, heart = seen_on(number)
    film = film_with(number, {"cardiomegaly": State.PRESENT if heart else State.ABSENT}, side)
    reach = side * (3 + 3 * SIZES.index(size)) // 64
    top, left = (0 if "upper" in place else side - reach), (0 if "left" in place else side - reach)
    film[top : top + reach, left : left + reach] = 255 if view is not View.LATERAL else 0
    return film


def report_on(number: int) -> Report:
    place, size, heart = seen_on(number)
    told = f"There is a {size} square. It lies {place}."
    return Report(findings=told, impression="The heart is enlarged." if heart else "The heart is normal.")


def add_reported(
    house: House,
    dataset: str,
    count: int,
    first: int = 0,
    views: Sequence[View] = (View.PA, View.LATERAL),
    splits: Sequence[Split | None] = CYCLE,
) -> None:
    """Put studies on record, one a patient, the splits taken in turn."""
    studies = []
    for number in range(first, first + count):
        films = tuple(film_of(drawn(number, view), view, f"film-{place}") for place, view in enumerate(views))
        heart = seen_on(number)[2]
        states = {"cardiomegaly": heart, "no_finding": not heart}
        labels = labels_of({key: State.PRESENT if there else State.ABSENT for key, there in states.items()})
        studies.append(
            IncomingStudy(
                f"patient-{number}", f"study-{number}", films, report_on(number),
                split=splits[number % len(splits)], labels=labels, order=number,
            )
        )  # fmt: skip
    put(house, dataset, studies)


def learn(house: House, manifest: Manifest, folder: str, **changes: object) -> None:
    """Train a small retrieval model on a snapshot, and save it in a folder among the models."""
    recipe = preset("retrieval", "smoke")
    assert isinstance(recipe, RetrievalRecipe)
    recipe = replace(recipe, **{"minimum_steps": 120, **changes})  # type: ignore[arg-type]
    family, working = Retrieval(), house.workspace.home / "training"
    data = family.prepare(recipe, manifest, house.shelf, Silent())
    done = train(lambda wanted: family.module(wanted, data), recipe, family.headline, True, working, Silent())
    (house.workspace.models / folder).mkdir(parents=True)
    family.save(done.module.publishable(), house.workspace.models / folder)


def put_in_use(house: House, folder: str) -> ModelVersion:
    """Put a saved retrieval model on record and in use; the job that makes its index waits from then on."""
    with house.database.writing() as session:
        new = NewModel("retrieval", folder, preset("retrieval", "smoke").to_mapping(), (), "recall@10", {})
        version = models.register(session, new, BY)
        return promotion.put_in_use(session, version.name, "for the test", BY)
