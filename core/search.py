"""Searching by meaning: what is asked, among which studies, what is found, and where in a row of vectors it lies.

Films and texts that a retrieval model has embedded are compared by their cosine, in [-1, 1]. Vectors of one model say
nothing to those of another, so all that is found carries the model that found it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from core.annotations import AskState
from core.errors import ReadingRoomError
from core.reports import parse_sections
from core.studies import Split, View

MOST_HITS = 60
MOST_WORDS = 2_000
USUAL = 1.0
"""A film whose strangeness is beyond this is unlike all that the model learned from."""

Vectors = NDArray[np.float32]
Allowed = NDArray[np.bool_]


class EmptyQuery(ReadingRoomError):
    def __init__(self) -> None:
        super().__init__("There is nothing to search for. Write a few words, paste a report or drop a film.")


class NothingLeft(ReadingRoomError):
    """Filters that no study passes."""

    def __init__(self) -> None:
        super().__init__("No searchable study passes these filters. Loosen one of them.")


class NothingEmbedded(ReadingRoomError):
    """A study is asked about of which the model could read no film."""

    def __init__(self, key: str) -> None:
        super().__init__(f"Study {key} has no film that the model could read, so nothing is like it.")


class NoIndexYet(ReadingRoomError):
    def __init__(self) -> None:
        super().__init__(
            "The studies cannot be searched yet. Put a retrieval model in use on the Models screen, or, where one is, "
            "run `python -m app index`."
        )


class Asked(StrEnum):
    TEXT = "text"
    FILM = "film"
    STUDY = "study"


@dataclass(frozen=True)
class SearchFilter:
    """Which studies are searched: those of a dataset, with a finding that is present by their effective label, with a
    film of a view (by which alone they are then compared), or of a split."""

    dataset: str | None = None
    finding: str | None = None
    view: View | None = None
    split: Split | None = None


@dataclass(frozen=True)
class NewSearch:
    """What is asked: a `text`, a dropped film by its `place` and `sha`, or a study by its number, whose own patient is
    then left out."""

    kind: Asked
    filter: SearchFilter = SearchFilter()
    limit: int = 12
    text: str = ""
    place: str = ""
    sha: str = ""
    view: View = View.UNKNOWN
    study: int | None = None


@dataclass(frozen=True)
class Hit:
    """A study that was found. `similarity` is the cosine. `image` is the film that it is shown by. `map` is how much
    each place of that film answered, rows of 0 to 255, () where nothing tells. `sentence` is the one of its report that
    comes nearest to the words asked."""

    study: int
    image: int
    similarity: float
    map: tuple[tuple[int, ...], ...] = ()
    sentence: str = ""


@dataclass(frozen=True)
class Search:
    """A question and what became of it: `hits`, the nearest first, or `answer`, which says why there are none.

    `model` found them among `searched` studies. `remarks` are what a person should know of the answer.
    """

    id: int
    asked: NewSearch
    state: AskState
    asked_at: datetime
    model: str = ""
    searched: int = 0
    hits: tuple[Hit, ...] = ()
    remarks: tuple[str, ...] = ()
    answer: str | None = None


class Found(NamedTuple):
    """The nearest rows of an index for Q queries, (Q, k), the nearest first, and their cosines (Q, k); row -1 and
    cosine -inf where there are fewer."""

    rows: NDArray[np.int64]
    similarities: NDArray[np.float32]


class Index(Protocol):
    """Rows of unit vectors that can be searched."""

    def __len__(self) -> int: ...

    def search(self, queries: Vectors, k: int, allowed: Allowed | None = None) -> Found:
        """The k nearest of the rows that are `allowed` (N,); of all where that is None."""


def as_query(text: str) -> tuple[str, bool]:
    """The words as they are searched for, and whether the end was left out. Of a report with headings those of findings
    and impression: why a film was taken is not what it shows. Raises EmptyQuery."""
    plain = text.replace("\0", " ")
    words = (parse_sections(plain).narrative or plain).split()
    if not any(sign.isalnum() for word in words for sign in word):
        raise EmptyQuery
    return " ".join(words[:MOST_WORDS]), len(words) > MOST_WORDS


def merged(parts: Sequence[Found], k: int) -> Found:
    """The k nearest of what was found in several indexes, by rows that mean the same in all."""
    rows = np.concatenate([part.rows for part in parts], axis=1)
    similarities = np.concatenate([part.similarities for part in parts], axis=1)
    order = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
    return Found(np.take_along_axis(rows, order, axis=1), np.take_along_axis(similarities, order, axis=1))
