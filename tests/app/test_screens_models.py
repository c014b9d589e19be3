import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.house import House
from app.screens import models_charts as charts
from app.screens.models import versions_table
from app.screens.models_scores import interval, matrix, signed
from app.services import figures, models, snapshots
from app.services.demo import DATASET
from core.metrics import NOT_EVALUABLE, Estimate, Evaluation, Metric
from core.registry import ModelState, ModelVersion
from db import models as models_on_record
from tests.app.conftest import put_model
from tests.app.screen import press, screen, words


def choose(at: AppTest, label: str, option: str) -> AppTest:
    next(group for group in at.button_group if group.label == label).set_value(option)
    at.run()
    assert not at.exception, at.exception
    return at


def turned_to(view: str, **address: str) -> AppTest:
    return choose(screen("models", **address), "Show", view)


def left_by(house: House, model: ModelVersion, where: str, snapshot: str, split: str) -> Path:
    """The folder of a measurement's pictures, with the numbers beside it that say whose it is."""
    folder = house.workspace.models / model.folder / where
    folder.mkdir(parents=True)
    told = folder.parent if where == "figures" else folder
    (told / "metrics.json").write_text(json.dumps({"snapshot": snapshot, "split": split}), encoding="utf-8")
    return folder


def picture(place: Path) -> None:
    Image.new("RGB", (8, 8)).save(place)


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
    told = words(turned_to("Film by film"))
    assert told.index("film-1") < told.index("film-2") < told.index("film-0")


def test_the_promotion_says_what_the_rule_says(frozen: House) -> None:
    models.promote(frozen, put_model(frozen, [0.5, 0.6, 0.7, 0.8, 0.9]).name, "the first", "tester")
    put_model(frozen, [0.5, 0.6, 0.7, 0.8, 0.9])
    told = words(press(screen("models"), "Promote"))
    assert "segmentation-v1 is in use now." in told
    assert "Not better than the model in use beyond chance" in told


def test_pictures_are_found_by_what_they_show_failures_first(frozen: House) -> None:
    model = put_model(frozen, [0.9])
    folder = left_by(frozen, model, "figures", "first", "validation")
    for name in ("heart-best-1", "heart-median-1", "heart-worst-2", "lungs-worst-1", "heart-worst-1", "reliability"):
        picture(folder / f"{name}.png")
    for name in ("overlay-heart-2", "overlay-heart-1", "overlay-left_lung-10", "gradcam-heart-1"):
        picture(folder / f"{name}.png")
    picture(folder / "training.gif")
    found = figures.pictures(frozen, model, "first", "validation")
    assert [each.name for each in found.failures] == ["heart worst 1", "lungs worst 1", "heart worst 2"]
    assert [each.name for each in found.others] == ["heart median 1", "heart best 1"]
    assert [each.name for each in found.overlays] == ["heart 1", "heart 2", "left lung 10"]
    assert [each.finding for each in found.looks] == ["heart"]
    assert found.training == folder / "training.gif"


def test_pictures_of_all_findings_stand_in_the_order_of_their_dice(frozen: House) -> None:
    model = put_model(frozen, [0.9])
    folder = left_by(frozen, model, "figures", "first", "validation")
    dice = {"heart-worst-1.png": 0.8, "heart-worst-2.png": 0.82, "lungs-worst-1.png": 0.9}
    for name in dice:
        picture(folder / name)
    (folder / "pictures.json").write_text(json.dumps(dice), encoding="utf-8")
    found = figures.pictures(frozen, model, "first", "validation")
    assert [each.name for each in found.failures] == ["heart worst 1", "heart worst 2", "lungs worst 1"]
    (folder / "pictures.json").write_text("[]", encoding="utf-8")
    with pytest.raises(figures.DamagedFigures):
        figures.pictures(frozen, model, "first", "validation")


def test_the_card_of_a_model_is_found(frozen: House) -> None:
    model = put_model(frozen, [0.9])
    folder = frozen.workspace.models / model.folder
    folder.mkdir(parents=True)
    (folder / "model_card.md").write_text("# The card", encoding="utf-8")
    assert figures.card(frozen, model) == "# The card"
    assert "The card" in words(turned_to("Card"))


