"""Readers: one person is one row, however the name was typed."""

import pytest

from db.engine import Database
from db.people import LONGEST_NAME, BadReaderName, ensure_reader, reader_names, tidy_name


def test_a_name_is_kept_without_needless_space_and_once(database: Database) -> None:
    with database.writing() as session:
        assert ensure_reader(session, "  Ann \t Lee ") == ensure_reader(session, "Ann Lee")
        assert "Ann Lee" in reader_names(session)
    assert tidy_name("  Ann \t Lee ") == "Ann Lee"


@pytest.mark.parametrize("name", ["", " \n", "x" * (LONGEST_NAME + 1)])
def test_no_name_and_one_without_end_are_refused(database: Database, name: str) -> None:
    with pytest.raises(BadReaderName), database.writing() as session:
        ensure_reader(session, name)
