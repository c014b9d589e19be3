import numpy as np
import pytest

from core.bootstrap import Draws, Sampled, Values, Weights, mean_of
from core.discrimination import auroc, placements
from core.metrics import NOT_EVALUABLE, RESAMPLES, mean_estimate

CHANCE = np.random.default_rng(5)
TRUTH = CHANCE.random(200) < 0.3
SCORES = CHANCE.normal(0, 1, 200) + TRUTH
PATIENTS = tuple(f"p{number // 2}" for number in range(200))


def mean(values: Values, weights: Weights) -> Values:
    told: Values = weights @ values / weights.sum(axis=1)
    return told


def test_a_mean_has_the_interval_that_the_bootstrap_of_means_gives_it() -> None:
    ours = Draws(PATIENTS).sample(lambda weights: mean(SCORES, weights)).estimate
    theirs = mean_estimate(SCORES.tolist(), PATIENTS)
    assert ours.value == pytest.approx(theirs.value)
    assert ours.n == theirs.n == 200
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_films_of_one_patient_are_drawn_together() -> None:
    weights = Draws(PATIENTS).weights
    assert weights.shape == (1 + RESAMPLES, 200)
    assert (weights[0] == 1).all()
    assert (weights[:, ::2] == weights[:, 1::2]).all()
    assert (weights.sum(axis=1) == 200).all()


def test_the_same_patients_and_seed_are_drawn_alike_and_another_seed_otherwise() -> None:
    first = Draws(PATIENTS).weights
    assert np.array_equal(first, Draws(PATIENTS).weights)
    assert not np.array_equal(first, Draws(PATIENTS, seed=1).weights)


def test_an_interval_of_auroc_is_about_that_of_delong() -> None:
    estimate = Draws(tuple(map(str, range(200)))).sample(lambda w: auroc(SCORES, TRUTH, w)).estimate
    of_present, of_absent = placements(SCORES, TRUTH), placements(-SCORES, ~TRUTH)
    variance = np.nanvar(of_present, ddof=1) / TRUTH.sum() + np.nanvar(of_absent, ddof=1) / (~TRUTH).sum()
    assert estimate.low is not None and estimate.high is not None
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * np.sqrt(variance), rel=0.12)


def test_a_difference_to_itself_is_zero_and_a_shared_error_cancels_out() -> None:
    draws = Draws(PATIENTS)
    one, other = draws.sample(lambda w: mean(SCORES, w)), draws.sample(lambda w: mean(SCORES + 0.5, w))
    assert one.minus(one).estimate.high == 0
    difference = other.minus(one).estimate
    assert (difference.low, difference.high) == pytest.approx((0.5, 0.5))


def test_a_mean_over_findings_counts_each_alike_and_leaves_out_what_cannot_be_told() -> None:
    draws = Draws(PATIENTS)
    everybody, some = np.arange(200), np.arange(40)
    sampled = [draws.sample(lambda w, rows=rows: mean(SCORES[rows], w), rows) for rows in (everybody, some)]
    never = Sampled(np.full(1 + RESAMPLES, np.nan), 12)
    told = mean_of([*sampled, never], 200)
    assert told.estimate.value == pytest.approx((SCORES.mean() + SCORES[:40].mean()) / 2)
    assert told.n == 200


def test_what_cannot_be_told_is_not_evaluable_and_never_zero() -> None:
    never = Draws(PATIENTS).sample(lambda w: auroc(SCORES, np.zeros(200, np.bool_), w))
    assert never.estimate == NOT_EVALUABLE
    assert mean_of([never], 200).estimate == mean_of([], 0).estimate == NOT_EVALUABLE
    assert Draws(()).sample(lambda w: auroc(np.zeros(0), np.zeros(0, np.bool_), w)).estimate == NOT_EVALUABLE


def test_resamples_on_which_a_finding_is_lost_do_not_count() -> None:
    truth = np.zeros(200, np.bool_)
    truth[0] = True
    sampled = Draws(tuple(map(str, range(200)))).sample(lambda w: auroc(SCORES, truth, w))
    lost = np.isnan(sampled.values[1:]).mean()
    assert 0.3 < lost < 0.45
    estimate = sampled.estimate
    assert estimate.value is not None and estimate.low is not None and estimate.high is not None
    assert estimate.low <= estimate.value <= estimate.high
