"""Waiting for a model's answer: the browser looks whether it is there, and the page is drawn anew once it is.

A fragment that runs by itself would do with less code, but a person loses clicks over it: what it sends while a click
on another page is under way brings the old page back.
"""

from dataclasses import asdict, dataclass
from time import monotonic

from app.parts.part import heard, register

_mount = register("waiting")


@dataclass(frozen=True)
class Words:
    """What is said meanwhile: at first, after `patience` seconds, and while no model is awake."""

    first: str
    late: str
    asleep: str = "No model is awake to answer. Start the workstation with make app, which wakes it."
    patience: float = 20.0


@dataclass(frozen=True)
class Asking:
    """A question about one study, its number, and when it was asked on the monotonic clock."""

    study: int
    number: int
    at: float


def waiting(address: str, since: float, words: Words, *, is_awake: bool, key: str, most: float | None = None) -> None:
    """Say that an answer is awaited, `since` when on the monotonic clock, and draw the page anew when `address` says
    that it waits no longer, or after `most` seconds.

    The page looks by itself what became of its question: this tells it only when to."""
    data = {
        "address": address,
        "waited": max(0.0, monotonic() - since),
        "words": asdict(words),
        "awake": is_awake,
        "most": most,
    }
    _mount(key=key, data=data, on_over_change=heard)
