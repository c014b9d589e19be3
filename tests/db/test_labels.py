"""Labels: nothing said is ever lost or overwritten, whatever tabs, readers, retries, labelers and imports do."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from core.errors import NotFound
from core.findings import Side, State, UnknownFinding
from core.labels import Effective, LabelVersion, NewLabel, SavedLabel, Source, Statement, Zone, effective_of
from core.studies import Skipped
from db import label_drafts, labels, studies
from db.engine import Database
from db.label_drafts import NotYourWord
from db.labels import NoLabel
from db.people import ensure_reader
from tests.db.conftest import bring

PRESENT, ABSENT, UNCERTAIN, UNASSESSED = State.PRESENT, State.ABSENT, State.UNCERTAIN, State.UNASSESSED
FINDING = "pleural_effusion"
REPORTED = Statement(FINDING, PRESENT, Source.LABELER, Side.LEFT, evidence="Small left effusion.")


def say(
    database: Database,
    state: State,
    *,
    parent: int | None = None,
    base: int | None = 1,
    reader: str = "Ann",
    finding: str = FINDING,
    side: Side | None = None,
    zone: Zone | None = None,
) -> SavedLabel:
    with database.writing() as session:
        return label_drafts.save_draft(
            session,
            ensure_reader(session, reader),
            NewLabel(1, finding, state, side, zone),
            parent_id=parent,
            base_version_id=base,
        )


def submit(database: Database, reader: str = "Ann") -> tuple[LabelVersion, ...]:
    with database.writing() as session:
        return label_drafts.submit_drafts(session, ensure_reader(session, reader), 1)


def open_states(database: Database, reader: str = "Ann") -> list[State]:
    with database.writing() as session:
        return [draft.state for draft in label_drafts.open_drafts(session, ensure_reader(session, reader), 1)]


def history(database: Database) -> tuple[LabelVersion, ...]:
    with database.reading() as session:
        return labels.versions(session, 1, FINDING)


def counted(database: Database) -> Effective | None:
    with database.reading() as session:
        return effective_of(studies.get_study(session, 1)).get(FINDING)


def keep(database: Database, *statements: Statement) -> int:
    with database.writing() as session:
        return labels.keep_labeler_statements(session, 1, statements)


@pytest.fixture(autouse=True)
def study(database: Database) -> None:
    bring(database, "s1", labels=(REPORTED,))


def test_each_word_follows_the_one_before(database: Database) -> None:
    first = say(database, PRESENT)
    second = say(database, ABSENT, parent=first.draft.id)
    assert second.conflict is None
    assert second.draft.branch == first.draft.branch
    assert open_states(database) == [ABSENT]


def test_a_word_sent_twice_is_kept_once(database: Database) -> None:
    first = say(database, PRESENT)
    second = say(database, ABSENT, parent=first.draft.id)
    again = say(database, ABSENT, parent=first.draft.id)
    assert (again.draft.id, again.conflict) == (second.draft.id, None)
    assert say(database, ABSENT).draft.id == second.draft.id


def test_the_word_of_a_tab_left_behind_is_not_taken_for_one_that_was_since_changed(database: Database) -> None:
    first = say(database, UNCERTAIN)
    passed = say(database, ABSENT, parent=first.draft.id)
    say(database, PRESENT, parent=passed.draft.id)
    late = say(database, ABSENT, parent=first.draft.id)
    assert late.conflict is not None
    assert sorted(open_states(database)) == [ABSENT, PRESENT]


def test_the_same_state_on_another_side_is_another_word(database: Database) -> None:
    first = say(database, PRESENT)
    left = say(database, PRESENT, parent=first.draft.id, side=Side.LEFT)
    lower = say(database, PRESENT, parent=left.draft.id, side=Side.LEFT, zone=Zone.LOWER)
    assert len({first.draft.id, left.draft.id, lower.draft.id}) == 3
    (version,) = submit(database)
    assert (version.side, version.zone) == (Side.LEFT, Zone.LOWER)


def test_a_second_tab_that_goes_on_from_the_same_word_is_told_and_both_are_kept(database: Database) -> None:
    first = say(database, UNCERTAIN)
    say(database, PRESENT, parent=first.draft.id)
    other = say(database, ABSENT, parent=first.draft.id)
    assert other.conflict is not None
    assert "another tab" in other.conflict
    assert sorted(open_states(database)) == [ABSENT, PRESENT]


def test_a_second_tab_that_starts_from_the_same_version_is_told_and_both_are_kept(database: Database) -> None:
    say(database, PRESENT)
    forked = say(database, ABSENT)
    assert forked.conflict is not None
    assert say(database, UNCERTAIN, parent=forked.draft.id).conflict is None
    assert sorted(open_states(database)) == [PRESENT, UNCERTAIN]


def test_submitting_makes_a_version_of_every_line_and_the_newest_counts(database: Database) -> None:
    say(database, PRESENT)
    say(database, ABSENT)
    assert [version.state for version in submit(database)] == [PRESENT, ABSENT]
    assert [(v.state, v.source, v.is_current, v.in_conflict) for v in history(database)] == [
        (ABSENT, Source.READER, True, True),
        (PRESENT, Source.READER, False, True),
        (PRESENT, Source.LABELER, True, False),
    ]
    found = counted(database)
    assert found is not None
    assert (found.state, found.source, found.reader) == (ABSENT, Source.READER, "Ann")
    assert open_states(database) == []


def test_going_on_from_one_of_two_lines_settles_them(database: Database) -> None:
    say(database, PRESENT)
    say(database, ABSENT)
    _, newest = submit(database)
    say(database, PRESENT, base=newest.id)
    submit(database)
    assert not any(version.in_conflict for version in history(database))


def test_a_version_says_who_said_it_when_and_upon_what(database: Database) -> None:
    say(database, ABSENT)
    (version,) = submit(database)
    assert (version.reader, version.parent_id, version.source, version.suggested) == ("Ann", 1, Source.READER, False)
    assert version.created_at >= history(database)[-1].created_at
    assert version.statement == Statement(FINDING, ABSENT, Source.READER, reader="Ann")


def test_submitting_twice_makes_nothing_twice(database: Database) -> None:
    say(database, PRESENT)
    assert len(submit(database)) == 1
    assert submit(database) == ()


def test_the_second_of_two_readers_is_told_and_both_words_are_kept_and_shown_in_conflict(database: Database) -> None:
    say(database, PRESENT)
    first = say(database, UNCERTAIN, reader="Bob")
    assert first.conflict is None
    submit(database)
    later = say(database, ABSENT, parent=first.draft.id, reader="Bob")
    assert later.conflict is not None
    assert "Ann has said present" in later.conflict
    submit(database, "Bob")
    assert {v.reader: (v.state, v.is_current, v.in_conflict) for v in history(database) if v.reader} == {
        "Ann": (PRESENT, True, True),
        "Bob": (ABSENT, True, True),
    }
    found = counted(database)
    assert found is not None
    assert found.in_conflict


def test_a_reader_who_agrees_with_another_is_not_told(database: Database) -> None:
    say(database, PRESENT)
    submit(database)
    assert say(database, PRESENT, reader="Bob", side=Side.LEFT).conflict is None


def test_a_tab_that_has_not_seen_what_the_reader_submitted_elsewhere_is_told(database: Database) -> None:
    say(database, PRESENT)
    submit(database)
    late = say(database, ABSENT)
    assert late.conflict is not None
    assert "You have said present" in late.conflict


def test_a_word_on_a_draft_submitted_from_another_tab_becomes_a_draft_of_its_own(database: Database) -> None:
    first = say(database, PRESENT)
    (version,) = submit(database)
    late = say(database, ABSENT, parent=first.draft.id)
    assert late.conflict is not None
    assert late.draft.base_version_id == version.id
    assert open_states(database) == [ABSENT]


def test_what_was_discarded_can_be_said_again(database: Database) -> None:
    saved = say(database, PRESENT)
    with database.writing() as session:
        label_drafts.discard_draft(session, ensure_reader(session, "Ann"), saved.draft.id)
    assert open_states(database) == []
    again = say(database, PRESENT, parent=saved.draft.id)
    assert again.draft.id != saved.draft.id
    assert open_states(database) == [PRESENT]
    with database.reading() as session:
        assert label_drafts.get_draft(session, saved.draft.id).state is PRESENT


def test_nobody_goes_on_from_or_discards_another_readers_draft(database: Database) -> None:
    first = say(database, PRESENT)
    with pytest.raises(NotYourWord):
        say(database, ABSENT, parent=first.draft.id, reader="Bob")
    with pytest.raises(NotYourWord), database.writing() as session:
        label_drafts.discard_draft(session, ensure_reader(session, "Bob"), first.draft.id)


def test_what_is_not_on_record_is_refused(database: Database) -> None:
    with pytest.raises(NotFound):
        say(database, PRESENT, parent=99)
    with pytest.raises(NotFound):
        say(database, PRESENT, base=99)
    with pytest.raises(UnknownFinding):
        say(database, PRESENT, finding="unheard_of", base=None)
    with pytest.raises(NotFound):
        say(database, PRESENT, finding="nodule", base=1)
    with pytest.raises(NotFound), database.writing() as session:
        label_drafts.save_draft(session, ensure_reader(session, "Ann"), NewLabel(99, FINDING, PRESENT))
    with pytest.raises(NotFound), database.reading() as session:
        labels.get_version(session, 99)


def test_a_models_word_is_refused_as_a_label(database: Database) -> None:
    with pytest.raises(NoLabel), database.writing() as session:
        labels.add_version(session, NewLabel(1, FINDING, PRESENT), Source.MODEL)


def test_taking_back_ones_word_leaves_it_in_the_history_and_lets_the_next_source_count(database: Database) -> None:
    say(database, ABSENT)
    (version,) = submit(database)
    say(database, UNASSESSED, base=version.id)
    submit(database)
    assert [version.state for version in history(database)] == [UNASSESSED, ABSENT, PRESENT]
    assert counted(database) == Effective(PRESENT, Source.LABELER, Side.LEFT)


def test_an_adjudication_counts_before_all_readers_and_ends_their_conflict(database: Database) -> None:
    say(database, PRESENT)
    say(database, ABSENT, reader="Bob")
    submit(database)
    submit(database, "Bob")
    with database.writing() as session:
        lead = ensure_reader(session, "Lead")
        labels.add_version(session, NewLabel(1, FINDING, PRESENT), Source.ADJUDICATED, reader_id=lead, parent_id=3)
    assert counted(database) == Effective(PRESENT, Source.ADJUDICATED, reader="Lead")
    assert not any(version.in_conflict for version in history(database))


def test_the_labeler_adds_only_what_changed_since_it_last_spoke_and_takes_back_what_it_no_longer_says(
    database: Database,
) -> None:
    nodule = Statement("nodule", ABSENT, Source.LABELER, evidence="No nodule.")
    assert keep(database, REPORTED, nodule) == 1
    assert keep(database, REPORTED, nodule) == 0
    assert keep(database, Statement(FINDING, UNCERTAIN, Source.LABELER, evidence="Possible effusion.")) == 2
    assert [(v.state, v.evidence) for v in history(database)] == [
        (UNCERTAIN, "Possible effusion."),
        (PRESENT, "Small left effusion."),
    ]
    with database.reading() as session:
        assert [v.state for v in labels.versions(session, 1, "nodule")] == [UNASSESSED, ABSENT]
    assert keep(database, Statement(FINDING, UNCERTAIN, Source.LABELER, evidence="Possible effusion.")) == 0
    assert keep(database, nodule) == 2
    assert counted(database) is None


def test_the_labelers_versions_follow_each_other_and_touch_no_reader(database: Database) -> None:
    say(database, ABSENT)
    submit(database)
    keep(database)
    taken_back, ann, first = history(database)
    assert (taken_back.parent_id, taken_back.reader) == (first.id, None)
    assert counted(database) == Effective(ABSENT, Source.READER, reader=ann.reader)


def test_a_finding_that_only_the_labeler_knows_joins_the_vocabulary(database: Database) -> None:
    assert keep(database, REPORTED, Statement("hiatal_hernia", PRESENT, Source.LABELER)) == 1


def imported(state: State, side: Side | None = None) -> Statement:
    return Statement(FINDING, state, Source.IMPORTED, side)


def test_two_imports_that_contradict_each_other_are_kept_apart_and_told(database: Database) -> None:
    told = bring(database, "torn", labels=(imported(PRESENT), imported(ABSENT)))
    (skipped,) = told.skipped
    assert skipped.item == "torn pleural_effusion"
    assert "as present and as absent; both are kept apart" in skipped.reason
    with database.reading() as session:
        assert [(v.state, v.is_current, v.in_conflict) for v in labels.versions(session, 2)] == [
            (ABSENT, True, True),
            (PRESENT, True, True),
        ]
        found = effective_of(studies.get_study(session, 2))
    assert found == {FINDING: Effective(UNCERTAIN, Source.IMPORTED, in_conflict=True)}


def test_a_later_import_that_contradicts_an_earlier_one_is_told_each_time_and_kept_once(database: Database) -> None:
    assert bring(database, "torn", labels=(imported(PRESENT),)).skipped == ()
    for _ in range(2):
        assert len(bring(database, "torn", labels=(imported(ABSENT),)).skipped) == 1
    with database.reading() as session:
        assert len(labels.versions(session, 2)) == 2
    assert bring(database, "torn", labels=(Statement("nodule", PRESENT, Source.IMPORTED),)).skipped == ()


def test_labels_of_an_export_come_back_as_they_were_and_only_once(database: Database) -> None:
    said = (
        Statement(FINDING, PRESENT, Source.READER, Side.RIGHT, Zone.UPPER, "Ann", suggested=True),
        Statement(FINDING, ABSENT, Source.READER, reader="Bob"),
        Statement(FINDING, ABSENT, Source.ADJUDICATED, reader="Lead"),
        imported(PRESENT),
        REPORTED,
    )
    for _ in range(2):
        assert bring(database, "back", labels=said).skipped == ()
    with database.reading() as session:
        assert studies.get_study(session, 2).labels == said
        assert len(labels.versions(session, 2)) == len(said)


def test_an_export_does_not_speak_over_what_a_reader_or_the_labeler_has_said_here(database: Database) -> None:
    say(database, PRESENT)
    submit(database)
    theirs = Statement(FINDING, ABSENT, Source.READER, reader="Ann"), Statement(FINDING, ABSENT, Source.LABELER)
    told = bring(database, "s1", labels=theirs)
    assert [each.item for each in told.skipped] == ["s1 pleural_effusion"] * 2
    assert "that word was kept" in told.skipped[0].reason
    found = counted(database)
    assert found is not None
    assert (found.state, found.source) == (PRESENT, Source.READER)


def test_a_models_word_in_an_export_is_left_out_and_told(database: Database) -> None:
    told = bring(database, "s2", labels=(Statement(FINDING, PRESENT, Source.MODEL),))
    assert told.skipped == (Skipped("s2 pleural_effusion", str(NoLabel())),)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(State), st.booleans()), min_size=1, max_size=12))
def test_whatever_tabs_do_every_acknowledged_word_is_on_record_and_every_tip_is_open(
    database: Database, moves: list[tuple[int, State, bool]]
) -> None:
    """Three tabs speak in any order, each on its own last word, now and then reloading to the newest open line."""
    with database.writing() as session:
        reader = ensure_reader(session, f"tabs {id(moves)} {len(moves)}")
        session.execute(text("UPDATE label_drafts SET discarded = 1"))
    last: dict[int, int | None] = {0: None, 1: None, 2: None}
    kept: list[tuple[int, State]] = []
    for tab, state, reloads in moves:
        with database.writing() as session:
            if reloads:
                newest = label_drafts.open_drafts(session, reader, 1)
                last[tab] = newest[0].id if newest else None
            new = NewLabel(1, FINDING, state)
            saved = label_drafts.save_draft(session, reader, new, parent_id=last[tab], base_version_id=1)
        last[tab] = saved.draft.id
        kept.append((saved.draft.id, state))
    with database.reading() as session:
        assert [label_drafts.get_draft(session, number).state for number, _ in kept] == [state for _, state in kept]
        tips: dict[int, int] = {}
        for number, _ in kept:
            branch = label_drafts.get_draft(session, number).branch
            tips[branch] = max(number, tips.get(branch, 0))
        assert {draft.branch: draft.id for draft in label_drafts.open_drafts(session, reader, 1)} == tips
