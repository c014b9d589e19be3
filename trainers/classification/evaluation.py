"""How good the answers are, column by column, with 95 % bootstrap intervals by patient.

Conventions. What is uncertain is no truth, whatever was taught of it. AUROC, average precision, Brier score and ECE are
of the probabilities; accuracy, precision, recall and F1 of the answers at the threshold that validation chose for the
finding. A finding that is never present here, or always, is not evaluable in anything. Values over all findings are
means over those that belong in the mean (see `scores`). All columns are resampled by the same draws, so that their
differences are paired.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bootstrap import Draws, Sampled, Values, Weights, mean_of
from core.calibration import brier, expected_calibration_error, reliability, sigmoid
from core.discrimination import Truth, answers_at, auroc, average_precision, once, placements, pr_points, roc_points
from core.findings import Finding, State
from core.metrics import NOT_EVALUABLE, RESAMPLES, Estimate, ItemScore, Metric
from trainers.classification.answering import Logits, probabilities
from trainers.classification.columns import FUSED, IMAGE, SHUFFLED, SUFFIXES, TEXT
from trainers.classification.data import Exam
from trainers.classification.model import ClassificationModel
from trainers.scores import averaged, evaluable, truth_of

METRICS = ("auroc", "average_precision", "accuracy", "precision", "recall", "f1", "brier", "ece")
CHANCE = "auroc_floor"
COMPARED = ((FUSED, IMAGE), (TEXT, IMAGE), (FUSED, SHUFFLED))

Place = tuple[str, str, str]


@dataclass(frozen=True)
class Judged:
    """A model on some exams. `sampled` is by metric, column and finding, `means` by metric and column; `said` are the
    probabilities (n, F) by column, `uncalibrated` those before validation's temperature."""

    findings: tuple[Finding, ...]
    exams: tuple[Exam, ...]
    evaluable: tuple[str, ...]
    averaged: tuple[str, ...]
    columns: tuple[str, ...]
    said: Mapping[str, Values]
    uncalibrated: Mapping[str, Values]
    sampled: Mapping[Place, Sampled]
    means: Mapping[tuple[str, str], Sampled]


def judge(model: ClassificationModel, exams: Sequence[Exam], logits: Logits) -> Judged:
    """Hold the logits of a model on some exams against what is true."""
    said, draws = probabilities(model, logits), Draws(tuple(exam.patient for exam in exams))
    can, counted = evaluable(model.findings, exams), averaged(model.findings, exams)
    sampled: dict[Place, Sampled] = {}
    for place, finding in enumerate(model.findings):
        if finding.key in can:
            rows, truth = truth_of(exams, finding.key)
            weights = draws.weights[:, rows]
            for column, values in said.items():
                threshold = model.calibrated.threshold(column, finding.key)
                for metric, value in _measures(values[rows, place], truth, weights, threshold).items():
                    sampled[metric, column, finding.key] = Sampled(value, len(rows))
    means = {
        (metric, column): mean_of([sampled[metric, column, key] for key in counted], len(exams))
        for metric in METRICS
        for column in said
    }
    uncalibrated = {column: sigmoid(values) for column, values in logits.items()}
    return Judged(
        model.findings, tuple(exams), tuple(can), tuple(counted), tuple(said), said, uncalibrated, sampled, means
    )


def _measures(said: Values, truth: Truth, weights: Weights, threshold: float | None) -> dict[str, Values]:
    nothing = np.full(1 + RESAMPLES, np.nan)
    answers = answers_at(threshold, said, truth, weights) if threshold is not None else None
    return {
        "auroc": auroc(said, truth, weights),
        "average_precision": average_precision(said, truth, weights),
        "accuracy": answers.accuracy if answers else nothing,
        "precision": answers.precision if answers else nothing,
        "recall": answers.recall if answers else nothing,
        "f1": answers.f1 if answers else nothing,
        "brier": brier(said, truth, weights),
        "ece": expected_calibration_error(said, truth, weights),
    }


def metrics_of(judged: Judged, left_out: Mapping[str, str]) -> dict[str, Metric]:
    """By name. Findings that cannot be judged, and those that could not be learned, stand there as not evaluable."""
    named = dict.fromkeys([*(finding.key for finding in judged.findings), *left_out])
    found = {}
    for column in judged.columns:
        for metric in METRICS:
            found[metric + SUFFIXES[column]] = Metric(
                judged.means[metric, column].estimate,
                {key: _estimate(judged.sampled.get((metric, column, key))) for key in named},
            )
    # A text model has no answer from the film; what promotion compares is there all the same, to be no number.
    found.setdefault("auroc", Metric(NOT_EVALUABLE))
    overall = found["auroc"].overall
    half = Estimate(0.5, 0.5, 0.5, overall.n) if overall.value is not None else NOT_EVALUABLE
    return found | {CHANCE: Metric(half)}


def scores_of(judged: Judged) -> tuple[ItemScore, ...]:
    """What was said of each finding that is known of an exam: the probability in each column, and "present", 1 or 0.

    "auroc" is the placement from the film alone of what is present, for findings in the mean; "placement" for all.
    """
    scores = []
    for place, finding in enumerate(judged.findings):
        rows, truth = truth_of(judged.exams, finding.key)
        placed = placements(judged.said[IMAGE][rows, place], truth) if IMAGE in judged.columns else None
        for number, (row, present) in enumerate(zip(rows, truth, strict=True)):
            exam = judged.exams[row]
            placement = None if placed is None or np.isnan(placed[number]) else float(placed[number])
            values: dict[str, float | None] = {
                "auroc": placement if finding.key in judged.averaged else None,
                "placement": placement,
                "present": float(present),
            }
            values |= {column: round(float(judged.said[column][row, place]), 6) for column in judged.columns}
            scores.append(ItemScore(exam.item, exam.patient, finding.key, values))
    return tuple(scores)


