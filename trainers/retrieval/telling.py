"""What a retrieval model's card says: both directions and both protocols beside chance and ceiling, findings, views."""

from collections.abc import Mapping
from typing import Any

from core.metrics import Estimate, Metric
from trainers.retrieval.evaluation import CEILING, FLOOR, FUSED, PHRASES, PRECISION, ZERO_SHOT, Judged, comparisons
from trainers.retrieval.protocols import HEADLINE, I2T, MEASURES, NAIVE, T2I, UNIQUE

PURPOSE = (
    "It puts films and reports into one space, to search by either. It answers for no finding: what lies near is "
    "alike, which is no diagnosis. Its vectors compare with those of no other model."
)
ASIDE = frozenset(
    f"{direction}_{measure}{protocol}{suffix}"
    for direction in (I2T, T2I)
    for measure in MEASURES
    for protocol in (UNIQUE, NAIVE)
    for suffix in ("", FLOOR, CEILING)
) | {PRECISION, PRECISION + FLOOR, ZERO_SHOT, PHRASES, PHRASES + FLOOR}
"""Metrics that the card has in its own tables."""

_DIRECTIONS = {I2T: "films to texts", T2I: "texts to films"}


def notes_of(judged: Judged, metrics: Mapping[str, Metric], details: Mapping[str, Any]) -> tuple[str, ...]:
    """Lines on one measurement, after the table of its metrics."""
    return (
        "### The search",
        "",
        f"{len(judged.pairs)} studies with {judged.protocols.texts} distinct texts. A random order "
        "and, where equal texts set one, the ceiling stand beside each figure. Graded gains are the share of present "
        "findings that both have.",
        "",
        *_table(metrics, UNIQUE, "Unique texts: each study looks among the distinct texts, each text for its studies."),
        *_table(metrics, NAIVE, "Naive: of equal texts only the study's own is right."),
        "### Findings",
        "",
        "Precision among the five nearest studies of other patients, and AUROC by prompts alone, without learning; "
        f"the mean is over {len(judged.averaged)} findings that are present and absent at least ten times each.",
        "",
        "| finding | precision@5 | base rate | zero-shot AUROC |",
        "| --- | --- | --- | --- |",
        *_findings(metrics),
        "",
        f"Fixed phrases, of the first ten studies those that answer: {_cell(metrics[PHRASES].overall)}; of all "
        f"{_cell(metrics[PHRASES + FLOOR].overall)}.",
        "",
        *_views(judged),
    )


def _table(metrics: Mapping[str, Metric], protocol: str, caption: str) -> list[str]:
    rows = []
    for direction, spoken in _DIRECTIONS.items():
        for measure in MEASURES:
            name = f"{direction}_{measure}{protocol}"
            cells = [_cell(metrics[key].overall) for key in (name, name + FLOOR, name + CEILING) if key in metrics]
            rows.append(f"| {spoken} | {measure} | {' | '.join([*cells, ''][:3])} |")
    return [caption, "", "| | | value | random | ceiling |", "| --- | --- | --- | --- | --- |", *rows, ""]


def _findings(metrics: Mapping[str, Metric]) -> list[str]:
    told = [metrics[name] for name in (PRECISION, PRECISION + FLOOR, ZERO_SHOT)]
    keys = list(told[0].per_finding)
    rows = [f"| **mean** | {' | '.join(_cell(metric.overall) for metric in told)} |"]
    for key in keys:
        cells = [_cell(metric.per_finding[key]) if key in metric.per_finding else "" for metric in told]
        rows.append(f"| {key.replace('_', ' ')} | {' | '.join(cells)} |")
    return rows


def _views(judged: Judged) -> list[str]:
    if (HEADLINE, FUSED) not in judged.views:
        return []
    lines = [f"Studies with both views ({judged.views[HEADLINE, FUSED].n}), both films against one alone, paired:", ""]
    for (measure, name), difference in comparisons(judged).items():
        lines.append(f"- {measure}, both against the {name} one: {_cell(difference, signed=True)}")
    return [*lines, ""]


def _cell(estimate: Estimate, signed: bool = False) -> str:
    if estimate.value is None:
        return "not evaluable"
    sign = "+" if signed else ""
    return f"{estimate.value:{sign}.3f} ({estimate.low:{sign}.3f} to {estimate.high:{sign}.3f})"
