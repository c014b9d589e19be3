"""Registering a part: its JavaScript joined into one module, its style inside a shadow root of its own."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from app.mask_editor.bundle import bundle

_HERE = Path(__file__).parent

Mount = Callable[..., Mapping[str, Any]]


def register(name: str) -> Mount:
    """The mounting command of the part in js/NAME.js, styled by parts.css and, where there is one, css/NAME.css."""
    styles = [place for place in (_HERE / "parts.css", _HERE / "css" / f"{name}.css") if place.exists()]
    return st.components.v2.component(
        f"reading_room_{name}",
        css="\n".join(place.read_text(encoding="utf-8") for place in styles),
        js=bundle(_HERE / "js", name),
        isolate_styles=True,
    )


def heard() -> None:
    """Streamlit reports only the values that have a callback."""
