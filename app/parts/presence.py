"""The connection light at the right of the top row. It also remembers the reader in this browser."""

from app.parts.part import register

COOKIE = "reading-room-reader"

_mount = register("presence")


def presence(reader: str) -> None:
    """Show the light, and keep the reader's name for the next visit of this browser."""
    _mount(key="rr-presence", data={"reader": reader, "cookie": COOKIE})
