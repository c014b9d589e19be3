"""The report beside the film."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from app.parts.part import heard, register

KEY = "review-report"

_mount = register("report")


@dataclass(frozen=True)
class Passage:
    """A sentence that can be asked about. `finding` names what it speaks of, empty where nothing known; `heard` says
    what the labeler made of it, and `keys` are the findings it heard."""

    index: int
    text: str
    finding: str = ""
    colour: str = ""
    heard: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A section of the report: its sentences, or its plain text where none are to be asked about."""

    name: str
    text: str = ""
    sentences: tuple[Passage, ...] = ()


@dataclass(frozen=True)
class Click:
    """A sentence that was clicked on a study. `id` tells one click from another."""

    study: str
    sentence: int
    id: str


def report(sections: Sequence[Section], *, study: str, can_ask: bool, asked: int | None) -> None:
    """Show the report. The sentence that was clicked last is told by `sentence_clicked`, from the next run on."""
    data = {"sections": [asdict(section) for section in sections], "study": study, "canAsk": can_ask, "asked": asked}
    _mount(key=KEY, data=data, on_ask_change=heard)


def sentence_clicked() -> Click | None:
    state = st.session_state.get(KEY)
    told = state.get("ask") if state is not None else None
    return Click(str(told["study"]), int(told["sentence"]), str(told["click"])) if told else None
