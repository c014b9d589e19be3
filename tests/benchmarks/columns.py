"""Answers of classifiers pooled over folds, and what each column of them is worth: for that family's benchmarks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bootstrap import Draws, Sampled, Values, Weights, mean_of
from core.discrimination import Truth, auroc, average_precision
from core.metrics import Estimate, ItemScore

Measure = Callable[[Values, Truth, Weights], Values]


@dataclass(frozen=True)
class Pool:
    """Every item's answers by finding and column, and what is true. Columns of several models stand side by side."""

    patients: tuple[str, ...]
    findings: Mapping[str, tuple[NDArray[np.intp], Truth, Mapping[str, Values]]]

    @classmethod
    def of(cls, scores: Mapping[str, Sequence[ItemScore]]) -> "Pool":
        """`scores` are by what is put before the columns' names ("" for nothing); each asks the same items."""
        first = next(iter(scores.values()))
        items = list(dict.fromkeys(score.item for score in first))
        patient = {score.item: score.patient for score in first}
        row = {item: number for number, item in enumerate(items)}
        findings = {}
        for finding in dict.fromkeys(score.finding for score in first):
            own = [score for score in first if score.finding == finding]
            said: dict[str, Values] = {}
            for before, theirs in scores.items():
                told = {score.item: score.values for score in theirs if score.finding == finding}
                for column in ("image", "text_only", "fused", "shuffled"):
                    if all(column in told.get(score.item, {}) for score in own):
                        said[before + column] = np.array([told[score.item][column] for score in own], np.float64)
            rows = np.array([row[score.item] for score in own], np.intp)
            findings[finding] = (rows, np.array([score.values["present"] == 1 for score in own]), said)
        return cls(tuple(patient[item] for item in items), findings)

    @property
    def columns(self) -> list[str]:
        return list(dict.fromkeys(column for _, _, said in self.findings.values() for column in said))

    def counts(self, finding: str) -> tuple[int, int]:
        """How many items are known of a finding, and on how many of them it is present."""
        _, truth, _ = self.findings[finding]
        return len(truth), int(truth.sum())


@dataclass(frozen=True)
class Worth:
    """A finding, or the mean over some, in every column, and pairs of columns compared."""

    name: str
    n: int
    positives: int
    auroc: Mapping[str, Estimate]
    average_precision: Mapping[str, Estimate]
    compared: Mapping[str, Estimate]


def weigh(pool: Pool, averaged: Sequence[str], pairs: Sequence[tuple[str, str]]) -> list[Worth]:
    """The mean over the findings averaged first, then each finding; intervals resample patients, all by the same
    draws."""
    draws = Draws(pool.patients)
    found = {measure.__name__: _sampled(pool, draws, measure) for measure in (auroc, average_precision)}
    told = []
    for name in ("mean", *pool.findings):
        keys = [key for key in averaged if key in pool.findings] if name == "mean" else [name]
        amounts = [pool.counts(key) for key in keys]
        n = len(pool.patients) if name == "mean" else amounts[0][0]
        means = {
            measure: {column: mean_of([each[key, column] for key in keys], n) for column in pool.columns}
            for measure, each in found.items()
        }
        told.append(
            Worth(
                name,
                n,
                sum(positives for _, positives in amounts),
                {column: value.estimate for column, value in means["auroc"].items()},
                {column: value.estimate for column, value in means["average_precision"].items()},
                {
                    f"{one}-{other}": means["auroc"][one].minus(means["auroc"][other]).estimate
                    for one, other in pairs
                    if one in means["auroc"] and other in means["auroc"]
                },
            )
        )
    return told


def _sampled(pool: Pool, draws: Draws, measure: Measure) -> dict[tuple[str, str], Sampled]:
    found = {}
    for finding, (rows, truth, said) in pool.findings.items():
        weights = draws.weights[:, rows]
        for column, values in said.items():
            found[finding, column] = Sampled(measure(values, truth, weights), len(rows))
    return found
