"""What a classifier's card says: the columns side by side, what the text gives away, what cannot be judged."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.metrics import Estimate, Metric
from trainers.classification.columns import FUSED, IMAGE, SHUFFLED, SPOKEN, SUFFIXES, TEXT
from trainers.classification.evaluation import CHANCE, METRICS, Judged, comparisons
from trainers.classification.model import ClassificationModel

ASIDE = frozenset({*(metric + suffix for metric in METRICS for suffix in SUFFIXES.values() if suffix), CHANCE})
"""Metrics that the card has in the table of columns, or not at all."""

MADE_UP = {
    "symptoms": (
        "**Its contexts were made up** from the labels, speaking of complaints and naming no finding. How well they "
        "tell findings says nothing of real ones."
    ),
    "labels": (
        "**Its contexts were made up from the labels and name them.** It shows what a leak looks like, and is never "
        "put in use."
    ),
}


def notes_of(judged: Judged, metrics: Mapping[str, Metric], details: Mapping[str, Any]) -> tuple[str, ...]:
    """Lines on one measurement, after the table of its metrics."""
    lines = [f"**{warning}**" for warning in details["warnings"]]
    counted = ", ".join(key.replace("_", " ") for key in judged.averaged) or "none"
    lines += [
        "### What the film and the text are worth",
        "",
        f"AUROC by what the model was given, with the 95 % interval; the mean is over {len(judged.averaged)} findings "
        f"({counted}). Chance is .5.",
        "",
        f"| finding | present of known | {' | '.join(SPOKEN[column] for column in judged.columns)} |",
        f"| --- | --- |{' --- |' * len(judged.columns)}",
        *_rows(judged, metrics, details["counts"]),
        "",
        *_differences(judged),
    ]
    if IMAGE in judged.columns:
        lines.append(_calibration(metrics, details["before"]))
    if told := details["not_evaluable"]:
        lines.append(
            "Not evaluable: " + "; ".join(f"{key.replace('_', ' ')}, {why}" for key, why in told.items()) + "."
        )
    return (*_apart(lines), "")


def origin_notes(model: ClassificationModel) -> tuple[str, ...]:
    """Lines on the model whatever it is measured on."""
    notes = [MADE_UP[model.recipe.context]] if model.recipe.context in MADE_UP else []
    if not _sees(model):
        notes.append("It reads no films and never answers readers.")
    return tuple(notes)


def _sees(model: ClassificationModel) -> bool:
    return model.network.encoder is not None


def _rows(judged: Judged, metrics: Mapping[str, Metric], counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    def cells(estimates: Sequence[Estimate]) -> str:
        return " | ".join(_cell(estimate) for estimate in estimates)

    found = [metrics["auroc" + SUFFIXES[column]] for column in judged.columns]
    rows = [f"| **mean** | | {cells([metric.overall for metric in found])} |"]
    for key in judged.evaluable:
        amount = f"{counts[key]['positives']} of {counts[key]['n']}"
        rows.append(f"| {key.replace('_', ' ')} | {amount} | {cells([metric.per_finding[key] for metric in found])} |")
    return rows


def _differences(judged: Judged) -> list[str]:
    words = {
        (FUSED, IMAGE): "The context adds",
        (TEXT, IMAGE): "The text alone against the film alone",
        (FUSED, SHUFFLED): "A context of the right patient against one of another",
    }
    return [
        f"{words[one, other]}: {estimate.value:+.3f} ({estimate.low:+.3f} to {estimate.high:+.3f}), paired."
        for one, other, estimate in comparisons(judged)
        if estimate.value is not None
    ]


def _calibration(metrics: Mapping[str, Metric], before: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    told = []
    for name, spoken in (("ece", "ECE"), ("brier", "Brier score")):
        after, first = metrics[name].overall.value, before[name][IMAGE].get("")
        if after is not None and first is not None:
            told.append(f"{spoken} {after:.4f}, {first:.4f} before temperature scaling")
    return f"Calibration from the film alone: {'; '.join(told) or 'not evaluable'}."


def _cell(estimate: Estimate) -> str:
    if estimate.value is None:
        return "not evaluable"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def _apart(lines: Sequence[str]) -> list[str]:
    """An empty line after each that is no row of a table and not empty itself."""
    spaced: list[str] = []
    for line in lines:
        if spaced and spaced[-1] and not (spaced[-1].startswith("|") and line.startswith("|")) and line:
            spaced.append("")
        spaced.append(line)
    return spaced
