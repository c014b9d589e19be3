"""The body of a request, as long as it may be and no longer."""

from starlette.requests import ClientDisconnect, Request

from app.routes.answers import TooLarge
from core.errors import ReadingRoomError


class CutOff(ReadingRoomError):
    """A body that did not arrive whole."""


async def body_of(request: Request, most: int, what: str) -> bytes:
    """The whole body. Raises TooLarge, CutOff."""
    parts = bytearray()
    try:
        async for part in request.stream():
            parts += part
            if len(parts) > most:
                raise TooLarge(f"{what} is larger than it can be. Reload the page and try again.")
    except ClientDisconnect:
        # A cut-off body must not be taken for the whole; the editor still has it and sends it again.
        raise CutOff(f"{what} arrived cut off. It is still in the editor; it will be sent again.") from None
    return bytes(parts)
