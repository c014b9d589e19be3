"""Whether what a report says is true, as far as the labeler can tell: its findings against the original's.

Both texts are read by the same rules. A finding counts as said where it is called present, or uncertain: a report that
wavers has said something. Over these, precision, recall and F1 are those of information retrieval.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.findings import CHEXPERT, NO_FINDING, State
from core.labeler import Rules, label
from core.reports import Report

Values = NDArray[np.float64]
Marks = NDArray[np.bool_]

FINDINGS: Final = tuple(finding.key for finding in CHEXPERT if finding.key != NO_FINDING)
"""What a report can get wrong: an anatomy that is named is no finding, and neither is that nothing was found."""

_SAID = (State.PRESENT, State.UNCERTAIN)


def said_in(report: Report, rules: Rules | None = None) -> frozenset[str]:
    """The findings that a report calls present or uncertain, "no finding" among them where it finds nothing."""
    return frozenset(one.finding for one in label(report, rules) if one.state in _SAID)


@dataclass(frozen=True)
class Told:
    """N reports and F findings: `written` and `original` (N, F), True where the report says the finding."""

    findings: tuple[str, ...]
    written: Marks
    original: Marks

    @classmethod
    def of(
        cls, findings: Sequence[str], written: Sequence[Collection[str]], original: Sequence[Collection[str]]
    ) -> "Told":
        return cls(tuple(findings), _marks(findings, written), _marks(findings, original))

    def columns(self) -> list[int]:
        """The places of all findings but "no finding"."""
        return [place for place, key in enumerate(self.findings) if key != NO_FINDING]

    def invented(self) -> Values:
        """(N,): how many findings each report says that its original does not."""
        rows = self.columns()
        counts: Values = (self.written & ~self.original)[:, rows].sum(axis=1).astype(np.float64)
        return counts

    def missed(self) -> Values:
        """(N,): how many findings of the original each report does not say."""
        rows = self.columns()
        counts: Values = (~self.written & self.original)[:, rows].sum(axis=1).astype(np.float64)
        return counts

    def counts(self, places: Sequence[int] | None = None) -> Values:
        """(N, 3): hits, findings written and findings of the original, over the columns at these places."""
        rows = list(self.columns() if places is None else places)
        ours, theirs = self.written[:, rows], self.original[:, rows]
        columns = [(ours & theirs).sum(axis=1), ours.sum(axis=1), theirs.sum(axis=1)]
        told: Values = np.stack(columns, axis=1).astype(np.float64)
        return told

    def evaluable(self) -> tuple[str, ...]:
        """The findings, "no finding" left out, that some original says."""
        return tuple(self.findings[place] for place in self.columns() if self.original[:, place].any())


def f1(counts: Values) -> Values:
    """From sums (R, 3) of `Told.counts` in R resamples (R,): 2 hits over what was written and what was there; 0 where
    something was there and nothing was hit, NaN where there was nothing and nothing was written."""
    both = counts[:, 1] + counts[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        scores: Values = np.where(both > 0, 2 * counts[:, 0] / both, np.nan)
    return scores


def _marks(findings: Sequence[str], said: Sequence[Collection[str]]) -> Marks:
    marks = np.array([[key in one for key in findings] for one in said], dtype=np.bool_)
    return marks.reshape(len(said), len(findings))
