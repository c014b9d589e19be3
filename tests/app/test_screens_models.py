from datetime import UTC, datetime
from pathlib import Path

from app.house import House
from app.screens.models import interval, signed, versions_table
from app.services import figures, models
from core.metrics import NOT_EVALUABLE, Estimate
from core.registry import ModelState, ModelVersion
from tests.app.conftest import put_model
from tests.app.screen import press, screen, words


def test_without_a_model_it_leads_to_training(frozen: House) -> None:
    at = screen("models")
    assert "No model is here yet." in words(at)
    assert "Start training" in [button.label for button in press(at, "Train a model").button]


def test_versions_stand_with_what_they_learned_from_and_how_good_they_are(frozen: House) -> None:
    put_model(frozen, [0.9, 0.8, 0.7])
    told = words(screen("models"))
    assert "segmentation-v1" in told
    assert "candidate" in told
    assert "Dice 0.800 (" in told
    assert "N 3" in told


def test_two_versions_stand_side_by_side_with_their_paired_difference(frozen: House) -> None:
    put_model(frozen, [0.5, 0.6, 0.7])
    put_model(frozen, [0.6, 0.7, 0.8])
    told = words(screen("models", model="segmentation-v2"))
    assert "segmentation-v2 minus segmentation-v1 on the same films: Dice +0.100 (+0.100 to +0.100), N 3" in told


def test_failures_come_first_film_by_film(frozen: House) -> None:
    put_model(frozen, [0.9, 0.2, 0.7])
    at = screen("models")
    next(group for group in at.button_group if group.label == "Show").set_value("Failures")
    at.run()
    told = words(at)
    assert told.index("film-1") < told.index("film-2") < told.index("film-0")


def test_the_promotion_says_what_the_rule_says(frozen: House) -> None:
    models.promote(frozen, put_model(frozen, [0.5, 0.6, 0.7]).name, "the first", "tester")
    put_model(frozen, [0.5, 0.6, 0.7])
    told = words(press(screen("models"), "Promote"))
    assert "segmentation-v1 is in use now." in told
    assert "Not better than the model in use beyond chance" in told


def test_the_card_and_the_pictures_of_a_model_are_found_failures_first(frozen: House) -> None:
    model = put_model(frozen, [0.9])
    folder = frozen.workspace.models / model.folder
    (folder / "figures").mkdir(parents=True)
    (folder / "model_card.md").write_text("# The card", encoding="utf-8")
    for name in ("heart-worst-2", "lungs-worst-1", "heart-worst-1"):
        (folder / "figures" / f"{name}.png").write_bytes(b"")
    assert [each.name for each in figures.examples(frozen, model)] == [
        "heart worst 1",
        "lungs worst 1",
        "heart worst 2",
    ]
    assert figures.card(frozen, model) == "# The card"


def test_pictures_of_a_later_measurement_stand_for_it(frozen: House) -> None:
    model = put_model(frozen, [0.9])
    for place in ("figures", "evaluations/other-test"):
        folder = frozen.workspace.models / model.folder / place
        folder.mkdir(parents=True)
        Path(folder / f"{place[:3]}-worst-1.png").write_bytes(b"")
    assert [each.name for each in figures.examples(frozen, model, "other", "test")] == ["eva worst 1"]
    assert [each.name for each in figures.examples(frozen, model, "first", "validation")] == ["fig worst 1"]


def test_a_model_of_a_fold_is_marked_as_for_evaluation_only() -> None:
    fold = ModelVersion(
        1,
        "segmentation",
        1,
        ModelState.CANDIDATE,
        "f",
        {},
        None,
        (),
        "dice",
        {},
        datetime(2026, 1, 1, tzinfo=UTC),
        "tester",
        promotable=False,
    )
    assert "candidate, evaluation only" in versions_table([fold])


def test_what_a_person_gave_as_a_reason_is_escaped(frozen: House) -> None:
    models.promote(frozen, put_model(frozen, [0.9]).name, "<script>alert(1)</script>", "tester")
    assert "<script>" not in words(screen("models"))


def test_numbers_that_were_not_measured_say_so() -> None:
    assert interval(NOT_EVALUABLE) == "not measured"
    assert interval(Estimate(0.9512, 0.94, 0.96, 12)) == "0.951 (0.940 to 0.960), N 12"
    assert signed(NOT_EVALUABLE) == "cannot be compared"
