"""`serve` with its real processes: what it starts, what it starts again, what survives it, what it stops."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.supervisor import AlreadyServing, PortTaken, alone, require_free
from core.workspace import Workspace
from db import workers
from db.engine import Database
from tests.conftest import ROOT

PATIENCE = 90.0


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Serving:
    """A running `serve` and what can be seen of it from outside."""

    def __init__(self, place: Workspace, port: int) -> None:
        self.place, self.port = place, port
        command = [sys.executable, "-m", "app", "serve", "--port", str(port), "--no-demo", "--no-starter", "--json"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.opened = json.loads(self.process.stdout.readline())

    def pids(self) -> dict[str, int]:
        body = (self.place.home / "serve.json").read_text()
        return {name: pid for name, pid in json.loads(body or "{}").get("children", {}).items() if pid}

    def page(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def end(self) -> str:
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=PATIENCE)
        return err


def until(seen: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def lives(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def at_work(place: Workspace) -> set[str]:
    database = Database(place.database_url)
    try:
        with database.reading() as session:
            return {role for role in ("trainer", "inference", "clerk") if workers.living(session, role)}
    finally:
        database.close()


@pytest.fixture
def serving(place: Workspace, port: int) -> Iterator[Serving]:
    running = Serving(place, port)
    yield running
    for pid in [running.process.pid, *running.pids().values()]:
        if lives(pid):
            os.kill(pid, signal.SIGKILL)
    running.process.communicate()


@pytest.mark.timeout(400)
def test_the_workstation_runs_heals_and_stops_as_a_whole(serving: Serving, place: Workspace, port: int) -> None:
    assert serving.opened["url"] == f"http://127.0.0.1:{port}"
    assert serving.page() == 200
    until(lambda: at_work(place) == {"trainer", "inference", "clerk"}, "all report for work")
    before = serving.pids()
    assert set(before) == {"web server", "training worker", "inference process", "clerk"}

    os.kill(before["clerk"], signal.SIGKILL)
    until(lambda: serving.pids().get("clerk") not in (None, before["clerk"]), "the clerk is started again")
    os.kill(before["web server"], signal.SIGKILL)
    until(lambda: serving.pids().get("web server") not in (None, before["web server"]), "so is the web server")
    until(lambda: serving.page() == 200, "and it answers")

    children = serving.pids().values()
    told = serving.end()
    assert serving.process.returncode == 0
    assert "The clerk stopped" in told
    assert told.strip().endswith("Everything that was saved is kept.")
    assert not [pid for pid in children if lives(pid)]
    assert at_work(place) <= {"clerk"}


@pytest.mark.timeout(400)
def test_a_training_worker_outlives_a_killed_serve_and_the_next_serve_keeps_it(
    serving: Serving, place: Workspace, port: int
) -> None:
    until(lambda: "trainer" in at_work(place), "the worker reports")
    pids = serving.pids()
    serving.process.kill()
    serving.process.wait()
    until(lambda: not lives(pids["web server"]) and not lives(pids["clerk"]), "the server and the clerk leave")
    assert lives(pids["training worker"])

    again = Serving(place, port)
    try:
        assert again.page() == 200
        until(lambda: again.pids().get("clerk"), "the rest is started")
        assert again.pids()["training worker"] == pids["training worker"]
    finally:
        told = again.end()
    assert f"process {pids['training worker']}" in told
    assert not lives(pids["training worker"])


def test_a_port_in_use_is_told_before_anything_starts(place: Workspace) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)):
            require_free("127.0.0.1", port)
        done = subprocess.run(
            [sys.executable, "-m", "app", "serve", "--port", str(port), "--json"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 1
    assert f"make app PORT={port + 1}" in json.loads(done.stdout)["error"]
    assert not (place.logs / "server.log").exists()


def test_one_workspace_is_served_once(place: Workspace) -> None:
    with alone(place), pytest.raises(AlreadyServing, match=str(place.home)), alone(place):
        pass
    with alone(place):
        pass
