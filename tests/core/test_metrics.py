"""Intervals and paired differences, against hand-worked values and the properties they must have."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.metrics import (
    NOT_EVALUABLE,
    Estimate,
    Evaluation,
    ItemScore,
    Metric,
    mean_estimate,
    metric_from_json,
    metric_to_json,
    paired_difference,
    summarise,
)
from core.registry import ModelState, ModelVersion, judge, worth_suggesting


def scores(values: list[float | None], finding: str = "heart", patients: list[str] | None = None) -> list[ItemScore]:
    who = patients or [f"p{n}" for n in range(len(values))]
    return [ItemScore(f"i{n}", who[n], finding, {"dice": value}) for n, value in enumerate(values)]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_the_interval_lies_around_the_mean_and_within_the_values(values: list[float]) -> None:
    found = mean_estimate(values)
    assert found.value == pytest.approx(float(np.mean(values)))
    assert found.low is not None and found.high is not None and found.value is not None
    assert min(values) - 1e-9 <= found.low <= found.value + 1e-9
    assert found.value - 1e-9 <= found.high <= max(values) + 1e-9
    assert found.n == len(values)


def test_no_values_are_not_evaluable_and_not_zero() -> None:
    assert mean_estimate([]) == NOT_EVALUABLE
    assert NOT_EVALUABLE.value is None


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    chance = np.random.default_rng(1)
    hits = 0
    for trial in range(200):
        found = mean_estimate(list(chance.normal(0.5, 0.1, 50)), seed=trial)
        assert found.low is not None and found.high is not None
        hits += found.low <= 0.5 <= found.high
    assert 0.88 <= hits / 200 <= 0.99


def test_films_of_one_patient_are_not_independent_trials() -> None:
    values = [0.2] * 20 + [0.8] * 20
    alone = mean_estimate(values)
    together = mean_estimate(values, ["a"] * 20 + ["b"] * 20)
    assert alone.value == pytest.approx(together.value) == pytest.approx(0.5)
    assert together.high - together.low > alone.high - alone.low  # type: ignore[operator]


def test_a_metric_that_does_not_count_for_an_item_leaves_it_out() -> None:
    found = summarise([*scores([0.5, None, 0.7]), *scores([1.0], "lungs")], ["dice"])["dice"]
    assert found.overall.n == 3
    assert found.per_finding["heart"].value == pytest.approx(0.6)
    assert found.per_finding["lungs"].n == 1


def test_a_paired_difference_sees_only_items_that_both_were_scored_on() -> None:
    found = paired_difference(scores([0.6, 0.8, 0.9]), scores([0.5, 0.6]), "dice")
    assert found.value == pytest.approx(0.15)
    assert found.n == 2


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_swapping_the_models_turns_the_difference_round(ours: list[float], theirs: list[float]) -> None:
    one, other = scores(list(ours)), scores(list(theirs))
    there, back = paired_difference(one, other, "dice"), paired_difference(other, one, "dice")
    assert there.value == pytest.approx(-back.value)  # type: ignore[operator]


def test_the_first_model_is_promoted() -> None:
    assert judge(scores([0.1]), None, "dice").promote


def test_better_is_better_only_beyond_its_interval() -> None:
    steady = scores([0.8 + 0.001 * (n % 5) for n in range(30)])
    better = scores([0.82 + 0.001 * (n % 5) for n in range(30)])
    wild = scores([0.81 + (0.3 if n % 2 else -0.3) for n in range(30)])
    assert judge(better, steady, "dice").promote
    assert not judge(steady, better, "dice").promote
    assert not judge(wild, steady, "dice").promote
    assert not judge(steady, steady, "dice").promote
    assert judge(steady, better, "dice", higher_is_better=False).promote


def test_a_handful_of_patients_promotes_nothing() -> None:
    verdict = judge(scores([0.9] * 4), scores([0.1] * 4), "dice")
    assert not verdict.promote
    assert "Only 4 validation patients" in verdict.reason
    assert judge(scores([0.9] * 5), scores([0.1] * 5), "dice").promote


def test_a_finding_on_which_validation_was_hopeless_is_not_suggested_unasked() -> None:
    told = {"heart": Estimate(0.9, 0.8, 0.95, 20), "nodule": Estimate(0.1, 0.0, 0.15, 20), "edema": NOT_EVALUABLE}
    model = ModelVersion(
        1, "segmentation", 1, ModelState.CANDIDATE, "folder", {}, None, ("heart", "nodule", "edema", "fracture"),
        "dice", {"dice": Metric(NOT_EVALUABLE, told)}, datetime.now(UTC), "Ann",
    )  # fmt: skip
    assert worth_suggesting(model) == ("heart", "edema", "fracture")


def test_models_without_a_common_item_cannot_be_judged() -> None:
    apart = [ItemScore("elsewhere", "p", "heart", {"dice": 0.1})]
    verdict = judge(scores([0.9]), apart, "dice")
    assert not verdict.promote
    assert "cannot be compared" in verdict.reason


def test_an_evaluation_is_told_in_the_fixed_shape() -> None:
    metrics = summarise(scores([0.5, 0.7]), ["dice"])
    told = Evaluation("segmentation-v1", "a", "test", 2, 1.23456, metrics).to_json()
    assert set(told) == {"model", "snapshot", "split", "n", "seconds", "metrics"}
    assert set(told["metrics"]["dice"]) == {"overall", "per_finding"}
    assert set(told["metrics"]["dice"]["overall"]) == {"value", "low", "high", "n"}
    assert metric_from_json(metric_to_json(metrics["dice"])) == metrics["dice"]


def test_a_metric_over_findings_counts_each_finding_alike_however_many_items_it_has() -> None:
    def of(values: dict[str, list[float]]) -> list[ItemScore]:
        return [
            ItemScore(f"{finding}-{place}", f"p{place}", finding, {"auroc": value, "dice": value})
            for finding, told in values.items()
            for place, value in enumerate(told)
        ]

    better, before = of({"common": [0.6] * 8, "rare": [0.9] * 2}), of({"common": [0.5] * 8, "rare": [0.5] * 2})
    over_findings, over_items = (paired_difference(better, before, name) for name in ("auroc", "dice"))
    assert over_findings.value == pytest.approx((0.1 + 0.4) / 2)
    assert over_items.value == pytest.approx((8 * 0.1 + 2 * 0.4) / 10)
    assert over_findings.n == 10
    assert over_findings.low is not None and over_findings.high is not None
    # A resample without the rare finding has the common one's difference alone.
    assert over_findings.low == pytest.approx(0.1) and over_findings.high == pytest.approx(0.25)
    assert judge(better, before, "auroc").promote
    assert paired_difference(better, [], "auroc").value is None
