"""The bootstrap by patient, for statistics that are no means of items: each is computed anew on every resample.

A statistic takes weights (R, n), how often each of n items counts in each of R resamples, and gives (R,) values, NaN
where it cannot be told. Statistics resampled by the same draws can be averaged and subtracted draw by draw, which is
what makes the interval of a mean over findings, or of the difference between two answers, the right one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.metrics import CONFIDENCE, NOT_EVALUABLE, RESAMPLES, Estimate

Values = NDArray[np.float64]
Weights = NDArray[np.float64]
Statistic = Callable[[Weights], Values]


@dataclass(frozen=True)
class Draws:
    """Resamples of some items' patients (Efron 1979): films of one patient are drawn together."""

    patients: tuple[str, ...]
    seed: int = 0

    @cached_property
    def weights(self) -> Weights:
        """(1 + RESAMPLES, n): the items as they are in the first row, a resample in every other."""
        if not self.patients:
            return np.ones((1 + RESAMPLES, 0))
        known, place = np.unique(np.asarray(self.patients, dtype=str), return_inverse=True)
        share = np.full(len(known), 1 / len(known))
        drawn = np.random.default_rng(self.seed).multinomial(len(known), share, size=RESAMPLES)
        counts: Weights = np.concatenate([np.ones((1, len(known))), drawn])[:, place]
        return counts

    def sample(self, statistic: Statistic, rows: NDArray[np.intp] | None = None) -> "Sampled":
        """The statistic of the items in these rows (None: of all), on all of them and on each resample."""
        weights = self.weights if rows is None else self.weights[:, rows]
        return Sampled(statistic(weights), weights.shape[1])


@dataclass(frozen=True)
class Sampled:
    """A statistic as it is, first, and on each resample; `n` items were looked at."""

    values: Values
    n: int

    @property
    def estimate(self) -> Estimate:
        """The value with its 95 % percentile interval, over those resamples on which it could be told."""
        told = self.values[1:][~np.isnan(self.values[1:])]
        if np.isnan(self.values[0]) or not told.size:
            return NOT_EVALUABLE
        edge = (1 - CONFIDENCE) / 2
        low, high = np.quantile(told, [edge, 1 - edge])
        return Estimate(float(self.values[0]), float(low), float(high), self.n)

    def minus(self, other: "Sampled") -> "Sampled":
        """The difference to a statistic of the same draws."""
        return Sampled(self.values - other.values, min(self.n, other.n))


def mean_of(sampled: Sequence[Sampled], n: int) -> Sampled:
    """The mean of several statistics of the same draws, each counting alike: over those that can be told at all, and in
    each resample over those that can be told there. Of `n` items."""
    told = [one.values for one in sampled if not np.isnan(one.values[0])]
    if not told:
        return Sampled(np.full(1 + RESAMPLES, np.nan), n)
    table = np.stack(told)
    known = ~np.isnan(table)
    with np.errstate(invalid="ignore"):
        means: Values = np.where(known, table, 0).sum(axis=0) / known.sum(axis=0)
    return Sampled(means, n)
