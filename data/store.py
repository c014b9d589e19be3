"""The content-addressed store: bytes kept under their own SHA-256, on a disk or at any address fsspec knows.

A blob lies at `ab/cd/abcd...` below the store's root. It is written once and never changed, so that equal content is
one blob and a name is a proof. On a local disk a blob is flushed before it gets its name, and its folder after, so
that a blob put has been put for good, and a crash at any point leaves a whole blob or none.
"""

import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from core.errors import ReadingRoomError, room_for

_NAME = re.compile(r"[0-9a-f]{64}")
_INCOMING = ".incoming"
_FLUSHERS = 16


class BlobMissing(ReadingRoomError):
    """No blob of this name is in the store."""

    def __init__(self, sha: str) -> None:
        super().__init__(
            f"The file {sha[:12]}... is not in the store. Restore the store from a backup, or import the study again."
        )
        self.sha = sha


class BlobCorrupt(ReadingRoomError):
    """A blob whose bytes are no longer the ones its name was made from."""

    def __init__(self, sha: str) -> None:
        super().__init__(
            f"The file {sha[:12]}... in the store is damaged: its content no longer matches its name. "
            "Restore it from a backup, or import the study again."
        )
        self.sha = sha


def name_of(body: bytes) -> str:
    """The SHA-256 of the bytes, 64 hex digits."""
    return hashlib.sha256(body).hexdigest()


class Store:
    """Blobs below `url`: a folder, or any address that fsspec understands (s3://, gs://, memory://)."""

    def __init__(self, url: str) -> None:
        filesystem, root = fsspec.url_to_fs(url)
        self.url = url
        self._remote: Any = filesystem
        self._root = str(root).rstrip("/")
        self._folder = Path(self._root).resolve() if isinstance(filesystem, LocalFileSystem) else None

    def put(self, body: bytes) -> str:
        """Keep the bytes and return their SHA-256. When this returns they are on disk. Raises DiskFull."""
        return self.put_many((body,))[0]

    def put_many(self, bodies: Iterable[bytes]) -> list[str]:
        """Keep many bodies and return their names in order; the waits for the disk overlap. Raises DiskFull.

        None of the new blobs has its name before all of them are flushed, so a failure keeps none of them.
        """
        held = list(bodies)
        names = [name_of(body) for body in held]
        fresh = {name: body for name, body in zip(names, held, strict=True) if not self._holds(name, len(body))}
        if self._folder is None:
            for name, body in fresh.items():
                self._remote.pipe_file(self._address(name), body)
        else:
            with room_for(f"writing to {self._root}"):
                self._keep(self._folder, fresh, set(names))
        return names

    def get(self, sha: str) -> bytes:
        """The bytes kept under this name, checked against it. Raises BlobMissing and BlobCorrupt."""
        try:
            body = self._read(sha)
        except FileNotFoundError:
            raise BlobMissing(sha) from None
        if name_of(body) != sha:
            raise BlobCorrupt(sha)
        return body

    def has(self, sha: str) -> bool:
        return _NAME.fullmatch(sha) is not None and bool(self._remote.exists(self._address(sha)))

    def verify(self, sha: str) -> None:
        """Read a blob through. Raises BlobMissing and BlobCorrupt."""
        self.get(sha)

    def path(self, sha: str) -> Path | None:
        """Where a blob lies on the local disk, or None when the store is elsewhere. Raises BlobMissing."""
        if self._folder is None:
            return None
        place = self._folder / below(sha)
        if not place.is_file():
            raise BlobMissing(sha)
        return place

    def iterate(self) -> Iterator[str]:
        """The name of every blob in the store, sorted within each folder."""
        if not self._remote.exists(self._root):
            return
        for address in sorted(self._remote.glob(f"{self._root}/??/??/*")):
            name = str(address).rsplit("/", 1)[-1]
            if _NAME.fullmatch(name):
                yield name

    def _address(self, sha: str) -> str:
        return f"{self._root}/{below(sha)}"

    def _read(self, sha: str) -> bytes:
        if self._folder is not None:
            return (self._folder / below(sha)).read_bytes()
        return bytes(self._remote.cat_file(self._address(sha)))

    def _holds(self, sha: str, size: int) -> bool:
        """Whether the blob is there in full: one cut short by a failing disk is written anew."""
        try:
            if self._folder is not None:
                return (self._folder / below(sha)).stat().st_size == size
            return bool(self._remote.size(self._address(sha)) == size)
        except FileNotFoundError:
            return False

    def _keep(self, root: Path, blobs: dict[str, bytes], names: set[str]) -> None:
        """Write the new ones of `names`. Folders of the others are flushed too: another process may be mid-way."""
        incoming = root / _INCOMING
        changed = _make(incoming)
        ticket = f"{os.getpid()}-{secrets.token_hex(6)}"
        waiting = {name: incoming / f"{ticket}-{name}" for name in blobs}
        try:
            _in_parallel(_write_flushed, [(waiting[name], body) for name, body in blobs.items()])
            for name, temporary in waiting.items():
                place = root / below(name)
                changed |= _make(place.parent)
                temporary.replace(place)
        finally:
            for temporary in waiting.values():
                temporary.unlink(missing_ok=True)
        changed |= {(root / below(name)).parent for name in names}
        _in_parallel(_flush_folder, [(folder,) for folder in sorted(changed)])


def below(sha: str) -> str:
    """Where a blob lies below the store's root. Raises BlobMissing for what is no name."""
    if not _NAME.fullmatch(sha):
        raise BlobMissing(sha)
    return f"{sha[:2]}/{sha[2:4]}/{sha}"


def _make(folder: Path) -> set[Path]:
    """Make a folder and its parents; return the folders whose listing that changed."""
    changed: set[Path] = set()
    while not folder.is_dir():
        try:
            folder.mkdir(mode=0o700)
            changed.add(folder.parent)
            break
        except FileNotFoundError:
            changed |= _make(folder.parent)
        except FileExistsError:
            break
    return changed


def _write_flushed(place: Path, body: bytes) -> None:
    handle = os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, stat.S_IRUSR | stat.S_IWUSR)
    try:
        view = memoryview(body)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _in_parallel(work: Any, arguments: Sequence[tuple[Any, ...]]) -> None:
    """Run `work` on each, many at once: a file system commits flushes that arrive together in one go."""
    if len(arguments) < 2:
        for each in arguments:
            work(*each)
        return
    with ThreadPoolExecutor(min(_FLUSHERS, len(arguments))) as pool:
        for done in [pool.submit(work, *each) for each in arguments]:
            done.result()
