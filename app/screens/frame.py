"""What every screen stands in: the row at the top, and the one place where a refusal becomes a sentence."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.navigation.page import Page

from app.parts.keycard import keycard
from app.parts.presence import presence
from app.screens import session
from app.screens.pages import Pages
from app.services import worklist
from core.errors import ReadingRoomError
from core.registry import RESEARCH_ONLY

_KEYS = {
    "↓ ↑": "Walk through the studies",
    "Enter": "Open the study in the row",
    "N": "Open the study that the queue offers next",
    "Page down": "Later studies",
    "Page up": "Earlier studies",
    "?": "This card",
}
_KEYS_TRY = {
    "↓ ↑": "Another finding, once one was clicked",
    "H": "Held, hides where the model looked",
    "Esc": "Close a dialog",
    "?": "This card",
}
_KEYS_SEARCH = {
    "← → ↑ ↓": "Walk through what was found; down from the box",
    "Enter": "Open the study; in the box, search",
    "M": "Held, shows on all films what answered",
    "/": "Back to the box",
    "?": "This card",
}
_KEYS_REPORTS = {
    "1 … 5": "How good the report is as a whole",
    "Shift 1 … 5": "Whether you would sign it",
    "G": "Clean: 5 and 5",
    "O": "Something is left out",
    "Enter": "Submit, and on to the next",
    "N": "The next draft that you have not judged",
    "Esc": "Close the card, leave a sentence as it was, or let go of one that is being linked",
    "A B E X": "Of a blind pair: A, B, equivalent, neither",
    "?": "This card",
}
_KEYS_ELSEWHERE = {"Tab": "The next control", "Enter": "Press it", "Esc": "Close a dialog", "?": "This card"}


def top(pages: Pages, here: Page) -> None:
    """The row at the top: the reader's screens, the engineer's, the data's; then who reads here."""
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key="rr-top", wrap=False, horizontal_alignment="left"
    ):
        readers = (pages.worklist, pages.review, pages.reports, pages.searching)
        engineers = (pages.train, pages.models, pages.trying, pages.insights)
        for group in (readers, engineers, (pages.data,)):
            for page in group:
                if page == here:
                    with st.container(key="rr-here", width="content"):
                        st.page_link(page)
                else:
                    st.page_link(page)
            if group != (pages.data,):
                st.html('<span class="rr-rule"></span>', width="content")
        st.space("stretch")
        st.html(f'<span class="rr-research">{RESEARCH_ONLY}</span>', width="content")
        _reader()
        with st.container(width="content"):
            keys = {
                pages.worklist: _KEYS,
                pages.trying: _KEYS_TRY,
                pages.searching: _KEYS_SEARCH,
                pages.reports: _KEYS_REPORTS,
            }
            keycard(keys.get(here, _KEYS_ELSEWHERE), is_editors=here == pages.review)
        with st.container(width="content"):
            presence(session.reader())


@contextmanager
def told() -> Iterator[None]:
    """Say a refusal of ours as a sentence in place of what could not be drawn."""
    try:
        yield
    except ReadingRoomError as refusal:
        problem(str(refusal))


def problem(sentence: str) -> None:
    """Something went wrong, or was refused."""
    _notice("problem", sentence)


def caution(sentence: str) -> None:
    """Something that the person should know before going on."""
    _notice("caution", sentence)


def _notice(kind: str, sentence: str) -> None:
    # Not st.error and st.warning: those read Markdown, and a sentence may quote what came from outside.
    st.html(f'<div class="rr-notice {kind}" role="alert">{escaped(sentence)}</div>')


def plain(text: str) -> str:
    """Text from outside, standing for itself where Streamlit reads Markdown: in labels and passing notices."""
    return re.sub(r"([\\`*_{}\[\]<>()#+\-!|~$:^=@.&/])", r"\\\1", text)


def escaped(text: str) -> str:
    """Text from outside, safe between tags of ours. For attributes, see `quoted`."""
    return html.escape(text, quote=False)


def quoted(text: str) -> str:
    """Text from outside, safe as the value of an attribute."""
    return html.escape(text)


def empty(heading: str, advice: str) -> None:
    """A screen with nothing to show says what to do next."""
    st.html('<div class="rr-empty"><strong></strong></div>')
    with st.container(horizontal_alignment="center"):
        st.text(heading, width="content")
        st.caption(advice, width="content", text_alignment="center")


def _reader() -> None:
    name = session.reader()
    with st.popover(plain(name), type="tertiary", help="Who reads here", key="rr-reader"):
        names = sorted({name, *worklist.reader_names(session.house())} - {"import"})
        chosen = st.radio(
            "Who reads at this workstation?", names, names.index(name), format_func=plain, key=f"reader-{name}"
        )
        if chosen != name:
            session.switch_reader(chosen)
            st.rerun()
        with st.form("add-reader", clear_on_submit=True, border=False):
            new = st.text_input("Another reader", placeholder="Name", label_visibility="collapsed")
            if st.form_submit_button("Add and switch") and new.strip():
                with told():
                    session.switch_reader(worklist.add_reader(session.house(), new))
                    st.rerun()
