"""Judgements of reports: read back as they were said, refused where they contradict themselves, pinned under edits."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.grounding import Grounding, Patch
from core.judgements import (
    MOST_CHARACTERS,
    MalformedJudgement,
    Said,
    pinned,
    plain,
    require_within,
    said_of,
    tidy,
)
from core.passages import Passage, Standing
from core.ratings import BadRating, ErrorKind, Quality, ReportError, Severity
from core.writing import SECTIONS, Decoding, Writing, WrittenSentence

TEXT = "The heart is enlarged. No effusion."
WRITING = Writing(
    7,
    1,
    "generation-v1",
    (WrittenSentence("findings", "The heart is enlarged."), WrittenSentence("findings", "No effusion.")),
    Decoding(),
    (),
    datetime(2026, 1, 1, tzinfo=UTC),
)
words = st.text(max_size=30).map(tidy)


edges = st.lists(st.floats(0, 1), min_size=2, max_size=2, unique=True).map(sorted)
patches = st.tuples(st.sampled_from(["film-a", "film-b"]), edges, edges).map(
    lambda drawn: Patch(drawn[0], drawn[1][0], drawn[2][0], drawn[1][1], drawn[2][1])
)
groundings = st.builds(
    Grounding,
    st.just("findings"),
    st.integers(0, 1),
    st.lists(patches, max_size=2).map(tuple),
    st.lists(st.sampled_from(["mask-a", "mask-b"]), max_size=2).map(tuple),
)


@st.composite
def errors(draw: st.DrawFn) -> ReportError:
    start = draw(st.integers(0, len(TEXT) - 1))
    end = draw(st.integers(start + 1, len(TEXT)))
    kind = draw(st.sampled_from(ErrorKind))
    needed = words.filter(bool)
    located = kind is ErrorKind.WRONG_LOCATION
    return ReportError(
        kind,
        draw(st.booleans()),
        draw(st.sampled_from(Severity)),
        Passage.of("findings", TEXT, start, end) if kind.has_passage else None,
        draw(words if kind.has_passage else needed),
        draw(needed) if located else "",
        draw(needed) if located else "",
    )


@st.composite
def judgements(draw: st.DrawFn) -> Said:
    likert = st.integers(1, 5)
    return Said(
        tuple(draw(st.lists(errors(), max_size=4))),
        draw(st.none() | st.builds(Quality, likert, likert)),
        tuple(draw(st.dictionaries(st.sampled_from(SECTIONS), words, max_size=2)).items()),
        tuple(draw(st.lists(groundings, max_size=2, unique_by=lambda each: (each.section, each.sentence)))),
    )


@given(judgements())
def test_a_judgement_is_read_back_from_json_as_it_was_said(said: Said) -> None:
    assert said_of(json.loads(json.dumps(plain(said)))) == said


@given(judgements())
def test_no_pinned_error_is_lost_whatever_the_report_is_corrected_to(said: Said) -> None:
    require_within(said, WRITING)
    places = pinned(said, WRITING)
    assert len(places) == len(said.errors)
    for error, place in zip(said.errors, places, strict=True):
        assert (place is None) == (error.passage is None)
        if place is not None and error.passage is not None:
            after = said.text_of("findings", WRITING)
            assert 0 <= place.passage.start <= place.passage.end <= len(after)
            kept = after[place.passage.start : place.passage.end] == error.passage.words
            assert kept == (place.standing is not Standing.STALE)


def test_overlapping_errors_stand_beside_each_other() -> None:
    one = ReportError(ErrorKind.FALSE_FINDING, True, Severity.MINOR, Passage.of("findings", TEXT, 4, 21))
    other = ReportError(ErrorKind.WRONG_SEVERITY, False, Severity.SERIOUS, Passage.of("findings", TEXT, 13, 21))
    assert said_of(plain(Said((one, other)))).errors == (one, other)


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        "clean",
        {"errors": {}},
        {"errors": [{"kind": "false finding"}]},
        {"errors": [{"kind": "typo", "significant": True, "severity": 1}]},
        {"errors": [{"kind": "omission", "significant": "yes", "severity": 1, "replacement": "Nodule."}]},
        {"errors": [{"kind": "omission", "significant": True, "severity": 9, "replacement": "Nodule."}]},
        {"errors": [{"kind": "omission", "significant": True, "severity": True, "replacement": "Nodule."}]},
        {"quality": {"overall": 5}},
        {"quality": {"overall": "5", "would_sign": 5}},
        {"corrected": [["findings", "Clear."]]},
        {"corrected": {"findings": 3}},
        {"groundings": [{"section": "findings", "sentence": "0", "patches": [], "masks": []}]},
        {"groundings": [{"section": "findings", "sentence": 0, "patches": [{"film": "a"}], "masks": []}]},
    ],
)
def test_what_is_no_judgement_is_refused(told: object) -> None:
    with pytest.raises(MalformedJudgement):
        said_of(told)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"quality": {"overall": 6, "would_sign": 1}}, "1, not at all, to 5"),
        ({"corrected": {"technique": "PA."}}, "by section"),
        ({"corrected": {"findings": "a" * (MOST_CHARACTERS + 1)}}, "60,000"),
        ({"errors": [{"kind": "omission", "significant": True, "severity": 2}]}, "Say what is missing"),
        ({"errors": [{"kind": "false finding", "significant": True, "severity": 2}]}, "Mark the words"),
    ],
)
def test_a_judgement_that_contradicts_itself_is_refused_with_what_to_do(told: object, words: str) -> None:
    with pytest.raises(BadRating, match=words):
        said_of(told)


def test_a_report_of_five_thousand_words_can_be_corrected() -> None:
    text = " ".join(["atelectasis"] * 5000)
    assert said_of({"corrected": {"findings": text}}).corrected == (("findings", text),)


def test_a_correction_keeps_its_lines_and_its_markup_and_loses_its_control_characters() -> None:
    assert tidy(" <b>Clear</b>\x00\x1b[31m.\r\n**Heart**\u202e normal.\x7f ") == "<b>Clear</b>[31m.\n**Heart** normal."


def test_a_link_from_a_sentence_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadRating, match="not in this report"):
        require_within(Said(groundings=(Grounding("findings", 2),)), WRITING)
    with pytest.raises(BadRating, match="linked once"):
        Said(groundings=(Grounding("findings", 0), Grounding("findings", 0, (), ("mask-a",))))


def test_a_passage_of_another_report_is_refused() -> None:
    other = ReportError(ErrorKind.FALSE_FINDING, True, Severity.MINOR, Passage("findings", 0, 3, "His"))
    with pytest.raises(BadRating, match="does not stand there"):
        require_within(Said((other,)), WRITING)
