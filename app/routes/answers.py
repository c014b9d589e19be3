"""What the routes answer: bytes named by their content, and errors as a sentence with the fitting status."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.security import BadToken
from core.errors import DiskFull, NotFound, ReadingRoomError
from core.findings import UnknownFinding
from core.judgements import NotYourJudgement
from data.pixels import UnreadableImage
from data.store import BlobCorrupt, BlobMissing
from db.drafts import NotYourDraft
from db.engine import DatabaseBusy
from db.label_drafts import NotYourWord

TOKEN_HEADER: Final = "X-Reading-Room-Token"  # noqa: S105
"""Where a page of ours says, by a signed token, for whom it saves."""

Handler = Callable[[Request], Awaitable[Response]]

STATUS: Final[tuple[tuple[type[ReadingRoomError], int], ...]] = (
    (BadToken, 403),
    (NotYourDraft, 403),
    (NotYourWord, 403),
    (NotYourJudgement, 403),
    (NotFound, 404),
    (UnknownFinding, 404),
    (BlobMissing, 404),
    (UnreadableImage, 415),
    (BlobCorrupt, 500),
    (DiskFull, 507),
    (DatabaseBusy, 503),
)
"""The status of each error that has one of its own; every other rule that says no is a 400."""

_FOR_EVER: Final = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    # Says that the bytes go as they are: compressing a film anew at each request costs more than loopback does.
    "Content-Encoding": "identity",
}

logger = logging.getLogger(__name__)


class TooLarge(ReadingRoomError):
    """A body longer than what it may be."""


def in_sentences(handler: Handler) -> Handler:
    """The handler with the house's errors told as {"error": sentence}."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except TooLarge as error:
            return JSONResponse({"error": str(error)}, 413)
        except ReadingRoomError as error:
            status = next((code for kind, code in STATUS if isinstance(error, kind)), 400)
            if status >= 500:
                logger.warning("%s %s: %s", request.method, request.url.path, error)
            return JSONResponse({"error": str(error)}, status)

    return answer


def named_by_content(body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that the browser may keep for ever, because its address is the hash of what it shows."""
    return Response(body, media_type=media_type, headers={**_FOR_EVER, **(headers or {})})
