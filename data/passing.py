"""What is kept for a while only: films that are tried and not imported.

Each lies in a place of its own, a store with whatever is made from the film, apart from the store of what is kept for
good. Nothing else lies there, so that a place can be forgotten as a whole.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

from core.errors import NotFound
from core.workspace import Workspace
from data.store import Store

_PLACE = re.compile(r"[0-9]{14}-[0-9a-f]{32}")


class Forgotten(NotFound):
    """The film that is asked for is no longer here."""

    def __init__(self) -> None:
        super().__init__("This film was forgotten, as was what the model said of it. Drop it again.")


@dataclass(frozen=True)
class Passing:
    """The places of a workspace, by their names (see core.tries.new_place)."""

    url: str
    scratch: Path

    @classmethod
    def of(cls, workspace: Workspace) -> "Passing":
        return cls(workspace.tries_url, workspace.cache / "tries")

    def store(self, place: str) -> Store:
        """Raises Forgotten for a name that is none."""
        return Store(f"{self.url}/{_named(place)}")

    def cache(self, place: str) -> Path:
        """Where what is made from the film may be kept, on this machine. Raises Forgotten for a name that is none."""
        return self.scratch / _named(place)

    def forget(self, place: str) -> None:
        """Take away all that lies in a place; one that is not there is forgotten already."""
        filesystem, root = self._root()
        address = f"{root}/{_named(place)}"
        if filesystem.exists(address):
            filesystem.rm(address, recursive=True)
        shutil.rmtree(self.scratch / place, ignore_errors=True)

    def places(self) -> Iterator[str]:
        """All places, here or left in this machine's cache, oldest first."""
        filesystem, root = self._root()
        listed = [str(address) for address in filesystem.ls(root, detail=False)] if filesystem.exists(root) else []
        kept = [each.name for each in self.scratch.iterdir()] if self.scratch.is_dir() else []
        names = {address.rstrip("/").rsplit("/", 1)[-1] for address in listed} | set(kept)
        yield from sorted(name for name in names if _PLACE.fullmatch(name))

    def _root(self) -> tuple[Any, str]:
        filesystem, root = fsspec.url_to_fs(self.url)
        return filesystem, str(root).rstrip("/")


def _named(place: str) -> str:
    if not _PLACE.fullmatch(place):
        raise Forgotten
    return place
