"""The screens by name, so that each can lead to the others."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import Page


@dataclass(frozen=True)
class Pages:
    worklist: Page
    review: Page
    reports: Page
    searching: Page
    train: Page
    models: Page
    trying: Page
    insights: Page
    data: Page

    def all(self) -> list[Page]:
        readers = [self.worklist, self.review, self.reports, self.searching]
        return [*readers, self.train, self.models, self.trying, self.insights, self.data]


def keep(pages: Pages) -> None:
    """Make the pages of this run known to the screens."""
    st.session_state["pages"] = pages


def pages() -> Pages:
    known: Pages = st.session_state["pages"]
    return known


def page(show: Callable[[], None], title: str, *, default: bool = False) -> Page:
    return st.Page(show, title=title, url_path=title.lower(), default=default)
