"""What a reader may say of a report, and what is made of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.passages import Passage
from core.ratings import (
    Author,
    BadRating,
    ErrorKind,
    Preference,
    Quality,
    ReportError,
    Severity,
    order_of,
    preference_rate,
    preferred,
    rate_of,
)

HERE = Passage("findings", 0, 10, "The heart ")


def an_error(kind: ErrorKind) -> ReportError:
    return ReportError(
        kind, True, Severity.MODERATE, HERE if kind.has_passage else None, "what should stand there", "left", "right"
    )


@pytest.mark.parametrize("kind", ErrorKind)
def test_what_stands_in_a_report_is_marked_there_and_what_is_missing_nowhere(kind: ErrorKind) -> None:
    error = an_error(kind)
    with pytest.raises(BadRating, match="Mark the words" if kind.has_passage else "stands nowhere"):
        replace(error, passage=None if kind.has_passage else HERE)


def test_an_omission_says_what_is_missing() -> None:
    with pytest.raises(BadRating, match="what is missing"):
        replace(an_error(ErrorKind.OMISSION), replacement="  ")


def test_a_wrong_location_says_both_locations() -> None:
    for part in ("stated", "true"):
        with pytest.raises(BadRating, match="which location"):
            replace(an_error(ErrorKind.WRONG_LOCATION), **{part: ""})


@pytest.mark.parametrize(("overall", "would_sign"), [(0, 3), (3, 6)])
def test_ratings_lie_on_the_scale(overall: int, would_sign: int) -> None:
    with pytest.raises(BadRating):
        Quality(overall, would_sign)
    assert Quality(3, 4).is_signable and not Quality(5, 3).is_signable


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.text(min_size=1, max_size=20))
def test_the_order_of_a_pair_never_changes_and_holds_both(study: int, writing: int, reader: str) -> None:
    order = order_of(study, writing, reader)
    assert order == order_of(study, writing, reader)
    assert set(order) == set(Author)


def test_over_many_pairs_either_comes_first_as_often() -> None:
    first = sum(order_of(study, 1, "ana")[0] is Author.MODEL for study in range(1000))
    assert 430 < first < 570


@pytest.mark.parametrize("order", [(Author.MODEL, Author.ORIGINAL), (Author.ORIGINAL, Author.MODEL)])
def test_a_preference_is_for_who_wrote_that_report(order: tuple[Author, Author]) -> None:
    assert preferred(Preference.A, order) is order[0]
    assert preferred(Preference.B, order) is order[1]
    assert preferred(Preference.EQUIVALENT, order) is preferred(Preference.NEITHER, order) is None


def test_the_rate_is_among_the_pairs_that_were_decided() -> None:
    told = preference_rate([Author.MODEL, Author.ORIGINAL, None, Author.MODEL, None])
    assert (told.value, told.n) == (pytest.approx(2 / 3), 3)


def test_an_interval_by_hand() -> None:
    told = rate_of(8, 10)
    assert (told.low, told.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert rate_of(0, 0).value is None
    with pytest.raises(BadRating):
        rate_of(3, 2)


@given(st.integers(0, 500), st.integers(1, 500))
def test_a_rate_lies_in_its_interval(hits: int, more: int) -> None:
    told = rate_of(hits, hits + more)
    assert told.low is not None and told.high is not None and told.value is not None
    assert 0 <= told.low <= told.value <= told.high <= 1
