"""What a classifier's measurement left to be looked into: on the film, on the text, on both, on another's text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.house import House
from app.services.figures import DamagedFigures, read_details
from core.metrics import Estimate
from core.registry import ModelVersion

COLUMNS: Mapping[str, str] = {
    "image": "film alone",
    "text_only": "text alone",
    "fused": "film and text",
    "shuffled": "film and another's text",
}
"""What a model was given to read, in the order in which they stand."""

SUFFIXES: Mapping[str, str] = {"image": "", "text_only": "_text_only", "fused": "_fused", "shuffled": "_shuffled"}
"""How a metric is named for each column."""

DIFFERENCES: Mapping[str, str] = {
    "fused-image": "what the text adds",
    "text_only-image": "text against film",
    "fused-shuffled": "what it owes to the right text",
}

Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Count:
    """How many studies a finding was measured on, and how many of them have it. Uncertain ones count in neither."""

    n: int
    positives: int
    uncertain: int = 0
    in_conflict: int = 0


@dataclass(frozen=True)
class Bin:
    """The studies to which about one probability was given, and the share of them that has the finding."""

    studies: float
    probability: float
    present: float


@dataclass(frozen=True)
class Compared:
    """A paired difference of AUROC, of the mean and by finding."""

    overall: Estimate
    per_finding: Mapping[str, Estimate]


@dataclass(frozen=True)
class Columns:
    """`names` are the columns that this model has. `before` are calibration errors before temperature scaling, by
    metric, column and finding, "" for the mean. `gives_away` are findings on which the text alone beats the film alone;
    `warnings` are sentences, that the text gives the answer away among them."""

    names: tuple[str, ...]
    averaged: tuple[str, ...] = ()
    counts: Mapping[str, Count] = field(default_factory=dict)
    not_evaluable: Mapping[str, str] = field(default_factory=dict)
    thresholds: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    temperature: Mapping[str, float] = field(default_factory=dict)
    before: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    roc: Mapping[str, Mapping[str, Curve]] = field(default_factory=dict)
    pr: Mapping[str, Mapping[str, Curve]] = field(default_factory=dict)
    reliability: Mapping[str, tuple[Bin, ...]] = field(default_factory=dict)
    reliability_before: Mapping[str, tuple[Bin, ...]] = field(default_factory=dict)
    compared: Mapping[str, Compared] = field(default_factory=dict)
    gives_away: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def columns(house: House, model: ModelVersion, snapshot: str, split: str) -> Columns | None:
    """The tables of one measurement; None where it left none on this machine. Raises DamagedFigures."""
    found = read_details(house, model, snapshot, split)
    if found is None:
        return None
    place, told = found
    try:
        return _columns(told)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DamagedFigures(place) from error


def _columns(told: Mapping[str, Any]) -> Columns:
    names = tuple(str(name) for name in told.get("columns", ()) if name in COLUMNS)
    return Columns(
        names=names,
        averaged=_texts(told.get("averaged", ())),
        counts={str(key): Count(**{k: int(v) for k, v in row.items()}) for key, row in _of(told, "counts").items()},
        not_evaluable={str(key): str(why) for key, why in _of(told, "not_evaluable").items()},
        thresholds={
            str(key): {str(column): None if value is None else float(value) for column, value in row.items()}
            for key, row in _of(told, "thresholds").items()
        },
        temperature={str(column): float(value) for column, value in _of(told, "temperature").items()},
        before={
            str(metric): {
                str(column): {str(key): float(value) for key, value in row.items() if value is not None}
                for column, row in by_column.items()
            }
            for metric, by_column in _of(told, "before").items()
        },
        roc=_curves(_of(told, "roc")),
        pr=_curves(_of(told, "pr")),
        reliability=_bins(_of(told, "reliability")),
        reliability_before=_bins(_of(told, "reliability_before")),
        compared={
            str(pair): Compared(
                Estimate(**row["overall"]),
                {str(key): Estimate(**estimate) for key, estimate in row.get("per_finding", {}).items()},
            )
            for pair, row in _of(told, "compared").items()
        },
        gives_away=_texts(told.get("gives_away", ())),
        warnings=_texts(told.get("warnings", ())),
    )


def _of(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part: Mapping[str, Any] = told.get(name) or {}
    return part


def _texts(listed: Sequence[Any]) -> tuple[str, ...]:
    return tuple(str(each) for each in listed)


def _curves(told: Mapping[str, Any]) -> dict[str, dict[str, Curve]]:
    return {
        str(column): {str(key): tuple((float(x), float(y)) for x, y in points) for key, points in row.items()}
        for column, row in told.items()
    }


def _bins(told: Mapping[str, Any]) -> dict[str, tuple[Bin, ...]]:
    return {
        str(key): tuple(Bin(float(many), float(mean), float(share)) for many, mean, share in rows)
        for key, rows in told.items()
    }
