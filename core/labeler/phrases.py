"""The language that rules are written in: phrases, found in a sentence wherever their words stand in that order.

pleural effusion          these words; a plural counts too ("effusions", "opacities", "masses")
atelecta*                 any word that begins so
heart|cardiac             either word
pleural? effusion         the word may be missing
heart ... enlarged        up to six words between, and no comma
heart ..., normal         up to six words between, commas among them
{heart} ... enlarged      any of the names listed under `heart` in the table `names`
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from core.errors import ReadingRoomError
from core.labeler.words import Pause, Words

GAP_WORDS: Final = 6
"""How many words "..." may stand for."""

_GAPS: Final[Mapping[str, Pause]] = {"...": Pause.NONE, "...,": Pause.COMMA}
"""The longest pause that each kind of gap may have in it."""

STEM: Final = 3
"""The shortest beginning of a word that a phrase may have ("haz*")."""

_WORD: Final = re.compile(r"[^\W_]+(?:\.\d+)?")


class BadPhrase(ReadingRoomError):
    """A phrase that cannot be read."""

    def __init__(self, phrase: str, why: str) -> None:
        super().__init__(f'"{phrase}" is no phrase that the labeler can read: {why}.')
        self.phrase = phrase


@dataclass(frozen=True)
class Word:
    """One place in a phrase: the words that may stand there, and the beginnings of words that may."""

    forms: frozenset[str]
    beginnings: tuple[str, ...] = ()

    def fits(self, word: str) -> bool:
        return word in self.forms or (bool(self.beginnings) and word.startswith(self.beginnings))


Wording = tuple[Word, ...]


class Run:
    """The part of a phrase between two gaps: one or more wordings, filed by their first word.

    `pause` is the longest that the gap before the run may have in it.
    """

    def __init__(self, wordings: Iterable[Wording], pause: Pause) -> None:
        self.pause = pause
        self.wordings = tuple(dict.fromkeys(wordings))
        self._loose = tuple(wording for wording in self.wordings if wording[0].beginnings)
        self._by_word: dict[str, list[Wording]] = {}
        for wording in self.wordings:
            for form in wording[0].forms if not wording[0].beginnings else ():
                self._by_word.setdefault(form, []).append(wording)

    def ends(self, sentence: Words, at: int) -> Iterator[int]:
        """The words before which the run ends if it begins at one."""
        word = sentence.words[at]
        for wording in (*self._by_word.get(word, ()), *self._loose):
            end = at + len(wording)
            if wording[0].fits(word) and end <= len(sentence.words) and _goes_on(wording, sentence, at):
                yield end


def _goes_on(wording: Wording, sentence: Words, at: int) -> bool:
    for offset in range(1, len(wording)):
        if not wording[offset].fits(sentence.words[at + offset]) or sentence.pauses[at + offset] is not Pause.NONE:
            return False
    return True


@dataclass(frozen=True)
class Phrase:
    """A phrase as read: runs of words, with a gap between each two."""

    text: str
    runs: tuple[Run, ...]

    @property
    def openings(self) -> Iterator[Word]:
        return (wording[0] for wording in self.runs[0].wordings)


@dataclass(frozen=True)
class Found:
    """Where a phrase stands in a sentence: words start to end, without those in its gaps."""

    start: int
    end: int
    gaps: tuple[tuple[int, int], ...] = ()

    @property
    def slack(self) -> int:
        return sum(end - start for start, end in self.gaps)

    @property
    def length(self) -> int:
        return self.end - self.start

    def overlaps(self, other: "Found") -> bool:
        return self.start < other.end and other.start < self.end

    def equals(self, other: "Found") -> bool:
        """Whether two readings take the same words, as many of them in gaps."""
        return (self.start, self.end, self.slack) == (other.start, other.end, other.slack)

    def covers(self, other: "Found") -> bool:
        return self.start <= other.start and other.end <= self.end


def read_phrase(text: str, names: Mapping[str, Sequence[str]]) -> Phrase:
    """Raises BadPhrase."""
    pieces = text.lower().split()
    if not pieces:
        raise BadPhrase(text, "it has no words")
    runs: list[list[str]] = [[]]
    pauses = [Pause.NONE]
    for piece in pieces:
        if piece in _GAPS:
            runs.append([])
            pauses.append(_GAPS[piece])
        else:
            runs[-1].append(piece)
    if not all(runs):
        raise BadPhrase(text, "a gap needs words before and after it")
    read = [tuple(_wordings(run, text, names)) for run in runs]
    if not all(wordings and all(wordings) for wordings in read):
        raise BadPhrase(text, "on each side of a gap a word has to stand without a question mark")
    return Phrase(text, tuple(Run(wordings, pause) for wordings, pause in zip(read, pauses, strict=True)))


def find(phrase: Phrase, sentence: Words, start: int) -> Found | None:
    """The reading of the phrase that begins with this word, with the fewest words in its gaps, then the longest."""
    return _find(phrase.runs, sentence, start, start, ())


def _find(
    runs: tuple[Run, ...], sentence: Words, first: int, at: int, gaps: tuple[tuple[int, int], ...]
) -> Found | None:
    best: Found | None = None
    for end in runs[0].ends(sentence, at):
        found = _after_gap(runs[1:], sentence, first, end, gaps) if len(runs) > 1 else Found(first, end, gaps)
        if found and (best is None or (found.slack, -found.length) < (best.slack, -best.length)):
            best = found
    return best


def _after_gap(
    runs: tuple[Run, ...], sentence: Words, first: int, end: int, gaps: tuple[tuple[int, int], ...]
) -> Found | None:
    for at in range(end, min(end + GAP_WORDS + 1, len(sentence.words))):
        if sentence.pauses[at] > runs[0].pause:
            return None
        found = _find(runs, sentence, first, at, (*gaps, (end, at)))
        if found:
            return found
    return None


def _wordings(run: Iterable[str], text: str, names: Mapping[str, Sequence[str]]) -> Iterator[Wording]:
    for choice in product(*(_choices(piece, text, names) for piece in run)):
        yield tuple(word for words in choice for word in words)


def _choices(piece: str, text: str, names: Mapping[str, Sequence[str]]) -> list[Wording]:
    """What may stand for one piece of a phrase; an empty wording where it may be missing."""
    bare = piece.removesuffix("?")
    wordings: list[Wording] = [()] if bare != piece else []
    words: list[str] = []
    for part in bare.split("|"):
        if part.startswith("{") and part.endswith("}"):
            if part[1:-1] not in names:
                raise BadPhrase(text, f'no list "{part[1:-1]}" stands in the table names')
            wordings += (tuple(_word([word], text) for word in listed.lower().split()) for listed in names[part[1:-1]])
        else:
            words.append(part)
    return [*wordings, (_word(words, text),)] if words else wordings


def _word(parts: Iterable[str], text: str) -> Word:
    forms: set[str] = set()
    beginnings: list[str] = []
    for part in parts:
        stem = part.removesuffix("*")
        if not _WORD.fullmatch(stem):
            raise BadPhrase(text, f'"{part}" is no word; only letters, digits, | * ? {{}} and ... mean something')
        if stem != part and len(stem) < STEM:
            raise BadPhrase(text, f'"{part}" would fit too much; give at least {STEM} letters before the *')
        if stem != part:
            beginnings.append(stem)
        else:
            forms |= {stem, *_plurals(stem)}
    return Word(frozenset(forms), tuple(beginnings))


def _plurals(word: str) -> tuple[str, ...]:
    return (f"{word}s", f"{word}es", f"{word[:-1]}ies" if word.endswith("y") else f"{word}s")