def test_each_measurement_has_pictures_of_its_own_and_never_another_ones(frozen: House) -> None:
    model = put_model(frozen, [0.9])
    picture(left_by(frozen, model, "figures", "first", "validation") / "heart-worst-1.png")
    picture(left_by(frozen, model, "evaluations/other-test", "other", "test") / "lungs-worst-1.png")

    def failures(snapshot: str, split: str) -> list[str]:
        return [each.name for each in figures.pictures(frozen, model, snapshot, split).failures]

    assert failures("other", "test") == ["lungs worst 1"]
    assert failures("first", "validation") == ["heart worst 1"]
    assert failures("first", "test") == []
    assert failures("elsewhere", "validation") == []


def test_the_gallery_shows_failures_first_and_then_what_is_asked_for(frozen: House) -> None:
    model = put_model(frozen, [0.9])
    folder = left_by(frozen, model, "figures", "first", "validation")
    for name in ("heart-worst-1.png", "overlay-heart-1.png", "gradcam-heart-1.png", "training.gif"):
        picture(folder / name)
    at = turned_to("Pictures")
    assert len(at.get("image")) == 1
    choose(at, "Pictures", "Training")
    assert len(at.get("image")) == 1
    kinds = next(group for group in at.button_group if group.label == "Pictures").options
    assert [str(kind) for kind in kinds] == ["Failures", "Outlines", "Where it looked", "Training"]


def test_the_same_films_stand_beside_each_other_where_one_did_worst_first(frozen: House) -> None:
    one, other = put_model(frozen, [0.9]), put_model(frozen, [0.8], folder="segmentation-other")
    for model, dice in ((one, {"a": 0.9, "b": 0.4, "c": 0.7}), (other, {"a": 0.2, "b": 0.8, "d": 0.1})):
        folder = left_by(frozen, model, "figures", "first", "validation") / "films"
        folder.mkdir()
        rows = [{"item": i, "finding": "heart", "dice": d, "picture": f"heart-{i}.png"} for i, d in dice.items()]
        (folder / "films.json").write_text(json.dumps(rows), encoding="utf-8")
        for row in rows:
            picture(folder / str(row["picture"]))
    films = figures.same_films(frozen, [one, other], "first", "validation")
    assert [(film.item, film.dice) for film in films] == [("a", (0.9, 0.2)), ("b", (0.4, 0.8))]
    at = turned_to("Same films", model="segmentation-v1")
    assert len(at.get("image")) == 4
    assert "heart 0.900 | 0.200 · a" in words(at)


def test_a_table_of_films_leads_to_no_other_folder(frozen: House) -> None:
    model = put_model(frozen, [0.9])
    folder = left_by(frozen, model, "figures", "first", "validation")
    picture(folder / "secret.png")
    (folder / "films").mkdir()
    row = {"item": "a", "finding": "heart", "dice": 0.5, "picture": "../secret.png"}
    (folder / "films" / "films.json").write_text(json.dumps([row]), encoding="utf-8")
    assert figures.same_films(frozen, [model], "first", "validation") == ()


@pytest.mark.parametrize("damage", ["{", "[]", '{"prompts": 3}', '{"reliability": {"heart": [[1]]}}'])
def test_a_table_that_is_damaged_is_told_and_not_shown(frozen: House, damage: str) -> None:
    model = put_model(frozen, [0.9])
    folder = left_by(frozen, model, "figures", "first", "validation")
    (folder.parent / "details.json").write_text(damage, encoding="utf-8")
    with pytest.raises(figures.DamagedFigures, match="Measure the model again"):
        figures.details(frozen, model, "first", "validation")
    assert "cannot be read, so it is not shown" in words(turned_to("Calibration"))


