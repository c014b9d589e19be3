"""Who is searched for among whom. Both protocols are always told, by name:

unique   each study's films look for its text among the distinct texts, and each distinct text for the studies that
         have it
naive    each study's films look for that very study's text among all texts, and each text for that very study: of equal
         texts one is right and the others are wrong, which sets a ceiling (`core.ranking.recall_ceilings`)

Gains are graded by the findings that are present on both (`core.ranking.shared_gains`). What is present by a text that
several studies share is what is present on at least half of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.bootstrap import Values
from core.ranking import (
    Marks,
    Table,
    first_ranks,
    ndcgs,
    random_ndcgs,
    random_ranks,
    random_recalls,
    recall_ceilings,
    recalls,
    shared_gains,
)
from trainers.retrieval.data import Pair
from trainers.retrieval.embedding import Embedded

UNIQUE: Final = ""
NAIVE: Final = "_naive"
"""How the names of a protocol's metrics end."""

I2T: Final = "i2t"
T2I: Final = "t2i"
PLACES: Final = (1, 5, 10)
K: Final = 10
HEADLINE: Final = "recall@10"
GRADED: Final = "graded_ndcg@10"
MEASURES: Final = (*(f"recall@{k}" for k in PLACES), "median_rank", "ndcg@10", GRADED)


@dataclass(frozen=True)
class Direction:
    """Queries and candidates are rows of the pairs. `relevant` and `gains` are (queries, candidates)."""

    name: str
    protocol: str
    queries: NDArray[np.intp]
    candidates: NDArray[np.intp]
    relevant: Marks
    gains: Table
    ceilings: Mapping[int, Values]

    def similarity(self, embedded: Embedded) -> Table:
        one, other = (embedded.studies, embedded.texts)[:: 1 if self.name == I2T else -1]
        return one[self.queries].astype(np.float64) @ other[self.candidates].astype(np.float64).T

    def values(self, embedded: Embedded) -> dict[str, Values]:
        """By measure, of each query; the median rank's are ranks."""
        similarity = self.similarity(embedded)
        told = {f"recall@{k}": recalls(similarity, self.relevant, k) for k in PLACES}
        told["median_rank"] = first_ranks(similarity, self.relevant)
        told["ndcg@10"] = ndcgs(similarity, self.relevant.astype(np.float64), K)
        return told | {GRADED: ndcgs(similarity, self.gains, K)}

    def floors(self) -> dict[str, Values]:
        """What a random order would give."""
        told = {f"recall@{k}": random_recalls(self.relevant, k) for k in PLACES}
        told["median_rank"] = random_ranks(self.relevant)
        told["ndcg@10"] = random_ndcgs(self.relevant.astype(np.float64), K)
        return told | {GRADED: random_ndcgs(self.gains, K)}


@dataclass(frozen=True)
class Protocols:
    """All directions over some pairs; `first` (N,) is the row of the first pair with the same text."""

    directions: tuple[Direction, ...]
    first: NDArray[np.intp]

    @classmethod
    def of(cls, pairs: Sequence[Pair], present: Marks) -> "Protocols":
        """`present` (N, F)."""
        wordings = [pair.wording for pair in pairs]
        known: dict[str, int] = {}
        first = np.array([known.setdefault(text, row) for row, text in enumerate(wordings)], dtype=np.intp)
        every, distinct = np.arange(len(pairs)), np.unique(first)
        shares = first[None, :] == distinct[:, None]
        said = (shares.astype(np.float64) @ present) / shares.sum(axis=1, keepdims=True) >= 0.5
        own, ceilings = np.eye(len(pairs), dtype=np.bool_), {k: recall_ceilings(wordings, k) for k in PLACES}
        gains, of_texts = shared_gains(present, present), shared_gains(said, present)
        return cls(
            (
                Direction(I2T, UNIQUE, every, distinct, shares.T, of_texts.T, {}),
                Direction(T2I, UNIQUE, distinct, every, shares, of_texts, {}),
                Direction(I2T, NAIVE, every, every, own, gains, ceilings),
                Direction(T2I, NAIVE, every, every, own, gains, ceilings),
            ),
            first,
        )

    @property
    def texts(self) -> int:
        """How many distinct ones there are."""
        return len(np.unique(self.first))

    def by_study(self, embedded: Embedded, measure: str) -> Values:
        """(N,): the mean of both directions over the unique texts; a text that several share is asked for once, by the
        first of them."""
        told = np.full((2, len(self.first)), np.nan)
        for row, direction in enumerate(one for one in self.directions if one.protocol == UNIQUE):
            told[row, direction.queries] = direction.values(embedded)[measure]
        counted = ~np.isnan(told)
        amounts = counted.sum(axis=0)
        found: Values = np.where(counted, told, 0).sum(axis=0) / np.where(amounts > 0, amounts, np.nan)
        return found

    def headlines(self, embedded: Embedded) -> dict[str, float]:
        """What a training watches; what cannot be told is left out."""
        means = {name: self.by_study(embedded, name) for name in (HEADLINE, GRADED)}
        return {name: float(np.nanmean(values)) for name, values in means.items() if not np.isnan(values).all()}
