"""How fast a model looks at films, and how much of them it looks at: what dropping patches is for."""

import statistics
import time
from collections.abc import Sequence

from core.metrics import Estimate, Metric, mean_estimate
from trainers.datasets import FilmCache, Square, chunks
from trainers.retrieval.data import Pair, Pose
from trainers.retrieval.model import RetrievalModel

PACE = "images_per_second"
KEPT = "patches_kept"
FILMS = 48
AT_ONCE = 16
ROUNDS = 5
OPEN = 0.5

Shown = tuple[Square, Pose]


def pace_of(model: RetrievalModel, pairs: Sequence[Pair], films: FilmCache) -> dict[str, Metric]:
    """`images_per_second` from pixels to vectors on this machine as it is busy now: the median of some rounds over the
    same films, its low and high the slowest and the fastest of them. `patches_kept`, of an eye that looks at patches:
    the share of them of which more than half comes through, with its interval over films."""
    shas = [(sha, pose) for pair in pairs for pose, sha in pair.films.items()][:FILMS]
    squares = [(films.film(sha), pose) for sha, pose in shas]
    batches = chunks(squares, AT_ONCE)
    _round(model, batches[:1])
    rounds = [_round(model, batches) for _ in range(ROUNDS)]
    paces = sorted(len(squares) / seconds for seconds in rounds)
    told = {PACE: Metric(Estimate(statistics.median(paces), paces[0], paces[-1], len(squares)))}
    shares = [share for some in batches for share in _shares(model, [square for square, _ in some])]
    if shares:
        told[KEPT] = Metric(mean_estimate(shares))
    return told


def _round(model: RetrievalModel, batches: Sequence[Sequence[Shown]]) -> float:
    began = time.perf_counter()
    for batch in batches:
        model.films([square for square, _ in batch], [pose for _, pose in batch])
    return time.perf_counter() - began


def _shares(model: RetrievalModel, squares: Sequence[Square]) -> list[float]:
    glimpse = model.glimpse(squares)
    if glimpse.gates is None or glimpse.patches is None:
        return []
    through = (glimpse.gates > OPEN).sum(dim=1).double() / glimpse.places
    return [float(share) for share in through]
