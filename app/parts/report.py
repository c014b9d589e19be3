"""The report beside the film."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from app.parts.part import heard, register

KEY = "review-report"

_mount = register("report")


@dataclass(frozen=True)
class Passage:
    """A sentence that can be asked about. `finding` names what it speaks of, empty where nothing known."""

    index: int
    text: str
    finding: str = ""
    colour: str = ""


@dataclass(frozen=True)
class Section:
    """A section of the report: its sentences, or its plain text where none are to be asked about."""

    name: str
    text: str = ""
    sentences: tuple[Passage, ...] = ()


def report(sections: Sequence[Section], can_ask: bool, asked: int | None) -> None:
    """Show the report. The sentence that was clicked is told by `sentence_clicked`, from the start of the next run."""
    data = {"sections": [asdict(section) for section in sections], "canAsk": can_ask, "asked": asked}
    _mount(key=KEY, data=data, on_ask_change=heard)


def sentence_clicked() -> int | None:
    state = st.session_state.get(KEY)
    index = state.get("ask") if state is not None else None
    return index if isinstance(index, int) else None
