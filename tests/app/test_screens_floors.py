"""Models whose scores only mean something beside their floors: searchers and writers of reports."""

from PIL import Image

from app.house import House
from app.screens.models_floors import COLUMNS, floors_table
from app.services import snapshots
from app.services.demo import DATASET
from core.metrics import NOT_EVALUABLE, Estimate, Evaluation, Metric
from db import models
from db.models import NewModel
from tests.app.screen import screen, words
from tests.app.test_screens_models import choose, left_by


def scored(**values: float) -> dict[str, Metric]:
    return {name: Metric(Estimate(value, value - 0.1, value + 0.1, 345)) for name, value in values.items()}


def test_each_floor_stands_beside_its_score_and_never_as_a_score_of_its_own() -> None:
    metrics = scored(bleu4=0.12, constant_bleu4=0.11, random_bleu4=0.07, bleu4_shuffled=0.1, auroc=0.8)
    table = floors_table(metrics | {"meteor": Metric(NOT_EVALUABLE)}, COLUMNS["generation"])
    assert table.count("<tr>") == 1 + 2
    assert "METEOR" not in table
    for told in ("one for all", "a random one", "of other films", "0.110 (0.010 to 0.210)", "345", "BLEU-4"):
        assert told in table
    assert "the nearest" not in table
    assert "Constant bleu4" not in table


def test_a_search_has_its_ceiling_and_its_naive_twin() -> None:
    metrics = scored(**{"i2t_recall@10": 0.2, "i2t_recall@10_floor": 0.03, "i2t_recall@10_ceiling": 0.9,
                        "i2t_recall@10_naive": 0.18})  # fmt: skip
    table = floors_table(metrics, COLUMNS["retrieval"])
    assert table.count("<tr>") == 2
    assert "0.180" in table and "ceiling" in table and table.count("random order") == 1


def test_a_writer_of_reports_is_opened_beside_its_floors_and_shows_its_pictures(demo: House) -> None:
    snapshots.freeze(demo, "some", [DATASET], "tester")
    with demo.database.writing() as session:
        new = NewModel("generation", "writer", {}, (), "report_f1", {}, snapshot="some")
        model = models.register(session, new, "tester")
        metrics = scored(report_f1=0.4, report_f1_shuffled=0.2, constant_report_f1=0.0)
        models.record_evaluation(session, Evaluation(model.name, "some", "test", 9, 1.0, metrics), "tester")
    at = screen("models", model=model.name)
    assert "of other films" in words(at) and "0.400 (0.300 to 0.500)" in words(at)
    assert "No pictures were left here" in words(choose(at, "Show", "Pictures"))
    folder = left_by(demo, model, "evaluations/some-test", "some", "test")
    Image.new("RGB", (8, 8)).save(folder / "redrawn.png")
    at = choose(screen("models", model=model.name), "Show", "Pictures")
    assert len(at.get("image")) == 1
