"""Who may talk to the server: addresses it answers to, pages it listens to, and tokens that name the reader.

Local mode has no sign-on, so what keeps strangers out is where a request comes from. A website open in another tab can
make the browser send requests here, and by DNS rebinding even under a name of its own; neither passes `Gatekeeper`.
The editor posts with a token on top, which only a page that this server drew can know.
"""

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import ReadingRoomError
from core.workspace import Workspace

ALLOWED_HOSTS_VARIABLE = "READING_ROOM_ALLOWED_HOSTS"
"""Further addresses that the server answers to, separated by commas: "reading.hospital.org,10.0.0.7:8501"."""

TOKEN_HOURS = 12
OUR_ROUTES = "/rr/"

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_SALT = "reading-room-session"
_PAGE_IS_OURS = ("same-origin", "none")


class BadToken(ReadingRoomError):
    """A token that this workspace did not sign, or that is too old."""


class NotAllowed(ReadingRoomError):
    """A request to an address that is not ours, or from a page that is not ours."""


@dataclass(frozen=True)
class Bearer:
    """Whom a token names: the reader, and the browser session it was given to."""

    reader: str
    session: str


def workspace_secret(workspace: Workspace) -> bytes:
    """The workspace's own 32 secret bytes, made on first use, readable by its owner alone."""
    place = workspace.secret
    with suppress(FileNotFoundError):
        return place.read_bytes()
    place.parent.mkdir(parents=True, exist_ok=True)
    ours = place.with_name(f".{place.name}-{secrets.token_hex(6)}")
    handle = os.open(ours, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link, unlike a rename, fails when another process was first; then its secret is the one.
        Path(place).hardlink_to(ours)
    except FileExistsError:
        pass
    finally:
        ours.unlink()
    return place.read_bytes()


def issue_token(workspace: Workspace, reader: str, session: str) -> str:
    """A signed token for the editor in this reader's page. It outlives a restart of the server."""
    return _signer(workspace).dumps([reader, session])


def read_token(workspace: Workspace, token: str) -> Bearer:
    """Whom a token names. Raises BadToken."""
    try:
        reader, session = _signer(workspace).loads(token, max_age=TOKEN_HOURS * 3600)
    except SignatureExpired:
        raise BadToken(f"This page was opened more than {TOKEN_HOURS} hours ago. Reload it to go on saving.") from None
    except (BadSignature, ValueError, TypeError):
        raise BadToken("This page may not save here. Reload it; the drawing is kept in the editor.") from None
    return Bearer(str(reader), str(session))


def allowed_hosts() -> tuple[str, ...]:
    """The further addresses named in the environment."""
    return tuple(part.strip().lower() for part in os.environ.get(ALLOWED_HOSTS_VARIABLE, "").split(",") if part.strip())


def require_our_address(host: str, port: int, further: Iterable[str]) -> None:
    """Raises NotAllowed unless a Host header names this server: loopback with our port, or a further address."""
    if not _is_ours(host, port, further):
        raise NotAllowed(
            f'Reading Room does not answer to the address "{host[:100]}". Open http://localhost:{port}, or name the '
            f"address in {ALLOWED_HOSTS_VARIABLE}."
        )


def require_our_page(method: str, headers: Headers, port: int, further: Iterable[str]) -> None:
    """Raises NotAllowed when a browser says that another site's page asks, or a change comes from an unnamed page."""
    origin = headers.get("origin")
    if origin is None and method not in ("GET", "HEAD"):
        raise NotAllowed("A change without the address of the page it comes from is refused.")
    if origin is not None and not _is_ours(urlsplit(origin).netloc, port, further):
        raise NotAllowed("A page of another site may not use Reading Room.")
    if headers.get("sec-fetch-site", "none") not in _PAGE_IS_OURS:
        raise NotAllowed("A page of another site may not use Reading Room.")


class Gatekeeper:
    """ASGI middleware: everything must be asked of an address of ours; our own routes, by a page of ours."""

    def __init__(self, app: ASGIApp, further: Iterable[str] = ()) -> None:
        self.app = app
        self.further = tuple(further)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        try:
            self._check(scope)
        except NotAllowed as refusal:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": "not allowed"})
            else:
                await JSONResponse({"error": str(refusal)}, 403)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        port = int(scope["server"][1])
        require_our_address(headers.get("host", ""), port, self.further)
        if scope["type"] == "websocket" or scope["path"].startswith(OUR_ROUTES):
            require_our_page(scope.get("method", "GET"), headers, port, self.further)


def _is_ours(address: str, port: int, further: Iterable[str]) -> bool:
    asked = address.lower()
    return asked in {f"{name}:{port}" for name in _LOOPBACK} or asked in further


def _signer(workspace: Workspace) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(workspace_secret(workspace), salt=_SALT)
