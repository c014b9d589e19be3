"""Which findings can be judged, and the mean over them.

A finding can be judged on some exams where it is present on one and absent on another, for certain. The mean is over
those that are present and absent at least `LEAST` times each, all counting alike: the area under a curve through a
handful of cases is a matter of luck, on whichever side they are. "No finding" is judged and left out of the mean, being
all others at once.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.discrimination import Truth, auroc, once
from core.findings import NO_FINDING, Finding

LEAST = 10


class Exam(Protocol):
    """A study, as far as it can be judged whether findings were told on it."""

    def known(self, finding: str) -> bool | None:
        """Whether a finding is present; None where that is not certain."""


def truth_of(exams: Sequence[Exam], finding: str) -> tuple[NDArray[np.intp], Truth]:
    """Which exams a finding is known of, and whether it is present there."""
    told = [exam.known(finding) for exam in exams]
    rows = np.array([row for row, one in enumerate(told) if one is not None], dtype=np.intp)
    return rows, np.array([one for one in told if one is not None], dtype=np.bool_)


def evaluable(findings: Sequence[Finding], exams: Sequence[Exam]) -> list[str]:
    truths = ((finding.key, truth_of(exams, finding.key)[1]) for finding in findings)
    return [key for key, truth in truths if truth.any() and not truth.all()]


def averaged(findings: Sequence[Finding], exams: Sequence[Exam]) -> list[str]:
    """The findings that are in the mean."""
    truths = ((key, truth_of(exams, key)[1]) for key in evaluable(findings, exams) if key != NO_FINDING)
    return [key for key, truth in truths if min(truth.sum(), (~truth).sum()) >= LEAST]


def aurocs(findings: Sequence[Finding], exams: Sequence[Exam], logits: NDArray[np.float64]) -> dict[str, float]:
    """By finding, from logits (n, F); NaN for what cannot be judged."""
    told = {}
    for place, finding in enumerate(findings):
        rows, truth = truth_of(exams, finding.key)
        told[finding.key] = float(auroc(logits[rows, place], truth, once(len(rows)))[0])
    return told


def mean_over_findings(findings: Sequence[Finding], exams: Sequence[Exam], values: Mapping[str, float]) -> float:
    """The mean of the findings that belong in it; where the exams are too few for any, of all that can be judged."""
    return float(np.mean([values[key] for key in averaged(findings, exams) or evaluable(findings, exams)]))
