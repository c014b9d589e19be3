"""Backup and restore: everything comes back, nothing damaged gets in, nothing that was there is lost."""

import errno
import io
import stat
import tarfile
from pathlib import Path
from unittest.mock import patch

import pytest

from app.house import House
from app.security import workspace_secret
from app.services import backups, snapshots, upkeep
from app.services.backups import BackupExists, BadBackup, WorkspaceInUse, back_up, restore
from core.errors import DiskFull
from core.workspace import Workspace
from data.store import BlobCorrupt, Store
from db import datasets
from db.engine import Database
from tests.making import block, image, put, study


def quiet(*_: object) -> None:
    """Nobody watches."""


@pytest.fixture
def filled(house: House) -> House:
    put(house, "d", study("a", [image(masks={"heart": block()})], report="Clear lungs."), study("b"))
    snapshots.freeze(house, "s", ["d"], "ana")
    folder = house.workspace.models / "segmentation-v1" / "figures"
    folder.mkdir(parents=True)
    (folder / "worst.png").write_bytes(b"a figure")
    return house


@pytest.fixture
def elsewhere(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "elsewhere")


def names_in(workspace: Workspace) -> tuple[str, ...]:
    database = Database(workspace.database_url)
    try:
        with database.reading() as session:
            return datasets.dataset_names(session)
    finally:
        database.close()


def test_everything_comes_back(filled: House, elsewhere: Workspace, tmp_path: Path) -> None:
    secret = workspace_secret(filled.workspace)
    made = back_up(filled, tmp_path / "b.tar", quiet)
    back = restore(elsewhere, tmp_path / "b.tar", False, quiet)
    assert (back.files, back.blobs, back.shape) == (made.files, made.blobs, made.shape)
    assert sorted(Store(elsewhere.store_url).iterate()) == sorted(filled.store.iterate())
    assert (elsewhere.models / "segmentation-v1" / "figures" / "worst.png").read_bytes() == b"a figure"
    assert workspace_secret(elsewhere) == secret
    assert names_in(elsewhere) == ("d",)
    assert upkeep.examine(elsewhere, False, quiet).is_well


def test_a_backup_is_its_owners_alone_and_leaves_nothing_beside_it(filled: House, tmp_path: Path) -> None:
    out = tmp_path / "kept" / "b.tar"
    back_up(filled, out, quiet)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert [path.name for path in out.parent.iterdir()] == ["b.tar"]


def test_a_backup_is_never_overwritten(filled: House, tmp_path: Path) -> None:
    back_up(filled, tmp_path / "b.tar", quiet)
    with pytest.raises(BackupExists):
        back_up(filled, tmp_path / "b.tar", quiet)


def test_a_damaged_blob_is_not_backed_up_as_if_it_were_whole(filled: House, tmp_path: Path) -> None:
    place = filled.store.path(next(filled.store.iterate()))
    assert place is not None
    place.chmod(0o600)
    place.write_bytes(b"rot")
    with pytest.raises(BlobCorrupt):
        back_up(filled, tmp_path / "b.tar", quiet)
    assert not (tmp_path / "b.tar").exists()


def test_a_full_disk_leaves_no_half_backup(filled: House, tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with patch.object(tarfile.TarFile, "addfile", side_effect=full), pytest.raises(DiskFull):
        back_up(filled, tmp_path / "kept" / "b.tar", quiet)
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.parametrize("damage", ["cut", "flipped", "nothing", "text"])
def test_a_damaged_backup_is_refused_and_nothing_is_changed(
    filled: House, elsewhere: Workspace, tmp_path: Path, damage: str
) -> None:
    archive = tmp_path / "b.tar"
    back_up(filled, archive, quiet)
    body = bytearray(archive.read_bytes())
    # A byte inside the first member's content, which is the database.
    body[2000] ^= 0xFF
    kinds = {"cut": archive.read_bytes()[:-20_000], "flipped": bytes(body), "nothing": b"", "text": b"hello " * 1000}
    archive.write_bytes(kinds[damage])
    with pytest.raises(BadBackup):
        restore(elsewhere, archive, False, quiet)
    assert not (elsewhere.home / "reading-room.db").exists()
    assert not [path for path in elsewhere.home.iterdir() if path.name.startswith(".restoring")]


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "store/../../outside", "models/../../outside", "store/short"]
)
def test_names_that_lead_out_of_the_workspace_are_refused(elsewhere: Workspace, tmp_path: Path, name: str) -> None:
    archive = tmp_path / "b.tar"
    with tarfile.open(archive, "w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 4
        tar.addfile(entry, io.BytesIO(b"evil"))
    with pytest.raises(BadBackup):
        restore(elsewhere, archive, False, quiet)
    assert not (tmp_path / "outside").exists()


def test_what_is_there_is_not_replaced_unasked(filled: House, tmp_path: Path) -> None:
    back_up(filled, tmp_path / "b.tar", quiet)
    with pytest.raises(WorkspaceInUse):
        restore(filled.workspace, tmp_path / "b.tar", False, quiet)


def test_what_is_replaced_is_backed_up_first(filled: House, elsewhere: Workspace, tmp_path: Path) -> None:
    back_up(filled, tmp_path / "b.tar", quiet)
    put(filled, "later", study("c"))
    filled.database.close()
    restore(filled.workspace, tmp_path / "b.tar", True, quiet)
    assert names_in(filled.workspace) == ("d",)
    (aside,) = filled.workspace.backups.glob("before-restore-*.tar")
    restore(elsewhere, aside, False, quiet)
    assert names_in(elsewhere) == ("d", "later")


def test_the_shape_in_json_is_what_the_record_holds(filled: House, tmp_path: Path) -> None:
    made = back_up(filled, tmp_path / "b.tar", quiet)
    assert backups.to_json(made)["bytes"] == (tmp_path / "b.tar").stat().st_size
