"""The rows that are searched, in memory: those that were there when the index was made, and those that came since.

What is said of a study's films together is searched apart from what single films say, so that a search without a view
compares one row a study. Where there are more of those than are compared one by one, a job makes lists of them and
leaves them in a file; until it has, all are compared, which takes longer and finds the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.search import Allowed, Found, Index, NothingLeft, Vectors, merged
from data.nearest import CorruptIndex, ExactIndex, ListsIndex, needs_lists
from db.embeddings import Rows

MOST_FRESH = 2_000
FRESH_SHARE = 0.05


@dataclass
class Part:
    """Rows that are searched together: `index` over the first of them, the others one by one. `alive` (N,) are those
    that no newer row of the study replaces."""

    rows: Rows
    index: Index
    alive: Allowed

    @classmethod
    def exact(cls, rows: Rows) -> "Part":
        return cls(rows, ExactIndex(rows.vectors), np.ones(len(rows.numbers), np.bool_))

    @classmethod
    def listed(cls, rows: Rows, place: Path, of: str) -> "Part":
        """With the lists that lie in a file. Rows that are in them and no longer on record are never found.

        Raises CorruptIndex, IndexOfOthers.
        """
        numbers = ListsIndex.numbers_in(place, of)
        known = _within(rows.numbers, numbers)
        at = np.searchsorted(numbers, rows.numbers[known])
        base = Rows(
            np.zeros(len(numbers), np.int64),
            np.zeros(len(numbers), np.int64),
            np.zeros(len(numbers), np.int64),
            np.zeros((len(numbers), rows.vectors.shape[1]), np.float32),
        )
        base.numbers[at], base.studies[at] = rows.numbers[known], rows.studies[known]
        base.images[at], base.vectors[at] = rows.images[known], rows.vectors[known]
        alive = np.zeros(len(numbers), np.bool_)
        alive[at] = True
        part = cls(base, ListsIndex.kept(place, of, base.vectors), alive)
        part.add(rows.where(~known))
        return part

    @property
    def fresh(self) -> int:
        """How many rows the index has not."""
        return len(self.rows.numbers) - len(self.index)

    def add(self, fresh: Rows) -> None:
        self.rows = _joined(self.rows, fresh)
        self.alive = np.concatenate([self.alive, np.ones(len(fresh.numbers), np.bool_)])

    def replace(self, studies: NDArray[np.int64]) -> None:
        """Newer rows of these studies, which rise, are about to come."""
        self.alive = self.alive & ~_within(self.rows.studies, studies)

    def search(self, queries: Vectors, k: int, allowed: Allowed | None) -> Found:
        """Among those that are alive and `allowed` (N,)."""
        among = self.alive if allowed is None else self.alive & allowed
        held = len(self.index)
        # A mask that leaves all costs a copy for nothing.
        old = self.index.search(queries, k, None if among[:held].all() else among[:held])
        if not self.fresh:
            return old
        new = ExactIndex(self.rows.vectors[held:]).search(queries, k, among[held:])
        return merged([old, Found(np.where(new.rows < 0, -1, new.rows + held), new.similarities)], k)


@dataclass
class Holdings:
    """What one model made of all studies. A study that was embedded again is found by its newest rows alone. Lists are
    looked for at `place`, made of the rows of the model `of`."""

    rows: Rows
    place: Path | None = None
    of: str = ""
    newest: int = 0
    _fused: Part = field(init=False)
    _single: Part = field(init=False)

    def __post_init__(self) -> None:
        together, rows = self.rows.images == 0, self.rows
        self._fused, self._single = self._opened(rows.where(together)), Part.exact(rows.where(~together))
        self.newest = int(rows.numbers[-1]) if len(rows.numbers) else 0
        # Both parts hold copies.
        self.rows = rows.where(np.zeros(len(rows.numbers), np.bool_))

    @property
    def lacks_lists(self) -> bool:
        """Whether so much is compared one by one that lists should be made, or made anew."""
        most = max(MOST_FRESH, FRESH_SHARE * len(self._fused.index))
        compared = len(self._fused.rows.numbers) if isinstance(self._fused.index, ExactIndex) else self._fused.fresh
        return needs_lists(len(self._fused.rows.numbers)) and compared > most

    def add(self, fresh: Rows) -> None:
        """Rows with higher numbers than all there are."""
        if not len(fresh.numbers):
            return
        together, studies = fresh.images == 0, np.unique(fresh.studies)
        for part, some in ((self._fused, fresh.where(together)), (self._single, fresh.where(~together))):
            part.replace(studies)
            part.add(some)
        self.newest = int(fresh.numbers[-1])
        self._fused, self._single = _settled(self._fused), _settled(self._single)

    def vector_of(self, study: int) -> NDArray[np.float32] | None:
        """What is said of a study's films together."""
        ours = np.flatnonzero(self._fused.alive & (self._fused.rows.studies == study))
        return self._fused.rows.vectors[ours[-1]] if len(ours) else None

    def nearest(
        self,
        query: NDArray[np.float32],
        count: int,
        studies: NDArray[np.int64] | None = None,
        images: NDArray[np.int64] | None = None,
        without: Sequence[int] = (),
    ) -> tuple[list[tuple[int, int, float]], int]:
        """The studies nearest to a vector (D,) among some (all, where they are None), by the best of these images where
        they are named, else by all their films: study, image (0 for all together) and cosine; and among how many they
        were searched. `studies` and `images` rise; those `without` are left out.

        Raises NothingLeft.
        """
        part = self._fused if images is None else self._single
        allowed = np.ones(len(part.alive), np.bool_) if studies is None else _within(part.rows.studies, studies)
        if images is not None:
            allowed &= _within(part.rows.images, images)
        if without:
            allowed &= ~_within(part.rows.studies, np.unique(np.array(without, np.int64)))
        there = part.alive & allowed
        searched = int(there.sum()) if images is None else len(np.unique(part.rows.studies[there]))
        if not searched:
            raise NothingLeft
        # A study has few films of one view, so that twice as many rows hold enough studies.
        rows, similarities = part.search(query[None], count * (1 if images is None else 2), allowed)
        found: dict[int, tuple[int, int, float]] = {}
        for row, similarity in zip(rows[0].tolist(), similarities[0].tolist(), strict=True):
            if row >= 0:
                study = int(part.rows.studies[row])
                found.setdefault(study, (study, int(part.rows.images[row]), similarity))
        return list(found.values())[:count], searched

    def _opened(self, rows: Rows) -> Part:
        if self.place is None or not needs_lists(len(rows.numbers)):
            return Part.exact(rows)
        try:
            return Part.listed(rows, self.place, self.of)
        except CorruptIndex:
            return Part.exact(rows)


def _settled(part: Part) -> Part:
    """With few rows beside the index, where it costs nothing to make; the rows that are no longer found are dropped."""
    if isinstance(part.index, ExactIndex) and part.fresh > max(MOST_FRESH, FRESH_SHARE * len(part.index)):
        return Part.exact(part.rows.where(part.alive))
    return part


def _within(values: NDArray[np.int64], rising: NDArray[np.int64]) -> Allowed:
    """(N,): which of the values are among some that rise."""
    if not len(rising):
        return np.zeros(len(values), np.bool_)
    places = np.minimum(np.searchsorted(rising, values), len(rising) - 1)
    found: Allowed = rising[places] == values
    return found


def _joined(one: Rows, other: Rows) -> Rows:
    if not len(one.numbers) or not len(other.numbers):
        return one if len(one.numbers) else other
    return Rows(
        np.concatenate([one.numbers, other.numbers]),
        np.concatenate([one.studies, other.studies]),
        np.concatenate([one.images, other.images]),
        np.concatenate([one.vectors, other.vectors]),
    )
