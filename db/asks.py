"""Questions to the warm inference process: a prompt on an image, answered by a suggestion or by a sentence."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.annotations import Ask, AskState
from core.errors import NotFound
from db.tables import AskRow, now


def ask(session: Session, image_id: int, finding: str, prompt: str, reader_id: int) -> int:
    """Ask for a mask; gives the question's number."""
    row = AskRow(image_id=image_id, finding=finding, prompt=prompt, reader_id=reader_id)
    session.add(row)
    session.flush()
    return row.id


def waiting(session: Session, limit: int = 16) -> tuple[Ask, ...]:
    """Unanswered questions, oldest first."""
    query = select(AskRow).where(AskRow.state == AskState.WAITING).order_by(AskRow.id).limit(limit)
    return tuple(_ask(row) for row in session.scalars(query))


def get_ask(session: Session, ask_id: int) -> Ask:
    """Raises NotFound."""
    row = session.get(AskRow, ask_id)
    if row is None:
        raise NotFound(f"There is no question number {ask_id}.")
    return _ask(row)


def answer(session: Session, ask_id: int, prediction_id: int | None, words: str | None = None) -> None:
    """Answer with a suggestion, or refuse with a sentence."""
    row = session.get_one(AskRow, ask_id)
    row.state = AskState.ANSWERED if prediction_id is not None else AskState.REFUSED
    row.prediction_id, row.answer, row.answered_at = prediction_id, words, now()


def _ask(row: AskRow) -> Ask:
    return Ask(
        row.id, row.image_id, row.finding, row.prompt, AskState(row.state), row.asked_at, row.prediction_id, row.answer
    )
