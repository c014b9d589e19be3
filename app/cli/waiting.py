"""Waiting for a job: following it, cancelling it on Ctrl-C, and seeing that somebody does it."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from app.cli.output import progress, say
from app.house import House, local_reader
from app.services import training, workers
from app.supervisor import ROOT, tail
from core.errors import ReadingRoomError
from core.jobs import IllegalJobMove, Job, JobKind, JobState
from db.work import Handler, work_once, worker_name

POLL_SECONDS = 0.25
DEATHS = 3

Tend = Callable[[], None]

logger = logging.getLogger(__name__)


class JobFailed(ReadingRoomError):
    """The job ended without a result; the sentence is the job's own."""


class WorkerDied(ReadingRoomError):
    def __init__(self, name: str, code: int, words: str) -> None:
        super().__init__(f"The {name} ended {DEATHS} times without an answer (exit {code}). Its last words:\n{words}")


def follow(house: House, job: Job, tend: Tend = lambda: None) -> Mapping[str, Any]:
    """Wait for a job and give its result. The first Ctrl-C cancels the job, a second one stops waiting.

    Raises JobFailed when it failed or was cancelled.
    """
    is_cancelled = False
    with progress(f"{job.kind} (job {job.id})") as report:
        while not job.state.is_over:
            try:
                time.sleep(POLL_SECONDS)
                tend()
                job = training.job(house, job.id)
                report(job.progress.done, job.progress.total, job.progress.message)
            except KeyboardInterrupt:
                if is_cancelled:
                    raise
                is_cancelled = True
                _cancel(house, job.id)
    if job.state is JobState.CANCELLED:
        raise JobFailed(f"Job {job.id} was cancelled.")
    if job.state is JobState.FAILED:
        raise JobFailed(f"{job.error} (python -m app jobs show {job.id} tells more.)")
    return job.result


def do_here(house: House, job: Job, handlers: Mapping[JobKind, Handler]) -> Mapping[str, Any]:
    """Do a job in this process, unless the clerk of a running workstation is quicker, and wait for it."""
    work = threading.Thread(
        target=work_once, args=(house.database, handlers, worker_name("command"), job.id), name=f"job-{job.id}"
    )
    work.start()
    try:
        return follow(house, job)
    finally:
        work.join()


@dataclass(frozen=True)
class Helper:
    """A process of the trainers' that a command waits for: its role on record, its module, its log, and its name."""

    role: str
    module: str
    log: str
    name: str


TRAINER = Helper("trainer", "trainers.worker", "worker.log", "training worker")
INFERENCE = Helper("inference", "trainers.inference", "inference.log", "inference process")


def trainer_at_hand(house: House) -> AbstractContextManager[Tend]:
    """See that a training worker lives while waiting: one of our own where there is none, ended afterwards."""
    return at_hand(house, TRAINER)


@contextmanager
def at_hand(house: House, helper: Helper) -> Iterator[Tend]:
    """See that such a process lives while waiting: one of our own where there is none, ended afterwards."""
    own: subprocess.Popen[bytes] | None = None
    deaths = 0
    log = house.workspace.logs / helper.log

    def tend() -> None:
        nonlocal own, deaths
        if own is not None and own.poll() is None:
            return
        if own is not None:
            deaths += 1
            if deaths >= DEATHS:
                raise WorkerDied(helper.name, own.returncode, tail(log))
        own = None
        if not workers.lives(house, helper.role):
            say(f"No {helper.name} is at work; starting one.")
            with log.open("ab") as words:
                own = subprocess.Popen(
                    [sys.executable, "-m", helper.module],
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=words,
                    stderr=words,
                    start_new_session=True,
                    env=dict(os.environ),
                )

    try:
        yield tend
    finally:
        if own is not None and own.poll() is None:
            own.terminate()
            own.wait()


def _cancel(house: House, job_id: int) -> None:
    say(f"Cancelling job {job_id} (Ctrl-C again leaves it to end by itself).")
    try:
        training.cancel(house, job_id, local_reader())
    except IllegalJobMove:
        logger.info("job %s was over before it could be cancelled", job_id)
