"""Clinical notes made up from label states, for datasets without any. They are marked synthetic wherever they go.

Two modes. A `labels` note names the study's findings, so whoever reads it knows the answer: it is there to show what
leakage looks like. A `symptoms` note names no finding, only complaints that several findings share and that people with
a normal film have too.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from core.findings import NO_FINDING, VOCABULARY, Finding, State, by_key
from core.notes.names import naming
from core.notes.phrases import DURATIONS, GENERAL, GROUP_OF, GROUPS, INDICATIONS, NO_COMPLAINT

Mode = Literal["labels", "symptoms"]

SYNTHETIC_MARK: Final = "[synthetic note]"
"""How the text of every synthetic note begins."""

_LEAKS: Final = "[tells the labels]"

_LEANING: Final = 0.5
"""How often a complaint or a history is drawn from what leans towards a finding, not from what all people have."""

_UNCERTAIN_COUNTS: Final = 0.5
_SECOND_COMPLAINT: Final = 0.35


@dataclass(frozen=True)
class SyntheticNote:
    """A made-up note. `text` begins with SYNTHETIC_MARK, and one that names findings says so right behind it."""

    text: str
    mode: Mode


def synthesize(
    states: Mapping[str, State], mode: Mode, seed: str, vocabulary: Iterable[Finding] = VOCABULARY
) -> SyntheticNote:
    """The note for a study with these states: chief complaint, duration, history, indication.

    The same states and seed give the same note, whatever the order of the states; the two modes differ in the
    indication alone. The seed is best the study's dataset and key, so that studies with the same findings have other
    notes. `vocabulary` is the project's: its names for findings tell a `labels` note what to say, and no phrase is
    drawn in which one of them, or of the states', occurs.
    """
    words = by_key(vocabulary)
    chance = Random(seed)  # noqa: S311
    teller = _Teller(chance, _leanings(states, chance), naming(words.values(), states.keys() - words.keys()))
    complaint, history, reason = teller.complaint(), teller.history(), teller.one(INDICATIONS)
    duration = "" if complaint.startswith(NO_COMPLAINT) else teller.one(DURATIONS)
    if mode == "labels":
        reason = _told(states, words)
    parts = (("Chief complaint", complaint), ("Duration", duration), ("History", history), ("Indication", reason))
    body = " ".join(f"{title}: {said}." for title, said in parts if said)
    marks = f"{SYNTHETIC_MARK} {_LEAKS}" if mode == "labels" else SYNTHETIC_MARK
    return SyntheticNote(f"{marks} {body}".strip(), mode)


def mode_of(text: str) -> Mode | None:
    """The mode of a synthetic note; None for text that was not made up here."""
    if not text.startswith(SYNTHETIC_MARK):
        return None
    return "labels" if text.removeprefix(SYNTHETIC_MARK).lstrip().startswith(_LEAKS) else "symptoms"


def without_mark(text: str) -> str:
    """The words of a note alone, for an encoder to read; text that was not made up here as it is."""
    if mode_of(text) is None:
        return text
    return text.removeprefix(SYNTHETIC_MARK).lstrip().removeprefix(_LEAKS).lstrip()


@dataclass(frozen=True)
class _Teller:
    """Draws phrases; `leanings` are the groups of the findings that the study has."""

    chance: Random
    leanings: Sequence[str]
    unsayable: re.Pattern[str]

    def complaint(self) -> str:
        first = self._lean([GROUPS[group].complaints for group in self.leanings], GENERAL.complaints)
        second = self.one(GENERAL.complaints)
        has_second = self.chance.random() < _SECOND_COMPLAINT and second not in first
        if has_second and not any(each.startswith(NO_COMPLAINT) for each in (first, second)):
            return f"{first}, {second}".removeprefix(", ")
        return first

    def history(self) -> str:
        return self._lean([GROUPS[group].history for group in self.leanings], GENERAL.history)

    def one(self, phrases: Sequence[str]) -> str:
        """One of the phrases that may be said; "" when none may."""
        sayable = [phrase for phrase in phrases if not self.unsayable.search(phrase)]
        return self.chance.choice(sayable) if sayable else ""

    def _lean(self, leaning: Sequence[Sequence[str]], general: Sequence[str]) -> str:
        leans = self.chance.random() < _LEANING
        return self.one(self.chance.choice(leaning)) if leaning and leans else self.one(general)


def _leanings(states: Mapping[str, State], chance: Random) -> list[str]:
    """The groups that speak: of every finding present, and of some that are uncertain."""
    speaks = {State.PRESENT: 1.0, State.UNCERTAIN: _UNCERTAIN_COUNTS}
    speaking = [key for key, state in sorted(states.items()) if chance.random() < speaks.get(state, 0.0)]
    return [GROUP_OF[key] for key in speaking if key in GROUP_OF]


def _told(states: Mapping[str, State], words: Mapping[str, Finding]) -> str:
    """The study's findings by name."""
    named = {key: words[key].name.lower() if key in words else key.replace("_", " ") for key in sorted(states)}
    present = [named[key] for key, state in sorted(states.items()) if state is State.PRESENT and key != NO_FINDING]
    uncertain = [f"possible {named[key]}" for key, state in sorted(states.items()) if state is State.UNCERTAIN]
    return ", ".join((*present, *uncertain)) or "no abnormality is known"
