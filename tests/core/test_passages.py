"""Passages that are pinned, under edits: kept, moved or stale, and never lost."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.passages import BadPassage, Passage, Standing, follow

TEXT = "The heart is enlarged. There is a small left effusion. No pneumothorax."
EFFUSION = Passage.of("findings", TEXT, TEXT.index("There"), TEXT.index(" No"))


def test_a_passage_is_kept_where_the_text_is_edited_behind_it() -> None:
    told = follow(EFFUSION, TEXT, TEXT.replace("No pneumothorax", "Tiny apical pneumothorax"))
    assert (told.standing, told.passage) == (Standing.KEPT, EFFUSION)


def test_a_passage_moves_with_what_is_put_in_or_taken_out_before_it() -> None:
    for after in (TEXT.replace("enlarged", "not enlarged at all"), TEXT.replace("The heart is enlarged. ", "")):
        told = follow(EFFUSION, TEXT, after)
        assert told.standing is Standing.MOVED
        assert after[told.passage.start : told.passage.end] == EFFUSION.words


def test_a_passage_that_is_edited_is_stale_and_stands_where_its_words_stood() -> None:
    after = TEXT.replace("small left", "large right")
    told = follow(EFFUSION, TEXT, after)
    assert told.standing is Standing.STALE
    assert after[told.passage.start : told.passage.end] == "There is a large right effusion."
    assert told.passage.words == "There is a small left effusion."


def test_a_passage_that_is_taken_out_is_stale_and_still_there() -> None:
    told = follow(EFFUSION, TEXT, TEXT.replace("There is a small left effusion. ", ""))
    assert told.standing is Standing.STALE
    assert told.passage.words == EFFUSION.words
    assert told.passage.start == told.passage.end


def test_a_stale_passage_whose_words_are_put_back_is_whole_again() -> None:
    gone = TEXT.replace("small left", "large right")
    stale = follow(EFFUSION, TEXT, gone).passage
    assert follow(stale, gone, TEXT).standing is Standing.KEPT


def test_two_edits_at_once_move_what_lies_between_them() -> None:
    after = TEXT.replace("The heart", "The whole heart").replace("No pneumothorax", "A pneumothorax")
    assert follow(EFFUSION, TEXT, after).standing is Standing.MOVED


def test_passages_may_overlap() -> None:
    first, second = Passage.of("findings", TEXT, 0, 20), Passage.of("findings", TEXT, 10, 30)
    assert first.overlaps(second) and second.overlaps(first)
    assert not first.overlaps(Passage.of("findings", TEXT, 20, 30))
    assert not first.overlaps(Passage.of("impression", TEXT, 10, 30))


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5), (-1, 3), (0, 1000)])
def test_a_passage_lies_in_its_text_and_holds_something(start: int, end: int) -> None:
    with pytest.raises(BadPassage):
        Passage.of("findings", TEXT, start, end)


texts = st.lists(st.sampled_from(["heart", "large", "no", "left", " ", ". ", "effusion", "\n", "é"]), max_size=25).map(
    "".join
)


@given(texts, texts, st.data())
def test_whatever_is_edited_a_passage_stays_in_the_text_and_says_truly_what_became_of_it(
    before: str, after: str, data: st.DataObject
) -> None:
    assume(before)
    start = data.draw(st.integers(0, len(before) - 1))
    passage = Passage.of("findings", before, start, data.draw(st.integers(start + 1, len(before))))
    told = follow(passage, before, after)
    assert 0 <= told.passage.start <= told.passage.end <= len(after)
    there = after[told.passage.start : told.passage.end]
    assert (told.standing is Standing.STALE) == (there != passage.words)
    assert told.passage.words == passage.words
    if told.standing is Standing.KEPT:
        assert told.passage == passage


@given(texts, st.data())
def test_an_edit_that_does_not_touch_a_passage_never_makes_it_stale(text: str, data: st.DataObject) -> None:
    assume(len(text) > 2)
    start = data.draw(st.integers(0, len(text) - 1))
    passage = Passage.of("findings", text, start, data.draw(st.integers(start + 1, len(text))))
    put_in = data.draw(st.sampled_from([" QQ ", " QQ. "]))
    assert follow(passage, text, text + put_in).standing is Standing.KEPT
    assert follow(passage, text, put_in + text).standing is Standing.MOVED


@given(texts)
def test_an_unchanged_text_keeps_everything(text: str) -> None:
    assume(text)
    passage = Passage.of("findings", text, 0, len(text))
    assert follow(passage, text, text).standing is Standing.KEPT
