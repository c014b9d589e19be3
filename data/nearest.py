"""Nearest neighbours among unit vectors: exact with NumPy while that is quick, FAISS's inverted lists beyond.

Both answer alike: the rows of the largest cosines among those that are allowed. Filters come before the ranking, so a
filter that leaves few studies finds all of them.
"""

import hashlib
import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ReadingRoomError, room_for
from core.search import Allowed, Found, Index, Vectors

EXACT_UP_TO = 100_000
WANTED_RECALL = 0.98
JUDGED_BY = 200
"""Vectors by whose ten nearest the number of lists is chosen that a search looks through."""
RECALLED = 10
POINTS_A_LIST = 64
"""Vectors a list that its centre is learned from."""
INDEX_FORMAT = 2


class CorruptIndex(ReadingRoomError):
    """An index file that is not what was written; a job makes it anew from the embeddings."""

    def __init__(self, place: Path, why: str) -> None:
        super().__init__(f"The search index {place.name} cannot be used: {why}.")


class IndexOfOthers(CorruptIndex):
    """An index file over other vectors: of another model version, or of other studies."""

    def __init__(self, place: Path) -> None:
        super().__init__(place, "it was made of other embeddings than there are now")


class ExactIndex:
    """All cosines, each time. Exact by definition, and as quick as memory is read."""

    def __init__(self, vectors: Vectors) -> None:
        self.vectors = np.ascontiguousarray(vectors, np.float32)

    def __len__(self) -> int:
        return len(self.vectors)

    def search(self, queries: Vectors, k: int, allowed: Allowed | None = None) -> Found:
        rows = np.arange(len(self)) if allowed is None else np.flatnonzero(allowed)
        # Picking rows copies them, which costs more than comparing twice as many.
        few = allowed is not None and 2 * len(rows) < len(self)
        compared = queries @ (self.vectors[rows] if few else self.vectors).T
        if allowed is not None and not few:
            compared = compared[:, rows]
        count = min(k, len(rows))
        if count < len(rows):
            nearest = np.argpartition(-compared, count - 1, axis=1)[:, :count] if count else compared[:, :0].astype(int)
        else:
            nearest = np.broadcast_to(np.arange(count), compared.shape)
        found = np.take_along_axis(compared, nearest, axis=1)
        order = np.lexsort((rows[nearest], -found), axis=1)
        return _filled(rows[np.take_along_axis(nearest, order, axis=1)], np.take_along_axis(found, order, axis=1), k)


