"""The queue: a table of jobs, claimed by one worker at a time.

A claim is a token; whoever holds it heartbeats, reports and finishes with it, and once another worker has taken the
job over, every further word with the old token raises ClaimLost.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from core.errors import NotFound
from core.jobs import ClaimLost, CurvePoint, Job, JobKind, JobRequest, JobState, Progress, may_move, require_move
from db import audit
from db.tables import CurvePointRow, JobRow, SnapshotRow, now

LEASE = timedelta(seconds=15)
"""A worker silent for this long is taken for dead, and its job for free."""

ATTEMPTS = 4
"""A job whose worker died this many times is given up."""


def enqueue(session: Session, request: JobRequest, by: str) -> Job:
    """Ask for a job. Raises NotFound when it names a snapshot that is not on record."""
    snapshot_id = None
    if request.snapshot is not None:
        snapshot_id = session.scalar(select(SnapshotRow.id).where(SnapshotRow.name == request.snapshot))
        if snapshot_id is None:
            raise NotFound(
                f'There is no snapshot "{request.snapshot}". Make one on the Data screen, or with `snapshot`.'
            )
    row = JobRow(
        kind=request.kind,
        parameters=dict(request.parameters),
        family=request.family,
        snapshot_id=snapshot_id,
        requested_by=by,
        result={},
    )
    session.add(row)
    session.flush()
    audit.record(session, by, f"ask for {request.kind}", f"job {row.id}")
    return to_job(row)


def claim(session: Session, kinds: Collection[JobKind], worker: str, job_id: int | None = None) -> Job | None:
    """Take the oldest job that waits, or whose worker fell silent; None when there is none.

    Jobs that were being cancelled when their worker died are closed on the way, and so are those given up.
    """
    _close_abandoned(session)
    stale = JobRow.heartbeat_at < now() - LEASE
    free = or_(JobRow.state == JobState.QUEUED, (JobRow.state == JobState.RUNNING) & stale)
    query = select(JobRow).where(free, JobRow.kind.in_(list(kinds))).order_by(JobRow.id).limit(1)
    if job_id is not None:
        query = query.where(JobRow.id == job_id)
    row = session.scalar(query.with_for_update(skip_locked=True))
    if row is None:
        return None
    row.state, row.worker, row.claim = JobState.RUNNING, worker, uuid.uuid4().hex
    row.heartbeat_at, row.started_at = now(), row.started_at or now()
    row.attempts += 1
    session.flush()
    return to_job(row)


def heartbeat(session: Session, job_id: int, token: str, progress: Progress | None = None) -> bool:
    """Say that the work goes on, and how far it is. Gives True when it should stop. Raises ClaimLost."""
    row = _held(session, job_id, token)
    row.heartbeat_at = now()
    if progress is not None:
        row.done, row.total, row.message = progress.done, progress.total, progress.message
        row.seconds_left = progress.seconds_left
    return row.state == JobState.CANCELLING


def release(session: Session, job_id: int, token: str) -> None:
    """Put a job back in the queue, because its worker is going home. Raises ClaimLost."""
    row = _held(session, job_id, token)
    if row.state == JobState.RUNNING:
        row.state, row.claim, row.worker = JobState.QUEUED, None, None
        row.attempts -= 1


def succeed(session: Session, job_id: int, token: str, result: Mapping[str, Any]) -> None:
    """Raises ClaimLost."""
    row = _held(session, job_id, token)
    _finish(row, JobState.SUCCEEDED)
    row.result, row.done, row.seconds_left = dict(result), row.total, None


def fail(session: Session, job_id: int, token: str, reason: str, traceback: str) -> None:
    """Raises ClaimLost."""
    row = _held(session, job_id, token)
    _finish(row, JobState.FAILED)
    row.error, row.traceback = reason, traceback


def confirm_cancelled(session: Session, job_id: int, token: str) -> None:
    """The work has stopped as asked. Raises ClaimLost."""
    row = _held(session, job_id, token)
    if row.state == JobState.RUNNING:
        row.state = JobState.CANCELLING
    _finish(row, JobState.CANCELLED)


def cancel(session: Session, job_id: int, by: str) -> Job:
    """Ask a job to stop; one that still waits is cancelled at once. Raises NotFound, IllegalJobMove."""
    row = _row(session, job_id)
    state = JobState(row.state)
    if state is not JobState.CANCELLING:
        target = JobState.CANCELLED if state is JobState.QUEUED else JobState.CANCELLING
        require_move(state, target)
        row.state = target
        if target.is_over:
            row.finished_at = now()
        audit.record(session, by, "cancel job", f"job {job_id}")
    return to_job(row)


def retry(session: Session, job_id: int, by: str) -> Job:
    """Queue a failed job again. Raises NotFound, IllegalJobMove."""
    row = _row(session, job_id)
    require_move(JobState(row.state), JobState.QUEUED)
    row.state, row.error, row.traceback, row.claim, row.finished_at, row.attempts = (
        JobState.QUEUED, None, None, None, None, 0,
    )  # fmt: skip
    audit.record(session, by, "retry job", f"job {job_id}")
    return to_job(row)


def get_job(session: Session, job_id: int) -> Job:
    """Raises NotFound."""
    return to_job(_row(session, job_id))


def jobs(session: Session, limit: int = 100, states: Iterable[JobState] = ()) -> tuple[Job, ...]:
    """The latest jobs, newest first."""
    query = select(JobRow).options(joinedload(JobRow.snapshot)).order_by(JobRow.id.desc()).limit(limit)
    if wanted := list(states):
        query = query.where(JobRow.state.in_(wanted))
    return tuple(to_job(row) for row in session.scalars(query))


def add_points(session: Session, job_id: int, points: Iterable[CurvePoint]) -> None:
    session.add_all(CurvePointRow(job_id=job_id, name=p.name, step=p.step, value=p.value) for p in points)


def curve(session: Session, job_id: int) -> tuple[CurvePoint, ...]:
    """All points of a job's curves, in the order they came; a step done again after a resume counts once."""
    query = select(CurvePointRow).where(CurvePointRow.job_id == job_id).order_by(CurvePointRow.id)
    latest = {(row.name, row.step): CurvePoint(row.name, row.step, row.value) for row in session.scalars(query)}
    return tuple(latest.values())


