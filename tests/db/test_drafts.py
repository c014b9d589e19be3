"""Drafts: nothing drawn is ever lost or overwritten, whatever tabs, readers and retries do."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from core.annotations import MaskVersion, NewMask, Origin, SavedDraft
from core.errors import NotFound
from core.masks import Box, MaskSizeDiffers, MaskStats
from db import drafts, masks
from db.drafts import NotYourDraft
from db.engine import Database
from db.people import ensure_reader
from tests.db.conftest import SMALL, bring


def stroke(
    database: Database, sha: str, *, parent: int | None = None, base: int | None = None, reader: str = "Ann"
) -> SavedDraft:
    with database.writing() as session:
        return drafts.save_draft(
            session,
            ensure_reader(session, reader),
            NewMask(1, "heart", sha, SMALL),
            parent_id=parent,
            base_version_id=base,
        )


def submit(database: Database, reader: str = "Ann") -> tuple[MaskVersion, ...]:
    with database.writing() as session:
        return drafts.submit_drafts(session, ensure_reader(session, reader), [1], {})


def open_shas(database: Database, reader: str = "Ann") -> list[str]:
    with database.writing() as session:
        return [draft.sha for draft in drafts.open_drafts(session, ensure_reader(session, reader), [1])]


def history(database: Database) -> tuple[MaskVersion, ...]:
    with database.reading() as session:
        return masks.versions(session, 1, "heart")


@pytest.fixture(autouse=True)
def study(database: Database) -> None:
    bring(database, "s1", masks=("heart",))


def test_each_stroke_follows_the_one_before(database: Database) -> None:
    first = stroke(database, "a", base=1)
    second = stroke(database, "b", parent=first.draft.id)
    assert second.conflict is None
    assert second.draft.branch == first.draft.branch
    assert open_shas(database) == ["b"]


def test_a_stroke_sent_twice_is_kept_once(database: Database) -> None:
    first = stroke(database, "a", base=1)
    second = stroke(database, "b", parent=first.draft.id)
    again = stroke(database, "b", parent=first.draft.id)
    assert again.draft.id == second.draft.id
    assert again.conflict is None


def test_a_second_tab_that_goes_on_from_the_same_stroke_is_told_and_both_are_kept(database: Database) -> None:
    first = stroke(database, "a", base=1)
    stroke(database, "tab one", parent=first.draft.id)
    other = stroke(database, "tab two", parent=first.draft.id)
    assert other.conflict is not None
    assert "another tab" in other.conflict
    assert sorted(open_shas(database)) == ["tab one", "tab two"]


def test_a_second_tab_that_starts_from_the_same_version_is_told_and_both_are_kept(database: Database) -> None:
    stroke(database, "tab one", base=1)
    assert stroke(database, "tab two", base=1).conflict is not None
    assert sorted(open_shas(database)) == ["tab one", "tab two"]


def test_the_forked_line_goes_on_without_being_told_again(database: Database) -> None:
    stroke(database, "tab one", base=1)
    forked = stroke(database, "tab two", base=1)
    assert stroke(database, "tab two, on", parent=forked.draft.id).conflict is None


def test_submitting_makes_a_version_of_every_line_and_the_newest_counts(database: Database) -> None:
    stroke(database, "tab one", base=1)
    stroke(database, "tab two", base=1)
    assert [version.sha for version in submit(database)] == ["tab one", "tab two"]
    assert {version.sha: version.in_conflict for version in history(database)} == {
        "tab one": True,
        "tab two": True,
        "heart-s1": False,
    }
    assert [version.sha for version in history(database) if version.is_current] == ["tab two"]
    assert open_shas(database) == []


def test_submitting_twice_makes_nothing_twice(database: Database) -> None:
    stroke(database, "a", base=1)
    assert len(submit(database)) == 1
    assert submit(database) == ()


def test_the_second_of_two_readers_is_told_and_both_versions_are_kept(database: Database) -> None:
    stroke(database, "ann's", base=1)
    first = stroke(database, "bob's", base=1, reader="Bob")
    assert first.conflict is None
    submit(database)
    later = stroke(database, "bob's, on", parent=first.draft.id, reader="Bob")
    assert later.conflict is not None
    assert "Ann submitted another version" in later.conflict
    submit(database, "Bob")
    assert {version.sha for version in history(database)} == {"heart-s1", "ann's", "bob's, on"}
    assert all(version.in_conflict for version in history(database) if version.author in ("Ann", "Bob"))


def test_a_stroke_on_a_drawing_submitted_from_another_tab_becomes_a_draft_of_its_own(database: Database) -> None:
    first = stroke(database, "a", base=1)
    (version,) = submit(database)
    late = stroke(database, "late", parent=first.draft.id)
    assert late.conflict is not None
    assert late.draft.base_version_id == version.id
    assert open_shas(database) == ["late"]


def test_nobody_draws_on_another_readers_draft(database: Database) -> None:
    first = stroke(database, "a", base=1)
    with pytest.raises(NotYourDraft):
        stroke(database, "b", parent=first.draft.id, reader="Bob")


def test_a_drawing_of_another_size_is_refused(database: Database) -> None:
    with pytest.raises(MaskSizeDiffers), database.writing() as session:
        wide = NewMask(1, "heart", "a", MaskStats(10, 12, 1, Box(0, 0, 1, 1)))
        drafts.save_draft(session, ensure_reader(session, "Ann"), wide)


def test_a_stroke_on_an_unknown_drawing_is_refused(database: Database) -> None:
    with pytest.raises(NotFound):
        stroke(database, "a", parent=99)


def test_a_discarded_line_is_no_longer_open_but_stays_on_record(database: Database) -> None:
    saved = stroke(database, "a", base=1)
    with database.writing() as session:
        drafts.discard_draft(session, ensure_reader(session, "Ann"), saved.draft.id)
    assert open_shas(database) == []
    with database.reading() as session:
        assert drafts.get_draft(session, saved.draft.id).sha == "a"


def test_a_drawing_without_a_suggestion_is_manual_and_not_suggested(database: Database) -> None:
    stroke(database, "a", base=1)
    (version,) = submit(database)
    assert (version.origin, version.suggested, version.parent_id) == (Origin.MANUAL, False, 1)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=12))
def test_whatever_tabs_do_every_acknowledged_stroke_is_on_record_and_every_tip_is_open(
    database: Database, moves: list[tuple[int, bool]]
) -> None:
    """Three tabs draw in any order, each on its own last stroke, now and then reloading to the newest open line."""
    with database.writing() as session:
        reader = ensure_reader(session, f"tabs {id(moves)} {len(moves)}")
        session.execute(text("UPDATE mask_drafts SET discarded = 1"))
    last: dict[int, int | None] = {0: None, 1: None, 2: None}
    tips: dict[int, str] = {}
    kept: list[tuple[int, str]] = []
    for number, (tab, reloads) in enumerate(moves):
        with database.writing() as session:
            if reloads:
                newest = drafts.open_drafts(session, reader, [1])
                last[tab] = newest[0].id if newest else None
            mask = NewMask(1, "heart", f"{id(moves)}-{number}", SMALL)
            saved = drafts.save_draft(session, reader, mask, parent_id=last[tab], base_version_id=1)
        last[tab] = saved.draft.id
        tips[saved.draft.branch] = saved.draft.sha
        kept.append((saved.draft.id, saved.draft.sha))
    with database.reading() as session:
        assert [drafts.get_draft(session, number).sha for number, _ in kept] == [sha for _, sha in kept]
        assert {draft.branch: draft.sha for draft in drafts.open_drafts(session, reader, [1])} == tips
