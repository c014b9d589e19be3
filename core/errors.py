"""The root of every error that is meant for a person to read."""


class ReadingRoomError(Exception):
    """A rule said no. `str(error)` is a sentence that tells the person what happened and what to do."""


class NotFound(ReadingRoomError):
    """Something was asked for by a name or number that nothing here bears."""
