"""How like two reports are: worked by hand, and as the definitions say for any texts."""

from math import exp, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text_scores import (
    CIDER_SCALE,
    ORDERS,
    Cider,
    Recitation,
    Tokens,
    bleu,
    bleu_counts,
    distinct_share,
    rouge_l,
    tokens,
)

words = st.lists(st.sampled_from(["the", "heart", "is", "not", "large", "lungs", "clear"]), max_size=12).map(tuple)
some_words = words.filter(bool)


def bleu_of(pairs: list[tuple[str, str]], order: int) -> float:
    counts = np.array([bleu_counts(tokens(written), tokens(original)) for written, original in pairs])
    return float(bleu(counts.sum(axis=0, keepdims=True), order)[0])


def test_tokens_are_lowercase_runs_of_letters_and_digits() -> None:
    assert tokens("Heart size: NORMAL. T5-compression, 3.5cm") == (
        "heart", "size", "normal", "t5", "compression", "3", "5cm",
    )  # fmt: skip
    assert tokens("  ... ") == ()


def test_a_run_counts_at_most_as_often_as_the_original_has_it() -> None:
    assert bleu_of([("the the the the the the the", "the cat is on the mat")], 1) == pytest.approx(2 / 7)


def test_bleu_is_the_mean_of_the_orders_with_a_penalty_for_brevity() -> None:
    # Of 4 tokens 3 match, of 3 pairs 1; 4 tokens were written for 5.
    written, original = "heart is large now", "the heart is not large"
    assert bleu_of([(written, original)], 1) == pytest.approx(exp(1 - 5 / 4) * 3 / 4)
    assert bleu_of([(written, original)], 2) == pytest.approx(exp(1 - 5 / 4) * sqrt(3 / 4 * 1 / 3))
    assert bleu_of([(written, original)], 3) == 0


def test_bleu_adds_up_over_reports_before_it_divides() -> None:
    pairs = [("a b c d", "a b c d"), ("x", "y z")]
    assert bleu_of(pairs, 1) == pytest.approx(exp(1 - 6 / 5) * 4 / 5)


def test_each_resample_has_its_own_bleu() -> None:
    counts = np.array([bleu_counts(tokens("a b c d"), tokens("a b c d")), bleu_counts(tokens("q"), tokens("z"))], float)
    weights = np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]])
    assert bleu(weights @ counts, 1) == pytest.approx([4 / 5, 1, 0])


@given(some_words)
def test_a_report_is_as_like_itself_as_can_be(text: Tokens) -> None:
    counts = np.array([bleu_counts(text, text)])
    assert bleu(counts, min(len(text), ORDERS))[0] == pytest.approx(1)
    assert rouge_l(text, text) == pytest.approx(1)


@given(words, words)
def test_all_scores_lie_where_they_should(written: Tokens, original: Tokens) -> None:
    counts = np.array([bleu_counts(written, original)])
    scores = [float(bleu(counts, order)[0]) for order in range(1, ORDERS + 1)]
    assert all(0 <= score <= 1 + 1e-9 for score in (*scores, rouge_l(written, original)))
    assert Cider.of([original, ("something", "else", "altogether")]).score(written, original) >= 0


def test_rouge_goes_by_the_longest_common_subsequence() -> None:
    # Common: "heart is large", of 4 written and 5 in the original.
    precision, recall, beta = 3 / 4, 3 / 5, 1.2
    expected = (1 + beta**2) * precision * recall / (recall + beta**2 * precision)
    assert rouge_l(tokens("heart is large now"), tokens("the heart is not large")) == pytest.approx(expected)
    assert rouge_l((), tokens("lungs clear")) == 0


def test_cider_gives_ten_to_the_original_and_nothing_to_what_all_originals_say() -> None:
    one, other = tokens("the heart is very large"), tokens("the lungs are clear today")
    cider = Cider.of([one, other])
    assert cider.score(one, one) == pytest.approx(CIDER_SCALE)
    assert cider.score(tokens("the"), one) == 0


def test_cider_by_hand() -> None:
    one, other = tokens("large heart"), tokens("clear lungs")
    cider = Cider.of([one, other])
    # Single tokens: (1, 0) . (1, 1) / (1 * sqrt 2); no pair matches; one token apart.
    assert cider.score(tokens("heart"), one) == pytest.approx(10 / 4 * (1 / sqrt(2)) * exp(-1 / 72))


def test_the_longest_recited_run_is_found() -> None:
    recitation = Recitation([tokens("the heart is large"), tokens("lungs are clear")])
    assert recitation.longest(tokens("today the heart is small")) == 3
    assert recitation.longest(tokens("lungs are clear")) == 3
    assert recitation.longest(tokens("nothing known")) == 0
    assert recitation.longest(()) == 0


@given(st.lists(words, min_size=1, max_size=4), words)
def test_the_longest_run_is_what_trying_all_runs_finds(learned: list[Tokens], written: Tokens) -> None:
    runs = {
        text[start:end] for text in learned for start in range(len(text)) for end in range(start + 1, len(text) + 1)
    }
    tried = [
        end - start
        for start in range(len(written))
        for end in range(start + 1, len(written) + 1)
        if written[start:end] in runs
    ]
    assert Recitation(learned).longest(written) == max(tried, default=0)


def test_reports_that_are_all_alike_are_told_by_their_share() -> None:
    same = tokens("no acute disease")
    assert distinct_share([same, same, same, tokens("large heart")]) == 0.5
    assert distinct_share([]) == 0