class ListsIndex:
    """FAISS's inverted lists (Sivic & Zisserman 2003; Johnson et al. 2019): vectors lie in lists by the nearest of some
    centres, and a search looks through the lists of the nearest `probes` centres."""

    def __init__(self, vectors: Vectors, lists: Any, probes: int) -> None:
        self.vectors, self.probes = vectors, probes
        self._lists = lists

    @classmethod
    def over(cls, vectors: Vectors, count: int | None = None) -> "ListsIndex":
        """Learned from these vectors (N, D). `count` lists; four times the root of N when left out."""
        faiss = _faiss()
        wanted = max(1, min(len(vectors), count or round(4 * len(vectors) ** 0.5)))
        lists = faiss.IndexIVFFlat(
            faiss.IndexFlatIP(vectors.shape[1]), vectors.shape[1], wanted, faiss.METRIC_INNER_PRODUCT
        )
        lists.cp.max_points_per_centroid = POINTS_A_LIST
        lists.cp.seed = 0
        lists.train(vectors)
        lists.add(vectors)
        index = cls(vectors, lists, 1)
        index.probes = index._enough_probes()
        return index

    def __len__(self) -> int:
        return len(self.vectors)

    def search(self, queries: Vectors, k: int, allowed: Allowed | None = None) -> Found:
        if allowed is not None and int(allowed.sum()) <= EXACT_UP_TO:
            return ExactIndex(self.vectors).search(queries, k, allowed)
        found = self._looked_through(queries, k, allowed)
        if (found.rows[:, : min(k, len(self))] < 0).any():
            # The lists that were looked through hold fewer than are asked for.
            return ExactIndex(self.vectors).search(queries, k, allowed)
        return found

    def _looked_through(self, queries: Vectors, k: int, allowed: Allowed | None = None) -> Found:
        faiss = _faiss()
        parameters = faiss.SearchParametersIVF(nprobe=self.probes)
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            parameters = faiss.SearchParametersIVF(
                nprobe=self.probes, sel=faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(bits))
            )
        similarities, rows = self._lists.search(np.ascontiguousarray(queries), k, params=parameters)
        return Found(rows, np.where(rows < 0, -np.inf, similarities).astype(np.float32))

    def keep(self, place: Path, of: str, numbers: NDArray[np.int64]) -> None:
        """Write the lists, and beside them what they are made of: `numbers` (N,), which rise, say what each vector is.
        Raises DiskFull."""
        faiss = _faiss()
        with room_for("the search index"):
            place.parent.mkdir(parents=True, exist_ok=True)
            unfinished, counted = place.with_suffix(".part"), _numbers_beside(place)
            faiss.write_index(self._lists, str(unfinished))
            # What tells of the lists goes first, so that lists with another's page are never taken for whole.
            _told_beside(place).unlink(missing_ok=True)
            np.save(counted, numbers, allow_pickle=False)
            unfinished.replace(place)
            told = {"format": INDEX_FORMAT, "of": of, "probes": self.probes}
            told |= {"sha256": _sha256_of(place), "numbers": _sha256_of(counted)}
            _told_beside(place).write_text(json.dumps(told), encoding="utf-8")

    @classmethod
    def numbers_in(cls, place: Path, of: str) -> NDArray[np.int64]:
        """(N,): what each vector of the lists is that `keep` wrote. Raises CorruptIndex, IndexOfOthers."""
        with _unharmed(place):
            if _page_of(place, of)["numbers"] != _sha256_of(_numbers_beside(place)):
                raise CorruptIndex(place, "what its vectors stand for was changed since it was written")
            numbers: NDArray[np.int64] = np.load(_numbers_beside(place), allow_pickle=False).astype(np.int64)
        return numbers

    @classmethod
    def kept(cls, place: Path, of: str, vectors: Vectors) -> "ListsIndex":
        """The lists over these vectors that `keep` wrote. Raises CorruptIndex, IndexOfOthers."""
        faiss = _faiss()
        with _unharmed(place):
            told = _page_of(place, of)
            # FAISS believes whatever a file says, so it is given none that was not written here.
            if told["sha256"] != _sha256_of(place):
                raise CorruptIndex(place, "it was changed since it was written")
            lists = faiss.read_index(str(place))
            probes = int(told["probes"])
        if (lists.ntotal, lists.d) != vectors.shape:
            raise IndexOfOthers(place)
        return cls(vectors, lists, probes)

    def _enough_probes(self) -> int:
        """The fewest lists, doubling, by which so much is recalled as is wanted, judged by the neighbours of some
        vectors, themselves left out: that they are found says nothing."""
        asked = np.arange(0, len(self), max(1, len(self) // JUDGED_BY))[:JUDGED_BY]
        exact = ExactIndex(self.vectors)
        # One by one: the cosines of all at once would take more room than the vectors do.
        true = np.stack([_others(exact.search(self.vectors[row][None], RECALLED + 1), row) for row in asked])
        self.probes = 1
        while self.probes < self._lists.nlist:
            found = [_others(self._looked_through(self.vectors[row][None], RECALLED + 1), row) for row in asked]
            if recall(np.stack(found), true) >= WANTED_RECALL:
                break
            self.probes *= 2
        return min(self.probes, int(self._lists.nlist))


def needs_lists(count: int) -> bool:
    """Whether so many vectors are more than are compared one by one."""
    return count > EXACT_UP_TO


def index_over(vectors: Vectors) -> Index:
    """The index that suits so many vectors: exact up to EXACT_UP_TO, lists beyond."""
    return ListsIndex.over(vectors) if needs_lists(len(vectors)) else ExactIndex(vectors)


def recall(found: NDArray[np.int64], true: NDArray[np.int64]) -> float:
    """The share of the true nearest rows (Q, k) that are among the found ones (Q, k)."""
    shared = [len(set(ours.tolist()) & set(theirs.tolist())) for ours, theirs in zip(found, true, strict=True)]
    return sum(shared) / true.size if true.size else 1.0


def _others(found: Found, row: int) -> NDArray[np.int64]:
    """(RECALLED,): what was found for one query, without this row."""
    rows: NDArray[np.int64] = found.rows[0][found.rows[0] != row][:RECALLED]
    return rows


def _faiss() -> Any:
    # Wanted by few, and its own types do not know what it takes.
    return importlib.import_module("faiss")


def _filled(rows: NDArray[np.int64], similarities: NDArray[np.float32], k: int) -> Found:
    missing = ((0, 0), (0, k - rows.shape[1]))
    return Found(
        np.pad(rows, missing, constant_values=-1), np.pad(similarities, missing, constant_values=-np.inf)
    )  # fmt: skip


@contextmanager
def _unharmed(place: Path) -> Iterator[None]:
    """Around whatever is read of an index: what is lacking or damaged is raised as CorruptIndex."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError) as error:
        raise CorruptIndex(place, str(error)) from error


def _page_of(place: Path, of: str) -> dict[str, Any]:
    """Raises IndexOfOthers, OSError, ValueError, KeyError, TypeError."""
    told: dict[str, Any] = json.loads(_told_beside(place).read_text(encoding="utf-8"))
    if told["of"] != of or told["format"] != INDEX_FORMAT:
        raise IndexOfOthers(place)
    return told


def _told_beside(place: Path) -> Path:
    return place.with_suffix(".json")


def _numbers_beside(place: Path) -> Path:
    return place.with_suffix(".npy")


def _sha256_of(place: Path) -> str:
    with place.open("rb") as body:
        return hashlib.file_digest(body, "sha256").hexdigest()
