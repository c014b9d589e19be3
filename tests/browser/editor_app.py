"""Served by `streamlit run` in the editor's browser tests: the page beside the stand-in routes."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

import streamlit as st  # noqa: E402
from editor_backend import ROUTES  # noqa: E402

app = st.App("editor_page.py", routes=ROUTES)
