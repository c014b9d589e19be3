"""How far two readers agree, and how far a score goes with what readers say."""

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.bootstrap import Draws
from core.metrics import NOT_EVALUABLE, Estimate

Values = NDArray[np.float64]
FEWEST = 3
"""A rank correlation of fewer pairs says nothing."""


def kappa(one: Sequence[Hashable], other: Sequence[Hashable], items: Sequence[str]) -> Estimate:
    """Cohen's kappa (1960) of what two readers said of the same items, resampled by item; 1 is perfect agreement, 0
    what chance would bring. Not evaluable where both only ever say one and the same thing."""
    if not items:
        return NOT_EVALUABLE
    known = sorted({*one, *other}, key=repr)
    place = {value: number for number, value in enumerate(known)}
    ours, theirs = (np.eye(len(known))[[place[value] for value in said]] for said in (one, other))
    agreed = (ours * theirs).sum(axis=1)

    def statistic(weights: Values) -> Values:
        total = weights.sum(axis=1)
        by_chance = ((weights @ ours) * (weights @ theirs)).sum(axis=1) / total**2
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Values = np.where(by_chance < 1, (weights @ agreed / total - by_chance) / (1 - by_chance), np.nan)
        return found

    return Draws(tuple(items)).sample(statistic).estimate


def spearman(scores: Sequence[float], judged: Sequence[float], items: Sequence[str]) -> Estimate:
    """The rank correlation of a score with what readers say (Spearman 1904), ties at their mean rank, resampled by
    item, in [-1, 1]. Not evaluable for fewer than three pairs, or where either side is all alike."""
    if len(items) < FEWEST or len(Counter(scores)) < 2 or len(Counter(judged)) < 2:
        return NOT_EVALUABLE
    ours, theirs = np.asarray(scores, np.float64), np.asarray(judged, np.float64)

    def statistic(weights: Values) -> Values:
        return np.array([_correlation(_ranks(ours, counts), _ranks(theirs, counts), counts) for counts in weights])

    return Draws(tuple(items)).sample(statistic).estimate


def _ranks(values: Values, counts: Values) -> Values:
    """The mean rank of each value among all of which each counts so often."""
    order = np.argsort(values, kind="stable")
    distinct, first = np.unique(values[order], return_index=True)
    sums = np.add.reduceat(counts[order], first)
    middle = np.cumsum(sums) - sums / 2
    ranks: Values = middle[np.searchsorted(distinct, values)]
    return ranks


def _correlation(ours: Values, theirs: Values, counts: Values) -> float:
    total = counts.sum()
    one, other = ours - counts @ ours / total, theirs - counts @ theirs / total
    spread = np.sqrt((counts @ one**2) * (counts @ other**2))
    return float(counts @ (one * other) / spread) if spread > 0 else float("nan")
