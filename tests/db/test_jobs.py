"""The queue: one worker a job, silence is death, cancels are obeyed, and only the claim's holder may finish."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import update

from core.errors import DiskFull, NotFound, ReadingRoomError
from core.jobs import ClaimLost, CurvePoint, IllegalJobMove, Job, JobKind, JobRequest, JobState, Progress
from db import jobs, workers
from db.engine import Database
from db.tables import JobRow, now
from db.work import Ticket, work_forever, work_once

TRAIN = (JobKind.TRAIN,)


def ask(database: Database, kind: JobKind = JobKind.TRAIN) -> Job:
    with database.writing() as session:
        return jobs.enqueue(session, JobRequest(kind, {}), "Ann")


def claim(database: Database, worker: str = "w1") -> Job | None:
    with database.writing() as session:
        return jobs.claim(session, TRAIN, worker)


def state(database: Database, job: Job) -> Job:
    with database.reading() as session:
        return jobs.get_job(session, job.id)


def fall_silent(database: Database, job: Job) -> None:
    with database.writing() as session:
        session.execute(update(JobRow).where(JobRow.id == job.id).values(heartbeat_at=now() - 2 * jobs.LEASE))


def test_the_oldest_job_is_taken_first_and_by_one_worker_only(database: Database) -> None:
    first, second = ask(database), ask(database)
    taken = [claim(database), claim(database, "w2"), claim(database, "w3")]
    assert [job and job.id for job in taken] == [first.id, second.id, None]


def test_many_workers_share_many_jobs_and_none_is_done_twice(database: Database) -> None:
    wanted = {ask(database).id for _ in range(12)}
    done: list[int] = []

    def work(name: str) -> None:
        while (job := claim(database, name)) is not None:
            done.append(job.id)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted(wanted)


def test_a_worker_takes_only_the_kinds_it_knows(database: Database) -> None:
    ask(database, JobKind.IMPORT)
    assert claim(database) is None


def test_the_job_of_a_silent_worker_is_taken_over_and_its_old_claim_is_worth_nothing(database: Database) -> None:
    ask(database)
    first = claim(database)
    assert first is not None
    assert claim(database, "w2") is None
    fall_silent(database, first)
    second = claim(database, "w2")
    assert second is not None
    assert (second.id, second.attempts) == (first.id, 2)
    with pytest.raises(ClaimLost), database.writing() as session:
        jobs.succeed(session, first.id, first.claim or "", {"model": "stale"})
    with database.writing() as session:
        jobs.succeed(session, second.id, second.claim or "", {"model": "fresh"})
    assert state(database, first).result == {"model": "fresh"}


def test_a_job_that_kills_its_workers_is_given_up_with_a_sentence(database: Database) -> None:
    job = ask(database)
    for number in range(jobs.ATTEMPTS):
        assert claim(database, f"w{number}") is not None
        fall_silent(database, job)
    assert claim(database) is None
    ended = state(database, job)
    assert ended.state is JobState.FAILED
    assert "given up" in (ended.error or "")


def test_a_waiting_job_is_cancelled_at_once(database: Database) -> None:
    job = ask(database)
    with database.writing() as session:
        assert jobs.cancel(session, job.id, "Ann").state is JobState.CANCELLED
    assert claim(database) is None


def test_a_running_job_hears_of_its_cancel_with_its_next_heartbeat(database: Database) -> None:
    ask(database)
    job = claim(database)
    assert job is not None
    with database.writing() as session:
        assert not jobs.heartbeat(session, job.id, job.claim or "", Progress(1, 10))
        jobs.cancel(session, job.id, "Ann")
        assert jobs.heartbeat(session, job.id, job.claim or "")
        jobs.confirm_cancelled(session, job.id, job.claim or "")
    assert state(database, job).state is JobState.CANCELLED


def test_a_cancelled_job_whose_worker_died_does_not_hang(database: Database) -> None:
    ask(database)
    job = claim(database)
    assert job is not None
    with database.writing() as session:
        jobs.cancel(session, job.id, "Ann")
    fall_silent(database, job)
    assert claim(database, "w2") is None
    assert state(database, job).state is JobState.CANCELLED


def test_a_finished_job_cannot_be_cancelled(database: Database) -> None:
    ask(database)
    job = claim(database)
    assert job is not None
    with database.writing() as session:
        jobs.succeed(session, job.id, job.claim or "", {})
    with pytest.raises(IllegalJobMove), database.writing() as session:
        jobs.cancel(session, job.id, "Ann")


def test_a_job_on_an_unknown_snapshot_is_refused(database: Database) -> None:
    with pytest.raises(NotFound, match="no snapshot"), database.writing() as session:
        jobs.enqueue(session, JobRequest(JobKind.TRAIN, {}, snapshot="nowhere"), "Ann")


def test_a_step_done_again_after_a_resume_counts_once_in_the_curve(database: Database) -> None:
    job = ask(database)
    with database.writing() as session:
        jobs.add_points(session, job.id, [CurvePoint("train_loss", 1, 0.9), CurvePoint("train_loss", 2, 0.8)])
        jobs.add_points(session, job.id, [CurvePoint("train_loss", 2, 0.7)])
    with database.reading() as session:
        assert jobs.curve(session, job.id) == (CurvePoint("train_loss", 1, 0.9), CurvePoint("train_loss", 2, 0.7))


def run(database: Database, handler: Any) -> Job:
    job = ask(database)
    ended = work_once(database, {JobKind.TRAIN: handler}, "w1")
    assert ended is not None
    assert ended.id == job.id
    return ended


def test_what_a_handler_gives_is_the_jobs_result(database: Database) -> None:
    def handler(ticket: Ticket) -> Mapping[str, Any]:
        ticket.report(3, 3, "done")
        return {"model": "m"}

    ended = run(database, handler)
    assert (ended.state, ended.result, ended.progress.done) == (JobState.SUCCEEDED, {"model": "m"}, 3)


def test_a_rule_that_says_no_fails_the_job_with_its_sentence(database: Database) -> None:
    def handler(ticket: Ticket) -> Mapping[str, Any]:
        raise DiskFull("the training")

    ended = run(database, handler)
    assert ended.state is JobState.FAILED
    assert ended.error == str(DiskFull("the training"))
    assert "DiskFull" in (ended.traceback or "")


def test_the_unforeseen_fails_the_job_and_not_the_worker(database: Database) -> None:
    def handler(ticket: Ticket) -> Mapping[str, Any]:
        return {"share": 1 / 0}

    ended = run(database, handler)
    assert ended.state is JobState.FAILED
    assert "ZeroDivisionError" in (ended.error or "")


def test_a_failed_job_can_be_tried_again(database: Database) -> None:
    tries: list[int] = []

    def handler(ticket: Ticket) -> Mapping[str, Any]:
        tries.append(1)
        if len(tries) == 1:
            raise ReadingRoomError("Not yet.")
        return {}

    job = run(database, handler)
    with database.writing() as session:
        jobs.retry(session, job.id, "Ann")
    ended = work_once(database, {JobKind.TRAIN: handler}, "w1")
    assert ended is not None
    assert (ended.state, ended.error) == (JobState.SUCCEEDED, None)


def test_a_cancel_reaches_the_handler_and_the_job_ends_cancelled(database: Database) -> None:
    def handler(ticket: Ticket) -> Mapping[str, Any]:
        with database.writing() as session:
            jobs.cancel(session, ticket.job.id, "Ann")
        while True:
            ticket.report(1, 100)

    assert run(database, handler).state is JobState.CANCELLED


def test_a_worker_that_goes_home_leaves_its_job_to_the_next(database: Database) -> None:
    def handler(ticket: Ticket) -> Mapping[str, Any]:
        raise KeyboardInterrupt

    job = ask(database)
    with pytest.raises(KeyboardInterrupt):
        work_once(database, {JobKind.TRAIN: handler}, "w1")
    waiting = state(database, job)
    assert (waiting.state, waiting.attempts) == (JobState.QUEUED, 0)


def test_a_worker_is_on_record_while_it_lives_and_gone_when_it_stops(database: Database) -> None:
    stopped = threading.Event()
    seen: list[tuple[str, ...]] = []

    def handler(ticket: Ticket) -> Mapping[str, Any]:
        for _ in range(100):
            with database.reading() as session:
                if found := workers.living(session, "trainer"):
                    seen.append(found)
                    break
            stopped.wait(0.05)
        stopped.set()
        return {}

    ask(database)
    work_forever(database, {JobKind.TRAIN: handler}, "trainer", stopped)
    assert seen
    with database.reading() as session:
        assert workers.living(session, "trainer") == ()
