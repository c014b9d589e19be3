"""Numbers with their intervals: the bootstrap, the paired difference, and the shape in which results are told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
CONFIDENCE = 0.95
OVER_FINDINGS = frozenset({"auroc"})
"""Metrics whose overall value is the mean over findings, each counting alike; that of others is the mean over items."""

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
    """Mean of candidate minus champion over the items both were scored on, resampled by patient; of a metric that is a
    mean over findings the mean of the findings' means."""
    differences, patients, findings = paired(candidate, champion, name)
    if name in OVER_FINDINGS and differences:
        return _mean_over_findings(differences, patients, findings, seed)
    return mean_estimate(differences, patients, seed)


def paired(
    candidate: Sequence[ItemScore], champion: Sequence[ItemScore], name: str
) -> tuple[list[float], list[str], list[str]]:
    """Candidate minus champion for each item both were scored on, whose item it is, and its finding."""
    base = {(s.item, s.finding): s.values.get(name) for s in champion}
    pairs = [
        (ours - theirs, score.patient, score.finding)
        for score in candidate
        if (ours := score.values.get(name)) is not None
        and (theirs := base.get((score.item, score.finding))) is not None
    ]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs], [pair[2] for pair in pairs]


def _mean_of(scores: Sequence[ItemScore], name: str, seed: int) -> Estimate:
    counted = [(value, s.patient) for s in scores if (value := s.values.get(name)) is not None]
    return mean_estimate([value for value, _ in counted], [patient for _, patient in counted], seed)


def _mean_over_findings(
    values: Sequence[float], patients: Sequence[str], findings: Sequence[str], seed: int
) -> Estimate:
    rows, columns = (np.unique(np.asarray(names), return_inverse=True)[1] for names in (patients, findings))
    sums, counts = np.zeros((2, int(rows.max()) + 1, int(columns.max()) + 1))
    np.add.at(sums, (rows, columns), values)
    np.add.at(counts, (rows, columns), 1)
    drawn = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=RESAMPLES)
    weighed, known = drawn @ sums, drawn @ counts
    means = np.divide(weighed, known, out=np.zeros_like(weighed), where=known > 0).sum(axis=1) / (known > 0).sum(axis=1)
    low, high = _percentiles(means)
    return Estimate(float((sums.sum(axis=0) / counts.sum(axis=0)).mean()), low, high, len(values))


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
