"""What a model says of each finding, from the film alone and with the context, as a table whose rows can be chosen."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from app.parts.part import heard, register

KEY = "try-opinions"

_mount = register("opinions")


@dataclass(frozen=True)
class Row:
    """A finding with its probabilities. `threshold` None: none could be chosen on validation."""

    key: str
    name: str
    colour: str
    probability: float
    without: float
    threshold: float | None
    present: bool


def opinions(rows: Sequence[Row], has_context: bool, chosen: str) -> None:
    """Show the table. The finding that was chosen is told by `finding_chosen`, from the start of the next run."""
    data = {"rows": [asdict(row) for row in rows], "hasContext": has_context, "chosen": chosen}
    _mount(key=KEY, data=data, on_choose_change=heard)


def finding_chosen() -> str | None:
    state = st.session_state.get(KEY)
    key = state.get("choose") if state is not None else None
    return key if isinstance(key, str) else None
