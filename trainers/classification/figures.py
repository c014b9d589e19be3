"""What a measurement leaves to look at: ROC and precision-recall curves, calibration, and the columns side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.metrics import Metric
from trainers.charts import draw_estimates, draw_reliability, spoken
from trainers.classification.columns import SPOKEN, SUFFIXES

COLOURS = {"image": "#5BC0EB", "text_only": "#F2B84B", "fused": "#2EC4B6", "shuffled": "#9AA5B1"}
PANELS_ACROSS = 4
PANEL = 2.6

Points = Mapping[str, Mapping[str, Sequence[Sequence[float]]]]


def draw_figures(folder: Path, metrics: Mapping[str, Metric], details: Mapping[str, Any]) -> None:
    """`roc.png`, `pr.png`, `calibration.png`, `calibration-before.png` and `columns.png`, in the folder, which is made;
    none where nothing can be judged."""
    folder.mkdir(parents=True, exist_ok=True)
    findings = list(details["reliability"])
    if not findings:
        return
    _draw_curves(folder / "roc.png", details["roc"], findings, ("false positive rate", "true positive rate"))
    _draw_curves(folder / "pr.png", details["pr"], findings, ("recall", "precision"))
    draw_reliability(folder / "calibration.png", details["reliability"], "studies")
    draw_reliability(folder / "calibration-before.png", details["reliability_before"], "studies")
    _draw_columns(folder / "columns.png", metrics, details["columns"], findings)


def _draw_curves(place: Path, points: Points, findings: Sequence[str], axes_names: tuple[str, str]) -> None:
    """A panel for each finding, a line for each column."""
    across = min(PANELS_ACROSS, len(findings))
    down = -(-len(findings) // across)
    figure = Figure(figsize=(PANEL * across + 0.6, PANEL * down + 0.6), layout="constrained")
    panels: list[Axes] = list(np.ravel(figure.subplots(down, across, sharex=True, sharey=True)))
    for panel, finding in zip(panels, findings, strict=False):
        for column, curves in points.items():
            x, y = np.asarray(curves[finding]).T
            panel.plot(x, y, color=COLOURS[column], linewidth=1.4, label=SPOKEN[column])
        panel.set_title(spoken(finding), fontsize="small")
    for panel in panels[len(findings) :]:
        panel.set_axis_off()
    panels[0].legend(fontsize="xx-small")
    figure.supxlabel(axes_names[0])
    figure.supylabel(axes_names[1])
    figure.savefig(place, dpi=110)


def _draw_columns(place: Path, metrics: Mapping[str, Metric], columns: Sequence[str], findings: Sequence[str]) -> None:
    """AUROC with its interval, by finding and column; the mean last."""
    figure = Figure(figsize=(2.4 + 0.75 * len(findings), 4.2), layout="constrained")
    axes = figure.subplots()
    for number, column in enumerate(columns):
        metric = metrics["auroc" + SUFFIXES[column]]
        told = [*(metric.per_finding[finding] for finding in findings), metric.overall]
        x = [at + (number - (len(columns) - 1) / 2) * 0.18 for at in range(len(told))]
        draw_estimates(axes, x, told, SPOKEN[column], COLOURS[column])
    axes.axhline(0.5, color="#9AA5B1", linewidth=0.8, linestyle="--")
    axes.set_xticks(range(len(findings) + 1), [*map(spoken, findings), "mean"], rotation=30, ha="right")
    axes.set_ylabel("AUROC")
    axes.legend(fontsize="small", ncols=len(columns), loc="lower center")
    figure.savefig(place, dpi=110)
