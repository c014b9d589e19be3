"""What backup and doctor rely on: every blob that a row names, silent workers, copies made while others write."""

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from app.house import House
from app.services import reviewing, snapshots
from core.errors import DiskFull
from core.jobs import JobKind, JobRequest, JobState
from core.studies import Turn
from core.workspace import Workspace
from db import audit, datasets, jobs, upkeep, workers
from db.engine import Database, DatabaseBusy, check_integrity, copy_database
from db.tables import WorkerRow, now
from tests.conftest import ROOT
from tests.making import block, image, put, study


def test_every_blob_that_any_row_names_is_listed(house: House) -> None:
    put(house, "d", study("a", [image(masks={"heart": block()})]))
    reviewing.save_stroke(house, "ana", 1, "heart", block(12))
    snapshots.freeze(house, "s", ["d"], "ana")
    with house.database.reading() as session:
        named = upkeep.referenced_blobs(session)
    assert set(named) == set(house.store.iterate())
    assert sorted(named.values()) == ["draft", "image", "mask", "snapshot"]


def test_the_film_as_it_lay_before_it_was_turned_is_still_named(house: House) -> None:
    put(house, "d", study("a", [image(masks={"heart": block()})]))
    before = set(house.store.iterate())
    reviewing.turn_film(house, "ana", 1, Turn.MIRROR)
    with house.database.reading() as session:
        named = upkeep.referenced_blobs(session)
    assert before < set(named)


def test_a_worker_is_silent_only_after_a_while(database: Database) -> None:
    with database.writing() as session:
        for name in ("quick", "dead"):
            workers.present(session, name, "trainer", "here", 1)
        session.get_one(WorkerRow, "dead").heartbeat_at = now() - workers.SILENCE - timedelta(seconds=1)
    with database.reading() as session:
        assert upkeep.silent_workers(session) == ("dead",)
        assert workers.living(session, "trainer") == ("quick",)


def test_a_copy_made_while_others_write_is_whole(database: Database, tmp_path: Path) -> None:
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            with database.writing() as session:
                audit.record(session, "ana", "first", "pair")
                audit.record(session, "ana", "second", "pair")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            copy_database(database, tmp_path / f"{number}.db")
    finally:
        done.set()
        writer.join()
    for number in range(5):
        copy = Database(f"sqlite:///{tmp_path / f'{number}.db'}")
        assert check_integrity(copy) == []
        with copy.reading() as session:
            assert len(audit.events(session, "pair", limit=100_000)) % 2 == 0
        copy.close()


@pytest.mark.parametrize(
    ("reason", "told"),
    [("database or disk is full", DiskFull), ("database is locked", DatabaseBusy)],
)
def test_the_drivers_errors_become_sentences(database: Database, reason: str, told: type[Exception]) -> None:
    for opened in (database.writing, database.reading):
        with pytest.raises(told), opened():
            raise OperationalError("INSERT", {}, Exception(reason))


def test_a_file_that_is_no_database_is_a_finding_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database" * 400)
    assert check_integrity(Database(f"sqlite:///{tmp_path / 'x.db'}")) == ["file is not a database"]


def test_a_database_that_was_cut_off_is_found_out(place: Workspace) -> None:
    database = Database(place.database_url)
    with database.writing() as session:
        for number in range(200):
            audit.record(session, "ana", "fill", f"row {number}", "x" * 500)
    database.close()
    file = database.file
    assert file is not None
    body = file.read_bytes()
    middle = len(body) // 2 // 4096 * 4096
    file.write_bytes(body[:middle] + bytes(4096 * 4) + body[middle + 4096 * 4 :])
    assert check_integrity(Database(place.database_url))


def test_two_processes_never_do_one_job_both(place: Workspace, database: Database) -> None:
    with database.writing() as session:
        for _ in range(12):
            jobs.enqueue(session, JobRequest(JobKind.EXPORT, {}), "ana")
    work = (
        "import sys; from db.engine import Database; from db.work import work_once; from core.jobs import JobKind\n"
        "database = Database(sys.argv[1])\n"
        "while work_once(database, {JobKind.EXPORT: lambda ticket: {'by': sys.argv[2]}}, sys.argv[2]): pass"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", work, place.database_url, name], cwd=ROOT) for name in ("one", "two")
    ]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    with database.reading() as session:
        done = jobs.jobs(session)
    assert {job.state for job in done} == {JobState.SUCCEEDED}
    assert all(job.attempts == 1 and job.result == {"by": job.worker} for job in done)


def test_a_process_killed_in_the_middle_of_a_transaction_leaves_nothing_behind(
    place: Workspace, database: Database
) -> None:
    half = (
        "import os, sys; from db.engine import Database; from db import datasets\n"
        "with Database(sys.argv[1]).writing() as session:\n"
        "    datasets.ensure_dataset(session, 'half'); session.flush(); os.kill(os.getpid(), 9)"
    )
    died = subprocess.run([sys.executable, "-c", half, place.database_url], cwd=ROOT)
    assert died.returncode == -9
    assert names(database) == ()
    with database.writing() as session:
        datasets.ensure_dataset(session, "whole")
    assert names(database) == ("whole",)


def names(database: Database) -> tuple[str, ...]:
    with database.reading() as session:
        return datasets.dataset_names(session)
