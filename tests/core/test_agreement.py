"""Agreement between readers, and of scores with readers, by hand and against SciPy."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score

from core.agreement import kappa, spearman
from core.metrics import NOT_EVALUABLE


def items(count: int) -> list[str]:
    return [f"study-{number}" for number in range(count)]


def test_kappa_by_hand() -> None:
    one, other = [*"yyyynnnnnn"], [*"yyynnnnnny"]
    # Agreed .8; by chance .4 x .4 + .6 x .6 = .52.
    assert kappa(one, other, items(10)).value == pytest.approx((0.8 - 0.52) / 0.48)


def test_readers_who_always_agree_have_a_kappa_of_one() -> None:
    told = kappa([1, 2, 3, 1], [1, 2, 3, 1], items(4))
    assert told.value == 1


def test_where_nobody_ever_says_anything_else_there_is_nothing_to_agree_on() -> None:
    assert kappa(["a", "a"], ["a", "a"], items(2)).value is None
    assert kappa([], [], []) == NOT_EVALUABLE


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=4, max_size=30))
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    one, other = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    told = kappa(one, other, items(len(pairs))).value
    expected = cohen_kappa_score(one, other)
    if told is not None:
        assert told == pytest.approx(expected)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), min_size=3, max_size=30))
def test_rank_correlation_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    scores, judged = [float(pair[0]) for pair in pairs], [float(pair[1]) for pair in pairs]
    told = spearman(scores, judged, items(len(pairs)))
    if len(set(scores)) > 1 and len(set(judged)) > 1:
        assert told.value == pytest.approx(float(spearmanr(scores, judged).statistic))
    else:
        assert told == NOT_EVALUABLE


def test_two_pairs_say_nothing() -> None:
    assert spearman([1, 2], [1, 2], items(2)) == NOT_EVALUABLE
