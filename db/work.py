"""Doing the queue's jobs: claim one, keep its heart beating, hand it to whoever knows how, close it truthfully.

Both the trainers' worker and the app's clerk run this loop, each with handlers for its own kinds of job. Unlike the
rest of `db`, functions here open transactions of their own: a job outlives any single one.
"""

import logging
import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from core.errors import DiskFull, ReadingRoomError
from core.jobs import ClaimLost, CurvePoint, Job, JobCancelled, JobKind, JobState, Progress
from db import jobs, workers
from db.engine import Database, DatabaseBusy

BEAT_SECONDS = 2.0
POLL_SECONDS = 0.5

logger = logging.getLogger(__name__)

Handler = Callable[["Ticket"], Mapping[str, Any]]
"""Does one job and gives its result. Raises ReadingRoomError for reasons that a person can act on."""


class Ticket:
    """A claimed job in the hands of its handler. A thread beats its heart; the handler reports and asks."""

    def __init__(self, database: Database, job: Job) -> None:
        self.job = job
        self.database = database
        self._token = job.claim or ""
        self._progress: Progress | None = None
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._done = threading.Event()
        self._began = time.monotonic()
        self._first: int | None = None
        self._total = 0
        self._beat = threading.Thread(target=self._keep_beating, name=f"heartbeat-{job.id}", daemon=True)

    def __enter__(self) -> "Ticket":
        self._beat.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._beat.join(timeout=10)

    def report(self, done: int, total: int, message: str = "") -> None:
        """Say how far the work is; cheap enough for every step. Raises JobCancelled, ClaimLost."""
        if self._first is None or total != self._total:
            self._first, self._total, self._began = done, total, time.monotonic()
        passed = done - self._first
        left = (time.monotonic() - self._began) / passed * (total - done) if passed > 0 else None
        self._progress = Progress(done, total, message, left)
        self.check()

    def check(self) -> None:
        """Raises JobCancelled when the person asked to stop, ClaimLost when another worker has the job."""
        if self._lost.is_set():
            raise ClaimLost(self.job.id)
        if self._stop.is_set():
            raise JobCancelled

    def points(self, points: Iterable[CurvePoint]) -> None:
        """Add to the job's curves."""
        with self.database.writing() as session:
            jobs.add_points(session, self.job.id, points)

    def _keep_beating(self) -> None:
        while not self._done.is_set():
            try:
                with self.database.writing() as session:
                    stop = jobs.heartbeat(session, self.job.id, self._token, self._progress)
                if stop:
                    self._stop.set()
            except ClaimLost:
                self._lost.set()
                return
            except (DatabaseBusy, DiskFull) as error:
                logger.warning("job %s could not say how far it is: %s", self.job.id, error)
            self._done.wait(BEAT_SECONDS)

    def close(self, outcome: JobState, result: Mapping[str, Any], reason: str = "", trace: str = "") -> None:
        with self.database.writing() as session:
            if self._progress is not None:
                jobs.heartbeat(session, self.job.id, self._token, self._progress)
            if outcome is JobState.SUCCEEDED:
                jobs.succeed(session, self.job.id, self._token, result)
            elif outcome is JobState.CANCELLED:
                jobs.confirm_cancelled(session, self.job.id, self._token)
            else:
                jobs.fail(session, self.job.id, self._token, reason, trace)

    def release(self) -> None:
        with self.database.writing() as session:
            jobs.release(session, self.job.id, self._token)


def work_once(
    database: Database, handlers: Mapping[JobKind, Handler], worker: str, job_id: int | None = None
) -> Job | None:
    """Do one job, whatever becomes of it, and give it as it ended; None when nothing waits."""
    with database.writing() as session:
        job = jobs.claim(session, handlers.keys(), worker, job_id)
    if job is None:
        return None
    with Ticket(database, job) as ticket:
        _do(ticket, handlers[job.kind])
    with database.reading() as session:
        return jobs.get_job(session, job.id)


def work_forever(database: Database, handlers: Mapping[JobKind, Handler], role: str, stopped: threading.Event) -> None:
    """Do jobs as they come until `stopped` is set. The worker is on record as living all the while."""
    worker = worker_name(role)
    with on_record(database, worker, role, stopped):
        while not stopped.is_set():
            with suppress(DatabaseBusy):
                if work_once(database, handlers, worker) is not None:
                    continue
            stopped.wait(POLL_SECONDS)


@contextmanager
def on_record(database: Database, worker: str, role: str, stopped: threading.Event) -> Iterator[None]:
    """Say every few seconds that this worker lives; at the end set `stopped` and take it off the record."""
    presence = threading.Thread(target=_stay_present, args=(database, worker, role, stopped), daemon=True)
    presence.start()
    try:
        yield
    finally:
        stopped.set()
        presence.join(timeout=10)
        with database.writing() as session:
            workers.gone(session, worker)


def worker_name(role: str) -> str:
    return f"{role}@{socket.gethostname()}:{os.getpid()}"


def _do(ticket: Ticket, handler: Handler) -> None:
    job = ticket.job
    try:
        result = handler(ticket)
        ticket.close(JobState.SUCCEEDED, result)
    except JobCancelled:
        with suppress(ClaimLost):
            ticket.close(JobState.CANCELLED, {})
    except ClaimLost as lost:
        logger.warning("%s", lost)
    except KeyboardInterrupt:
        with suppress(ClaimLost):
            ticket.release()
        raise
    except ReadingRoomError as error:
        logger.info("job %s failed: %s", job.id, error)
        _close_failed(ticket, str(error), traceback.format_exc())
    except Exception as error:
        # The edge of the queue: whatever went wrong in a job must not take the worker with it.
        logger.exception("job %s failed", job.id)
        reason = f"Something unforeseen went wrong ({type(error).__name__}: {error}). The details are in the log."
        _close_failed(ticket, reason, traceback.format_exc())


def _close_failed(ticket: Ticket, reason: str, trace: str) -> None:
    # On a full disk the failure itself cannot be written down at first. Should it stay so, the lease runs out and
    # the next worker takes the job over from its last checkpoint.
    for pause in (0.0, 1.0, 2.0, 4.0):
        time.sleep(pause)
        try:
            ticket.close(JobState.FAILED, {}, reason, trace)
            return
        except (DatabaseBusy, DiskFull) as error:
            logger.warning("job %s failed and could not say so yet: %s", ticket.job.id, error)
        except ClaimLost as lost:
            logger.warning("%s", lost)
            return


def _stay_present(database: Database, worker: str, role: str, stopped: threading.Event) -> None:
    while not stopped.is_set():
        with suppress(DatabaseBusy), database.writing() as session:
            workers.present(session, worker, role, socket.gethostname(), os.getpid())
        stopped.wait(BEAT_SECONDS)
