import errno
import os
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import DiskFull
from data import store as store_module
from data.store import BlobCorrupt, BlobMissing, Store, name_of


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(bodies=st.lists(st.binary(max_size=300), max_size=8))
def test_what_is_put_is_got_back_under_its_hash(store: Store, bodies: list[bytes]) -> None:
    names = store.put_many(bodies)
    assert names == [name_of(body) for body in bodies]
    assert [store.get(name) for name in names] == bodies


def test_equal_content_is_one_blob_and_is_not_written_again(store: Store) -> None:
    name = store.put(b"film")
    place = store.path(name)
    assert place is not None
    before = place.stat().st_mtime_ns, place.stat().st_ino
    assert store.put_many([b"film", b"film"]) == [name, name]
    assert (place.stat().st_mtime_ns, place.stat().st_ino) == before
    assert list(store.iterate()) == [name]


def test_a_blob_lies_two_folders_deep_and_only_its_owner_may_read_it(store: Store, tmp_path: Path) -> None:
    name = store.put(b"film")
    place = store.path(name)
    assert place == tmp_path / "store" / name[:2] / name[2:4] / name
    assert place.stat().st_mode & 0o077 == 0


def test_a_missing_blob_is_named(store: Store) -> None:
    absent = name_of(b"never put")
    assert not store.has(absent)
    with pytest.raises(BlobMissing, match=absent[:12]):
        store.get(absent)
    with pytest.raises(BlobMissing):
        store.path(absent)


def test_a_name_that_is_no_hash_reaches_no_file(store: Store, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("secret")
    for name in ("../outside", "..", "", "/etc/hostname", "A" * 64):
        assert not store.has(name)
        with pytest.raises(BlobMissing):
            store.get(name)


def test_a_damaged_blob_is_found_out(store: Store) -> None:
    name = store.put(b"film")
    place = store.path(name)
    assert place is not None
    place.write_bytes(b"flim")
    with pytest.raises(BlobCorrupt):
        store.get(name)
    with pytest.raises(BlobCorrupt):
        store.verify(name)


def test_a_blob_cut_short_is_healed_by_putting_it_again(store: Store) -> None:
    name = store.put(b"film")
    place = store.path(name)
    assert place is not None
    place.write_bytes(b"fi")
    store.put(b"film")
    assert store.get(name) == b"film"


def test_a_full_disk_keeps_nothing_half_written(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = store.put(b"kept before")
    written = os.write

    def full(handle: int, body: bytes) -> int:
        if bytes(body).startswith(b"third"):
            written(handle, body[:3])
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(handle, body)

    monkeypatch.setattr(store_module.os, "write", full)
    with pytest.raises(DiskFull, match="make room"):
        store.put_many([b"first", b"second", b"third one"])
    assert [path.name for path in files_below(tmp_path / "store")] == [kept]
    monkeypatch.undo()
    assert len(store.put_many([b"first", b"second", b"third one"])) == 3


def test_other_failures_of_the_disk_are_not_called_a_full_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(store_module.os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        store.put(b"film")


def test_a_blob_is_flushed_before_it_is_named_and_its_folder_after(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(handle: int) -> None:
        happened.append("folder" if Path(f"/proc/self/fd/{handle}").is_dir() else "file")
        fsync(handle)

    def noted_replace(self: Path, target: Path) -> Path:
        happened.append("name")
        return replace(self, target)

    monkeypatch.setattr(store_module.os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    store.put(b"film")
    assert happened[:2] == ["file", "name"]
    assert set(happened[2:]) == {"folder"}


def test_many_writers_of_the_same_bytes_make_one_whole_blob(store: Store) -> None:
    body = os.urandom(200_000)
    names: list[str] = []
    threads = [threading.Thread(target=lambda: names.append(store.put(body))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(names) == {name_of(body)}
    assert store.get(names[0]) == body


def test_a_store_elsewhere_keeps_the_same_promises_without_paths() -> None:
    store = Store("memory://reading-room-test")
    name = store.put(b"far away")
    assert store.get(name) == b"far away"
    assert store.has(name)
    assert store.path(name) is None
    assert list(store.iterate()) == [name]
    with pytest.raises(BlobMissing):
        store.get(name_of(b"nothing"))


def test_an_empty_store_lists_nothing(store: Store) -> None:
    assert list(store.iterate()) == []
