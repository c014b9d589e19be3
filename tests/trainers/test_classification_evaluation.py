"""How answers are held against the truth, with logits made up for the purpose."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from core.calibration import sigmoid
from core.findings import NO_FINDING, State, by_key
from core.metrics import NOT_EVALUABLE
from core.recipes import ClassificationRecipe
from trainers.classification.answering import Logits, calibrate, exchanged
from trainers.classification.columns import FUSED, IMAGE, SHUFFLED, TEXT
from trainers.classification.data import Exam
from trainers.classification.evaluation import Judged, details_of, judge, metrics_of, scores_of, warnings_of
from trainers.classification.model import Calibrated, ClassificationModel
from trainers.classification.telling import notes_of

KEYS = ("cardiomegaly", "edema", NO_FINDING, "fracture")
FINDINGS = tuple(by_key()[key] for key in KEYS)
EXAMS = 120
CHANCE = np.random.default_rng(4)
TRUTH = np.stack([CHANCE.random(EXAMS) < share for share in (0.4, 0.05, 0.5, 0.0)], axis=1)
COLUMNS = (IMAGE, TEXT, FUSED, SHUFFLED)


def exam(number: int, context: str = "", **states: State) -> Exam:
    said = {key: State.PRESENT if TRUTH[number, place] else State.ABSENT for place, key in enumerate(KEYS)}
    return Exam("sha", f"iu/{number}/pa", f"iu/p{number // 2}", "iu", str(number), context, said | states)


def exams(**states: State) -> tuple[Exam, ...]:
    return tuple(exam(number, **states) for number in range(EXAMS))


def logits(strengths: dict[str, float], noise: float = 1.0) -> Logits:
    """By column, answers that lean on the truth as strongly as told."""
    chance = np.random.default_rng(1)
    return {
        column: strength * (2.0 * TRUTH - 1) + chance.normal(0, noise, TRUTH.shape)
        for column, strength in strengths.items()
    }


HONEST = logits({IMAGE: 1.0, TEXT: 0.2, FUSED: 1.1, SHUFFLED: 0.9})


def model(calibrated: Calibrated | None = None, left_out: dict[str, str] | None = None) -> ClassificationModel:
    found = calibrated or calibrate(FINDINGS, exams(), HONEST)
    return ClassificationModel(
        cast(Any, None), ClassificationRecipe(), FINDINGS, left_out or {}, None, (), calibrated=found
    )


def judged(said: Logits = HONEST, given: tuple[Exam, ...] | None = None) -> Judged:
    return judge(model(), given or exams(), said)


def test_values_are_those_of_scikit_learn() -> None:
    found, ours = metrics_of(judged(), {}), model()
    for column, suffix in ((IMAGE, ""), (FUSED, "_fused"), (TEXT, "_text_only"), (SHUFFLED, "_shuffled")):
        truth, said = TRUTH[:, 0], HONEST[column][:, 0]
        assert found["auroc" + suffix].per_finding["cardiomegaly"].value == pytest.approx(roc_auc_score(truth, said))
        expected = average_precision_score(truth, said)
        assert found["average_precision" + suffix].per_finding["cardiomegaly"].value == pytest.approx(expected)
        expected = brier_score_loss(truth, ours.calibrated.probability(column, said))
        assert found["brier" + suffix].per_finding["cardiomegaly"].value == pytest.approx(expected)


def test_the_mean_is_over_findings_present_ten_times_and_leaves_no_finding_out() -> None:
    found = judged()
    assert 0 < TRUTH[:, 1].sum() < 10
    assert found.averaged == ("cardiomegaly",)
    assert found.evaluable == ("cardiomegaly", "edema", NO_FINDING)
    metrics = metrics_of(found, {})
    assert metrics["auroc"].overall.value == metrics["auroc"].per_finding["cardiomegaly"].value
    assert metrics["auroc"].overall.n == EXAMS
    assert metrics["auroc"].per_finding[NO_FINDING].value is not None


def test_a_finding_never_present_is_not_evaluable_in_anything_and_never_zero() -> None:
    found = judged()
    metrics = metrics_of(found, {"nodule": "never present on a training study"})
    for metric in metrics.values():
        for key in ("fracture", "nodule"):
            assert metric.per_finding.get(key, NOT_EVALUABLE) == NOT_EVALUABLE
    told = details_of(found, model(left_out={"nodule": "never present on a training study"}))
    assert told["not_evaluable"] == {
        "nodule": "never present on a training study",
        "fracture": "never present here",
    }
    assert told["counts"]["fracture"] == {"n": EXAMS, "positives": 0, "uncertain": 0, "in_conflict": 0}


def test_what_is_uncertain_is_no_truth() -> None:
    given = tuple(
        replace(one, states={**one.states, "cardiomegaly": State.UNCERTAIN}) if number < 20 else one
        for number, one in enumerate(exams())
    )
    found = metrics_of(judged(given=given), {})["auroc"].per_finding["cardiomegaly"]
    assert found.n == EXAMS - 20
    assert found.value == pytest.approx(roc_auc_score(TRUTH[20:, 0], HONEST[IMAGE][20:, 0]))
    nobody = exams(cardiomegaly=State.UNCERTAIN)
    assert judged(given=nobody).averaged == ()
    assert metrics_of(judged(given=nobody), {})["auroc"].overall == NOT_EVALUABLE


def test_every_exam_has_scores_and_the_placements_of_the_mean_are_the_headline() -> None:
    found = judged()
    scores = scores_of(found)
    assert {score.item for score in scores} == {one.item for one in found.exams}
    placed = [score.values["auroc"] for score in scores if score.values["auroc"] is not None]
    assert len(placed) == TRUTH[:, 0].sum()
    assert np.mean(placed) == pytest.approx(metrics_of(found, {})["auroc"].overall.value)
    one = next(score for score in scores if score.finding == "edema")
    assert one.values["auroc"] is None and set(COLUMNS) <= set(one.values)
    assert {score.values["present"] for score in scores} == {0.0, 1.0}


def test_columns_are_compared_in_pairs_on_the_same_resamples() -> None:
    told = details_of(judged(), model())["compared"]
    assert set(told) == {"fused-image", "text_only-image", "fused-shuffled"}
    difference = told["fused-image"]["overall"]
    metrics = metrics_of(judged(), {})
    fused, image = metrics["auroc_fused"].overall.value, metrics["auroc"].overall.value
    assert fused is not None and image is not None
    assert difference["value"] == pytest.approx(fused - image)
    same = judge(model(), exams(), {**HONEST, FUSED: HONEST[IMAGE]})
    nothing = details_of(same, model())["compared"]["fused-image"]["overall"]
    assert (nothing["low"], nothing["value"], nothing["high"]) == (0, 0, 0)


def test_text_that_tells_more_than_the_film_is_said_to_give_the_answer_away() -> None:
    assert warnings_of(judged()) == []
    leak = judged(logits({IMAGE: 0.1, TEXT: 3.0, FUSED: 3.0, SHUFFLED: 0.1}))
    told = details_of(leak, model())
    assert told["gives_away_overall"] and "cardiomegaly" in told["gives_away"]
    assert "giving the answer away" in told["warnings"][0]
    lines = notes_of(leak, metrics_of(leak, {}), told)
    assert any(line.startswith("**The text is giving the answer away") for line in lines)


def test_the_card_has_a_row_for_each_finding_and_a_column_for_each_way_of_asking() -> None:
    found = judged()
    lines = notes_of(found, metrics_of(found, {}), details_of(found, model()))
    (heading,) = [line for line in lines if line.startswith("| finding")]
    assert heading == "| finding | present of known | image only | text only | fused | fused, shuffled text |"
    (row,) = [line for line in lines if line.startswith("| cardiomegaly")]
    assert f"{TRUTH[:, 0].sum()} of {EXAMS}" in row and row.count("(") == 4
    assert any(line.startswith("Not evaluable: fracture, never present here") for line in lines)
    assert any("before temperature scaling" in line for line in lines)


def test_a_text_models_headline_is_no_number() -> None:
    found = judged(logits({TEXT: 1.0, SHUFFLED: 0.0}))
    metrics = metrics_of(found, {})
    assert metrics["auroc"].overall == NOT_EVALUABLE
    assert metrics["auroc_text_only"].overall.value is not None
    assert all(score.values["auroc"] is None for score in scores_of(found))
    assert "reads no films" in warnings_of(found)[0]


def test_a_temperature_mends_overconfident_answers_and_thresholds_are_those_of_validation() -> None:
    sharp = {column: values * 6 for column, values in HONEST.items()}
    chosen = calibrate(FINDINGS, exams(), sharp)
    assert chosen.temperatures[IMAGE] > 2
    assert set(chosen.temperatures) == {IMAGE, TEXT, FUSED}
    ours = model(chosen)
    told = details_of(judge(ours, exams(), sharp), ours)
    after = metrics_of(judge(ours, exams(), sharp), {})["brier"].overall.value
    assert after is not None and after < told["before"]["brier"][IMAGE][""]
    assert told["thresholds"]["cardiomegaly"][SHUFFLED] == told["thresholds"]["cardiomegaly"][FUSED]
    assert told["thresholds"]["fracture"] == dict.fromkeys(COLUMNS, None)
    assert 0 < told["thresholds"]["cardiomegaly"][IMAGE] < 1
    assert ours.calibrated.probability(IMAGE, sharp[IMAGE]).max() < sigmoid(sharp[IMAGE]).max()


def test_a_context_is_exchanged_for_that_of_another_patient_who_has_one() -> None:
    given = [exam(0, "a"), exam(1, "b"), exam(2, ""), exam(3, "c"), exam(4, "d")]
    assert exchanged(given) == ["c", "c", "", "d", "a"]
    assert exchanged([exam(0, "a"), exam(1, "b")]) == ["a", "b"], "there is nobody else"
    assert exchanged([exam(0)]) == [""]
