"""The worklist: which studies, in which order, a page at a time, and which comes next."""

from typing import Any, TypeVarTuple

from sqlalchemy import ColumnElement, ScalarSelect, Select, exists, func, literal, select, tuple_
from sqlalchemy.orm import Session, joinedload, selectinload

from core.reviews import ReviewState
from core.studies import StudyRow as WorklistRow
from core.studies import View, WorklistFilter, WorklistPage, WorklistSort
from db.search import studies_that_say
from db.tables import DatasetRow, ImageRow, ReaderRow, StudyFindingRow, StudyRow

Ts = TypeVarTuple("Ts")

COUNTED = 10_000
"""Matches are counted up to here: nobody pages further, and counting on would cost more than the page."""

_ORDERS: dict[WorklistSort, tuple[ColumnElement[Any], ...]] = {
    WorklistSort.QUEUE: (StudyRow.queue_rank.asc(), StudyRow.id.asc()),
    WorklistSort.CHANGED: (StudyRow.changed_at.desc(), StudyRow.id.desc()),
    WorklistSort.PATIENT: (StudyRow.patient_key.asc(), StudyRow.id.asc()),
}


def counts_by_state(session: Session, dataset: str | None = None) -> dict[ReviewState, int]:
    """How many studies stand in each state; every state is named."""
    query = select(StudyRow.state, func.count()).group_by(StudyRow.state)
    if dataset is not None:
        query = query.where(StudyRow.dataset_id == _dataset_id(dataset))
    found = dict(session.execute(query).tuples().all())
    return {state: found.get(state, 0) for state in ReviewState}


def page(
    session: Session,
    wanted: WorklistFilter,
    sort: WorklistSort = WorklistSort.QUEUE,
    offset: int = 0,
    limit: int = 50,
) -> WorklistPage:
    """A page of the studies that pass the filter, and how many pass in all, counted up to COUNTED."""
    matching = _filtered(session, select(literal(1)).select_from(StudyRow), wanted).limit(COUNTED)
    total = session.scalar(select(func.count()).select_from(matching.subquery())) or 0
    ids = session.scalars(
        _filtered(session, select(StudyRow.id), wanted).order_by(*_ORDERS[sort]).offset(offset).limit(limit)
    ).all()
    query = select(StudyRow).where(StudyRow.id.in_(ids)).order_by(*_ORDERS[sort])
    rows = session.scalars(query.options(joinedload(StudyRow.dataset), selectinload(StudyRow.images))).all()
    readers = dict(session.execute(select(ReaderRow.id, ReaderRow.name)).tuples().all())
    findings = _findings_of(session, list(ids))
    return WorklistPage(tuple(_row(row, readers, findings.get(row.id, ())) for row in rows), total)


def next_in_queue(session: Session, wanted: WorklistFilter, after: int | None = None) -> tuple[int, str] | None:
    """The study to read next and why: unread or returned, least rank first; on from `after`, then from the start.

    Where disagreements are asked for, whatever its state: who settles them comes after the readers.
    """
    query = _filtered(session, select(StudyRow.id, StudyRow.queue_reason), wanted)
    if not wanted.disagrees:
        query = query.where(StudyRow.state.in_((ReviewState.UNREAD, ReviewState.RETURNED)))
    query = query.order_by(*_ORDERS[WorklistSort.QUEUE]).limit(1)
    found = None
    if after is not None:
        here = session.execute(select(StudyRow.queue_rank, StudyRow.id).where(StudyRow.id == after)).first()
        query = query.where(StudyRow.id != after)
        if here is not None:
            beyond = tuple_(StudyRow.queue_rank, StudyRow.id) > tuple_(literal(here[0]), literal(here[1]))
            found = session.execute(query.where(beyond)).first()
    found = found or session.execute(query).first()
    return (found[0], found[1] or "next in the order of import") if found else None


def neighbours(session: Session, study_id: int) -> tuple[int | None, int | None]:
    """The studies before and after this one in the queue's order, whatever their state."""
    here = session.execute(select(StudyRow.queue_rank, StudyRow.id).where(StudyRow.id == study_id)).first()
    if here is None:
        return None, None
    place, mark = tuple_(StudyRow.queue_rank, StudyRow.id), tuple_(literal(here[0]), literal(here[1]))
    previous = select(StudyRow.id).where(place < mark).order_by(StudyRow.queue_rank.desc(), StudyRow.id.desc())
    following = select(StudyRow.id).where(place > mark).order_by(*_ORDERS[WorklistSort.QUEUE])
    return session.scalar(previous.limit(1)), session.scalar(following.limit(1))


def queue(session: Session, dataset: str | None = None, limit: int | None = None) -> list[int]:
    """The studies not yet reviewed, in worklist order."""
    query = _filtered(session, select(StudyRow.id), WorklistFilter(dataset=dataset))
    query = query.where(StudyRow.state.in_((ReviewState.UNREAD, ReviewState.DRAFT, ReviewState.RETURNED)))
    return list(session.scalars(query.order_by(*_ORDERS[WorklistSort.QUEUE]).limit(limit)))


def _filtered(session: Session, query: Select[*Ts], wanted: WorklistFilter) -> Select[*Ts]:
    flags = {
        StudyRow.has_mask: wanted.has_mask,
        StudyRow.has_report: wanted.has_report,
        StudyRow.has_suggestion: wanted.has_suggestion,
        StudyRow.disagrees: wanted.disagrees,
    }
    for column, flag in flags.items():
        if flag is not None:
            query = query.where(column.is_(flag))
    if wanted.state is not None:
        query = query.where(StudyRow.state == wanted.state)
    if wanted.dataset is not None:
        query = query.where(StudyRow.dataset_id == _dataset_id(wanted.dataset))
    if wanted.reader is not None:
        reader = select(ReaderRow.id).where(ReaderRow.name == wanted.reader).scalar_subquery()
        query = query.where(StudyRow.state_reader_id == reader)
    if wanted.finding is not None:
        marked = select(StudyFindingRow.study_id).where(StudyFindingRow.finding == wanted.finding)
        query = query.where(StudyRow.id.in_(marked))
    if wanted.view is not None:
        query = query.where(exists().where(ImageRow.view == wanted.view, ImageRow.study_id == StudyRow.id))
    if wanted.search.strip():
        said = studies_that_say(session, wanted.search).subquery()
        query = query.join(said, said.c[0] == StudyRow.id)
    return query


def _dataset_id(name: str) -> ScalarSelect[int]:
    return select(DatasetRow.id).where(DatasetRow.name == name).scalar_subquery()


def _findings_of(session: Session, studies: list[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    query = select(StudyFindingRow.study_id, StudyFindingRow.finding).where(StudyFindingRow.study_id.in_(studies))
    for study, finding in session.execute(query.order_by(StudyFindingRow.finding)):
        found[study] = (*found.get(study, ()), finding)
    return found


def _row(row: StudyRow, readers: dict[int, str], findings: tuple[str, ...]) -> WorklistRow:
    return WorklistRow(
        id=row.id,
        dataset=row.dataset.name,
        patient=row.patient_key,
        key=row.key,
        views=tuple(View(image.view) for image in row.images),
        thumbnails=tuple(image.sha for image in row.images),
        state=ReviewState(row.state),
        reader=readers.get(row.state_reader_id) if row.state_reader_id else None,
        changed_at=row.changed_at,
        has_mask=row.has_mask,
        has_report=row.has_report,
        has_suggestion=row.has_suggestion,
        findings=findings,
        disagrees=row.disagrees,
    )
