"""Who sits at this screen, and what they carry from one screen to the next."""

import secrets
import time
from urllib.parse import unquote

import streamlit as st

from app.house import House, local_reader, open_house
from app.parts.presence import COOKIE
from app.security import issue_token
from app.services import worklist

FRESH_SECONDS = 3600
"""A page's token is renewed after this long, well before the server stops taking it."""


def house() -> House:
    return open_house()


def reader() -> str:
    """The reader at this screen: whom they chose here, or last time in this browser, or the system's user."""
    if "reader" not in st.session_state:
        remembered = unquote(st.context.cookies.get(COOKIE, ""))
        known = remembered in worklist.reader_names(house())
        st.session_state["reader"] = remembered if known else local_reader()
    name: str = st.session_state["reader"]
    return name


def switch_reader(name: str) -> None:
    st.session_state["reader"] = name


def token() -> str:
    """The signed word by which this page may save for its reader."""
    name = reader()
    kept = st.session_state.get("token")
    if kept is None or kept[0] != name or time.monotonic() - kept[2] > FRESH_SECONDS:
        session = st.session_state.setdefault("session", secrets.token_hex(8))
        kept = (name, issue_token(house().workspace, name, session), time.monotonic())
        st.session_state["token"] = kept
    word: str = kept[1]
    return word
