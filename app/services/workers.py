"""Which of the house's processes live, and what waits for them."""

from collections.abc import Collection

from app.house import House
from core.jobs import UNFINISHED, Job, JobKind
from db import jobs, workers


def lives(house: House, role: str) -> bool:
    """Whether a worker of this role ("trainer", "inference", "clerk") spoke lately."""
    with house.database.reading() as session:
        return bool(workers.living(session, role))


def unfinished(house: House, kinds: Collection[JobKind]) -> tuple[Job, ...]:
    """Jobs of these kinds that wait or run, newest first."""
    with house.database.reading() as session:
        return tuple(job for job in jobs.jobs(session, states=UNFINISHED) if job.kind in kinds)
