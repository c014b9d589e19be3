"""`manifest.json`: what an export says of itself. Hashes of its files, and the frozen snapshot it was made from."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core import manifests
from core.registry import RESEARCH_ONLY
from core.snapshots import Manifest

NAME: Final = "manifest.json"
_MAKER: Final = "reading-room"
_VERSION: Final = 1


@dataclass(frozen=True)
class ExportedFile:
    """A file of an export: its path below the export's folder with forward slashes, its SHA-256 and its size."""

    path: str
    sha256: str
    size: int

    @classmethod
    def of(cls, path: str, body: bytes) -> "ExportedFile":
        return cls(path, hashlib.sha256(body).hexdigest(), len(body))


@dataclass(frozen=True)
class ExportHead:
    """The form of an export (coco, png, jsonl, master) and the datasets in it."""

    form: str
    datasets: tuple[str, ...]

    @property
    def has_several_datasets(self) -> bool:
        return len(self.datasets) > 1


def to_bytes(form: str, manifest: Manifest, files: Iterable[ExportedFile]) -> bytes:
    """The manifest of an export in `form` (coco, png, jsonl, master).

    Equal content gives equal bytes: no time, no machine.
    """
    listed = [{"path": file.path, "sha256": file.sha256, "bytes": file.size} for file in files]
    body = {
        "made_by": _MAKER,
        "version": _VERSION,
        "form": form,
        "notice": RESEARCH_ONLY,
        "snapshot_sha256": manifests.content_hash(manifest),
        "snapshot": json.loads(manifests.to_bytes(manifest)),
        "files": sorted(listed, key=lambda file: str(file["path"])),
    }
    return (json.dumps(body, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def read(folder: Path) -> ExportHead | None:
    """What the export in a folder says of itself, or None when Reading Room did not write it."""
    place = folder / NAME
    if not place.is_file():
        return None
    try:
        body: Any = json.loads(place.read_bytes())
    except ValueError:
        return None
    if not isinstance(body, Mapping) or body.get("made_by") != _MAKER:
        return None
    return ExportHead(str(body.get("form")), tuple(body.get("snapshot", {}).get("datasets", ())))


def snapshot_in(folder: Path) -> Manifest:
    """The frozen snapshot that an export was made from. Raises MalformedManifest."""
    try:
        body = json.loads((folder / NAME).read_bytes())
        frozen = json.dumps(body["snapshot"]).encode()
    except (OSError, ValueError, KeyError) as error:
        raise manifests.MalformedManifest(f"{NAME} in {folder} cannot be read ({error}).") from error
    return manifests.from_bytes(frozen)
