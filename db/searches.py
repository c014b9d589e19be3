"""Searches by meaning: questions to the warm inference process, answered by hits or by a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.annotations import AskState
from core.errors import NotFound
from core.search import Asked, Hit, NewSearch, Search, SearchFilter
from core.studies import Split, View
from db.tables import SearchRow, now


def ask(session: Session, new: NewSearch, reader_id: int) -> int:
    """Ask what is like something; gives the question's number."""
    row = SearchRow(
        kind=new.kind,
        text=new.text,
        place=new.place,
        sha=new.sha,
        view=new.view,
        study_id=new.study,
        among={name: value for name, value in asdict(new.filter).items() if value is not None},
        limit=new.limit,
        reader_id=reader_id,
    )
    session.add(row)
    session.flush()
    return row.id


def waiting(session: Session, limit: int = 4) -> tuple[Search, ...]:
    """Unanswered questions, oldest first."""
    query = select(SearchRow).where(SearchRow.state == AskState.WAITING).order_by(SearchRow.id).limit(limit)
    return tuple(_search(row) for row in session.scalars(query))


def get_search(session: Session, number: int) -> Search:
    """Raises NotFound, also for one that was forgotten."""
    row = session.get(SearchRow, number)
    if row is None:
        raise NotFound(f"There is no search number {number}; it may have been forgotten. Search again.")
    return _search(row)


def answer(
    session: Session, number: int, model: str, searched: int, hits: Sequence[Hit], remarks: Sequence[str]
) -> bool:
    """Answer with what a model found. Gives False when the question was forgotten meanwhile."""
    row = session.get(SearchRow, number)
    if row is None:
        return False
    row.state, row.answered_at, row.model, row.searched = AskState.ANSWERED, now(), model, searched
    row.hits, row.remarks = [asdict(hit) for hit in hits], list(remarks)
    return True


def refuse(session: Session, number: int, words: str) -> bool:
    """Answer with a sentence. Gives False when the question was forgotten meanwhile."""
    row = session.get(SearchRow, number)
    if row is None:
        return False
    row.state, row.answered_at, row.answer = AskState.REFUSED, now(), words
    return True


def forget(session: Session, place: str) -> int:
    """Take all questions about the film of a place off the record; gives how many there were."""
    return len(session.scalars(delete(SearchRow).where(SearchRow.place == place).returning(SearchRow.id)).all())


def forget_before(session: Session, moment: datetime) -> int:
    """Take all that was asked earlier off the record, pasted reports among it; gives how many there were."""
    return len(session.scalars(delete(SearchRow).where(SearchRow.asked_at < moment).returning(SearchRow.id)).all())


def _search(row: SearchRow) -> Search:
    asked = NewSearch(
        kind=Asked(row.kind),
        filter=_filter(row.among),
        limit=row.limit,
        text=row.text,
        place=row.place,
        sha=row.sha,
        view=View(row.view),
        study=row.study_id,
    )
    return Search(
        id=row.id,
        asked=asked,
        state=AskState(row.state),
        asked_at=row.asked_at,
        model=row.model,
        searched=row.searched,
        hits=tuple(_hit(each) for each in row.hits),
        remarks=tuple(row.remarks),
        answer=row.answer,
    )


def _filter(told: Mapping[str, Any]) -> SearchFilter:
    return SearchFilter(
        dataset=told.get("dataset"),
        finding=told.get("finding"),
        view=View(told["view"]) if told.get("view") else None,
        split=Split(told["split"]) if told.get("split") else None,
    )


def _hit(told: Mapping[str, Any]) -> Hit:
    return Hit(
        study=int(told["study"]),
        image=int(told["image"]),
        similarity=float(told["similarity"]),
        map=tuple(tuple(row) for row in told.get("map", ())),
        sentence=str(told.get("sentence", "")),
    )
