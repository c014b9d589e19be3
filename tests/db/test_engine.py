"""Transactions on the laptop's database: durable, exclusive where they write, rolled back whole."""

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db import audit
from db.engine import Database, check_integrity
from db.people import ensure_reader, reader_names


def pragma(database: Database, name: str) -> object:
    with database.engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_what_is_committed_is_on_the_disk_and_points_at_rows_that_exist(database: Database) -> None:
    assert pragma(database, "journal_mode") == "wal"
    assert pragma(database, "synchronous") == 2
    assert pragma(database, "foreign_keys") == 1


def test_a_transaction_that_meets_an_error_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(RuntimeError), database.writing() as session:
        ensure_reader(session, "Ann")
        raise RuntimeError
    with database.reading() as session:
        assert reader_names(session) == ()


def test_writers_who_read_first_wait_for_each_other_and_lose_nothing(database: Database) -> None:
    def add(worker: int) -> None:
        for number in range(10):
            with database.writing() as session:
                reader_names(session)
                ensure_reader(session, f"reader {worker} {number}")

    threads = [threading.Thread(target=add, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert len(reader_names(session)) == 40


def test_a_row_cannot_point_at_nothing(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as session:
        session.execute(text("INSERT INTO study_findings (finding, study_id) VALUES ('heart', 999)"))


@pytest.mark.parametrize("statement", ["DELETE FROM audit_events", "UPDATE audit_events SET actor = 'nobody'"])
def test_the_audit_trail_refuses_to_be_changed(database: Database, statement: str) -> None:
    with database.writing() as session:
        audit.record(session, "Ann", "look", "study 1")
    with pytest.raises(IntegrityError, match="append-only"), database.writing() as session:
        session.execute(text(statement))
    with database.reading() as session:
        assert [event.actor for event in audit.events(session)] == ["Ann"]


def test_a_healthy_database_has_nothing_wrong_with_it(database: Database) -> None:
    assert check_integrity(database) == []
