"""A passage of a text that is pinned: where it stands after the text was edited.

What was pinned is never lost. A passage whose words are all still there, one behind the other, is kept or has moved
with them; one whose words were edited is stale, and stands where its words stood, so that whoever pinned it can look
again.
"""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from core.errors import ReadingRoomError


class BadPassage(ReadingRoomError):
    """A passage that does not lie in its text."""

    def __init__(self) -> None:
        super().__init__("This passage does not lie in the text. Reload the report and mark it again.")


class Standing(StrEnum):
    """What became of a passage: its words stand where they stood, stand elsewhere, or are no longer all there."""

    KEPT = "kept"
    MOVED = "moved"
    STALE = "stale"


@dataclass(frozen=True)
class Passage:
    """text[start:end] of a section, and its words as they were when it was pinned."""

    section: str
    start: int
    end: int
    words: str

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise BadPassage

    @classmethod
    def of(cls, section: str, text: str, start: int, end: int) -> "Passage":
        """Raises BadPassage where it is empty or not within the text."""
        if not 0 <= start < end <= len(text):
            raise BadPassage
        return cls(section, start, end, text[start:end])

    def overlaps(self, other: "Passage") -> bool:
        return self.section == other.section and self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Followed:
    passage: Passage
    standing: Standing


def follow(passage: Passage, before: str, after: str) -> Followed:
    """Where a passage of `before` stands in `after`, the same section edited. Raises BadPassage."""
    if passage.end > len(before):
        raise BadPassage
    if before == after:
        return _standing(passage, passage.start, passage.end, after)
    starts, ends = _places(before, after)
    start, end = starts[passage.start], max(starts[passage.start], ends[passage.end])
    return _standing(passage, start, end, after)


def _standing(passage: Passage, start: int, end: int, after: str) -> Followed:
    """The words as they were when the passage was pinned stay with it: they tell what a stale one was about."""
    there = Passage(passage.section, start, end, passage.words)
    if after[start:end] != passage.words:
        return Followed(there, Standing.STALE)
    return Followed(there, Standing.KEPT if start == passage.start else Standing.MOVED)


def _places(before: str, after: str) -> tuple[list[int], list[int]]:
    """For each place between two characters of `before` (len + 1) where it is in `after`: as a beginning, before what
    was put in there, and as an end, behind nothing that was."""
    starts, ends = [0] * (len(before) + 1), [0] * (len(before) + 1)
    starts[-1] = len(after)
    ours, theirs = _pieces(before), _pieces(after)
    offsets, others = _offsets(ours), _offsets(theirs)
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        low, high, there, until = offsets[i1], offsets[i2], others[j1], others[j2]
        for place in range(low, high):
            starts[place] = there + (place - low) if kind == "equal" else there
            ends[place + 1] = there + (place + 1 - low) if kind == "equal" else until
    return starts, ends


def _pieces(text: str) -> list[str]:
    """Words, and each other character by itself: edits are compared by these."""
    return re.findall(r"\w+|\W", text)


def _offsets(pieces: list[str]) -> list[int]:
    found = [0]
    for piece in pieces:
        found.append(found[-1] + len(piece))
    return found
