"""Rankings against ones worked out by hand, and what must hold for any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.bootstrap import Draws
from core.ranking import (
    first_ranks,
    mean_over,
    median_over,
    ndcgs,
    precisions,
    random_ndcgs,
    random_ranks,
    random_recalls,
    recall_ceilings,
    recalls,
    shared_gains,
)

SIMILAR = np.array([[0.9, 0.5, 0.1], [0.2, 0.2, 0.8]])
OWN = np.array([[False, True, False], [True, False, False]])


def test_the_rank_is_that_of_the_first_relevant_candidate() -> None:
    assert first_ranks(SIMILAR, OWN).tolist() == [2, 2.5], "the second ties with another behind one better"
    both = np.array([[True, True, False], [False, True, True]])
    assert first_ranks(SIMILAR, both).tolist() == [1, 1]
    assert np.isnan(first_ranks(SIMILAR, np.zeros_like(OWN))).all()


def test_recall_at_k_is_worked_out_by_hand() -> None:
    assert recalls(SIMILAR, OWN, 1).tolist() == [0, 0]
    assert recalls(SIMILAR, OWN, 2).tolist() == [1, 0.5], "one of two that tie takes the second place"
    assert recalls(SIMILAR, OWN, 3).tolist() == [1, 1]
    assert recalls(SIMILAR, OWN, 10).tolist() == [1, 1], "more places than candidates"
    assert np.isnan(recalls(SIMILAR, np.zeros_like(OWN), 2)).all()


def test_two_of_three_that_tie_are_found_twice_out_of_three() -> None:
    tied, relevant = np.zeros((1, 3)), np.array([[True, False, False]])
    assert recalls(tied, relevant, 2)[0] == pytest.approx(2 / 3)
    assert recalls(tied, np.array([[True, True, False]]), 1)[0] == pytest.approx(2 / 3)
    assert first_ranks(tied, relevant)[0] == 2


def test_ndcg_is_worked_out_by_hand() -> None:
    gains = np.array([[0.0, 1.0, 0.5]])
    found = 1 / np.log2(3) + 0.5 / np.log2(4)
    best = 1 + 0.5 / np.log2(3)
    assert ndcgs(SIMILAR[:1], gains, 3)[0] == pytest.approx(found / best)
    assert ndcgs(SIMILAR[:1], gains, 1)[0] == 0
    assert ndcgs(-SIMILAR[:1], np.array([[0.0, 0.0, 1.0]]), 3)[0] == 1
    assert np.isnan(ndcgs(SIMILAR, np.zeros((2, 3)), 3)).all()


def test_candidates_that_tie_share_their_gains() -> None:
    gains = np.array([[1.0, 0.0]])
    assert ndcgs(np.zeros((1, 2)), gains, 1)[0] == pytest.approx(0.5)
    assert ndcgs(np.zeros((1, 2)), gains, 2)[0] == pytest.approx(random_ndcgs(gains, 2)[0])


def test_the_floors_are_what_random_orders_give() -> None:
    chance = np.random.default_rng(0)
    gains, relevant = chance.random((1, 12)).round(1), np.arange(12)[None] < 3
    orders = chance.random((4000, 12))
    many = np.repeat(gains, 4000, axis=0), np.repeat(relevant, 4000, axis=0)
    assert ndcgs(orders, many[0], 5).mean() == pytest.approx(random_ndcgs(gains, 5)[0], abs=0.01)
    assert recalls(orders, many[1], 5).mean() == pytest.approx(random_recalls(relevant, 5)[0], abs=0.02)
    assert first_ranks(orders, many[1]).mean() == pytest.approx(random_ranks(relevant)[0], abs=0.1)


def test_texts_that_several_studies_share_set_a_ceiling() -> None:
    texts = ["normal", "normal", "normal", "a nodule", "an effusion"]
    assert recall_ceilings(texts, 1).mean() == pytest.approx(3 / 5), "as many as there are texts"
    assert recall_ceilings(texts, 2).tolist() == pytest.approx([2 / 3, 2 / 3, 2 / 3, 1, 1])
    perfect = (np.array(texts)[:, None] == np.array(texts)[None]).astype(np.float64)
    own = np.eye(5, dtype=np.bool_)
    for k in (1, 2, 3):
        assert recalls(perfect, own, k).tolist() == pytest.approx(recall_ceilings(texts, k).tolist())


def test_the_gain_is_the_share_of_findings_that_both_have() -> None:
    ours = np.array([[True, True, False], [False, False, False]])
    theirs = np.array([[True, False, False], [True, True, True], [False, False, False]])
    assert shared_gains(ours, theirs).tolist() == [[0.5, pytest.approx(2 / 3), 0], [0, 0, 0]]


def test_precision_is_of_the_nearest_that_may_count() -> None:
    similarity = np.array([[1.0, 0.8, 0.6, 0.4]])
    shares, others = np.array([[True, True, False, True]]), np.array([[False, True, True, True]])
    assert precisions(similarity, shares, others, 2).tolist() == [0.5]
    assert precisions(similarity, shares, others, 5).tolist() == [pytest.approx(2 / 3)]
    assert np.isnan(precisions(similarity, shares, np.zeros_like(others), 2)).all()


def test_means_and_medians_count_as_often_as_the_weights_say() -> None:
    values = np.array([1.0, np.nan, 3.0, 10.0])
    weights = np.array([[1, 1, 1, 1], [2, 5, 0, 0], [0, 1, 1, 1], [0, 1, 0, 0]], dtype=np.float64)
    means, medians = mean_over(values, weights), median_over(values, weights)
    assert means[:3].tolist() == [pytest.approx(14 / 3), 1, 6.5] and np.isnan(means[3])
    assert medians[:3].tolist() == [3, 1, 6.5] and np.isnan(medians[3])
    assert np.isnan(median_over(np.full(4, np.nan), weights)).all()


def test_the_interval_is_resampled_by_patient() -> None:
    draws = Draws(("a", "a", "b", "b"))
    told = draws.sample(lambda weights: mean_over(np.array([0.0, 0.0, 1.0, 1.0]), weights)).estimate
    assert (told.value, told.low, told.high) == (0.5, 0, 1)


numbers = st.lists(st.integers(0, 4), min_size=6, max_size=6)


@given(numbers, numbers, st.integers(1, 8))
def test_more_places_never_find_less_and_nothing_beats_the_best_order(
    similar: list[int], gain: list[int], k: int
) -> None:
    similarity, gains = np.array([similar], np.float64), np.array([gain], np.float64)
    relevant = gains > 2
    assert not recalls(similarity, relevant, k)[0] > recalls(similarity, relevant, k + 1)[0] + 1e-12
    assert not ndcgs(similarity, gains, k)[0] > 1 + 1e-12
    if gains.any():
        assert ndcgs(gains, gains, k)[0] == pytest.approx(1)
    shuffled = np.random.default_rng(k).permutation(6)
    for measure, what in ((recalls, relevant), (ndcgs, gains)):
        told = measure(similarity, what, k), measure(similarity[:, shuffled], what[:, shuffled], k)
        assert told[0] == pytest.approx(told[1], nan_ok=True), "the order in which candidates stand is no matter"
