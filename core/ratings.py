"""How a reader judges a report: which of two is better, what is wrong in it and where, and would they sign it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from math import sqrt

from core.errors import ReadingRoomError
from core.passages import Passage

LIKERT = range(1, 6)
"""From 1, not at all, to 5, entirely."""


class BadRating(ReadingRoomError):
    """A judgement that contradicts itself or lacks a part; the message says what to do."""


class ErrorKind(StrEnum):
    """What can be wrong in a report (after Yu et al. 2023, ReXVal)."""

    FALSE_FINDING = "false finding"
    OMISSION = "omission"
    WRONG_LOCATION = "wrong location"
    WRONG_SEVERITY = "wrong severity"
    FALSE_COMPARISON = "false comparison"
    MISSED_COMPARISON = "missed comparison"

    @property
    def has_passage(self) -> bool:
        """What is missing stands nowhere."""
        return self not in (ErrorKind.OMISSION, ErrorKind.MISSED_COMPARISON)


class Severity(IntEnum):
    """How much an error matters to the patient."""

    COSMETIC = 1
    MINOR = 2
    MODERATE = 3
    SERIOUS = 4
    DANGEROUS = 5


@dataclass(frozen=True)
class ReportError:
    """One error in a report. `passage` is where it stands, None for what is missing; `replacement` is what should stand
    there instead. Of a wrong location `stated` and `true` say which region the report names and which it should.

    Raises BadRating.
    """

    kind: ErrorKind
    significant: bool
    severity: Severity
    passage: Passage | None = None
    replacement: str = ""
    stated: str = ""
    true: str = ""

    def __post_init__(self) -> None:
        if self.kind.has_passage and self.passage is None:
            raise BadRating(f"Mark the words that are the {self.kind}, then say what is wrong with them.")
        if not self.kind.has_passage and self.passage is not None:
            raise BadRating(f"A {self.kind} stands nowhere in the report: add it without marking words.")
        if not self.kind.has_passage and not self.replacement.strip():
            raise BadRating("Say what is missing.")
        if self.kind is ErrorKind.WRONG_LOCATION and not (self.stated.strip() and self.true.strip()):
            raise BadRating("Say which location the report states, and which is true.")


@dataclass(frozen=True)
class Quality:
    """`overall` and `would_sign` on the Likert scale, 1 to 5. Raises BadRating."""

    overall: int
    would_sign: int

    def __post_init__(self) -> None:
        if self.overall not in LIKERT or self.would_sign not in LIKERT:
            raise BadRating("Both ratings go from 1, not at all, to 5, entirely.")

    @property
    def is_signable(self) -> bool:
        return self.would_sign >= 4


class Author(StrEnum):
    """Who wrote one of the two reports of a blind pair."""

    MODEL = "model"
    ORIGINAL = "original"


class Preference(StrEnum):
    A = "A"
    B = "B"
    EQUIVALENT = "equivalent"
    NEITHER = "neither"


def order_of(study: int, writing: int, reader: str) -> tuple[Author, Author]:
    """Who wrote A and who wrote B of a blind pair: the same whenever this reader comes back to it, and even over many
    pairs. It is told only once the pair was judged."""
    drawn = hashlib.sha256(f"{study}/{writing}/{reader}".encode()).digest()[0] % 2
    return (Author.MODEL, Author.ORIGINAL) if drawn else (Author.ORIGINAL, Author.MODEL)


def preferred(preference: Preference, order: tuple[Author, Author]) -> Author | None:
    """Whose report was preferred; None where neither was."""
    match preference:
        case Preference.A:
            return order[0]
        case Preference.B:
            return order[1]
        case _:
            return None


@dataclass(frozen=True)
class Rate:
    """A share of `n`, with its 95 % interval (Wilson 1927); all None where nothing was counted."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def rate_of(hits: int, n: int) -> Rate:
    """Raises BadRating where there are more hits than trials."""
    if not 0 <= hits <= n:
        raise BadRating(f"{hits} of {n} is no share.")
    if n == 0:
        return Rate(None, None, None, 0)
    z, share = 1.959963984540054, hits / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z * sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return Rate(share, min(share, max(0.0, middle - reach)), max(share, min(1.0, middle + reach)), n)


def preference_rate(judged: Sequence[Author | None]) -> Rate:
    """How often the model's report was preferred, among the pairs of which one was."""
    decided = [author for author in judged if author is not None]
    return rate_of(sum(author is Author.MODEL for author in decided), len(decided))
