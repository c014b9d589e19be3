"""Which worker processes live: each says so every few seconds."""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.tables import WorkerRow, now

SILENCE = timedelta(seconds=15)


def present(session: Session, name: str, role: str, host: str, pid: int) -> None:
    """Say that a worker lives. Roles: "trainer", "inference", "clerk"."""
    row = session.get(WorkerRow, name)
    if row is None:
        session.add(WorkerRow(name=name, role=role, host=host, pid=pid))
    else:
        row.heartbeat_at = now()


def gone(session: Session, name: str) -> None:
    session.execute(delete(WorkerRow).where(WorkerRow.name == name))


def living(session: Session, role: str) -> tuple[str, ...]:
    """Names of the workers of a role that spoke lately."""
    query = select(WorkerRow.name).where(WorkerRow.role == role, WorkerRow.heartbeat_at > now() - SILENCE)
    return tuple(session.scalars(query))
