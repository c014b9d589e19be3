"""The models screen for classifiers: four columns, curves, calibration, and the warning that a text gives away."""

import json
from html import unescape

import pytest

from app.house import House
from app.screens.models_columns import calibration_table, columns_table, differences_table, thresholds_table
from app.services import columns
from app.services.columns import Columns
from app.services.figures import DamagedFigures
from core.registry import ModelVersion
from tests.app.classifying import COLUMNS, FINDINGS, LEAK, NEVER, put_measured
from tests.app.conftest import put_model
from tests.app.screen import screen, words
from tests.app.test_screens_models import choose, turned_to


def told_of(house: House, model: ModelVersion) -> Columns:
    found = columns.columns(house, model, "first", "validation")
    assert found is not None
    return found


def test_the_four_columns_stand_side_by_side_with_intervals_and_counts(frozen: House) -> None:
    model = put_measured(frozen)
    table = columns_table(told_of(frozen, model), model.metrics, "auroc", [*FINDINGS, NEVER])
    heads = [unescape(part.split("</th>")[0]) for part in table.split("<th class=number>")[1:]]
    assert heads == ["Present", "film alone", "text alone", "film and text", "film and another's text"]
    assert ">0.850<small>0.810 to 0.890</small>" in table
    assert "12 of 60" in table
    assert "<td>mean of 2</td>" in table


def test_a_finding_that_was_never_present_is_not_evaluable_and_never_zero(frozen: House) -> None:
    model = put_measured(frozen)
    table = columns_table(told_of(frozen, model), model.metrics, "auroc", [*FINDINGS, NEVER])
    row = next(line for line in table.split("<tr") if "fracture" in line)
    assert "not evaluable: never present here" in row
    assert "0.000" not in row


def test_differences_are_paired_and_those_within_chance_stand_back(frozen: House) -> None:
    table = differences_table(told_of(frozen, put_measured(frozen)), [*FINDINGS, NEVER])
    assert "what the text adds<small>film and text minus film alone</small>" in table
    assert '<td class="number faint" title="N 60">+0.020<small>-0.020 to +0.060</small>' in table
    assert '<td class="number" title="N 60">-0.200<small>-0.240 to -0.160</small>' in table
    assert "fracture" not in table


def test_a_text_that_gives_the_answer_away_is_told_on_the_screen(frozen: House) -> None:
    put_measured(frozen)
    assert "gives the answer away" not in words(screen("models"))
    put_measured(frozen, "classification-2", warnings=[LEAK])
    assert LEAK in words(screen("models", model="classification-v2"))


def test_columns_come_first_and_any_metric_can_be_shown(frozen: House) -> None:
    put_measured(frozen)
    at = screen("models")
    assert "Paired differences of AUROC" in words(at)
    assert len(at.get("plotly_chart")) == 1
    choose(at, "Metric", "f1")
    assert '<div class="rr-title">F1</div>' in words(at)


def test_curves_are_drawn_by_finding_or_by_column(frozen: House) -> None:
    put_measured(frozen)
    at = turned_to("ROC and PR")
    assert len(at.get("plotly_chart")) == 2
    at.selectbox(key="models-curves-finding").set_value("edema").run()
    assert not at.exception
    assert len(at.get("plotly_chart")) == 2


def test_calibration_stands_before_and_after_scaling_with_the_thresholds(frozen: House) -> None:
    model = put_measured(frozen)
    told = told_of(frozen, model)
    table = calibration_table(told, model.metrics)
    assert "<td class=number>1.31</td><td class=number>0.090</td><td class=number>0.850</td>" in table
    thresholds = thresholds_table(told)
    assert "<td>edema</td><td class=number>0.43</td>" in thresholds
    assert "<td>fracture</td><td class=number>–</td>" in thresholds
    at = turned_to("Calibration")
    assert len(at.get("plotly_chart")) == 1
    assert "Called present from" in words(at)


def test_two_versions_are_compared_on_the_same_studies(frozen: House) -> None:
    put_measured(frozen)
    put_measured(frozen, "classification-2", better=0.05)
    at = turned_to("Scores", model="classification-v2")
    assert (
        "classification-v2 minus classification-v1 on the same films: AUROC +0.050 (+0.050 to +0.050), N 24"
        in words(at)
    )
    for view in ("Columns", "ROC and PR", "Calibration"):
        assert len(choose(at, "Show", view).get("plotly_chart")) in (2, 4)


def test_scores_leave_out_what_the_columns_tell(frozen: House) -> None:
    put_measured(frozen)
    told = words(turned_to("Scores"))
    assert "<th class=number>Average precision</th>" in told
    assert "text only" not in told


def test_studies_that_would_be_missed_come_first(frozen: House) -> None:
    put_measured(frozen)
    told = words(turned_to("Study by study"))
    assert "those it would miss come first" in told
    assert told.index("study-0") < told.index("study-5")


def test_a_model_of_films_alone_has_one_column_and_no_differences(frozen: House) -> None:
    put_measured(frozen, columns={"image": 0.0})
    told = words(screen("models"))
    assert "film alone" in told
    assert "text alone" not in told
    assert "Paired differences" not in told


def test_views_without_anything_in_them_are_not_offered(frozen: House) -> None:
    put_measured(frozen)
    at = screen("models")
    offered = next(group for group in at.button_group if group.label == "Show").options
    assert not {"Words", "Pictures", "Same films"} & {str(option) for option in offered}
    put_model(frozen, [0.9])
    at = screen("models", model="segmentation-v1")
    offered = next(group for group in at.button_group if group.label == "Show").options
    assert {"Words", "Pictures", "Same films"} <= {str(option) for option in offered}


@pytest.mark.parametrize("view", ["Columns", "ROC and PR", "Calibration"])
def test_a_measurement_whose_figures_are_elsewhere_is_told(frozen: House, view: str) -> None:
    model = put_measured(frozen)
    (frozen.workspace.models / model.folder / "details.json").unlink()
    told = words(turned_to(view))
    assert "Nothing was left here" in told or "No probabilities were kept" in told


@pytest.mark.parametrize(
    "damage", ["{", '{"counts": {"edema": {"n": "many"}}}', '{"roc": {"image": {"edema": [[1]]}}}']
)
def test_a_table_that_is_damaged_is_told(frozen: House, damage: str) -> None:
    model = put_measured(frozen)
    (frozen.workspace.models / model.folder / "details.json").write_text(damage, encoding="utf-8")
    with pytest.raises(DamagedFigures):
        columns.columns(frozen, model, "first", "validation")
    assert "cannot be read, so it is not shown" in words(screen("models"))


def test_details_of_another_version_may_lack_parts(frozen: House) -> None:
    model = put_measured(frozen)
    place = frozen.workspace.models / model.folder / "details.json"
    place.write_text(json.dumps({"columns": list(COLUMNS)}), encoding="utf-8")
    told = told_of(frozen, model)
    assert (told.names, told.compared, told.thresholds) == (tuple(COLUMNS), {}, {})
    screen("models")


def test_where_no_study_could_be_scored_that_is_told(frozen: House) -> None:
    put_measured(frozen, scored=False)
    assert "Nothing here could be scored by itself." in words(turned_to("Study by study"))
