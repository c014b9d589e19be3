"""How far probabilities can be believed, held against scikit-learn and SciPy where they have the same measure."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.metrics import brier_score_loss, log_loss

from core.calibration import (
    BINS,
    COOLEST,
    HOTTEST,
    at_temperature,
    best_temperature,
    bin_counts,
    brier,
    calibration_error,
    expected_calibration_error,
    reliability,
    sigmoid,
)
from core.discrimination import once

Said = tuple[NDArray[np.float64], NDArray[np.bool_]]


@st.composite
def said(draw: st.DrawFn, low: float = 0.0, high: float = 1.0) -> Said:
    """Numbers between two bounds, and truths."""
    number = st.floats(low, high, allow_nan=False)
    rows = draw(st.lists(st.tuples(number, st.booleans()), min_size=1, max_size=50))
    numbers, truth = (np.array(column) for column in zip(*rows, strict=True))
    return numbers.astype(np.float64), truth


@given(said())
def test_the_brier_score_is_that_of_scikit_learn(case: Said) -> None:
    probability, truth = case
    expected = brier_score_loss(truth, probability, labels=[False, True], pos_label=True)
    assert brier(probability, truth, once(len(truth)))[0] == pytest.approx(expected)


@given(said())
def test_the_calibration_error_is_its_definition_bin_by_bin(case: Said) -> None:
    probability, truth = case
    gaps = 0.0
    for number in range(BINS):
        top = probability <= 1 if number == BINS - 1 else probability * BINS < number + 1
        inside = (probability * BINS >= number) & top
        if inside.any():
            gaps += inside.mean() * abs(probability[inside].mean() - truth[inside].mean())
    found = expected_calibration_error(probability, truth, once(len(truth)))[0]
    assert found == pytest.approx(gaps, abs=1e-9)
    assert calibration_error(bin_counts(probability, truth)) == pytest.approx(found, abs=1e-9)


@given(said())
def test_the_rows_of_a_reliability_diagram_hold_every_item_once(case: Said) -> None:
    probability, truth = case
    rows = np.array(reliability(probability, truth))
    assert rows[:, 0].sum() == len(truth)
    assert (rows[:, 0] * rows[:, 1]).sum() == pytest.approx(probability.sum())
    assert (rows[:, 0] * rows[:, 2]).sum() == pytest.approx(truth.sum())


@given(said(-8, 8))
def test_no_temperature_makes_the_truth_likelier_than_the_best(case: Said) -> None:
    logits, truth = case

    def loss(temperature: float) -> float:
        return float(np.logaddexp(0, np.where(truth, -logits, logits) / temperature).mean())

    other = minimize_scalar(lambda hot: loss(np.exp(hot)), bounds=(np.log(COOLEST), np.log(HOTTEST)), method="bounded")
    assert loss(best_temperature(logits, truth)) <= loss(np.exp(other.x)) + 1e-6


def test_probabilities_sharper_than_they_should_be_are_brought_back() -> None:
    chance = np.random.default_rng(3)
    honest = chance.normal(0, 2, 20_000)
    truth = chance.random(20_000) < sigmoid(honest)
    temperature = best_temperature(honest * 3, truth)
    assert temperature == pytest.approx(3, rel=0.05)
    before, after = sigmoid(honest * 3), at_temperature(honest * 3, temperature)
    assert log_loss(truth, after) < log_loss(truth, before)
    everyone = once(len(truth))
    assert expected_calibration_error(after, truth, everyone) < expected_calibration_error(before, truth, everyone) / 5


def test_a_temperature_stays_within_its_bounds_and_is_one_for_nothing() -> None:
    apart = np.array([-3.0, -2.0, 2.0, 3.0])
    truth = apart > 0
    assert best_temperature(apart, truth) == pytest.approx(COOLEST, rel=1e-6)
    assert best_temperature(apart, ~truth) == pytest.approx(HOTTEST, rel=1e-6)
    assert best_temperature(np.zeros(0), np.zeros(0, np.bool_)) == 1.0
    assert np.isfinite(at_temperature(np.array([-1e4, 1e4]), COOLEST)).all()


def test_of_no_item_there_is_no_calibration() -> None:
    nothing, truth = np.zeros(0), np.zeros(0, np.bool_)
    assert np.isnan(brier(nothing, truth, once(0))[0])
    assert np.isnan(expected_calibration_error(nothing, truth, once(0))[0])
    assert reliability(nothing, truth) == []
