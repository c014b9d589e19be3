"""Served by `streamlit run` in the editor's browser tests: the page beside the stand-in routes."""

import streamlit as st

from tests.browser.editor_backend import ROUTES

app = st.App("editor_page.py", routes=ROUTES)
