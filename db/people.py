"""Readers: whoever draws, submits, trains or promotes is on record under a name."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import ReadingRoomError
from db.tables import ReaderRow

LONGEST_NAME = 100


class BadReaderName(ReadingRoomError):
    def __init__(self) -> None:
        super().__init__(f"A reader's name has between 1 and {LONGEST_NAME} characters.")


def tidy_name(name: str) -> str:
    """The name as it is kept: no space around it, single ones within. Raises BadReaderName."""
    tidy = " ".join(name.split())
    if not 0 < len(tidy) <= LONGEST_NAME:
        raise BadReaderName
    return tidy


def ensure_reader(session: Session, name: str) -> int:
    """The reader's number, put on record when new. Raises BadReaderName."""
    tidy = tidy_name(name)
    row = session.scalar(select(ReaderRow).where(ReaderRow.name == tidy))
    if row is None:
        row = ReaderRow(name=tidy)
        session.add(row)
        session.flush()
    return row.id


def reader_names(session: Session) -> tuple[str, ...]:
    return tuple(session.scalars(select(ReaderRow.name).order_by(ReaderRow.name)))
