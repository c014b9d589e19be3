"""What is kept of a context, what a model says of a finding, and how long a place lasts."""

from datetime import UTC, datetime, timedelta

import pytest

from core.findings import State
from core.tries import (
    KEPT_FOR,
    MOST_CHARACTERS,
    MOST_WORDS,
    MalformedOpinion,
    as_context,
    is_outworn,
    new_place,
    opinion_of,
)

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PAYLOAD = {
    "probability": 0.91,
    "without_context": 0.88,
    "context": "real",
    "threshold": 0.43,
    "says": "present",
    "map": "ab" * 32,
    "words": [["cough", 0.31], ["fever", 0.1]],
    "nearest": [{"dataset": "iu", "key": "7", "state": "present", "similarity": 0.93}],
    "differential": "Likely.",
}


def test_a_short_context_is_kept_as_it_is_line_by_line() -> None:
    context = as_context("  Cough  for two weeks.\nHistory: smoker.\n")
    assert context.text == "Cough for two weeks.\nHistory: smoker."
    assert (context.words, context.kept, context.is_cut) == (6, 6, False)


def test_of_fifty_thousand_words_the_beginning_is_kept_and_the_rest_is_counted() -> None:
    context = as_context(" ".join(f"w{number}" for number in range(50_000)))
    assert context.text.split() == [f"w{number}" for number in range(MOST_WORDS)]
    assert (context.words, context.kept, context.is_cut) == (50_000, MOST_WORDS, True)


def test_a_word_without_end_is_cut_too() -> None:
    context = as_context("x" * 10 * MOST_CHARACTERS)
    assert len(context.text) == MOST_CHARACTERS


def test_signs_that_no_text_has_are_left_out() -> None:
    assert as_context("a\0b \ud800c").text == "ab c"


@pytest.mark.parametrize("nothing", ["", "   ", "\n\0\n"])
def test_no_words_are_no_context(nothing: str) -> None:
    context = as_context(nothing)
    assert (context.text, context.words, context.is_cut) == ("", 0, False)


def test_words_in_other_scripts_are_kept() -> None:
    assert as_context("Кашель и температура\n咳嗽").text == "Кашель и температура\n咳嗽"


def test_an_opinion_is_read_from_what_a_prediction_brings() -> None:
    opinion = opinion_of("edema", PAYLOAD)
    assert (opinion.probability, opinion.without_context, opinion.threshold) == (0.91, 0.88, 0.43)
    assert opinion.has_context
    assert opinion.says is State.PRESENT
    assert opinion.words == (("cough", 0.31), ("fever", 0.1))
    assert opinion.nearest[0].state is State.PRESENT
    assert opinion.read_words is None


def test_an_opinion_may_do_without_all_but_its_probabilities() -> None:
    opinion = opinion_of("edema", {"probability": 0.2, "without_context": 0.2, "context": "none"})
    assert (opinion.threshold, opinion.says, opinion.map, opinion.words) == (None, None, None, ())
    assert not opinion.has_context


@pytest.mark.parametrize(
    "damage",
    [
        {"probability": 1.2},
        {"probability": float("nan")},
        {"without_context": None},
        {"words": [["cough"]]},
        {"nearest": [{"dataset": "iu"}]},
        {"says": "perhaps"},
    ],
)
def test_what_is_no_opinion_is_told(damage: dict[str, object]) -> None:
    with pytest.raises(MalformedOpinion, match="train the model again"):
        opinion_of("edema", {**PAYLOAD, **damage})


def test_two_places_are_never_called_alike_and_wear_out() -> None:
    place = new_place(NOW)
    assert place != new_place(NOW)
    assert not is_outworn(place, NOW + KEPT_FOR - timedelta(minutes=1))
    assert is_outworn(place, NOW + KEPT_FOR + timedelta(minutes=1))


def test_what_we_did_not_name_never_wears_out() -> None:
    assert not is_outworn("somebody-elses-folder", NOW + timedelta(days=900))
