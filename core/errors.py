"""The root of every error that is meant for a person to read."""


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
