"""Workers as processes of their own: killed, sent home, and two at one job."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from core.jobs import Job, JobKind, JobState
from db import jobs, models, workers
from tests.trainers.conftest import BY, House

ROOT = Path(__file__).resolve().parents[2]
SLOW = {
    "preset": "smoke", "batch_size": 2, "epochs": 40, "minimum_steps": 4000, "checkpoint_minutes": 0.01, "patience": 0,
}  # fmt: skip
QUICK = {"preset": "smoke", "minimum_steps": 8}


@contextmanager
def worker(house: House, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {"READING_ROOM_HOME": str(house.workspace.home), "OMP_NUM_THREADS": "1"}
    log = (house.workspace.home / f"worker-{time.monotonic_ns()}.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "trainers.worker", *arguments], cwd=ROOT, env=environment, stdout=log, stderr=log
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        log.close()


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def asked(house: House, recipe: dict[str, object]) -> Job:
    house.add("drawn", 8)
    house.freeze("first", "drawn")
    return house.ask(JobKind.TRAIN, "first", recipe=recipe)


def checkpoints(house: House, job: Job) -> list[Path]:
    return list((house.workspace.home / "work" / f"job-{job.id}").rglob("*.ckpt"))


def steps_of(path: Path) -> int:
    return int(path.stem.removeprefix("step-"))


def test_a_worker_killed_with_no_warning_loses_at_most_what_came_after_its_last_checkpoint(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = asked(house, SLOW)
    with worker(house) as first:
        until(lambda: len(checkpoints(house, job)) == 2)
        first.send_signal(signal.SIGKILL)
        first.wait()
    reached = max(steps_of(path) for path in checkpoints(house, job))
    assert house.job(job.id).state is JobState.RUNNING

    monkeypatch.setattr(jobs, "LEASE", timedelta(0))  # in this process; the lease of a dead worker runs out at once
    with house.database.writing() as session:
        taken = jobs.claim(session, [JobKind.TRAIN], "next of kin")
        assert taken is not None and taken.id == job.id and taken.claim is not None
        jobs.release(session, job.id, taken.claim)
    with worker(house):
        until(lambda: house.job(job.id).progress.done > reached)
        assert f"going on after step {reached}" in house.workspace.job_log(job.id).read_text()
        with house.database.writing() as session:
            jobs.cancel(session, job.id, BY)
        until(lambda: house.job(job.id).state is JobState.CANCELLED, seconds=10)


def test_a_worker_sent_home_gives_its_job_back(house: House) -> None:
    job = asked(house, SLOW)
    with worker(house) as process:
        until(lambda: house.job(job.id).progress.done > 0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    left = house.job(job.id)
    assert left.state is JobState.QUEUED
    assert left.attempts == 0
    with house.database.reading() as session:
        assert workers.living(session, "trainer") == ()


def test_two_workers_do_one_job_once(house: House) -> None:
    job = asked(house, QUICK)
    with worker(house, "--once") as first, worker(house, "--once") as second:
        assert first.wait(timeout=120) == 0
        assert second.wait(timeout=120) == 0
    done = house.job(job.id)
    assert done.state is JobState.SUCCEEDED, done.error
    assert done.attempts == 1
    with house.database.reading() as session:
        assert len(models.models(session)) == 1


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"preset": "smoke", "weights": "package"}, "No installed package"),
        ({"preset": "smoke", "findings": ["pneumothorax"]}, "No training film bears a mask of pneumothorax"),
        ({"preset": "smoke", "colour": "red"}, 'no field "colour"'),
    ],
)
def test_a_recipe_that_cannot_be_followed_fails_its_job_with_the_reason(
    house: House, recipe: dict[str, object], words: str
) -> None:
    import threading

    from db.work import work_once
    from trainers.handlers import handlers

    job = asked(house, recipe)
    work_once(house.database, handlers(house.workspace, threading.Event()), "tester", job.id)
    failed = house.job(job.id)
    assert failed.state is JobState.FAILED
    assert words in (failed.error or "")
    assert failed.traceback
