"""`serve`: one command that keeps the whole workstation going, and ends it as a whole.

It starts the web server, the training worker, the inference process and the clerk, starts again what dies, and stops
all of it on Ctrl-C. If it is itself killed outright, the server and the clerk leave with it; a training goes on, and
the next `serve` finds that worker and keeps it.
"""

import contextlib
import fcntl
import http.client
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from core.errors import ReadingRoomError
from core.workspace import Workspace

SUPERVISOR_VARIABLE = "READING_ROOM_SUPERVISOR"
ROOT = Path(__file__).resolve().parent.parent
TRAINERS = ("training worker", "inference process")
LOOPBACK = ("127.0.0.1", "localhost", "::1")

_PATIENCE = 15.0
_LONGEST_PAUSE = 30.0
_SETTLED = 60.0
_TICK = 0.25
_HEAD_START = 2.5

Say = Callable[[str], None]

logger = logging.getLogger(__name__)


class PortTaken(ReadingRoomError):
    def __init__(self, port: int) -> None:
        super().__init__(
            f"Port {port} is in use by another program. Choose another: make app PORT={port + 1}, or "
            f"python -m app serve --port {port + 1}."
        )


class AlreadyServing(ReadingRoomError):
    def __init__(self, home: Path, told: str) -> None:
        super().__init__(f"Reading Room already runs on {home}{told}. Stop that one first, or set READING_ROOM_HOME.")


class ServerDidNotStart(ReadingRoomError):
    def __init__(self, log: Path, tail: str) -> None:
        super().__init__(f"The web server did not start. The end of {log} says:\n{tail}")


@dataclass
class Child:
    """One process of the house, started again when it dies. `adopted` is one that an earlier `serve` left at work."""

    name: str
    command: tuple[str, ...]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    adopted: int | None = None
    started: float = 0.0
    deaths: int = 0
    due: float = 0.0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.command],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A session of its own: Ctrl-C in the terminal reaches `serve` alone, which then stops the others.
                start_new_session=True,
                env=os.environ | {SUPERVISOR_VARIABLE: str(os.getpid())},
            )
        self.started = time.monotonic()

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else self.adopted

    @property
    def lives(self) -> bool:
        if self.process is not None:
            return self.process.poll() is None
        return self.adopted is not None and _lives(self.adopted)

    def tend(self, say: Say) -> None:
        """Start it again when it has died: at once, then after ever longer pauses."""
        now = time.monotonic()
        if self.lives:
            return
        if self.adopted is not None or self.process is not None:
            code = self.process.returncode if self.process else None
            self.deaths = 1 if now - self.started > _SETTLED else self.deaths + 1
            pause = 0.0 if self.deaths == 1 else min(_LONGEST_PAUSE, 2.0 ** (self.deaths - 1))
            self.process, self.adopted, self.due = None, None, now + pause
            how = f" (exit {code})" if code is not None else ""
            when = f" in {pause:.0f} s" if pause else ""
            say(f"The {self.name} stopped{how}; starting it again{when}. Its log: {self.log}")
        if now >= self.due:
            self.start()

    def ask_to_stop(self, force: bool = False) -> None:
        if self.lives and self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL if force else signal.SIGTERM)


@dataclass
class Crew:
    """The processes that one `serve` keeps at work on one workspace."""

    workspace: Workspace
    port: int
    host: str
    say: Say
    stopped: threading.Event = field(default_factory=threading.Event)
    children: list[Child] = field(default_factory=list)

    def start(self, left: dict[str, int]) -> None:
        logs = self.workspace.logs
        server = ("app.server", "--port", str(self.port), "--host", self.host)
        self.children = [
            Child("web server", server, logs / "server.log"),
            Child("training worker", ("trainers.worker",), logs / "worker.log"),
            Child("inference process", ("trainers.inference",), logs / "inference.log"),
            Child("clerk", ("app", "clerk"), logs / "clerk.log"),
        ]
        for child in self.children:
            child.adopted = left.get(child.name)
            if child.adopted is not None:
                self.say(
                    f"The {child.name} of an earlier start is still at work (process {child.adopted}); keeping it."
                )
        self.server.start()

    @property
    def server(self) -> Child:
        return self.children[0]

    def start_the_rest(self) -> None:
        """Let the first reader's page be drawn before torch is loaded beside it."""
        for child in self.children[1:]:
            child.due = time.monotonic() + _HEAD_START

    def watch(self, changed: Callable[[], None]) -> None:
        """Keep all of them going until told to stop. `changed` is called when a process has another number."""
        while not self.stopped.wait(_TICK):
            before = [child.pid for child in self.children]
            for child in self.children:
                child.tend(self.say)
            if before != [child.pid for child in self.children]:
                changed()

    def stop(self) -> None:
        """Ask all to stop, wait, and end by force what does not listen."""
        self.say("Stopping.")
        # From now on a second Ctrl-C means: do not wait.
        self.stopped.clear()
        for child in self.children:
            child.ask_to_stop()
        deadline = time.monotonic() + _PATIENCE
        while any(child.lives for child in self.children) and time.monotonic() < deadline:
            if self.stopped.wait(_TICK / 2):
                break
        for child in (child for child in self.children if child.lives):
            self.say(f"The {child.name} did not stop by itself; ending it.")
            child.ask_to_stop(force=True)
        self.say("Stopped. Everything that was saved is kept.")