def to_job(row: JobRow) -> Job:
    return Job(
        id=row.id,
        kind=JobKind(row.kind),
        state=JobState(row.state),
        parameters=row.parameters,
        family=row.family,
        snapshot=row.snapshot.name if row.snapshot else None,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        progress=Progress(row.done, row.total, row.message, row.seconds_left),
        attempts=row.attempts,
        worker=row.worker,
        claim=row.claim,
        heartbeat_at=row.heartbeat_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        error=row.error,
        traceback=row.traceback,
        result=row.result,
    )


def _row(session: Session, job_id: int) -> JobRow:
    row = session.get(JobRow, job_id)
    if row is None:
        raise NotFound(f"There is no job {job_id}. `jobs` lists them.")
    return row


def _held(session: Session, job_id: int, token: str) -> JobRow:
    row = session.scalar(select(JobRow).where(JobRow.id == job_id, JobRow.claim == token))
    if row is None or JobState(row.state).is_over:
        raise ClaimLost(job_id)
    return row


def _finish(row: JobRow, state: JobState) -> None:
    require_move(JobState(row.state), state)
    row.state, row.finished_at, row.heartbeat_at = state, now(), now()


def _close_abandoned(session: Session) -> None:
    silent = select(JobRow).where(
        JobRow.state.in_((JobState.RUNNING, JobState.CANCELLING)), JobRow.heartbeat_at < now() - LEASE
    )
    for row in session.scalars(silent):
        if row.state == JobState.CANCELLING and may_move(JobState.CANCELLING, JobState.CANCELLED):
            _finish(row, JobState.CANCELLED)
        elif row.attempts >= ATTEMPTS:
            _finish(row, JobState.FAILED)
            row.error = f"Its worker died {row.attempts} times, so it was given up. Look at the log, then retry it."
