"""How good written reports are: word by word, finding by finding, and how much of them is recited.

Every score stands for all studies and, under "normal" and "abnormal", for those whose original finds nothing or
something, by the labeler's ear.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.bootstrap import Draws, Sampled, mean_of
from core.findings import CHEXPERT, NO_FINDING
from core.metrics import NOT_EVALUABLE, Estimate, ItemScore, Metric
from core.report_findings import Told, f1, said_in
from core.reports import Report
from core.text_scores import (
    ORDERS,
    Cider,
    Recitation,
    Tokens,
    bleu,
    bleu_counts,
    distinct_share,
    rouge_l,
    tokens,
)
from trainers.generation.data import Reading
from trainers.generation.extras import extra_scores

HEADLINE = "report_f1"
"""The mean over reports of the F1 of what each finds; one that rightly finds nothing does not count."""
FINDINGS = tuple(finding.key for finding in CHEXPERT)
GROUPS = ("normal", "abnormal")

Values = NDArray[np.float64]
Statistic = Callable[[Values, NDArray[np.intp]], Values]
"""From weights (R, n) of the studies in some rows (n,) to (R,) values."""


@dataclass(frozen=True)
class Judge:
    """N studies with their original reports, by which written ones are judged. `recitation` knows the training
    reports."""

    readings: tuple[Reading, ...]
    draws: Draws
    words: tuple[Tokens, ...]
    said: tuple[frozenset[str], ...]
    cider: Cider
    recitation: Recitation | None = field(default=None, compare=False)

    @classmethod
    def of(cls, readings: Sequence[Reading], learned: Iterable[Reading] | None = None) -> "Judge":
        words = tuple(tokens(one.text) for one in readings)
        return cls(
            tuple(readings),
            Draws(tuple(one.patient for one in readings)),
            words,
            tuple(said_in(one.report) for one in readings),
            Cider.of(words),
            None if learned is None else Recitation(tokens(one.text) for one in learned),
        )

    def report_f1(self, written: Sequence[Report], rows: Iterable[int] | None = None) -> list[float | None]:
        """Of each report; None where neither it nor the original says a finding. `rows` are the studies that were
        written about, all in their order when left out."""
        places = list(range(len(self.readings)) if rows is None else rows)
        told = Told.of(FINDINGS, [said_in(one) for one in written], [self.said[place] for place in places])
        return [None if np.isnan(value) else float(value) for value in f1(told.counts())]

    def measure(self, written: Sequence[Report], prefix: str = "") -> dict[str, Metric]:
        """All scores of reports on these studies, in their order, by name."""
        words = [tokens(told_by(one)) for one in written]
        told = Told.of(FINDINGS, [said_in(one) for one in written], self.said)
        metrics = {
            **self._wordings(words),
            **self._extras(written),
            **self._findings(told),
            HEADLINE: self._mean(np.array([np.nan if v is None else v for v in self.report_f1(written)])),
            "distinct_share": Metric(_bare(distinct_share(words), len(words))),
        }
        if self.recitation is not None:
            copied = np.array([self.recitation.longest(one) / max(1, len(one)) for one in words])
            metrics["recited_share"] = self._mean(copied)
        return {f"{prefix}{name}": metric for name, metric in metrics.items()}

    def scores(self, written: Sequence[Report]) -> tuple[ItemScore, ...]:
        """Study by study."""
        told = Told.of(FINDINGS, [said_in(one) for one in written], self.said)
        columns = {
            HEADLINE: self.report_f1(written),
            "rouge_l": [rouge_l(tokens(told_by(one)), own) for one, own in zip(written, self.words, strict=True)],
            "invented_rate": told.invented().tolist(),
            "missed_rate": told.missed().tolist(),
        }
        return tuple(
            ItemScore(one.item, one.patient, "", {name: column[row] for name, column in columns.items()})
            for row, one in enumerate(self.readings)
        )

    def groups(self) -> Mapping[str, NDArray[np.intp]]:
        """The rows of normal and of abnormal studies."""
        normal = np.array([NO_FINDING in said for said in self.said], dtype=np.bool_)
        return dict(zip(GROUPS, (np.flatnonzero(normal), np.flatnonzero(~normal)), strict=True))

    def _wordings(self, words: Sequence[Tokens]) -> dict[str, Metric]:
        pairs = list(zip(words, self.words, strict=True))
        counts = np.array([bleu_counts(*pair) for pair in pairs], np.float64)
        found = {f"bleu{order}": self._told(_bleu_of(counts, order)) for order in range(1, ORDERS + 1)}
        found["rouge_l"] = self._mean(np.array([rouge_l(*pair) for pair in pairs]))
        found["cider"] = self._mean(np.array([self.cider.score(*pair) for pair in pairs]))
        return found

    def _extras(self, written: Sequence[Report]) -> dict[str, Metric]:
        """What more there is to be had on this machine; METEOR is told of even where it is not."""
        found = extra_scores([told_by(one) for one in written], [one.text for one in self.readings])
        told = {name: self._mean(np.array(values)) for name, values in found.items()}
        return {"meteor": Metric(NOT_EVALUABLE), **told}

    def _findings(self, told: Told) -> dict[str, Metric]:
        counts, keys = told.counts(), told.evaluable()
        micro = self._told(lambda weights, rows: f1(weights @ counts[rows]))
        each = {key: told.counts([told.findings.index(key)]) for key in keys}
        alone = {key: self.draws.sample(_f1_of(own)) for key, own in each.items()}
        macro = mean_of(list(alone.values()), len(self.readings))
        normal = told.counts([told.findings.index(NO_FINDING)])
        return {
            "label_micro_f1": Metric(
                micro.overall, {**micro.per_finding, **{key: one.estimate for key, one in alone.items()}}
            ),
            "label_macro_f1": Metric(macro.estimate),
            "normal_f1": Metric(self.draws.sample(_f1_of(normal)).estimate),
            "invented_rate": self._mean(told.invented()),
            "missed_rate": self._mean(told.missed()),
        }

    def _mean(self, values: Values) -> Metric:
        """Over those that are not NaN."""
        known, filled = (~np.isnan(values)).astype(np.float64), np.nan_to_num(values)

        def mean(weights: Values, rows: NDArray[np.intp]) -> Values:
            with np.errstate(invalid="ignore"):
                found: Values = (weights @ filled[rows]) / (weights @ known[rows])
            return found

        return self._told(mean)

    def _told(self, statistic: Statistic) -> Metric:
        everything = np.arange(len(self.readings))
        return Metric(
            self._sampled(statistic, everything).estimate,
            {name: self._sampled(statistic, rows).estimate for name, rows in self.groups().items() if len(rows)},
        )

    def _sampled(self, statistic: Statistic, rows: NDArray[np.intp]) -> Sampled:
        return self.draws.sample(lambda weights: statistic(weights, rows), rows)


def _bleu_of(counts: Values, order: int) -> Statistic:
    return lambda weights, rows: bleu(weights @ counts[rows], order)


def _f1_of(counts: Values) -> Callable[[Values], Values]:
    return lambda weights: f1(weights @ counts)


def told_by(report: Report) -> str:
    """Findings and impression as one text."""
    return " ".join(part for part in (report.findings, report.impression) if part)


def _bare(value: float, n: int) -> Estimate:
    return Estimate(value, None, None, n)
