"""Reports that models wrote, and questions to the warm inference process for more of them."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.annotations import AskState
from core.errors import NotFound
from core.registry import model_name
from core.writing import Decoding, NewWriting, Writing, WritingAsk, decoding_of, plain, sentences_of
from db import models
from db.tables import StudyRow, WritingAskRow, WritingRow, now


def add(session: Session, model: str, written: Iterable[NewWriting]) -> tuple[int, ...]:
    """Put on record what a model wrote; gives the numbers. Raises NotFound where there is no such model."""
    model_id = models.get_model(session, model).id
    rows = [
        WritingRow(
            study_id=each.study,
            model_id=model_id,
            sentences=plain(each.sentences),
            decoding=asdict(each.decoding),
            remarks=list(each.remarks),
        )
        for each in written
    ]
    session.add_all(rows)
    session.flush()
    return tuple(row.id for row in rows)


def get_writing(session: Session, number: int) -> Writing:
    """Raises NotFound."""
    row = session.get(WritingRow, number)
    if row is None:
        raise NotFound(f"There is no written report number {number}.")
    return _writing(row)


def of_study(session: Session, study: int, model: str | None = None) -> tuple[Writing, ...]:
    """What was written about a study, by one model or by any, the newest first. Raises NotFound."""
    query = select(WritingRow).where(WritingRow.study_id == study).order_by(WritingRow.id.desc())
    if model is not None:
        query = query.where(WritingRow.model_id == models.get_model(session, model).id)
    return tuple(_writing(row) for row in session.scalars(query))


def written_about(session: Session, model_id: int) -> set[int]:
    """The studies that a model has drafted a report on."""
    query = select(WritingRow.study_id).where(WritingRow.model_id == model_id)
    return set(session.scalars(query.distinct()))


def ask(session: Session, study: int, reader_id: int, decoding: Decoding, model: str = "") -> int:
    """Ask for a report on a study, of the model in use where none is named; gives the question's number.

    Raises NotFound where there is no such study."""
    if session.get(StudyRow, study) is None:
        raise NotFound(f"There is no study number {study}.")
    row = WritingAskRow(study_id=study, reader_id=reader_id, decoding=asdict(decoding), model=model)
    session.add(row)
    session.flush()
    return row.id


def get_ask(session: Session, number: int) -> WritingAsk:
    """Raises NotFound."""
    row = session.get(WritingAskRow, number)
    if row is None:
        raise NotFound(f"No report was asked for under the number {number}.")
    return _asked(row)


def waiting_asks(session: Session, limit: int = 1) -> tuple[WritingAsk, ...]:
    """Unanswered questions, oldest first."""
    query = select(WritingAskRow).where(WritingAskRow.state == AskState.WAITING).order_by(WritingAskRow.id).limit(limit)
    return tuple(_asked(row) for row in session.scalars(query))


def answer(session: Session, number: int, model: str, written: NewWriting) -> int:
    """Answer with what a model wrote; gives the number of the writing. Raises NotFound."""
    (writing,) = add(session, model, [written])
    _close(session, number, state=AskState.ANSWERED, writing_id=writing, model=model)
    return writing


def refuse(session: Session, number: int, words: str) -> None:
    """Answer with a sentence. Raises NotFound."""
    _close(session, number, state=AskState.REFUSED, answer=words)


def _close(session: Session, number: int, **values: Any) -> None:
    row = session.get(WritingAskRow, number)
    if row is None:
        raise NotFound(f"No report was asked for under the number {number}.")
    row.answered_at = now()
    for name, value in values.items():
        setattr(row, name, value)
    session.flush()


def _writing(row: WritingRow) -> Writing:
    return Writing(
        row.id,
        row.study_id,
        model_name(row.model.family, row.model.number),
        sentences_of(row.sentences),
        decoding_of(row.decoding),
        tuple(str(each) for each in row.remarks),
        row.created_at,
    )


def _asked(row: WritingAskRow) -> WritingAsk:
    return WritingAsk(
        row.id,
        row.study_id,
        row.model,
        decoding_of(row.decoding),
        AskState(row.state),
        row.asked_at,
        row.writing_id,
        row.answer,
    )
