"""What is searched for of what was typed: nothing empty, not without end, and of a report what was seen."""

import pytest

from core.search import MOST_WORDS, EmptyQuery, as_query


@pytest.mark.parametrize("text", ["", "  \n\t", "...", "\0", "FINDINGS: ..."])
def test_what_holds_no_word_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(EmptyQuery, match="Write a few words, paste a report or drop a film"):
        as_query(text)


def test_a_phrase_is_searched_for_as_it_is() -> None:
    assert as_query("  left basilar\n opacity ") == ("left basilar opacity", False)
    assert as_query("Öffnung 5\0cm") == ("Öffnung 5 cm", False)


def test_of_ten_thousand_words_the_beginning_is_searched_for() -> None:
    words, is_cut = as_query("effusion " * 10_000)
    assert is_cut and len(words.split()) == MOST_WORDS


def test_of_a_pasted_report_findings_and_impression_are_searched_for() -> None:
    report = "INDICATION: Rule out pneumonia.\nFINDINGS: Small effusion.\nIMPRESSION: No pneumonia.\n"
    assert as_query(report) == ("Small effusion. No pneumonia.", False)
    assert as_query("INDICATION: Cough for weeks.") == ("INDICATION: Cough for weeks.", False), "there is nothing else"
