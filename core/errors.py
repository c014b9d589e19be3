"""The root of every error that is meant for a person to read, and the one that every writer shares."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager


class ReadingRoomError(Exception):
    """A rule said no. `str(error)` is a sentence that tells the person what happened and what to do."""


class NotFound(ReadingRoomError):
    """Something was asked for by a name or number that nothing here bears."""


class DiskFull(ReadingRoomError):
    """No room was left where something had to be written."""

    def __init__(self, doing: str) -> None:
        super().__init__(
            f"The disk is full, so {doing} could not be finished. Nothing was lost; make room and try again."
        )


def says_disk_full(error: OSError) -> bool:
    """Whether the system refused to write because no room, or no quota, was left."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def room_for(doing: str) -> Iterator[None]:
    """Around whatever writes: the system's word that the disk is full is raised as DiskFull."""
    try:
        yield
    except OSError as error:
        if says_disk_full(error):
            raise DiskFull(doing) from error
        raise
