"""The line above the film."""

from collections.abc import Sequence

import streamlit as st

from app.parts.part import heard, register
from core.reviews import ReviewState

KEY = "review-bar"

_mount = register("bar")


def bar(study: str, patient: str, facts: Sequence[str], why: str, state: ReviewState) -> None:
    """Show the line over a study, named as the editor names it. What was pressed is told by `pressed`, from the start
    of the next run."""
    steps = [ReviewState.UNREAD, ReviewState.DRAFT, ReviewState.SUBMITTED]
    if state is ReviewState.RETURNED:
        steps[0] = ReviewState.RETURNED
    data = {
        "study": study,
        "patient": patient,
        "facts": list(facts),
        "why": why,
        "steps": steps,
        "state": state,
        "isSubmitted": state is ReviewState.SUBMITTED,
    }
    _mount(key=KEY, data=data, on_action_change=heard)


def pressed() -> str | None:
    """The button that no editor acted on: "submit", "next" or "previous"; None when there is none."""
    state = st.session_state.get(KEY)
    action = state.get("action") if state is not None else None
    return action if isinstance(action, str) else None
