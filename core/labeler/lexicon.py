"""Every phrase of the rules, ready to be looked for in a sentence in one pass."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from core.labeler.phrases import STEM, Found, Phrase, find
from core.labeler.words import Words


@dataclass(frozen=True)
class Entry:
    """A phrase and what it means; of a finding's phrases, which finding."""

    phrase: Phrase
    meaning: StrEnum
    finding: str = ""


@dataclass(frozen=True)
class Hit:
    """A phrase of the rules found in a sentence."""

    place: Found
    meaning: StrEnum
    finding: str


class Lexicon:
    def __init__(self, entries: Iterable[Entry]) -> None:
        self._by_word: dict[str, list[Entry]] = {}
        self._by_stem: dict[str, list[Entry]] = {}
        for entry in entries:
            openings = tuple(entry.phrase.openings)
            for word in dict.fromkeys(word for opening in openings for word in sorted(opening.forms)):
                self._by_word.setdefault(word, []).append(entry)
            for stem in dict.fromkeys(beginning[:STEM] for opening in openings for beginning in opening.beginnings):
                self._by_stem.setdefault(stem, []).append(entry)

    def hits(self, sentence: Words) -> Iterator[Hit]:
        """Everything that the rules know of in a sentence, overlaps and all, in the order of the words."""
        for start, word in enumerate(sentence.words):
            for entry in (*self._by_word.get(word, ()), *self._by_stem.get(word[:STEM], ())):
                place = find(entry.phrase, sentence, start)
                if place is not None:
                    yield Hit(place, entry.meaning, entry.finding)
