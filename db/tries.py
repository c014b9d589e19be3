"""Films that somebody tries on a model: questions to the warm inference process about films that are in no dataset."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.annotations import AskState
from core.errors import NotFound
from core.studies import View
from core.tries import NewTry, Opinion, Try, opinion_of
from db.tables import TryRow, now


def ask(session: Session, new: NewTry, reader_id: int) -> int:
    """Ask a model about a film; gives the question's number."""
    row = TryRow(
        place=new.place,
        sha=new.sha,
        media_type=new.media_type,
        view=new.view,
        context=new.context,
        model=new.model,
        reader_id=reader_id,
    )
    session.add(row)
    session.flush()
    return row.id


def waiting(session: Session, limit: int = 1) -> tuple[Try, ...]:
    """Unanswered questions, oldest first."""
    query = select(TryRow).where(TryRow.state == AskState.WAITING).order_by(TryRow.id).limit(limit)
    return tuple(_try(row) for row in session.scalars(query))


def get_try(session: Session, number: int) -> Try:
    """Raises NotFound, also for one that was forgotten."""
    row = session.get(TryRow, number)
    if row is None:
        raise NotFound(f"There is no film number {number} that is tried; it may have been forgotten. Drop it again.")
    return _try(row)


def answer(session: Session, number: int, said: Mapping[str, Mapping[str, Any]]) -> bool:
    """Answer with what a model says, by finding. Gives False when the film was forgotten meanwhile."""
    listed = [{"finding": finding, **payload} for finding, payload in said.items()]
    return _close(session, number, state=AskState.ANSWERED, said=listed)


def refuse(session: Session, number: int, words: str) -> bool:
    """Answer with a sentence. Gives False when the film was forgotten meanwhile."""
    return _close(session, number, state=AskState.REFUSED, answer=words)


def forget(session: Session, place: str) -> int:
    """Take all questions about the film of a place off the record; gives how many there were."""
    return len(session.scalars(delete(TryRow).where(TryRow.place == place).returning(TryRow.id)).all())


def _close(session: Session, number: int, **values: Any) -> bool:
    query = update(TryRow).where(TryRow.id == number).values(answered_at=now(), **values).returning(TryRow.id)
    return session.scalar(query) is not None


def _try(row: TryRow) -> Try:
    return Try(
        id=row.id,
        place=row.place,
        sha=row.sha,
        media_type=row.media_type,
        view=View(row.view),
        context=row.context,
        model=row.model,
        state=AskState(row.state),
        asked_at=row.asked_at,
        opinions=_opinions(row.said),
        answer=row.answer,
    )


def _opinions(said: Sequence[Mapping[str, Any]]) -> tuple[Opinion, ...]:
    found = [opinion_of(str(each["finding"]), each) for each in said]
    return tuple(sorted(found, key=lambda opinion: -opinion.probability))
