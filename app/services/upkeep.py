"""`doctor`: is everything that the workspace promises still there, whole, and in use as it should be?"""

import platform
import shutil
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from app.house import House, open_house
from core.errors import ReadingRoomError
from core.jobs import UNFINISHED, Report
from core.manifests import from_bytes
from core.workspace import Workspace
from data.store import BlobCorrupt, BlobMissing
from db import jobs, models, upkeep
from db.engine import Database, check_integrity
from db.schema import newest_revision, revision

SCARCE: Final = 2 * 2**30
"""Less free disk than this is worth a note."""

_PACKAGES: Final = ("streamlit", "SQLAlchemy", "alembic", "numpy", "torch", "lightning")
_NAMED: Final = 5


class Level(StrEnum):
    OK = "ok"
    NOTE = "note"
    BROKEN = "broken"


@dataclass(frozen=True)
class Check:
    """One thing looked at, how it stands, and what was seen, in a sentence."""

    name: str
    level: Level
    detail: str


@dataclass(frozen=True)
class Diagnosis:
    checks: tuple[Check, ...]
    versions: dict[str, str]

    @property
    def is_well(self) -> bool:
        return all(check.level is not Level.BROKEN for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        listed = [{"name": check.name, "level": check.level, "detail": check.detail} for check in self.checks]
        return {"ok": self.is_well, "checks": listed, "versions": self.versions}


def examine(workspace: Workspace, is_quick: bool, report: Report) -> Diagnosis:
    """Look at the database, every blob it names, the models, the queue and the disk; nothing is changed.

    `is_quick` looks whether blobs are there without reading them.
    """
    integrity = _integrity(workspace)
    checks = [integrity, _disk(workspace)]
    if integrity.level is not Level.BROKEN:
        house = open_house(workspace)
        checks += [_shape(house), *_blobs(house, is_quick, report), _models(house), _unfinished(house), _workers(house)]
    versions = {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}
    return Diagnosis(tuple(checks), versions)


def _integrity(workspace: Workspace) -> Check:
    database = Database(workspace.database_url)
    file = database.file
    if file is not None and not file.exists():
        return Check("database", Level.BROKEN, f"There is no database at {file}. Run init, or restore a backup.")
    wrong = check_integrity(database)
    database.close()
    if wrong:
        told = "; ".join(wrong[:_NAMED])
        return Check("database", Level.BROKEN, f"The database is damaged: {told}. Restore a backup.")
    return Check("database", Level.OK, "The database is whole.")


def _shape(house: House) -> Check:
    here, newest = revision(house.database), newest_revision()
    level = Level.OK if here == newest else Level.BROKEN
    return Check("migrations", level, f"The database is at revision {here}, the newest is {newest}.")


def _blobs(house: House, is_quick: bool, report: Report) -> list[Check]:
    with house.database.reading() as session:
        named = upkeep.referenced_blobs(session)
    for sha in [sha for sha, what in named.items() if what == "snapshot"]:
        named |= dict.fromkeys(_in_manifest(house, sha), "image or mask of a snapshot")
    kept = set(house.store.iterate())
    missing = {sha: what for sha, what in named.items() if sha not in kept}
    damaged: dict[str, str] = {}
    for done, (sha, what) in enumerate(sorted(named.items())):
        report(done, len(named), "reading blobs")
        if not is_quick and sha in kept:
            try:
                house.store.verify(sha)
            except (BlobCorrupt, BlobMissing):
                damaged[sha] = what
    read = "are there" if is_quick else "are there and whole"
    checks = [
        _lost("missing blobs", missing, f"All {len(named)} files that the database names {read}."),
        _lost("damaged blobs", damaged, "Not looked at (--quick)." if is_quick else "None."),
    ]
    orphans = len(kept - named.keys())
    # A crash between a blob and its row leaves an orphan: it costs room and nothing else.
    level = Level.NOTE if orphans else Level.OK
    return [
        *checks,
        Check("orphan blobs", level, f"{orphans} files in the store are named by no row; they do no harm."),
    ]


def _lost(name: str, lost: dict[str, str], otherwise: str) -> Check:
    if not lost:
        return Check(name, Level.OK, otherwise)
    listed = ", ".join(f"{what} {sha[:12]}" for sha, what in list(lost.items())[:_NAMED])
    return Check(name, Level.BROKEN, f"{len(lost)}: {listed}. Restore them from a backup, or import the studies again.")


def _in_manifest(house: House, sha: str) -> list[str]:
    try:
        manifest = from_bytes(house.store.get(sha))
    except ReadingRoomError:
        # The manifest itself is missing or damaged, and is counted as such.
        return []
    images = [image for study in manifest.studies for image in study.images]
    return [image.sha for image in images] + [mask.sha for image in images for mask in image.masks]


def _models(house: House) -> Check:
    with house.database.reading() as session:
        known = models.models(session)
    gone = [model.name for model in known if not (house.workspace.models / model.folder).is_dir()]
    if gone:
        return Check("models", Level.BROKEN, f"The folders of {', '.join(gone)} are gone. Restore them from a backup.")
    return Check("models", Level.OK, f"All {len(known)} model versions have their folder.")


def _unfinished(house: House) -> Check:
    with house.database.reading() as session:
        waiting = jobs.jobs(session, 1000, UNFINISHED)
    if not waiting:
        return Check("jobs", Level.OK, "No job is unfinished.")
    told = ", ".join(f"{job.id} ({job.kind}, {job.state})" for job in waiting[:_NAMED])
    return Check("jobs", Level.NOTE, f"{len(waiting)} unfinished: {told}. A worker goes on with them.")


def _workers(house: House) -> Check:
    with house.database.reading() as session:
        silent = upkeep.silent_workers(session)
    if not silent:
        return Check("workers", Level.OK, "No worker on record is silent.")
    return Check(
        "workers", Level.NOTE, f"Fell silent: {', '.join(silent)}. Their jobs are taken over by the next worker."
    )


def _disk(workspace: Workspace) -> Check:
    place = workspace.home if workspace.home.exists() else Path.cwd()
    free = shutil.disk_usage(place).free
    level = Level.OK if free >= SCARCE else Level.NOTE
    return Check("disk", level, f"{free / 2**30:.1f} GiB are free at {place}.")
