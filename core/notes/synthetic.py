"""Clinical notes made up from label states, for datasets without any. They are marked synthetic wherever they go.

Two modes. A `labels` note names the study's findings, so whoever reads it knows the answer: it is there to show what
leakage looks like. A `symptoms` note names no finding, only complaints that several findings share and that people with
a normal film have too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from core.findings import VOCABULARY, Finding, State

Mode = Literal["labels", "symptoms"]

SYNTHETIC_MARK: Final = "[synthetic note]"
"""How the text of every synthetic note begins."""

_LEAKS: Final = "[tells the labels]"


@dataclass(frozen=True)
class SyntheticNote:
    """A made-up note. `text` begins with SYNTHETIC_MARK, and one that names findings says so right behind it."""

    text: str
    mode: Mode


def synthesize(
    states: Mapping[str, State], mode: Mode, seed: str, vocabulary: Iterable[Finding] = VOCABULARY
) -> SyntheticNote:
    """The note for a study with these states: chief complaint, duration, history, indication.

    The same states, mode and seed give the same note, whatever the order of the states. The seed is best the study's
    dataset and key, so that studies with the same findings have different notes.
    """
    raise NotImplementedError


def mode_of(text: str) -> Mode | None:
    """The mode of a synthetic note; None for text that was not made up here."""
    if not text.startswith(SYNTHETIC_MARK):
        return None
    return "labels" if without_mark(text, leaks=False).startswith(_LEAKS) else "symptoms"


def without_mark(text: str, leaks: bool = True) -> str:
    """The words of a note alone, for an encoder to read; other text as it is."""
    bare = text.removeprefix(SYNTHETIC_MARK).lstrip()
    return bare.removeprefix(_LEAKS).lstrip() if leaks else bare
