"""Which part of which film a sentence of a report speaks of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import ReadingRoomError
from core.findings import State
from core.writing import SECTIONS, WrittenSentence


class BadGrounding(ReadingRoomError):
    """A link between a sentence and a place that cannot be."""


@dataclass(frozen=True)
class Patch:
    """A box on the film with these pixels (`film`, its hash): edges as fractions of the film's width and height.

    Raises BadGrounding."""

    film: str
    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise BadGrounding("This box does not lie on the film. Draw it again.")


@dataclass(frozen=True)
class Grounding:
    """A sentence, by section and place in it, with what it speaks of: boxes, and masks by their hash. No box and no
    mask says that it speaks of no place.

    Raises BadGrounding."""

    section: str
    sentence: int
    patches: tuple[Patch, ...] = ()
    masks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.section not in SECTIONS or self.sentence < 0:
            raise BadGrounding("This sentence is not in the report. Reload it and link again.")
        if len(self.patches) > 50 or len(self.masks) > 50:
            raise BadGrounding("A sentence is linked to fifty places at most.")


@dataclass(frozen=True)
class Loose:
    """What is left to link: sentences, by section and place, that find something present and speak of no place; and
    masks of findings, by hash, of which no sentence speaks."""

    sentences: tuple[tuple[str, int], ...]
    masks: tuple[str, ...]


def loose_ends(
    groundings: Sequence[Grounding], sentences: Sequence[WrittenSentence], findings: Sequence[str], masks: Sequence[str]
) -> Loose:
    """`findings` are what a sentence can find: an anatomy that is named needs no place. `masks` are the study's."""
    linked = {(each.section, each.sentence) for each in groundings if each.patches or each.masks}
    spoken = {mask for each in groundings for mask in each.masks}
    positive = [
        place
        for place, sentence in placed(sentences)
        if any(state is State.PRESENT and finding in findings for finding, state in sentence.heard)
    ]
    return Loose(
        tuple(place for place in positive if place not in linked),
        tuple(mask for mask in dict.fromkeys(masks) if mask not in spoken),
    )


def placed(sentences: Sequence[WrittenSentence]) -> list[tuple[tuple[str, int], WrittenSentence]]:
    """Each sentence with its section and its place in it."""
    found, counts = [], dict.fromkeys(SECTIONS, 0)
    for sentence in sentences:
        found.append(((sentence.section, counts[sentence.section]), sentence))
        counts[sentence.section] += 1
    return found


def grounding_of(told: Mapping[str, Any]) -> Grounding:
    """What JSON says. Raises BadGrounding, KeyError, TypeError, ValueError."""
    return Grounding(
        str(told["section"]),
        _whole(told["sentence"]),
        tuple(
            Patch(str(each["film"]), *(float(each[edge]) for edge in ("left", "top", "right", "bottom")))
            for each in told["patches"]
        ),
        tuple(str(mask) for mask in told["masks"]),
    )


def _whole(told: object) -> int:
    if not isinstance(told, int) or isinstance(told, bool):
        raise TypeError
    return told
