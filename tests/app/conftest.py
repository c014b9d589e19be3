"""A house with a few studies in it, as the screens' tests need one."""

from collections.abc import Mapping

import pytest

from app.house import House, open_house
from app.services import snapshots
from app.services.demo import DATASET, load_demo
from core.metrics import Evaluation, ItemScore, summarise
from core.registry import ModelVersion
from core.studies import Split
from core.workspace import Workspace
from db import models
from db.models import NewModel

STUDIES = 8


@pytest.fixture
def demo(place: Workspace) -> House:
    """The house that the screens themselves open, holding eight small simulated studies."""
    house = open_house(place)
    load_demo(house, lambda _: None, studies=STUDIES, size=64)
    return house


@pytest.fixture
def frozen(demo: House) -> House:
    """The demo with a snapshot "first" of it."""
    snapshots.freeze(demo, "first", [DATASET], "tester")
    return demo


def put_model(
    house: House,
    dice: list[float],
    findings: tuple[str, ...] = ("heart",),
    folder: str = "segmentation-test",
    more: Mapping[str, float] | None = None,
) -> ModelVersion:
    """A model on record, trained on "first", which scored these values on validation, one a film, and `more` on all."""
    scores = tuple(
        ItemScore(f"film-{i}", f"patient-{i}", "heart", {"dice": value, **(more or {})}) for i, value in enumerate(dice)
    )
    metrics = summarise(scores, ["dice", *(more or {})])
    with house.database.writing() as session:
        new = NewModel("segmentation", folder, {"preset": "smoke"}, findings, "dice", metrics, "first")
        model = models.register(session, new, "tester")
        evaluation = Evaluation(model.name, "first", Split.VALIDATION, len(dice), 1.0, metrics, scores)
        models.record_evaluation(session, evaluation, "tester")
    return model
