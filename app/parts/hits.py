"""Studies that were found: a grid of films, and over each, while the pointer is on it, what on it answered."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from app.parts.part import heard, register

_mount = register("hits")


@dataclass(frozen=True)
class Chip:
    """A finding: its name, what is said of it ("+", "?"), whose word that is, and the finding's colour."""

    name: str
    sign: str
    source: str
    colour: str


@dataclass(frozen=True)
class Card:
    """One study that was found. `film` is an address, `shape` the film's width over its height, `map` rows of 0 to 255
    over the whole film; all else is plain text."""

    id: int
    href: str
    film: str
    shape: float
    map: tuple[tuple[int, ...], ...]
    title: str
    detail: str
    chips: tuple[Chip, ...]
    line: str
    nearness: str


def hits(cards: Sequence[Card], *, key: str, is_narrow: bool = False) -> int | None:
    """Show what was found, the nearest first; gives the number of the study that was opened in this run, if one was."""
    data = {"cards": [asdict(card) for card in cards], "narrow": is_narrow}
    result = _mount(key=key, data=data, on_open_change=heard)
    opened = result.get("open")
    return opened if isinstance(opened, int) else None
