"""Whose word counts, what stands, what contradicts what, and how it is written down."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.findings import Side, State
from core.labels import (
    EFFECTIVE_ORDER,
    Effective,
    Source,
    Statement,
    Zone,
    contradict,
    effective,
    from_plain,
    plain,
    standing,
)
from core.studies import torn_labels

PRESENT, ABSENT, UNCERTAIN, UNASSESSED = State.PRESENT, State.ABSENT, State.UNCERTAIN, State.UNASSESSED
FINDING = "pleural_effusion"


def said(source: Source, state: State, reader: str | None = None, side: Side | None = None) -> Statement:
    return Statement(FINDING, state, source, side, reader=reader)


def counted(*statements: Statement) -> Effective | None:
    return effective(statements).get(FINDING)


words = st.builds(
    Statement,
    st.sampled_from(["pleural_effusion", "nodule"]),
    st.sampled_from(State),
    st.sampled_from(EFFECTIVE_ORDER),
    st.none() | st.sampled_from(Side),
    st.none() | st.sampled_from(Zone),
    st.none() | st.sampled_from(["Ann", "Bob"]),
    st.sampled_from(["", "There is fluid on the left."]),
    st.booleans(),
)


@pytest.mark.parametrize("order", itertools.permutations(EFFECTIVE_ORDER))
def test_the_first_source_that_speaks_counts_whatever_came_last(order: tuple[Source, ...]) -> None:
    statements = [said(source, PRESENT, "Ann") for source in order]
    for source in EFFECTIVE_ORDER:
        found = counted(*statements)
        assert found is not None
        assert found.source is source
        statements = [each for each in statements if each.source is not source]
    assert counted(*statements) is None


def test_a_models_word_never_counts() -> None:
    assert counted(said(Source.MODEL, PRESENT)) is None
    found = counted(said(Source.LABELER, ABSENT), said(Source.MODEL, PRESENT))
    assert found == Effective(ABSENT, Source.LABELER)


def test_what_counts_says_where_on_the_film_and_who_said_it() -> None:
    statement = Statement(FINDING, PRESENT, Source.READER, Side.LEFT, Zone.LOWER, "Ann")
    assert counted(statement) == Effective(PRESENT, Source.READER, Side.LEFT, Zone.LOWER, "Ann")


def test_a_readers_later_word_takes_the_place_of_the_earlier_one() -> None:
    found = counted(said(Source.READER, PRESENT, "Ann"), said(Source.READER, ABSENT, "Ann"))
    assert found == Effective(ABSENT, Source.READER, reader="Ann")


def test_two_readers_who_differ_are_in_conflict_and_the_newest_counts() -> None:
    found = counted(said(Source.READER, PRESENT, "Ann"), said(Source.READER, ABSENT, "Bob"))
    assert found == Effective(ABSENT, Source.READER, reader="Bob", in_conflict=True)


def test_an_adjudication_settles_what_readers_differ_on() -> None:
    readers = said(Source.READER, PRESENT, "Ann"), said(Source.READER, ABSENT, "Bob")
    found = counted(said(Source.ADJUDICATED, PRESENT, "Lead"), *readers)
    assert found == Effective(PRESENT, Source.ADJUDICATED, reader="Lead")


def test_two_readers_who_agree_are_not_in_conflict_though_one_says_more() -> None:
    found = counted(said(Source.READER, PRESENT, "Ann", Side.LEFT), said(Source.READER, PRESENT, "Bob"))
    assert found is not None
    assert not found.in_conflict


def test_unassessed_takes_back_what_the_same_reader_said_and_the_next_in_order_counts() -> None:
    labeler, ann = said(Source.LABELER, PRESENT), said(Source.READER, ABSENT, "Ann")
    assert counted(labeler, ann, said(Source.READER, UNASSESSED, "Ann")) == Effective(PRESENT, Source.LABELER)
    found = counted(labeler, ann, said(Source.READER, UNASSESSED, "Bob"))
    assert found == Effective(ABSENT, Source.READER, reader="Ann")


def test_imports_that_contradict_each_other_all_stand_and_count_as_uncertain() -> None:
    both = said(Source.IMPORTED, PRESENT), said(Source.IMPORTED, ABSENT)
    assert standing(both) == both
    assert counted(*both) == Effective(UNCERTAIN, Source.IMPORTED, in_conflict=True)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([Statement(FINDING, PRESENT, Source.READER, reader="Ann")], Effective(ABSENT, Source.READER, reader="Ann")),
        ([Statement(FINDING, PRESENT, Source.IMPORTED)], Effective(ABSENT, Source.IMPORTED)),
        ([Statement("their_own_finding", PRESENT, Source.READER)], Effective(ABSENT, Source.READER)),
        ([Statement(FINDING, ABSENT, Source.READER)], Effective(PRESENT, Source.LABELER)),
        ([Statement(FINDING, PRESENT, Source.LABELER)], Effective(PRESENT, Source.LABELER)),
        ([Statement("pacemaker", PRESENT, Source.READER)], Effective(PRESENT, Source.LABELER)),
        ([Statement("support_devices", PRESENT, Source.READER)], Effective(PRESENT, Source.LABELER)),
        ([Statement("heart", PRESENT, Source.READER)], Effective(PRESENT, Source.LABELER)),
        (
            [Statement(FINDING, PRESENT, Source.IMPORTED), Statement("no_finding", PRESENT, Source.READER)],
            Effective(PRESENT, Source.READER),
        ),
    ],
)
def test_no_finding_gives_way_to_what_a_source_before_it_has_found(
    statements: list[Statement], expected: Effective
) -> None:
    normal = Statement("no_finding", PRESENT, Source.LABELER)
    assert effective([normal, *statements])["no_finding"] == expected


def test_an_import_said_twice_stands_once() -> None:
    assert len(standing([said(Source.IMPORTED, PRESENT), said(Source.IMPORTED, PRESENT)])) == 1


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (said(Source.READER, PRESENT), said(Source.LABELER, PRESENT), False),
        (said(Source.READER, PRESENT), said(Source.READER, UNCERTAIN), True),
        (said(Source.READER, PRESENT, side=Side.LEFT), said(Source.READER, PRESENT), False),
        (said(Source.READER, PRESENT, side=Side.LEFT), said(Source.READER, PRESENT, side=Side.RIGHT), True),
        (said(Source.READER, PRESENT, side=Side.LEFT), said(Source.READER, PRESENT, side=Side.BOTH), True),
    ],
)
def test_what_contradicts_what(one: Statement, other: Statement, expected: bool) -> None:
    assert contradict(one, other) is expected
    assert contradict(other, one) is expected


@given(st.lists(words))
def test_what_stands_stands_alone_too_and_nothing_counts_that_was_not_said(statements: list[Statement]) -> None:
    assert standing(standing(statements)) == standing(statements)
    assert effective(standing(statements)) == effective(statements)
    for finding, found in effective(statements).items():
        spoken = [each for each in statements if each.finding == finding and each.source is found.source]
        assert found.in_conflict or (found.state, found.reader) in {(each.state, each.reader) for each in spoken}


@given(words)
def test_a_statement_survives_being_written_down(statement: Statement) -> None:
    assert from_plain(plain(statement)) == statement


def test_what_was_not_said_is_not_written_down() -> None:
    assert plain(said(Source.IMPORTED, ABSENT)) == {"finding": FINDING, "state": "absent", "source": "imported"}


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"finding": FINDING, "state": "maybe", "source": "reader"},
        {"finding": FINDING, "state": "present", "source": "somebody"},
        {"finding": FINDING, "state": "present", "source": "reader", "side": "up"},
        {"finding": FINDING, "state": "present", "source": "reader", "zone": "left"},
    ],
)
def test_a_record_out_of_range_is_refused(record: dict[str, object]) -> None:
    with pytest.raises((KeyError, ValueError)):
        from_plain(record)


def test_torn_imports_are_told_by_finding_in_words() -> None:
    (told,) = torn_labels("s1", [said(Source.IMPORTED, PRESENT, side=Side.LEFT), said(Source.IMPORTED, ABSENT)])
    assert told.item == "s1 pleural_effusion"
    assert "as present left and as absent" in told.reason
    assert torn_labels("s1", [said(Source.IMPORTED, PRESENT), said(Source.LABELER, ABSENT)]) == ()
