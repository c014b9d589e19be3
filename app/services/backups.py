"""Backup and restore: a whole workspace in one file, checked by hash on the way in and on the way out."""

import hashlib
import io
import json
import re
import secrets
import shutil
import tarfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from app.house import House
from core.errors import NotFound, ReadingRoomError, room_for
from core.jobs import Report
from core.workspace import Workspace
from data.store import Store
from db.engine import Database, copy_database
from db.schema import migrate, revision

MANIFEST: Final = "manifest.json"
DATABASE: Final = "reading-room.db"
SECRET: Final = "secret"  # noqa: S105
FORMAT: Final = 1

_MEMBER: Final = re.compile(r"manifest\.json|reading-room\.db|secret|store/[0-9a-f]{64}|models/[^/].*")
_PIECE: Final = 1 << 20


class BackupExists(ReadingRoomError):
    def __init__(self, place: Path) -> None:
        super().__init__(f"{place} is there already. Name another file; a backup is never overwritten.")


class BadBackup(ReadingRoomError):
    """A file that is no backup of ours, or one that was damaged or cut off."""


class WorkspaceInUse(ReadingRoomError):
    def __init__(self, home: Path) -> None:
        super().__init__(
            f"{home} already holds a workspace. Restore into an empty READING_ROOM_HOME, or say --force: what is there "
            "is then backed up first."
        )


@dataclass(frozen=True)
class Backup:
    """What a backup holds. `shape` is the database's revision."""

    file: str
    files: int
    blobs: int
    bytes: int
    shape: str | None
    made_at: str


