"""What a generation model's card says: its reports beside all floors, and that it may only ever propose."""

from collections.abc import Mapping, Sequence

from core.metrics import Estimate, Metric
from trainers.generation.evaluation import COMPARED, FLOORS, SHUFFLED
from trainers.generation.model import GenerationModel

PURPOSE = (
    "It drafts reports for a radiologist to correct. It invents findings and misses others, fluently: the rates stand "
    "below. No draft of it is a report before somebody has read the films and signed."
)
_SPOKEN = {
    "constant_": "one report for all",
    "random_": "a random one",
    "nearest_": "the nearest study's",
    "text_only_": "of the indication alone",
}
_OTHERS = (
    "bleu1",
    "bleu2",
    "bleu3",
    "meteor",
    "bertscore",
    "radgraph_f1",
    "invented_rate",
    "missed_rate",
    "distinct_share",
    "recited_share",
)
ASIDE = frozenset(
    f"{prefix}{name}{suffix}" for prefix in ("", *FLOORS) for name in (*COMPARED, *_OTHERS) for suffix in ("", SHUFFLED)
)
"""Metrics that the card has in its own table."""


def facts_of(model: GenerationModel) -> tuple[str, ...]:
    left_out = ", ".join(f"{count} with {why}" for why, count in sorted(model.left_out.items()))
    return (
        PURPOSE,
        f"It learned from {model.learned:,} training reports ({model.recipe.target}); left out: {left_out or 'none'}.",
        *_crop_of(model),
    )


def _crop_of(model: GenerationModel) -> Sequence[str]:
    if model.lungs is not None:
        return (
            f"Frontal films are cropped to the lungs that {model.lungs.name} finds, and "
            f"{model.recipe.crop_margin:.0%} of their box around them; its weights lie beside this model's.",
        )
    return (f"Frontal films are not cropped to the lungs: {model.uncropped}.",) if model.uncropped else ()


def notes_of(metrics: Mapping[str, Metric], n: int, cut: int) -> tuple[str, ...]:
    """Lines on one measurement."""
    floors = [prefix for prefix in FLOORS if f"{prefix}bleu4" in metrics]
    heads = ["its reports", "of other films", *(_SPOKEN[prefix] for prefix in floors)]
    rows = []
    for name in (*COMPARED[:3], *COMPARED[3:], *_OTHERS):
        cells = [metrics.get(key) for key in (name, f"{name}{SHUFFLED}", *(f"{prefix}{name}" for prefix in floors))]
        if any(cell is not None for cell in cells):
            rows.append(f"| {name} | {' | '.join(_cell(cell) for cell in cells)} |")
    return (
        "### The reports",
        "",
        f"{n} studies; tokens are runs of letters and digits of the lowercase text. {cut} reports grew too long and "
        "were ended. A model that never looks scores with other films what it scores with the right ones.",
        "",
        f"| | {' | '.join(heads)} |",
        f"| --- |{' --- |' * len(heads)}",
        *rows,
        "",
        *_by_group(metrics),
    )


def _by_group(metrics: Mapping[str, Metric]) -> Sequence[str]:
    groups = metrics["bleu4"].per_finding
    lines = [
        f"| {name} | {' | '.join(_of(metrics[name].per_finding.get(group)) for group in groups)} |"
        for name in ("bleu4", "rouge_l", "invented_rate", "missed_rate")
    ]
    return ("", f"| | {' | '.join(groups)} |", f"| --- |{' --- |' * len(groups)}", *lines, "") if groups else ()


def _cell(metric: Metric | None) -> str:
    return "" if metric is None else _of(metric.overall)


def _of(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "not evaluable"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
