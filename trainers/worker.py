"""The trainers' worker: takes train, evaluate and predict jobs from the queue, one at a time.

    python -m trainers.worker [--once]

SIGTERM or Ctrl-C sends it home: a running job goes back in the queue, and the next worker goes on from its last
checkpoint. So does the job of a worker that was killed, once its lease has run out.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from core.workspace import workspace
from db.engine import Database
from db.schema import migrate
from db.work import work_forever, work_once, worker_name
from trainers.handlers import handlers
from trainers.memory import keep_freed_memory

ROLE = "trainer"
NICENESS = 10


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m trainers.worker", description=__doc__.splitlines()[0])
    parser.add_argument("--once", action="store_true", help="do one job, if one waits, and go")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    give_way()
    keep_freed_memory()
    going_home = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: going_home.set())
    place = workspace()
    database = migrate(place)
    try:
        _work(database, going_home, chosen.once)
    except KeyboardInterrupt:
        return 0
    finally:
        database.close()
    return 0


def give_way() -> None:
    """Let everything else on this machine go first.

    Where Linux schedules by session (autogroups), a process's own niceness counts only among its session; the
    session has to be nice as well, or a training takes half the machine from the readers.
    """
    os.nice(NICENESS)
    session = Path("/proc/self/autogroup")
    if session.exists():
        with suppress(OSError):
            session.write_text(str(NICENESS))


def _work(database: Database, going_home: threading.Event, once: bool) -> None:
    able = handlers(workspace(), going_home)
    if once:
        work_once(database, able, worker_name(ROLE))
    else:
        work_forever(database, able, ROLE, going_home)


if __name__ == "__main__":
    sys.exit(main())
