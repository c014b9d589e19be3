"""The database's shape: made by migrations, the same as the tables say, and copied aside before it is changed."""

import sqlite3

import pytest
from alembic import command
from alembic.util import CommandError
from sqlalchemy import inspect

from core.findings import State
from core.labels import Source, Statement
from core.workspace import Workspace
from db import labels, studies
from db.engine import Database
from db.people import ensure_reader, reader_names
from db.schema import configuration, migrate, newest_revision, revision
from tests.db.conftest import bring


def test_the_migrations_make_exactly_what_the_tables_say(database: Database) -> None:
    command.check(configuration(database))


def test_downgrading_leaves_nothing_and_upgrading_again_works(database: Database) -> None:
    steps = configuration(database)
    command.downgrade(steps, "base")
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version"}
    command.upgrade(steps, "head")
    command.check(steps)
    assert revision(database) == newest_revision()


def test_an_old_database_is_copied_aside_before_it_is_changed(place: Workspace, database: Database) -> None:
    with database.writing() as session:
        ensure_reader(session, "Ann")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    database.close()
    steps = Workspace(place.home)
    # The made-up old revision cannot be upgraded; what matters is that the copy was put aside before trying.
    with pytest.raises(CommandError):
        migrate(steps)
    (copy,) = place.backups.glob("before-*.db")
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT name FROM readers").fetchall() == [("Ann",)]


def test_opening_a_workspace_twice_changes_nothing(place: Workspace, database: Database) -> None:
    bring(database, "s1")
    again = migrate(place)
    with database.writing() as session:
        ensure_reader(session, "Ann")
    with again.reading() as session:
        assert "Ann" in reader_names(session)
    assert list(place.backups.iterdir()) == []
    again.close()


def test_labels_made_before_they_had_sides_are_there_after_the_upgrade(place: Workspace, database: Database) -> None:
    bring(database, "s1", labels=(Statement("edema", State.ABSENT, Source.IMPORTED),))
    bring(database, "s2", labels=(Statement("nodule", State.PRESENT, Source.IMPORTED),))
    command.downgrade(configuration(database), "0002")
    columns = "SELECT id, study_id, finding, state, created_at FROM labels"
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO labels (study_id, finding, state, source, created_at) "
            "VALUES (1, 'fracture', 'uncertain', 'some other tool', '2026-01-02 03:04:05')"
        )
        before = connection.exec_driver_sql(columns).fetchall()
    database.close()
    upgraded = migrate(place)
    command.check(configuration(upgraded))
    with upgraded.engine.connect() as connection:
        assert connection.exec_driver_sql(columns).fetchall() == before
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall() == []
    with upgraded.writing() as session:
        assert studies.get_study(session, 1).labels == (
            Statement("edema", State.ABSENT, Source.IMPORTED),
            Statement("fracture", State.UNCERTAIN, Source.IMPORTED),
        )
        assert labels.keep_labeler_statements(session, 1, [Statement("edema", State.ABSENT, Source.LABELER)]) == 1
        first = labels.versions(session, 1, "edema")[-1]
    assert (first.side, first.zone, first.evidence, first.suggested, first.parent_id) == (None, None, "", False, None)
    upgraded.close()
    assert len(list(place.backups.iterdir())) == 1
