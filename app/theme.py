"""How the workstation looks: dark, quiet, compact. Streamlit's own furniture is put away."""

from pathlib import Path

import streamlit as st

_STYLES = Path(__file__).with_name("theme.css")

INK = "#C9D1DB"
FAINT = "#7D8794"
GROUND = "#0E1116"
RAISED = "#161B22"
LINE = "#232A34"
ACCENT = "#7FA6C9"

CURVES = ("#7FA6C9", "#D5A34A", "#6FAE8A", "#B48EAD", "#C97B7B", "#8FBCBB")
"""Line colours of charts, in order of use; the colours of findings are kept for findings."""


def apply() -> None:
    """Put the house's style on the page. Call once a run, before anything is drawn."""
    st.html(_STYLES)
