"""A pulse that draws a fragment anew, over and over, while nobody is acting on the page.

Streamlit's own (`run_every`) does not look whether somebody acts, and where its request crosses a click on another page
the click is lost: Streamlit takes the two for one, and the old page for the one that is wanted.
"""

from time import monotonic

import streamlit as st

from app.parts.part import heard, register

_mount = register("pulse")


def pulse(seconds: float, *, key: str) -> None:
    """Inside a fragment: draw it anew `seconds` after it was drawn, but not within a moment of a click or a key, nor in
    a tab that nobody sees."""
    with st.container(key=f"rr-pulse-{key}"):
        _mount(key=key, data={"seconds": seconds, "drawn": monotonic()}, on_beat_change=heard)
