"""The list of findings beside the film."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from app.parts.part import heard, register

KEY = "review-findings"

_mount = register("findings")


@dataclass(frozen=True)
class Offer:
    """A suggestion that waits for an answer. `says` names its model and how sure it is."""

    id: int
    says: str


@dataclass(frozen=True)
class FindingLine:
    """`model` and `report` are short words ("0.91", "present"); `me` is "drawn", "draft" or empty; `by` is who else
    drew the mask that counts."""

    key: str
    name: str
    colour: str
    model: str = ""
    report: str = ""
    me: str = ""
    by: str = ""
    suggestion: Offer | None = None


@dataclass(frozen=True)
class Answer:
    """What the reader said of a suggestion: "accept", "correct" or "reject"."""

    kind: str
    prediction: int
    reason: str = ""


def findings(lines: Sequence[FindingLine], active: str | None, reasons: Sequence[str]) -> None:
    """Show the list. What was chosen is told by `picked` and `answered`, from the start of the next run."""
    data = {"rows": [asdict(line) for line in lines], "active": active, "reasons": list(reasons)}
    _mount(key=KEY, data=data, on_pick_change=heard, on_answer_change=heard)


def picked() -> str | None:
    """The finding whose row was clicked."""
    state = st.session_state.get(KEY)
    key = state.get("pick") if state is not None else None
    return key if isinstance(key, str) else None


def answered() -> Answer | None:
    """What was said of a suggestion."""
    state = st.session_state.get(KEY)
    said = state.get("answer") if state is not None else None
    return Answer(str(said["kind"]), int(said["prediction"]), str(said["reason"])) if said else None