def test_words_and_probabilities_are_charted_from_what_the_measurement_left(frozen: House) -> None:
    model = put_model(frozen, [0.9, 0.8], more={"dice_dropped": 0.1, "dice_negated": 0.0, "ece": 0.01})
    folder = left_by(frozen, model, "figures", "first", "validation")
    told = {
        "prompts": {"heart": {"heart": 0.85, "<b>left</b>_lung": 0.02}},
        "reliability": {"heart": [[900, 0.01, 0.02], [100, 0.9, 0.8]]},
        "sureness": {"heart": [[0.8, 0.9]]},
    }
    (folder.parent / "details.json").write_text(json.dumps(told), encoding="utf-8")
    assert len(turned_to("Words").get("plotly_chart")) == 2
    at = turned_to("Calibration")
    assert len(at.get("plotly_chart")) == 2
    assert "Expected calibration error" in words(at)

    details = figures.details(frozen, model, "first", "validation")
    assert details is not None
    heat = charts.prompts(details)
    assert heat is not None
    assert list(heat.data[0].x) == ["heart", "&lt;b&gt;left&lt;/b&gt; lung"]
    assert [list(row) for row in heat.data[0].z] == [[0.85, 0.02]]
    _, true, pixels = charts.reliability(details.reliability).data
    assert (list(true.x), list(true.y), list(pixels.y)) == ([0.01, 0.9], [0.02, 0.8], [0.9, 0.1])
    bars = charts.wording(model.metrics)
    assert bars is not None
    assert list(bars.data[0].x) == ["as asked", "without words", "denied"]
    assert bars.data[0].y[0] == pytest.approx(0.85)


def test_a_model_asked_in_no_other_words_has_no_chart_of_them(frozen: House) -> None:
    put_model(frozen, [0.9])
    told = words(turned_to("Words"))
    assert "Other words were not tried here." in told
    assert "No answers to single prompts were kept here." in told


def test_metrics_are_a_matrix_with_n_where_the_pointer_rests() -> None:
    metric = Metric(Estimate(0.9512, 0.94, 0.96, 12), {"left_lung": Estimate(0.9, 0.8, 1.0, 6), "heart": NOT_EVALUABLE})
    table = matrix({"dice": metric, "dice_negated": metric, "ece": Metric(Estimate(0.01, 0.0, 0.02, 12))})
    assert "<th class=number>Dice</th><th class=number>ECE</th>" in table
    assert 'title="N 12">0.951<small>0.940 to 0.960</small>' in table
    assert "<td>left lung</td>" in table
    assert "Nothing here to measure it on" in table


def test_the_only_finding_is_not_told_twice() -> None:
    table = matrix({"dice": Metric(Estimate(0.9, 0.8, 1.0, 6), {"heart": Estimate(0.9, 0.8, 1.0, 6)})})
    assert table.count("0.900") == 1
    assert "<td>heart</td>" in table


def test_what_a_version_was_measured_on_is_listed_and_can_be_chosen(frozen: House) -> None:
    model = put_model(frozen, [0.9, 0.8])
    snapshots.freeze(frozen, "elsewhere", [DATASET], "tester")
    with frozen.database.writing() as session:
        metrics = {"dice": Metric(Estimate(0.4321, 0.4, 0.5, 5))}
        models_on_record.record_evaluation(
            session, Evaluation(model.name, "elsewhere", "all", 5, 1.0, metrics), "tester"
        )
    at = screen("models")
    told = words(at)
    assert "elsewhere, all" in told
    assert "first, validation" in told
    assert "0.432<small>" in told
    box = next(box for box in at.selectbox if box.label == "measured on")
    box.select(("first", "validation")).run()
    assert "0.850<small>" in words(at)


def test_a_floor_stands_beside_the_headline_where_one_was_recorded(frozen: House) -> None:
    model = put_model(frozen, [0.9])
    assert "Floor" not in versions_table([model])
    floor = {"dice_floor": Metric(Estimate(0.4, 0.3, 0.5, 9))}
    table = versions_table([replace(model, metrics={**model.metrics, **floor}), model])
    assert "<th>Floor</th>" in table
    assert "0.400 (0.300 to 0.500), N 9" in table


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
