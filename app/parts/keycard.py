"""The card of keys that "?" opens."""

from collections.abc import Mapping

from app.parts.part import register

_mount = register("keycard")


def keycard(keys: Mapping[str, str], is_editors: bool) -> None:
    """Show the button that opens the card. Where the editor is on the screen, it opens the editor's own card."""
    told = [{"key": key, "says": says} for key, says in keys.items()]
    _mount(key="rr-keys", data={"keys": told, "isEditors": is_editors})
