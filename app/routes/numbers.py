"""Whole numbers in a request's address."""

from starlette.requests import Request

from core.errors import ReadingRoomError


class NotANumber(ReadingRoomError):
    def __init__(self, name: str, text: str) -> None:
        super().__init__(f'"{name}" is a whole number, not "{text[:40]}".')


def whole_number(request: Request, name: str) -> int | None:
    """The number in the query, None when it is left out or empty. Raises NotANumber."""
    text = request.query_params.get(name, "")
    return parse(name, text) if text else None


def parse(name: str, text: str) -> int:
    """The number that a text is. Raises NotANumber."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotANumber(name, text)
    return int(text)
