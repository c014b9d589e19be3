"""Numbers with their intervals: the bootstrap, the paired difference, and the shape in which results are told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
CONFIDENCE = 0.95

Values = NDArray[np.float64]
Statistic = Callable[[Values], float]


@dataclass(frozen=True)
class Estimate:
    """A value, the 95 % bootstrap interval around it, and how many items it was computed from."""

    value: float | None
    low: float | None
    high: float | None
    n: int


NOT_EVALUABLE = Estimate(None, None, None, 0)


@dataclass(frozen=True)
class Metric:
    """One metric over everything and by finding."""

    overall: Estimate
    per_finding: Mapping[str, Estimate] = field(default_factory=dict)


@dataclass(frozen=True)
class ItemScore:
    """What one item (an image and a finding, say) scored. `None` where the metric does not count for the item.

    `patient` is what the bootstrap resamples by: two films of one patient are not two independent trials.
    """

    item: str
    patient: str
    finding: str
    values: Mapping[str, float | None]


@dataclass(frozen=True)
class Evaluation:
    """A model measured on one split of one snapshot."""

    model: str
    snapshot: str
    split: str
    n: int
    seconds: float
    metrics: Mapping[str, Metric]
    scores: tuple[ItemScore, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The shape that `train --wait` and `evaluate` print; `scores` stay out of it."""
        return {
            "model": self.model,
            "snapshot": self.snapshot,
            "split": self.split,
            "n": self.n,
            "seconds": round(self.seconds, 3),
            "metrics": {name: metric_to_json(metric) for name, metric in self.metrics.items()},
        }


def metric_to_json(metric: Metric) -> dict[str, Any]:
    return {
        "overall": asdict(metric.overall),
        "per_finding": {finding: asdict(estimate) for finding, estimate in metric.per_finding.items()},
    }


def metric_from_json(data: Mapping[str, Any]) -> Metric:
    return Metric(
        Estimate(**data["overall"]),
        {finding: Estimate(**estimate) for finding, estimate in data.get("per_finding", {}).items()},
    )


def mean_estimate(values: Sequence[float], groups: Sequence[str] | None = None, seed: int = 0) -> Estimate:
    """The mean with its percentile bootstrap interval (Efron 1979), resampled by group when groups are given.

    `values` and `groups` have one entry an item. Gives NOT_EVALUABLE for no items.
    """
    if not values:
        return NOT_EVALUABLE
    sums, counts = _by_group(values, groups)
    picks = np.random.default_rng(seed).integers(0, sums.size, size=(RESAMPLES, sums.size))
    means = sums[picks].sum(axis=1) / counts[picks].sum(axis=1)
    low, high = _percentiles(means)
    return Estimate(float(sums.sum() / counts.sum()), low, high, len(values))


def summarise(scores: Sequence[ItemScore], names: Sequence[str], seed: int = 0) -> dict[str, Metric]:
    """Means by metric, overall and by finding, over the items for which the metric counts."""
    findings = sorted({score.finding for score in scores if score.finding})
    return {
        name: Metric(
            _mean_of(scores, name, seed),
            {f: _mean_of([s for s in scores if s.finding == f], name, seed) for f in findings},
        )
        for name in names
    }


def paired_difference(
    candidate: Sequence[ItemScore], champion: Sequence[ItemScore], name: str, seed: int = 0
) -> Estimate:
    """Mean of candidate minus champion over the items both were scored on, resampled by patient."""
    differences, patients = paired(candidate, champion, name)
    return mean_estimate(differences, patients, seed)


def paired(candidate: Sequence[ItemScore], champion: Sequence[ItemScore], name: str) -> tuple[list[float], list[str]]:
    """Candidate minus champion for each item both were scored on, and whose item it is."""
    base = {(s.item, s.finding): s.values.get(name) for s in champion}
    differences: list[float] = []
    groups: list[str] = []
    for score in candidate:
        ours, theirs = score.values.get(name), base.get((score.item, score.finding))
        if ours is not None and theirs is not None:
            differences.append(ours - theirs)
            groups.append(score.patient)
    return differences, groups


def _mean_of(scores: Sequence[ItemScore], name: str, seed: int) -> Estimate:
    counted = [(value, s.patient) for s in scores if (value := s.values.get(name)) is not None]
    return mean_estimate([value for value, _ in counted], [patient for _, patient in counted], seed)


def _by_group(values: Sequence[float], groups: Sequence[str] | None) -> tuple[Values, Values]:
    array = np.asarray(values, dtype=np.float64)
    if groups is None:
        return array, np.ones_like(array)
    _, index = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    size = int(index.max()) + 1
    return np.bincount(index, array, size).astype(np.float64), np.bincount(index, minlength=size).astype(np.float64)


def _percentiles(samples: Values) -> tuple[float, float]:
    edge = (1 - CONFIDENCE) / 2
    low, high = np.quantile(samples, [edge, 1 - edge])
    return float(low), float(high)
