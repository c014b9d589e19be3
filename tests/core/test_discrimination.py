"""How scores are judged, held against scikit-learn where it has the same measure."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    precision_recall_curve,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)

from core.discrimination import (
    answers_at,
    auroc,
    average_precision,
    best_f1_threshold,
    once,
    placements,
    pr_points,
    roc_points,
)

Case = tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]

levels = st.integers(0, 12).map(lambda level: level / 12)
"""Few levels, so that scores are often equal."""


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Scores, truths of both kinds, and how often each counts."""
    rows = draw(st.lists(st.tuples(levels, st.booleans(), st.integers(0, 3)), min_size=2, max_size=40))
    scores, truth, weights = (np.array(column) for column in zip(*rows, strict=True))
    assume(weights[truth].sum() > 0 and weights[~truth].sum() > 0)
    return scores, truth, weights.astype(np.float64)


@given(cases())
def test_auroc_and_average_precision_are_those_of_scikit_learn(case: Case) -> None:
    scores, truth, weights = case
    both = np.stack([np.ones(len(scores)), weights])
    for row, weight in zip(range(2), both, strict=True):
        expected = roc_auc_score(truth, scores, sample_weight=weight)
        assert auroc(scores, truth, both)[row] == pytest.approx(expected)
        expected = average_precision_score(truth, scores, sample_weight=weight)
        assert average_precision(scores, truth, both)[row] == pytest.approx(expected)


@given(cases(), levels)
def test_answers_at_a_threshold_are_those_of_scikit_learn(case: Case, threshold: float) -> None:
    scores, truth, weights = case
    told, called = answers_at(threshold, scores, truth, weights[None]), scores >= threshold
    about = {"sample_weight": weights}
    assert told.accuracy[0] == pytest.approx(accuracy_score(truth, called, **about))
    assert told.precision[0] == pytest.approx(precision_score(truth, called, zero_division=0, **about))
    assert told.recall[0] == pytest.approx(recall_score(truth, called, **about))
    assert told.f1[0] == pytest.approx(f1_score(truth, called, **about))


@given(cases())
def test_no_threshold_has_a_better_f1_than_the_best(case: Case) -> None:
    scores, truth, _ = case
    threshold = best_f1_threshold(scores, truth)
    assert threshold is not None
    precision, recall, _ = precision_recall_curve(truth, scores)
    best = max(2 * p * r / (p + r) if p + r else 0.0 for p, r in zip(precision, recall, strict=True))
    assert answers_at(threshold, scores, truth, once(len(scores))).f1[0] == pytest.approx(best)


@given(cases())
def test_the_mean_of_the_placements_is_the_auroc(case: Case) -> None:
    scores, truth, _ = case
    placed = placements(scores, truth)
    assert np.isnan(placed[~truth]).all()
    assert placed[truth].mean() == pytest.approx(auroc(scores, truth, once(len(scores)))[0])


@given(cases())
def test_points_of_a_roc_curve_lie_on_that_of_scikit_learn(case: Case) -> None:
    scores, truth, _ = case
    rates, found, _ = roc_curve(truth, scores, drop_intermediate=False)
    ours = roc_points(scores, truth)
    assert ours == [[pytest.approx(x, abs=1e-5), pytest.approx(y, abs=1e-5)] for x, y in zip(rates, found, strict=True)]


@settings(max_examples=20)
@given(cases(), st.integers(0, 5))
def test_any_rising_change_of_the_scores_leaves_the_auroc_as_it_is(case: Case, power: int) -> None:
    scores, truth, weights = case
    changed = np.exp(scores * (power + 1)) - 7
    assert auroc(changed, truth, weights[None])[0] == pytest.approx(auroc(scores, truth, weights[None])[0])


def test_what_is_never_present_or_always_has_no_auroc_and_no_threshold() -> None:
    scores = np.array([0.1, 0.5, 0.9])
    never, always = np.zeros(3, np.bool_), np.ones(3, np.bool_)
    for truth in (never, always):
        assert np.isnan(auroc(scores, truth, once(3))[0])
        assert best_f1_threshold(scores, truth) is None
        assert np.isnan(placements(scores, truth)).all()
    assert np.isnan(average_precision(scores, never, once(3))[0])
    told = answers_at(0.4, scores, never, once(3))
    assert np.isnan(told.recall[0]) and told.precision[0] == 0
    assert told.accuracy[0] == pytest.approx(1 / 3)


def test_of_no_item_nothing_can_be_told() -> None:
    scores, truth = np.zeros(0), np.zeros(0, np.bool_)
    assert np.isnan(auroc(scores, truth, once(0))[0])
    assert np.isnan(average_precision(scores, truth, once(0))[0])
    assert np.isnan(answers_at(0.5, scores, truth, once(0)).accuracy[0])
    assert best_f1_threshold(scores, truth) is None


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    chance = np.random.default_rng(0)
    scores, truth = chance.random(5000), chance.random(5000) > 0.9
    roc, pr = roc_points(scores, truth), pr_points(scores, truth)
    assert len(roc) <= 100 and len(pr) <= 100
    assert roc[0] == [0, 0] and roc[-1] == [1, 1]
    assert pr[-1] == [1, pytest.approx(truth.mean(), abs=1e-4)]
