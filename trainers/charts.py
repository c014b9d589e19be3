"""Charts that several families draw of what they measured."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from core.metrics import Estimate


def draw_reliability(place: Path, tables: Mapping[str, Sequence[Sequence[float]]], what: str) -> None:
    """Reliability diagram: above, how often `what` of a probability is true; below, how much there is of each. Rows of
    `tables` are [how much, mean probability, share that is true]."""
    figure = Figure(figsize=(6, 6.4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.plot([0, 1], [0, 1], color="#9AA5B1", linewidth=1, linestyle="--", label="as it should be")
    for finding, rows in tables.items():
        amount, probability, true = np.asarray(rows, dtype=np.float64).T
        above.plot(probability, true, marker="o", markersize=3.5, label=spoken(finding))
        below.plot(probability, amount / amount.sum(), marker="o", markersize=3.5)
    above.set_ylabel("share that is true")
    above.legend(fontsize="small")
    below.set_yscale("log")
    below.set_ylabel(f"share of {what}")
    below.set_xlabel("probability that the model gave")
    figure.savefig(place, dpi=110)


def draw_estimates(axes: Any, x: Sequence[float], told: Sequence[Estimate], label: str, colour: str) -> None:
    """Each estimate at its place with its interval; what is not evaluable is not there.

    Not drawn as an error of the value: that of something rare can lie outside its own resamples.
    """
    shown = [(at, one.value, one.low, one.high) for at, one in zip(x, told, strict=True) if one.value is not None]
    if not shown:
        return
    places, values, lows, highs = np.asarray(shown, dtype=np.float64).T
    axes.vlines(places, lows, highs, colors=colour, linewidth=1.2)
    axes.plot(places, values, "o", markersize=4, color=colour, label=label)


def spoken(key: str) -> str:
    return key.replace("_", " ")
