"""Where an export goes: a folder that appears whole or not at all."""

import re
import secrets
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol

from core.errors import ReadingRoomError, room_for
from core.jobs import Report
from core.snapshots import Manifest, SnapshotImage, SnapshotStudy
from data import images, manifests
from data.manifests import ExportedFile
from data.store import Store

_EXTENSIONS: Final = {images.PNG: ".png", images.JPEG: ".jpg"}
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME: Final = 120


class OutputNotEmpty(ReadingRoomError):
    """An export over files that are already there."""

    def __init__(self, place: Path) -> None:
        super().__init__(f"{place} is not empty. Name a folder that does not exist yet, so that nothing is mixed up.")


@dataclass(frozen=True)
class Exported:
    """What an export wrote. `manifest_sha256` names its whole content."""

    folder: Path
    studies: int
    images: int
    masks: int
    size: int
    manifest_sha256: str


class Exporter(Protocol):
    """Write a snapshot below a new folder. Raises OutputNotEmpty, DiskFull, BlobMissing and BlobCorrupt."""

    def __call__(self, manifest: Manifest, store: Store, out: Path, report: Report) -> Exported: ...


@dataclass
class Output:
    """The folder being filled, and the list of what is in it."""

    folder: Path
    files: list[ExportedFile] = field(default_factory=list)

    def write(self, path: str, body: bytes) -> None:
        """Write a file at a path below the folder, with forward slashes."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
        self.files.append(ExportedFile.of(path, body))

    def write_lines(self, path: str, lines: Iterable[bytes]) -> None:
        """Write a file line by line, none of it held; each line brings its own end."""
        digest, size = sha256(), 0
        with (self.folder / path).open("wb") as file:
            for line in lines:
                file.write(line)
                digest.update(line)
                size += len(line)
        self.files.append(ExportedFile(path, digest.hexdigest(), size))

    def image(self, image: SnapshotImage, stem: str, store: Store) -> str:
        """Write an image's stored bytes and return its file name below `images/`."""
        body = store.get(image.sha)
        name = stem + _EXTENSIONS[images.sniff(body)]
        self.write(f"images/{name}", body)
        return name


@contextmanager
def filling(out: Path, form: str, manifest: Manifest) -> Iterator[Output]:
    """Fill a folder beside `out`, add its manifest, and give it the name `out`. On any failure nothing is left."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputNotEmpty(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.parent / f".{out.name}-{secrets.token_hex(4)}.partial"
    try:
        with room_for(f"exporting to {out.parent}"):
            partial.mkdir()
            output = Output(partial)
            yield output
            (partial / manifests.NAME).write_bytes(manifests.to_bytes(form, manifest, output.files))
            if out.is_dir():
                out.rmdir()
            partial.replace(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def exported(out: Path, output: Output, manifest: Manifest) -> Exported:
    """What was written, after the folder has its name."""
    counts = manifest.counts()
    digest = sha256((out / manifests.NAME).read_bytes()).hexdigest()
    size = sum(file.size for file in output.files)
    return Exported(out, counts.studies, counts.images, counts.masks, size, digest)


def in_order(manifest: Manifest) -> list[SnapshotStudy]:
    """The studies in the one order that every export has."""
    return sorted(manifest.studies, key=lambda study: (study.dataset, study.patient, study.key))


def stems(manifest: Manifest) -> dict[tuple[str, str, str], str]:
    """A file name without extension for each image, by dataset, study key and image name; no two alike.

    An image keeps its name. Where two names are the same (capitals not counted, for file systems that do not), both get
    the beginning of a hash of what they belong to.
    """
    keys = [(study.dataset, study.key, image.name) for study in in_order(manifest) for image in study.images]
    plain = {key: _UNSAFE.sub("_", key[2]).strip(".")[:_LONGEST_NAME] or "image" for key in keys}
    times = Counter(stem.lower() for stem in plain.values())
    return {key: stem if times[stem.lower()] == 1 else f"{stem}-{_mark(key)}" for key, stem in plain.items()}


def _mark(key: tuple[str, str, str]) -> str:
    return sha256("\x1f".join(key).encode()).hexdigest()[:10]
