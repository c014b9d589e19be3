"""Driving a screen without a browser: one of them as the first page, and what its parts were given to show."""

import json
from collections.abc import Iterator
from typing import Any

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Element, Node

_SCRIPT = """
import streamlit as st
from app.screens import data, frame, insights, models, reports, review, searching, train, trying, worklist
from app.screens.pages import Pages, keep, page

shows = dict(
    worklist=worklist.show, review=review.show, reports=reports.show, searching=searching.show, train=train.show,
    models=models.show, trying=trying.show, insights=insights.show, data=data.show
)
pages = Pages(**{{name: page(show, name.capitalize(), default=name == "{first}") for name, show in shows.items()}})
keep(pages)
chosen = st.navigation(pages.all(), position="hidden")
with frame.told():
    frame.top(pages, chosen)
    chosen.run()
"""


def screen(first: str, **address: str) -> AppTest:
    """The screen as it stands when its address is opened."""
    at = AppTest.from_string(_SCRIPT.format(first=first), default_timeout=60)
    for name, value in address.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception, at.exception
    return at


def part(at: AppTest, name: str) -> Any:
    """What a part of ours, such as "table" or "mask_editor", was given to show."""
    found = [
        node.proto.json
        for node in _walk(at._tree)
        if node.type == "bidi_component" and node.proto.component_name == f"reading_room_{name}"
    ]
    assert found, f"{name} is not on the screen"
    return json.loads(found[0])


def words(at: AppTest) -> str:
    """Everything that stands on the screen as HTML or as text of Streamlit's own."""
    kinds = ("text", "caption", "markdown", "warning", "error", "html")
    return "\n".join(str(node.value) for kind in kinds for node in at.get(kind) if isinstance(node, Element))


def press(at: AppTest, label: str) -> AppTest:
    """Press the button of this name."""
    next(button for button in at.button if button.label == label).click()
    at.run()
    assert not at.exception, at.exception
    return at


def _walk(block: Block) -> Iterator[Node]:
    for child in block.children.values():
        if isinstance(child, Block):
            yield from _walk(child)
        yield child
