"""Files dropped on the page, put into a folder of the workspace so that an importer finds them as on any disk."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Protocol

from app.house import House
from core.errors import ReadingRoomError


class NothingDropped(ReadingRoomError):
    def __init__(self) -> None:
        super().__init__("Drop files on the page first, or name a folder.")


class Dropped(Protocol):
    """A file as the browser sent it; `name` may hold the folders it lay in."""

    @property
    def name(self) -> str: ...

    def getvalue(self) -> bytes: ...


def keep(house: House, files: Iterable[Dropped]) -> Path:
    """Put the files into a new folder; gives the folder, or the file itself when a single archive came.

    Folders above the drop (".." and absolute paths) are left out of the names. Raises NothingDropped.
    """
    listed = list(files)
    if not listed:
        raise NothingDropped
    folder = house.workspace.home / "uploads" / f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    for file in listed:
        place = folder.joinpath(*_safe_parts(file.name))
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.write_bytes(file.getvalue())
    if len(listed) == 1 and listed[0].name.lower().endswith(".zip"):
        return folder.joinpath(*_safe_parts(listed[0].name))
    return folder


def _safe_parts(name: str) -> list[str]:
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    return [part.replace(":", "_").replace("\0", "") for part in parts] or ["file"]
