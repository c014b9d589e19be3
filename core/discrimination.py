"""How well scores tell what is present from what is not: AUROC, average precision, and the answers at a threshold.

Higher scores speak for present. Every measure takes weights (R, n) of n items and gives (R,) values, as
`core.bootstrap` wants it. A measure that cannot be told, such as the recall of what is never present, is NaN, never 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bootstrap import Values, Weights

Truth = NDArray[np.bool_]

CURVE_POINTS = 100


def once(items: int) -> Weights:
    """Weights by which each item counts once."""
    return np.ones((1, items))


def auroc(scores: Values, truth: Truth, weights: Weights) -> Values:
    """The chance that something present scores higher than something absent, ties counting half."""
    groups = _Ranked.of(scores, truth, weights)
    below = np.cumsum(groups.absent, axis=1) - groups.absent
    won = (groups.present * (below + groups.absent / 2)).sum(axis=1)
    return _ratio(won, groups.present.sum(axis=1) * groups.absent.sum(axis=1))


def average_precision(scores: Values, truth: Truth, weights: Weights) -> Values:
    """The mean of the precisions at which each thing present is found, from the highest score down."""
    groups = _Ranked.of(scores, truth, weights)
    present, absent = groups.present[:, ::-1], groups.absent[:, ::-1]
    found = np.cumsum(present, axis=1)
    called = found + np.cumsum(absent, axis=1)
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    return _ratio((present * precision).sum(axis=1), present.sum(axis=1))


@dataclass(frozen=True)
class Answers:
    """What answers at one threshold are worth, (R,) each. Where nothing is called present precision is 0, as no answer
    was right."""

    accuracy: Values
    precision: Values
    recall: Values
    f1: Values


def answers_at(threshold: float, scores: Values, truth: Truth, weights: Weights) -> Answers:
    """Of the answers that call present whatever scores `threshold` or more."""
    called = scores >= threshold
    hits, misses = weights @ (called & truth), weights @ (~called & truth)
    false_alarms, rest = weights @ (called & ~truth), weights @ (~called & ~truth)
    everything = hits + misses + false_alarms + rest
    answered = hits + false_alarms
    precision = np.where(answered > 0, hits / np.maximum(answered, 1), 0.0)
    return Answers(
        accuracy=_ratio(hits + rest, everything),
        precision=np.where(everything > 0, precision, np.nan),
        recall=_ratio(hits, hits + misses),
        f1=_ratio(2 * hits, 2 * hits + misses + false_alarms),
    )


def best_f1_threshold(scores: Values, truth: Truth) -> float | None:
    """Where F1 is best: half way between the lowest score that is to be called present and the next one below it. Of
    several thresholds as good, the highest. None where nothing is present or nothing is absent."""
    if not truth.any() or truth.all():
        return None
    groups = _Ranked.of(scores, truth, once(len(scores)))
    present, absent = groups.present[0, ::-1], groups.absent[0, ::-1]
    hits = np.cumsum(present)
    f1 = 2 * hits / (np.cumsum(present + absent) + present.sum())
    levels = groups.levels[::-1]
    best = int(np.argmax(f1))
    if best + 1 == len(levels):
        return float(levels[best])
    return float((levels[best] + levels[best + 1]) / 2)


def placements(scores: Values, truth: Truth) -> Values:
    """(n,): of each item present the share of what is absent that it scores above, ties counting half (DeLong et al.
    1988). Their mean is the AUROC. NaN for what is absent, and for all where nothing is."""
    absent = np.sort(scores[~truth])
    placed = np.full(len(scores), np.nan)
    if absent.size:
        below, up_to = (np.searchsorted(absent, scores[truth], side) for side in ("left", "right"))
        placed[truth] = (below + up_to) / (2 * absent.size)
    return placed


def roc_points(scores: Values, truth: Truth) -> list[list[float]]:
    """[false positive rate, true positive rate] from no answer to all answers; few enough to draw."""
    groups = _Ranked.of(scores, truth, once(len(scores)))
    rates = [_rising(side[0, ::-1]) for side in (groups.absent, groups.present)]
    return _thinned(np.stack(rates, axis=1))


def pr_points(scores: Values, truth: Truth) -> list[list[float]]:
    """[recall, precision] from the highest score down; few enough to draw."""
    groups = _Ranked.of(scores, truth, once(len(scores)))
    present, absent = groups.present[0, ::-1], groups.absent[0, ::-1]
    found = np.cumsum(present)
    precision = found / np.cumsum(present + absent)
    return _thinned(np.stack([found / max(1.0, present.sum()), precision], axis=1))


@dataclass(frozen=True)
class _Ranked:
    """Items of equal score together, lowest first: how much is present and absent in each group, (R, groups)."""

    levels: Values
    present: Weights
    absent: Weights

    @classmethod
    def of(cls, scores: Values, truth: Truth, weights: Weights) -> "_Ranked":
        order = np.argsort(scores, kind="stable")
        ranked, marked, counted = scores[order], truth[order], weights[:, order]
        starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]]) if ranked.size else np.zeros(0, np.intp)
        if not ranked.size:
            empty = np.zeros((len(weights), 0))
            return cls(ranked, empty, empty)
        sums = [np.add.reduceat(counted * side, starts, axis=1) for side in (marked, ~marked)]
        return cls(ranked[starts], sums[0], sums[1])


def _ratio(above: Values, below: Values) -> Values:
    ratio: Values = np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
    return ratio


def _rising(steps: Values) -> Values:
    rising: Values = np.concatenate([[0.0], np.cumsum(steps) / max(1.0, float(steps.sum()))])
    return rising


def _thinned(points: Values) -> list[list[float]]:
    rows = np.linspace(0, max(0, len(points) - 1), min(len(points), CURVE_POINTS)).round().astype(np.int64)
    return [[round(float(x), 5), round(float(y), 5)] for x, y in points[np.unique(rows)]]
