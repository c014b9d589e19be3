"""The steps of retrieval's bottleneck one after the other, each going on from the one before, and their table."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.house import House
from app.services import training
from core.jobs import Job
from core.metrics import Estimate, Metric, metric_to_json
from core.recipes import BadRecipe, Recipe, RetrievalRecipe, changed
from core.recipes.retrieval import VARIANTS
from core.studies import Split
from db import models

METRICS = {
    "i2t_recall@10": "R@10, film to text",
    "t2i_recall@10": "R@10, text to film",
    "i2t_graded_ndcg@10": "graded nDCG@10, film to text",
    "t2i_graded_ndcg@10": "graded nDCG@10, text to film",
    "zero_shot_auroc": "zero-shot AUROC",
    "patches_kept": "patches kept",
    "images_per_second": "images a second",
}
"""What the table tells of each step. Images a second stand between the slowest and the fastest of some rounds."""

Wait = Callable[[Job], object]
"""Waits for a job. Raises where it failed or was cancelled."""


class NoSteps(BadRecipe):
    def __init__(self) -> None:
        super().__init__("Steps are taken by retrieval models alone. Leave --ablation out, or train retrieval.")


@dataclass(frozen=True)
class Step:
    """One variant: the model that it is, what it scored, and how long it was trained."""

    variant: str
    model: str
    metrics: dict[str, Metric]
    n: int
    seconds: float


def steps(
    house: House, recipe: Recipe, snapshot: str, split: Split, by: str, wait: Wait
) -> Iterator[Step]:  # fmt: skip
    """Train and measure one variant after the other. What is trained already stays when the rest is broken off.

    Raises NoSteps, BadRecipe, NotFound, and what `wait` raises.
    """
    if not isinstance(recipe, RetrievalRecipe):
        raise NoSteps
    start = recipe.start_from
    for variant in VARIANTS:
        wanted = changed(recipe, {"network": "bottleneck", "variant": variant, "start_from": start})
        job = training.train(house, wanted, snapshot, by)
        wait(job)
        with house.database.reading() as session:
            model = next(one for one in models.models(session, recipe.family) if one.job == job.id)
        wait(training.evaluate(house, model.name, snapshot, split, by))
        with house.database.reading() as session:
            told = next(one for one in models.evaluations(session, model.name) if one.split == split)
        yield Step(variant, model.name, dict(told.metrics), told.n, float(model.facts["seconds"]))
        start = model.name


def as_json(taken: Sequence[Step], snapshot: str, split: Split) -> dict[str, object]:
    return {
        "snapshot": snapshot,
        "split": split,
        "steps": [
            {
                "variant": step.variant,
                "model": step.model,
                "n": step.n,
                "seconds": step.seconds,
                "metrics": {name: metric_to_json(step.metrics[name]) for name in METRICS if name in step.metrics},
            }
            for step in taken
        ],
    }


def as_markdown(taken: Sequence[Step], snapshot: str, split: Split) -> str:
    """The table, for people to read and to put where they like."""
    lines = [
        f"Variants of the bottleneck on {snapshot}, {split}, N {taken[-1].n if taken else 0}; 95 % intervals.",
        "",
        f"| variant | model | {' | '.join(METRICS.values())} |",
        f"| --- | --- |{' --- |' * len(METRICS)}",
    ]
    for step in taken:
        told = " | ".join(shown(step.metrics[name].overall) if name in step.metrics else "" for name in METRICS)
        lines.append(f"| {step.variant} | {step.model} | {told} |")
    return "\n".join([*lines, ""])


def keep(house: House, taken: Sequence[Step], snapshot: str, split: Split) -> Path:
    """Write the table as Markdown and as JSON beside it; gives the place of the Markdown."""
    folder = house.workspace.home / "ablations"
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{snapshot}-{taken[0].model}-to-{taken[-1].model}.md"
    place.write_text(as_markdown(taken, snapshot, split), encoding="utf-8")
    told = json.dumps(as_json(taken, snapshot, split), indent=1)
    place.with_suffix(".json").write_text(told, encoding="utf-8")
    return place


def shown(figure: Estimate) -> str:
    if figure.value is None:
        return "not evaluable"
    digits = 0 if figure.value >= 10 else 3
    value = f"{figure.value:.{digits}f}"
    if figure.low is None or figure.high is None:
        return value
    return f"{value} ({figure.low:.{digits}f} to {figure.high:.{digits}f})"