def back_up(house: House, out: Path | None, report: Report) -> Backup:
    """Write the database, the store and the models into one file, while others go on working.

    The database is copied first: every blob that a row of the copy names is then in the store already. Raises
    BackupExists, BlobCorrupt and DiskFull; a backup that failed leaves no file.
    """
    moment = datetime.now(UTC)
    place = out or house.workspace.backups / f"reading-room-{moment:%Y%m%dT%H%M%S}.tar"
    if place.exists():
        raise BackupExists(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_name(f".{place.name}-{secrets.token_hex(4)}.partial")
    copy = partial.with_suffix(".db")
    shape = revision(house.database)
    try:
        with room_for("the backup"):
            copy_database(house.database, copy)
            with partial.open("xb") as file:
                partial.chmod(0o600)
                files = _fill(
                    house, copy, file, report, {"format": FORMAT, "made_at": moment.isoformat(), "shape": shape}
                )
            partial.replace(place)
    finally:
        partial.unlink(missing_ok=True)
        copy.unlink(missing_ok=True)
    blobs = sum(name.startswith("store/") for name in files)
    return Backup(str(place), len(files), blobs, place.stat().st_size, shape, moment.isoformat())


def restore(workspace: Workspace, archive: Path, force: bool, report: Report) -> Backup:
    """Put a backup's content where the workspace is. Everything is verified before anything is replaced.

    Raises NotFound, BadBackup, WorkspaceInUse and DiskFull.
    """
    if not archive.is_file():
        raise NotFound(f"There is no backup {archive}.")
    target = Database(workspace.database_url)
    if target.file is None:
        raise ReadingRoomError("This database is a server: restore it with its own tools (pg_restore).")
    is_used = target.file.exists()
    if is_used and not force:
        raise WorkspaceInUse(workspace.home)
    workspace.prepare()
    if is_used:
        _put_aside(workspace, report)
    unpacked = workspace.home / f".restoring-{secrets.token_hex(4)}"
    try:
        with room_for("the restore"):
            manifest = _unpack(archive, unpacked, report)
            _move_in(workspace, unpacked, target.file)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
    database = migrate(workspace)
    shape = revision(database)
    database.close()
    files = manifest["files"]
    blobs = sum(name.startswith("store/") for name in files)
    return Backup(str(archive), len(files), blobs, archive.stat().st_size, shape, manifest["made_at"])


def _fill(house: House, copy: Path, file: IO[bytes], report: Report, facts: dict[str, Any]) -> dict[str, str]:
    names = list(house.store.iterate())
    models = sorted(path for path in house.workspace.models.rglob("*") if path.is_file())
    total = 1 + len(names) + len(models)
    hashes: dict[str, str] = {}
    with tarfile.open(fileobj=file, mode="w") as tar:

        def add(name: str, body: bytes, digest: str | None = None) -> None:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(body), 0o600
            tar.addfile(entry, io.BytesIO(body))
            hashes[name] = digest or hashlib.sha256(body).hexdigest()
            report(len(hashes), total, name.partition("/")[0])

        def add_file(name: str, path: Path) -> None:
            with path.open("rb") as body:
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = path.stat().st_size, 0o600
                tar.addfile(entry, body)
            hashes[name] = _hash_of(path)
            report(len(hashes), total, name.partition("/")[0])

        add_file(DATABASE, copy)
        if house.workspace.secret.exists():
            add(SECRET, house.workspace.secret.read_bytes())
        for sha in names:
            add(f"store/{sha}", house.store.get(sha), sha)
        for path in models:
            add_file(f"models/{path.relative_to(house.workspace.models).as_posix()}", path)
        add(MANIFEST, json.dumps(facts | {"files": hashes}, sort_keys=True, indent=1).encode())
    file.flush()
    del hashes[MANIFEST]
    return hashes


def _unpack(archive: Path, into: Path, report: Report) -> dict[str, Any]:
    """Unpack into a folder of its own and check every hash against the manifest. Raises BadBackup."""
    into.mkdir()
    hashes: dict[str, str] = {}
    try:
        with tarfile.open(archive, "r:") as tar:
            for entry in tar:
                if not entry.isfile() or not _MEMBER.fullmatch(entry.name) or ".." in Path(entry.name).parts:
                    raise BadBackup(f'{archive} holds "{entry.name}", which no backup of Reading Room does.')
                tar.extract(entry, into, filter="data")
                hashes[entry.name] = _hash_of(into / entry.name)
                report(len(hashes), 0, "unpacking")
        manifest: dict[str, Any] = json.loads((into / MANIFEST).read_bytes())
    except (tarfile.TarError, FileNotFoundError, ValueError, EOFError) as error:
        raise BadBackup(f"{archive} is no whole backup of Reading Room ({error}). Use another one.") from error
    del hashes[MANIFEST]
    if manifest.get("format") != FORMAT or hashes != manifest.get("files"):
        named = manifest.get("files", {})
        wrong = sorted(name for name in hashes.keys() | named.keys() if hashes.get(name) != named.get(name))
        raise BadBackup(f"{archive} is damaged: {len(wrong)} of its files differ from its manifest ({wrong[:3]}...).")
    return manifest


def _move_in(workspace: Workspace, unpacked: Path, database: Path) -> None:
    # The database last: until it has its name, what was here before still stands.
    store = Store(workspace.store_url)
    for blob in sorted(unpacked.glob("store/*")):
        store.put(blob.read_bytes())
    for path in sorted(unpacked.glob("models/**/*")):
        place = workspace.models / path.relative_to(unpacked / "models")
        if path.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
    if (unpacked / SECRET).exists():
        (unpacked / SECRET).replace(workspace.secret)
    for leftover in ("-wal", "-shm"):
        database.with_name(database.name + leftover).unlink(missing_ok=True)
    (unpacked / DATABASE).replace(database)


def _put_aside(workspace: Workspace, report: Report) -> None:
    database = migrate(workspace)
    try:
        place = workspace.backups / f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.tar"
        back_up(House(workspace, database, Store(workspace.store_url)), place, report)
    finally:
        database.close()


def _hash_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def to_json(backup: Backup) -> dict[str, Any]:
    return asdict(backup)
