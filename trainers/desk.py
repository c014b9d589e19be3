"""What a job is done at: the workspace, the ticket that hears and stops it, and the shelf of films and models."""

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import NotFound
from core.jobs import CurvePoint, Job
from core.manifests import from_bytes
from core.snapshots import Manifest, Snapshot, require_unseen
from core.workspace import Workspace
from data.store import Store
from db import models, snapshots
from db.engine import Database
from db.work import Ticket
from trainers.contract import InUse, Shelf


class GoingHome(BaseException):
    """The worker was told to stop; its job goes back in the queue. No Exception: nothing on the way may swallow it."""


@dataclass(frozen=True)
class Desk:
    """All that a job's handler works with. It is also the job's watch: it reports, and stops when it has to."""

    workspace: Workspace
    ticket: Ticket
    going_home: threading.Event

    @property
    def job(self) -> Job:
        return self.ticket.job

    @property
    def database(self) -> Database:
        return self.ticket.database

    @property
    def shelf(self) -> Shelf:
        return Shelf(
            Store(self.workspace.store_url), self.workspace.cache, (self.workspace.weights,), self._model_folder,
            self._in_use,
        )  # fmt: skip

    def _in_use(self, family: str) -> InUse | None:
        with self.database.reading() as session:
            champion = models.champion(session, family)
        if champion is None:
            return None
        return InUse(champion.name, self.workspace.models / champion.folder, champion.metrics)

    def _model_folder(self, name: str) -> Path:
        """Of a model to start from. Raises NotFound, LearnedFromJudges."""
        _, judging = snapshot_of(self)
        with self.database.reading() as session:
            line = models.lineage(session, name)
            learned = {
                model.name: snapshots.get_snapshot(session, model.snapshot).sha for model in line if model.snapshot
            }
        for model, sha in learned.items():
            require_unseen(model, from_bytes(self.shelf.store.get(sha)), judging)
        return self.workspace.models / line[0].folder

    def report(self, done: int, total: int, message: str = "") -> None:
        self.check()
        self.ticket.report(done, total, message)

    def points(self, points: Iterable[CurvePoint]) -> None:
        self.ticket.points(points)

    def check(self) -> None:
        if self.going_home.is_set():
            raise GoingHome
        self.ticket.check()


def snapshot_of(desk: Desk) -> tuple[Snapshot, Manifest]:
    name = desk.job.snapshot
    if name is None:
        raise NotFound("The job names no snapshot. Choose one, or make one on the Data screen.")
    with desk.database.reading() as session:
        snapshot = snapshots.get_snapshot(session, name)
    return snapshot, from_bytes(desk.shelf.store.get(snapshot.sha))


@contextmanager
def logging_to(place: Path) -> Iterator[None]:
    """Everything logged meanwhile also goes to the job's own file."""
    place.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(place, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    logging.getLogger("trainers").setLevel(logging.INFO)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()
