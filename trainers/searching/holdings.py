"""The rows that are searched, in memory: those that were there when the index was made, and those that came since."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.search import Allowed, Found, Index, NothingLeft, Vectors, merged
from data.nearest import ExactIndex, Kept, index_over
from db.embeddings import Rows

MOST_FRESH = 2_000
FRESH_SHARE = 0.05


@dataclass
class Holdings:
    """What one model made of all studies. A study that was embedded again is found by its newest rows alone."""

    rows: Rows
    kept: Kept | None = None
    _index: Index = field(init=False)
    _indexed: int = field(init=False)
    _alive: Allowed = field(init=False)

    def __post_init__(self) -> None:
        self._settle()

    @property
    def newest(self) -> int:
        return int(self.rows.numbers[-1]) if len(self.rows.numbers) else 0

    def add(self, fresh: Rows) -> None:
        """Rows with higher numbers than all there are."""
        if not len(fresh.numbers):
            return
        gone = np.isin(self.rows.studies, np.unique(fresh.studies))
        self._alive = np.concatenate([self._alive & ~gone, np.ones(len(fresh.numbers), np.bool_)])
        self.rows = _joined(self.rows, fresh)
        if len(self.rows.numbers) - self._indexed > max(MOST_FRESH, FRESH_SHARE * self._indexed):
            self._settle()

    def vector_of(self, study: int) -> NDArray[np.float32] | None:
        """What is said of a study's films together."""
        ours = np.flatnonzero(self._alive & (self.rows.studies == study) & (self.rows.images == 0))
        return self.rows.vectors[ours[-1]] if len(ours) else None

    def nearest(
        self, query: NDArray[np.float32], count: int, studies: NDArray[np.int64], images: NDArray[np.int64] | None
    ) -> tuple[list[tuple[int, int, float]], int]:
        """The studies nearest to a vector (D,) among these, by the best of these images where they are named, else by
        all their films: study, image (0 for all together) and cosine; and among how many they were searched.

        Raises NothingLeft.
        """
        of_image = self.rows.images == 0 if images is None else _within(self.rows.images, images)
        allowed = self._alive & _within(self.rows.studies, studies) & of_image
        searched = len(np.unique(self.rows.studies[allowed]))
        if not searched:
            raise NothingLeft
        # A study has few films of one view, so that twice as many rows hold enough studies.
        rows, similarities = self._search(query[None], count * (1 if images is None else 2), allowed)
        found: dict[int, tuple[int, int, float]] = {}
        for row, similarity in zip(rows[0].tolist(), similarities[0].tolist(), strict=True):
            if row >= 0:
                study = int(self.rows.studies[row])
                found.setdefault(study, (study, int(self.rows.images[row]), similarity))
        return list(found.values())[:count], searched

    def _search(self, queries: Vectors, k: int, allowed: Allowed) -> Found:
        old = self._index.search(queries, k, allowed[: self._indexed])
        if self._indexed == len(allowed):
            return old
        new = ExactIndex(self.rows.vectors[self._indexed :]).search(queries, k, allowed[self._indexed :])
        moved = Found(np.where(new.rows < 0, -1, new.rows + self._indexed), new.similarities)
        return merged([old, moved], k)

    def _settle(self) -> None:
        """Index all rows there are."""
        self._index = index_over(self.rows.vectors, self.kept)
        self._indexed = len(self.rows.numbers)
        if not hasattr(self, "_alive"):
            self._alive = np.ones(self._indexed, np.bool_)


def _within(values: NDArray[np.int64], rising: NDArray[np.int64]) -> Allowed:
    """(N,): which of the values are among some that rise."""
    if not len(rising):
        return np.zeros(len(values), np.bool_)
    places = np.minimum(np.searchsorted(rising, values), len(rising) - 1)
    found: Allowed = rising[places] == values
    return found


def _joined(one: Rows, other: Rows) -> Rows:
    if not len(one.numbers):
        return other
    return Rows(*(np.concatenate([getattr(one, name), getattr(other, name)]) for name in Rows.__dataclass_fields__))
