"""The open workspace: its folder, its database and its store, handed to every use case."""

import getpass
from dataclasses import dataclass
from functools import cache

from core.workspace import Workspace, workspace
from data.store import Store
from db.engine import Database
from db.schema import migrate


@dataclass(frozen=True)
class House:
    workspace: Workspace
    database: Database
    store: Store


def open_house(place: Workspace | None = None) -> House:
    """Open a workspace, made and migrated where it has to be. One process opens each folder once."""
    return _open(place or workspace())


def local_reader() -> str:
    """Who sits at this workstation: the operating system's user. Sign-on will answer here later."""
    return getpass.getuser()


@cache
def _open(place: Workspace) -> House:
    return House(place, migrate(place), Store(place.store_url))
