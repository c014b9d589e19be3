"""Both indexes answer alike: exactly, among what is allowed; lists nearly so, and quickly."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.search import merged
from data import nearest
from data.nearest import CorruptIndex, ExactIndex, IndexOfOthers, ListsIndex, index_over, recall

NUMBERS = np.arange(0, 3000, 3)


def unit(count: int, width: int = 16, seed: int = 0, clusters: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((count, width))
    if clusters:
        rows = rng.standard_normal((clusters, width))[rng.integers(0, clusters, count)] + 0.3 * rows
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@given(
    st.integers(1, 40), st.integers(1, 12), st.integers(0, 99), st.lists(st.booleans(), min_size=40, max_size=40)
)  # fmt: skip
def test_exact_search_gives_what_sorting_everything_gives(count: int, k: int, seed: int, marks: list[bool]) -> None:
    vectors, queries, allowed = unit(count, seed=seed), unit(3, seed=seed + 1), np.array(marks[:count])
    for among in (None, allowed):
        found = ExactIndex(vectors).search(queries, k, among)
        for row, query in enumerate(queries):
            cosines = {place: float(vectors[place] @ query) for place in range(count) if among is None or among[place]}
            best = sorted(cosines, key=lambda place: -cosines[place])[:k]
            assert found.rows[row].tolist() == [*best, *[-1] * (k - len(best))]
            assert found.similarities[row, : len(best)] == pytest.approx([cosines[place] for place in best], abs=1e-5)
            assert np.isneginf(found.similarities[row, len(best) :]).all()


def test_lists_recall_what_they_promise_and_obey_the_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "EXACT_UP_TO", 500)
    vectors, queries = unit(3000, clusters=40), unit(3000, clusters=40)[::100] + 0.01
    index = index_over(vectors)
    assert isinstance(index, ListsIndex) and len(index) == 3000
    exact = ExactIndex(vectors)
    assert recall(index.search(queries, 10).rows, exact.search(queries, 10).rows) >= 0.95
    allowed = np.arange(3000) % 2 == 0
    found = index.search(queries, 10, allowed)
    assert (found.rows[found.rows >= 0] % 2 == 0).all()
    assert recall(found.rows, exact.search(queries, 10, allowed).rows) >= 0.9
    few = np.zeros(3000, bool)
    few[[7, 8, 9]] = True
    assert sorted(index.search(queries[:1], 5, few).rows[0].tolist()) == [-1, -1, 7, 8, 9]
    many = index.search(queries[:1], 2000)
    assert (many.rows >= 0).all() and len(set(many.rows[0].tolist())) == 2000, "more than its lists hold"


def test_the_engine_is_chosen_by_size() -> None:
    assert isinstance(index_over(unit(200)), ExactIndex)


def test_kept_lists_are_read_again_and_answer_alike(tmp_path: Path) -> None:
    vectors, place = unit(800, clusters=10), tmp_path / "lists.faiss"
    made = ListsIndex.over(vectors, 16)
    made.keep(place, "retrieval-v1", NUMBERS[:800])
    assert ListsIndex.numbers_in(place, "retrieval-v1").tolist() == NUMBERS[:800].tolist()
    read = ListsIndex.kept(place, "retrieval-v1", vectors)
    assert read.probes == made.probes
    assert read.search(vectors[:5], 4).rows.tolist() == made.search(vectors[:5], 4).rows.tolist()


def test_lists_of_another_model_are_refused(tmp_path: Path) -> None:
    vectors, place = unit(300), tmp_path / "lists.faiss"
    ListsIndex.over(vectors, 4).keep(place, "retrieval-v1", NUMBERS[:300])
    with pytest.raises(IndexOfOthers, match="other embeddings"):
        ListsIndex.kept(place, "retrieval-v2", vectors)
    with pytest.raises(IndexOfOthers, match="other embeddings"):
        ListsIndex.kept(place, "retrieval-v1", unit(301))


def damage(place: Path) -> None:
    body = bytearray(place.read_bytes())
    body[len(body) // 2] ^= 255
    place.write_bytes(body)


def cut(place: Path) -> None:
    place.write_bytes(place.read_bytes()[:100])


def misspell(place: Path) -> None:
    place.with_suffix(".json").write_text("{", encoding="utf-8")


def forget_a_word(place: Path) -> None:
    told = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
    del told["probes"]
    place.with_suffix(".json").write_text(json.dumps(told), encoding="utf-8")


def lose_the_numbers(place: Path) -> None:
    place.with_suffix(".npy").write_bytes(b"")


@pytest.mark.parametrize("harm", [damage, cut, misspell, forget_a_word, lose_the_numbers, Path.unlink])
def test_a_corrupt_index_file_is_refused(harm: object, tmp_path: Path) -> None:
    vectors, place = unit(400), tmp_path / "search" / "lists.faiss"
    ListsIndex.over(vectors, 8).keep(place, "retrieval-v1", NUMBERS[:400])
    harm(place)  # type: ignore[operator]
    with pytest.raises(CorruptIndex, match="cannot be used"):
        ListsIndex.numbers_in(place, "retrieval-v1")
        ListsIndex.kept(place, "retrieval-v1", vectors)


def test_what_two_indexes_found_is_merged_in_the_order_of_nearness() -> None:
    vectors, query = unit(30), unit(1, seed=5)
    halves = [np.arange(30) < 15, np.arange(30) >= 15]
    parts = [ExactIndex(vectors).search(query, 6, half) for half in halves]
    assert merged(parts, 6).rows.tolist() == ExactIndex(vectors).search(query, 6).rows.tolist()
