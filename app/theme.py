"""How the workstation looks: dark, quiet, compact. Streamlit's own furniture is put away."""

from pathlib import Path

import streamlit as st

from app.palette import ACCENT, CURVES, FAINT, GROUND, INK, LINE, RAISED

__all__ = ["ACCENT", "CURVES", "FAINT", "GROUND", "INK", "LINE", "RAISED", "apply"]

_STYLES = Path(__file__).with_name("theme.css")


def apply() -> None:
    """Put the house's style on the page. Call once a run, before anything is drawn."""
    st.html(_STYLES)
