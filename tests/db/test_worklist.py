"""The worklist: what passes the filters, in which order, and what comes next and why."""

import pytest

from core.reports import Report
from core.reviews import IllegalReviewMove, ReviewMove, ReviewState
from core.studies import View, WorklistFilter, WorklistPage, WorklistSort
from db import datasets, reviews, worklist
from db.engine import Database
from db.people import ensure_reader
from tests.db.conftest import bring


@pytest.fixture(autouse=True)
def studies(database: Database) -> None:
    bring(database, "effusion", report=Report(findings='A small left "pleural" effusion.'))
    bring(database, "heart", masks=("heart",), report=Report(impression="Enlarged heart, no effusion."))
    bring(database, "lateral", view=View.LATERAL)
    bring(database, "elsewhere", dataset="other", patient="A patient")


def page(database: Database, wanted: WorklistFilter | None = None, **more: object) -> WorklistPage:
    with database.reading() as session:
        return worklist.page(session, wanted or WorklistFilter(), **more)  # type: ignore[arg-type]


def keys(database: Database, wanted: WorklistFilter) -> list[str]:
    return [row.key for row in page(database, wanted).rows]


def step(database: Database, study: int, move: ReviewMove, reason: str = "", reader: str = "Ann") -> None:
    with database.writing() as session:
        reviews.make_move(session, study, ensure_reader(session, reader), move, reason)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (WorklistFilter(), ["effusion", "lateral", "elsewhere", "heart"]),
        (WorklistFilter(dataset="other"), ["elsewhere"]),
        (WorklistFilter(view=View.LATERAL), ["lateral"]),
        (WorklistFilter(finding="heart"), ["heart"]),
        (WorklistFilter(has_mask=True), ["heart"]),
        (WorklistFilter(has_mask=False, has_report=False), ["lateral", "elsewhere"]),
        (WorklistFilter(has_suggestion=True), []),
        (WorklistFilter(search="effusion"), ["effusion", "heart"]),
        (WorklistFilter(search="effus left"), []),
        (WorklistFilter(search="left effus"), ["effusion"]),
        (WorklistFilter(search="effusion", finding="heart"), ["heart"]),
        (WorklistFilter(search='"pleural" OR ('), []),
    ],
)
def test_filters(database: Database, wanted: WorklistFilter, expected: list[str]) -> None:
    assert keys(database, wanted) == expected
    assert page(database, wanted).total == len(expected)


@pytest.mark.parametrize("words", ['"', "NEAR(", "*", "a AND", "findings:x", "-- ;DROP TABLE reports", "%", "\x00"])
def test_whatever_is_typed_into_search_is_taken_for_words(database: Database, words: str) -> None:
    page(database, WorklistFilter(search=words))


def test_the_search_follows_a_report_that_comes_later(database: Database) -> None:
    bring(database, "lateral", view=View.LATERAL, report=Report(findings="Hiatal hernia."))
    assert keys(database, WorklistFilter(search="hernia")) == ["lateral"]


def test_pages_cover_everything_once(database: Database) -> None:
    found = [page(database, offset=offset, limit=3).rows for offset in (0, 3)]
    assert len({row.id for rows in found for row in rows}) == 4
    assert {page(database, offset=offset, limit=3).total for offset in (0, 3)} == {4}


def test_sorting_by_patient_and_by_last_change(database: Database) -> None:
    step(database, 2, ReviewMove.DRAW)
    by_patient = [row.patient for row in page(database, sort=WorklistSort.PATIENT).rows]
    assert by_patient == sorted(by_patient)
    assert page(database, sort=WorklistSort.CHANGED).rows[0].key == "heart"


def test_counts_name_every_state(database: Database) -> None:
    step(database, 1, ReviewMove.DRAW)
    step(database, 2, ReviewMove.SUBMIT)
    with database.reading() as session:
        assert worklist.counts_by_state(session) == {
            ReviewState.UNREAD: 2,
            ReviewState.DRAFT: 1,
            ReviewState.SUBMITTED: 1,
            ReviewState.RETURNED: 0,
        }
        assert worklist.counts_by_state(session, "other")[ReviewState.UNREAD] == 1


def test_a_row_says_who_moved_the_study_last(database: Database) -> None:
    step(database, 1, ReviewMove.DRAW, reader="Bob")
    (row,) = page(database, WorklistFilter(reader="Bob")).rows
    assert (row.key, row.reader, row.state) == ("effusion", "Bob", ReviewState.DRAFT)


def test_the_queue_leaves_out_what_is_done_and_the_study_in_hand(database: Database) -> None:
    step(database, 1, ReviewMove.SUBMIT)
    with database.reading() as session:
        assert worklist.next_in_queue(session, WorklistFilter()) == (3, "next in the order of import")
        following = worklist.next_in_queue(session, WorklistFilter(), after=3)
    assert following is not None
    assert following[0] == 4


def test_a_returned_study_comes_first_and_says_why(database: Database) -> None:
    step(database, 2, ReviewMove.SUBMIT)
    step(database, 2, ReviewMove.RETURN, "the apex is missing", reader="Lead")
    with database.reading() as session:
        assert worklist.next_in_queue(session, WorklistFilter()) == (2, "returned: the apex is missing")


def test_neighbours_follow_the_queues_order_to_its_ends(database: Database) -> None:
    with database.reading() as session:
        assert worklist.neighbours(session, 1) == (None, 3)
        assert worklist.neighbours(session, 3) == (1, 4)
        assert worklist.neighbours(session, 2) == (4, None)
        assert worklist.neighbours(session, 99) == (None, None)


def test_a_move_that_the_states_do_not_know_changes_nothing(database: Database) -> None:
    with pytest.raises(IllegalReviewMove):
        step(database, 1, ReviewMove.RETURN)
    assert page(database, WorklistFilter(state=ReviewState.UNREAD)).total == 4


def test_a_dataset_sums_up_what_it_holds(database: Database) -> None:
    with database.reading() as session:
        chest, other = datasets.summaries(session)
    assert (chest.name, chest.patients, chest.studies, chest.images, chest.masks, chest.reports) == (
        "chest", 3, 3, 3, 1, 2,
    )  # fmt: skip
    assert other.studies == 1
