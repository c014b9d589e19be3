"""How long a search takes: exact against FAISS's lists, side by side, on vectors that lie in clusters as embeddings do.

    python -m tests.benchmarks.bench_index [--counts 100000,1000000] [--dimension 256] [--queries 200]

Prints one JSON object a count: milliseconds a query, p50 and p95, one query at a time as they come; where lists are
made the recall of the ten nearest, how many times as fast they are in the same run, and the seconds that it took.
The vectors: points around centres that lie around centres of their own, the sizes of the clusters drawn from a power
law; the queries are drawn alike and are not among them. `busy` is what the machine did besides (the load of the last
minute, which counts this run's own threads).
"""

import argparse
import json
import os
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.search import Vectors
from data.nearest import ExactIndex, ListsIndex, needs_lists, recall

NEAREST = 10
CLUSTERS_FOR_ROOT = 2
AT_ONCE = 100_000


def clustered(count: int, dimension: int, seed: int) -> Vectors:
    """(count, dimension) unit vectors."""
    chance = np.random.default_rng(seed)
    clusters = max(1, round(CLUSTERS_FOR_ROOT * count**0.5))
    regions = chance.standard_normal((max(1, clusters // 20), dimension), dtype=np.float32)
    centres = regions[chance.integers(0, len(regions), clusters)]
    centres = centres + 0.7 * chance.standard_normal((clusters, dimension), dtype=np.float32)
    shares = 1 / np.arange(1, clusters + 1) ** 0.6
    drawn = chance.choice(clusters, count, p=shares / shares.sum())
    rows = np.empty((count, dimension), np.float32)
    for start in range(0, count, AT_ONCE):
        some = drawn[start : start + AT_ONCE]
        near = centres[some] + 0.6 * chance.standard_normal((len(some), dimension), dtype=np.float32)
        rows[start : start + len(some)] = near / np.linalg.norm(near, axis=1, keepdims=True)
    return rows


def milliseconds(search: Callable[[Vectors], object], queries: Vectors) -> NDArray[np.float64]:
    """(Q,), one query after the other."""
    for query in queries[:3]:
        search(query[None])
    taken = []
    for query in queries:
        began = time.perf_counter()
        search(query[None])
        taken.append(1000 * (time.perf_counter() - began))
    return np.array(taken)


def measure(count: int, dimension: int, asked: int) -> dict[str, object]:
    rows = clustered(count + asked, dimension, seed=0)
    mixed = np.random.default_rng(1).permutation(len(rows))[:asked]
    queries, vectors = rows[mixed], np.delete(rows, mixed, axis=0)
    del rows
    exact = ExactIndex(vectors)
    told: dict[str, object] = {"vectors": count, "dimension": dimension, "queries": asked}
    if not needs_lists(count):
        return told | {"exact_ms": _told(milliseconds(lambda query: exact.search(query, NEAREST), queries))}
    began = time.perf_counter()
    lists = ListsIndex.over(vectors)
    made = time.perf_counter() - began
    # Turn about, so that what else the machine does meanwhile falls on both.
    slow, quick = [], []
    for some in np.array_split(queries, 8):
        slow.append(milliseconds(lambda query: exact.search(query, NEAREST), some))
        quick.append(milliseconds(lambda query: lists.search(query, NEAREST), some))
    exact_ms, lists_ms = np.concatenate(slow), np.concatenate(quick)
    true = np.concatenate([exact.search(query[None], NEAREST).rows for query in queries])
    return told | {
        "exact_ms": _told(exact_ms),
        "lists_ms": _told(lists_ms),
        "times_faster": round(float(np.median(exact_ms) / np.median(lists_ms)), 1),
        "recall@10": round(recall(lists.search(queries, NEAREST).rows, true), 4),
        "probes": lists.probes,
        "made_in_s": round(made, 1),
    }


def _told(taken: NDArray[np.float64]) -> dict[str, float]:
    return {"p50": round(float(np.median(taken)), 2), "p95": round(float(np.percentile(taken, 95)), 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", default="100000,1000000")
    parser.add_argument("--dimension", type=int, default=256)
    parser.add_argument("--queries", type=int, default=200)
    wanted = parser.parse_args()
    for count in map(int, wanted.counts.split(",")):
        busy = round(os.getloadavg()[0], 2)
        print(json.dumps(measure(count, wanted.dimension, wanted.queries) | {"busy": busy}), flush=True)


if __name__ == "__main__":
    main()