def details_of(judged: Judged, model: ClassificationModel) -> dict[str, Any]:
    """For `details.json`: curves, reliability, thresholds, temperatures, counts, and the columns compared in pairs."""
    shown = judged.columns[0]
    return {
        "columns": list(judged.columns),
        "averaged": list(judged.averaged),
        "counts": {key: _counts(judged.exams, key) for key in (*model.keys, *model.left_out)},
        "not_evaluable": not_evaluable(judged, model),
        "thresholds": {
            key: {column: model.calibrated.threshold(column, key) for column in judged.columns} for key in model.keys
        },
        "temperature": dict(model.calibrated.temperatures),
        "before": _before(judged),
        "roc": _curves(judged, roc_points),
        "pr": _curves(judged, pr_points),
        "reliability": _reliability(judged, judged.said[shown]),
        "reliability_before": _reliability(judged, judged.uncalibrated[shown]),
        "compared": {
            f"{one}-{other}": {
                "overall": asdict(estimate),
                "per_finding": {key: asdict(difference(judged, one, other, key)) for key in judged.evaluable},
            }
            for one, other, estimate in comparisons(judged)
        },
        "gives_away": given_away(judged),
        "gives_away_overall": gives_away(judged),
        "warnings": warnings_of(judged),
    }


def comparisons(judged: Judged) -> list[tuple[str, str, Estimate]]:
    """Pairs of columns and the difference between their mean AUROCs."""
    return [
        (one, other, difference(judged, one, other))
        for one, other in COMPARED
        if one in judged.columns and other in judged.columns
    ]


def difference(judged: Judged, one: str, other: str, finding: str | None = None) -> Estimate:
    """How much better one column's AUROC is than another's, of a finding or of the mean."""
    if finding is None:
        return judged.means["auroc", one].minus(judged.means["auroc", other]).estimate
    return judged.sampled["auroc", one, finding].minus(judged.sampled["auroc", other, finding]).estimate


def gives_away(judged: Judged) -> bool:
    """Whether the text alone answers better than the film alone."""
    found = {(one, other): estimate.value for one, other, estimate in comparisons(judged)}
    value = found.get((TEXT, IMAGE))
    return value is not None and value > 0


def given_away(judged: Judged) -> list[str]:
    """The findings that the text alone tells better than the film alone, beyond chance."""
    if TEXT not in judged.columns or IMAGE not in judged.columns:
        return []
    lows = {key: difference(judged, TEXT, IMAGE, key).low for key in judged.evaluable}
    return [key for key, low in lows.items() if low is not None and low > 0]


def warnings_of(judged: Judged) -> list[str]:
    """What a person has to be told before the numbers."""
    warnings = []
    if gives_away(judged):
        text, image = (judged.means["auroc", column].estimate.value for column in (TEXT, IMAGE))
        warnings.append(
            f"The text is giving the answer away: AUROC {text:.3f} from the text alone, {image:.3f} from the film "
            "alone. What the model makes of both says little of what it sees."
        )
    elif keys := given_away(judged):
        named = ", ".join(key.replace("_", " ") for key in keys)
        warnings.append(f"The text is giving the answer away for {named}: it alone tells more than the film alone.")
    if IMAGE not in judged.columns:
        warnings.append("This model reads no films, only what was known before. It is here to be compared with.")
    return warnings


def not_evaluable(judged: Judged, model: ClassificationModel) -> dict[str, str]:
    """Why findings have no figures."""
    told = dict(model.left_out)
    for key in model.keys:
        if key not in judged.evaluable:
            _, truth = truth_of(judged.exams, key)
            told[key] = ("always" if len(truth) and truth.all() else "never") + " present here"
    return told


def _estimate(sampled: Sampled | None) -> Estimate:
    return NOT_EVALUABLE if sampled is None else sampled.estimate


def _counts(exams: Sequence[Exam], key: str) -> dict[str, int]:
    _, truth = truth_of(exams, key)
    return {
        "n": len(truth),
        "positives": int(truth.sum()),
        "uncertain": sum(exam.states.get(key) is State.UNCERTAIN for exam in exams),
        "in_conflict": sum(key in exam.torn for exam in exams),
    }


def _before(judged: Judged) -> dict[str, dict[str, dict[str, float]]]:
    """Brier score and ECE as they were before temperature scaling, by column and finding, their means under ""."""
    told: dict[str, dict[str, dict[str, float]]] = {}
    for name, measure in (("brier", brier), ("ece", expected_calibration_error)):
        told[name] = {}
        for column, values in judged.uncalibrated.items():
            each = {key: float(measure(*_of(judged, values, key))[0]) for key in judged.evaluable}
            mean = {"": float(np.mean([each[key] for key in judged.averaged]))} if judged.averaged else {}
            told[name][column] = mean | each
    return told


def _of(judged: Judged, values: Values, key: str) -> tuple[Values, Truth, Weights]:
    """What was said of a finding and what is true, of the exams of which it is known, each counting once."""
    rows, truth = truth_of(judged.exams, key)
    place = [finding.key for finding in judged.findings].index(key)
    return values[rows, place], truth, once(len(rows))


def _curves(judged: Judged, points: Any) -> dict[str, dict[str, list[list[float]]]]:
    return {
        column: {key: points(*_of(judged, judged.said[column], key)[:2]) for key in judged.evaluable}
        for column in judged.columns
    }


def _reliability(judged: Judged, values: NDArray[np.float64]) -> dict[str, list[list[float]]]:
    return {key: reliability(*_of(judged, values, key)[:2]) for key in judged.evaluable}
