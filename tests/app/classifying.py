"""A classifier on record with everything that a measurement leaves, made up and consistent with itself."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.house import House
from core.metrics import NOT_EVALUABLE, Estimate, Evaluation, ItemScore, Metric
from core.registry import ModelVersion
from core.studies import Split
from db import models
from db.models import NewModel

FINDINGS = ("cardiomegaly", "edema", "nodule")
NEVER = "fracture"
COLUMNS = {"image": 0.0, "text_only": -0.2, "fused": 0.02, "shuffled": -0.03}
SUFFIXES = {"image": "", "text_only": "_text_only", "fused": "_fused", "shuffled": "_shuffled"}
METRICS = ("auroc", "average_precision", "accuracy", "precision", "recall", "f1", "brier", "ece")
LEAK = "The text gives the answer away: text alone does better than the film alone (AUROC +0.150, +0.100 to +0.200)."


def put_measured(
    house: House,
    folder: str = "classification-1",
    better: float = 0.0,
    columns: Mapping[str, float] = COLUMNS,
    warnings: Sequence[str] = (),
    scored: bool = True,
) -> ModelVersion:
    """On record, measured on the validation studies of "first", its figures on the disk."""
    metrics = {
        f"{name}{SUFFIXES[column]}": _metric(0.85 + better + shift)
        for name in METRICS
        for column, shift in columns.items()
    }
    scores = tuple(
        ItemScore(
            f"study-{i}",
            f"patient-{i}",
            finding,
            dict.fromkeys(("auroc", "placement"), round(0.5 + better + 0.04 * i, 3)),
        )
        for i in range(8)
        for finding in FINDINGS
        if scored
    )
    with house.database.writing() as session:
        new = NewModel("classification", folder, {"preset": "smoke"}, (*FINDINGS, NEVER), "auroc", metrics, "first")
        model = models.register(session, new, "tester")
        evaluation = Evaluation(model.name, "first", Split.VALIDATION, 60, 1.0, metrics, scores)
        models.record_evaluation(session, evaluation, "tester")
    place = house.workspace.models / folder
    (place / "figures").mkdir(parents=True)
    (place / "metrics.json").write_text(json.dumps({"snapshot": "first", "split": "validation"}), encoding="utf-8")
    (place / "details.json").write_text(json.dumps(details(columns, warnings)), encoding="utf-8")
    (place / "model_card.md").write_text(f"# {model.name}", encoding="utf-8")
    return model


def details(columns: Mapping[str, float] = COLUMNS, warnings: Sequence[str] = ()) -> dict[str, Any]:
    """What stands in details.json."""
    steps = np.linspace(0, 1, 21)
    roc = [[round(float(x), 3), round(float(x**0.3), 3)] for x in steps]
    pr = [[round(float(x), 3), round(float(0.9 - 0.6 * x), 3)] for x in steps]
    bins = [[20, 0.1, 0.12], [12, 0.5, 0.42], [8, 0.9, 0.8]]
    sharper = [[20, 0.05, 0.12], [20, 0.95, 0.7]]
    pairs = {"fused-image": 0.02, "text_only-image": 0.15 if warnings else -0.2, "fused-shuffled": 0.05}
    return {
        "columns": list(columns),
        "averaged": list(FINDINGS[:2]),
        "counts": {f: {"n": 60, "positives": 12 - i, "uncertain": 1, "in_conflict": 0} for i, f in enumerate(FINDINGS)}
        | {NEVER: {"n": 60, "positives": 0, "uncertain": 0, "in_conflict": 0}},
        "not_evaluable": {NEVER: "never present here"},
        "thresholds": {f: dict.fromkeys(columns, 0.43) for f in FINDINGS} | {NEVER: dict.fromkeys(columns)},
        "temperature": dict.fromkeys(columns, 1.31),
        "before": {
            name: {column: {"": 0.09} | dict.fromkeys(FINDINGS, 0.1) for column in columns} for name in ("brier", "ece")
        },
        "roc": {column: dict.fromkeys(FINDINGS, roc) for column in columns},
        "pr": {column: dict.fromkeys(FINDINGS, pr) for column in columns},
        "reliability": dict.fromkeys(FINDINGS, bins),
        "reliability_before": dict.fromkeys(FINDINGS, sharper),
        "compared": {
            pair: {"overall": _difference(value), "per_finding": dict.fromkeys(FINDINGS, _difference(value))}
            for pair, value in pairs.items()
            if set(pair.split("-")) <= set(columns)
        },
        "gives_away": list(FINDINGS[:1]) if warnings else [],
        "gives_away_overall": bool(warnings),
        "warnings": list(warnings),
    }


def _metric(value: float) -> Metric:
    def estimate(shift: float) -> Estimate:
        middle = min(0.99, max(0.01, value + shift))
        return Estimate(middle, middle - 0.04, min(1.0, middle + 0.04), 60)

    return Metric(
        estimate(0.0), {f: estimate(0.03 - 0.03 * i) for i, f in enumerate(FINDINGS)} | {NEVER: NOT_EVALUABLE}
    )


def _difference(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.04, "high": value + 0.04, "n": 60}