def serve(
    workspace: Workspace, port: int, host: str, prepare: Callable[[], None], say: Say, opened: Callable[[str], None]
) -> None:
    """Run the workstation until it is told to stop.

    `prepare` makes the database ready before anything starts; `opened` is told the address once the first page answers.

    Raises PortTaken, AlreadyServing, ServerDidNotStart.
    """
    workspace.prepare()
    with alone(workspace) as record:
        require_free(host, port)
        prepare()
        crew = Crew(workspace, port, host, say)
        # From here on Ctrl-C means: stop all, in order.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: crew.stopped.set())
        say("Starting the web server.")
        try:
            crew.start(_left_at_work(record))
            if _first_page_answers(crew):
                opened(_url(crew))
                say("Starting the training worker, the inference process and the clerk.")
                crew.start_the_rest()
            crew.watch(lambda: _note(record, crew))
        finally:
            crew.stop()


@contextlib.contextmanager
def alone(workspace: Workspace) -> Iterator[IO[str]]:
    """Be the only one who serves or replaces this workspace. Gives the record of what the last `serve` started.

    Raises AlreadyServing.
    """
    with (workspace.home / "serve.json").open("a+") as record:
        try:
            fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            known = _read(record)
            told = f" (process {known['serve']}, port {known['port']})" if "port" in known else ""
            raise AlreadyServing(workspace.home, told) from None
        yield record
        record.truncate(0)


def require_free(host: str, port: int) -> None:
    """Raises PortTaken when another program listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(port) from error


def leave_with_parent() -> None:
    """End this process when the `serve` that started it is gone. Does nothing in a process started otherwise."""
    parent = int(os.environ.get(SUPERVISOR_VARIABLE, "0"))
    if parent:
        threading.Thread(target=_leave_when_orphaned, args=(parent,), name="parent-watch", daemon=True).start()


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log; empty when there is none."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def _leave_when_orphaned(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_PATIENCE)
    os._exit(1)


def _first_page_answers(crew: Crew) -> bool:
    """Wait for it. Gives False when told to stop first. Raises ServerDidNotStart."""
    while not crew.stopped.wait(0.05):
        if not crew.server.lives:
            crew.stopped.set()
            raise ServerDidNotStart(crew.server.log, tail(crew.server.log))
        if _answers(_reachable(crew.host), crew.port):
            return True
    return False


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", *LOOPBACK) else host  # noqa: S104


def _url(crew: Crew) -> str:
    return f"http://{_reachable(crew.host)}:{crew.port}"


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": f"127.0.0.1:{port}"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _note(record: IO[str], crew: Crew) -> None:
    pids = {child.name: child.pid for child in crew.children}
    record.truncate(0)
    record.write(json.dumps({"serve": os.getpid(), "port": crew.port, "children": pids}))
    record.flush()


def _left_at_work(record: IO[str]) -> dict[str, int]:
    """The training worker and inference process of a `serve` that was killed, if they still run."""
    known = _read(record).get("children", {})
    return {name: pid for name, pid in known.items() if name in TRAINERS and pid and _is_trainers(pid)}


def _read(record: IO[str]) -> dict[str, Any]:
    record.seek(0)
    try:
        return dict(json.loads(record.read() or "{}"))
    except ValueError:
        return {}


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _is_trainers(pid: int) -> bool:
    """Whether the process of this number is one of the trainers', and not one that got the number since."""
    listed = Path(f"/proc/{pid}/cmdline")
    if listed.parent.parent.exists():
        return listed.exists() and b"trainers." in listed.read_bytes()
    shown = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, check=False)
    return b"trainers." in shown.stdout
