"""A finished training becomes a model: its folder, with everything that tells where it came from and how good it is."""

import csv
import json
import platform
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from PIL import Image

from core.jobs import CurvePoint
from core.metrics import Estimate, Evaluation, Metric
from core.recipes import Recipe
from core.registry import RESEARCH_ONLY
from core.snapshots import Manifest, Snapshot
from core.studies import Split
from trainers.contract import FRAMES, ModelFacts

matplotlib.use("Agg")

ANIMATED_FRAMES = 40
FRAME_MILLISECONDS = 220
LAST_FRAME_MILLISECONDS = 2500
SUGGESTS = (
    "It was made to suggest to a reader who decides, and reads frontal chest radiographs of adults. "
    "Films unlike those it learned from (children, other projections, other machines) may be answered badly."
)
LIBRARIES = ("torch", "torchvision", "lightning", "timm", "segmentation_models_pytorch", "transformers", "numpy")


@dataclass(frozen=True)
class Run:
    """How a model came to be: what `run.json` holds."""

    family: str
    job: int
    recipe: Recipe
    snapshot: Snapshot
    steps: int
    best_epoch: int | None
    seconds: float


def write_run(folder: Path, run: Run, facts: ModelFacts) -> None:
    """recipe.json and run.json: configuration, seed, versions, the snapshot's hash, where each weight came from."""
    _write_json(folder / "recipe.json", json.loads(run.recipe.to_json()))
    _write_json(
        folder / "run.json",
        {
            "family": run.family,
            "job": run.job,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "recipe": run.recipe.to_mapping(),
            "seed": run.recipe.seed,
            "snapshot": {"name": run.snapshot.name, "sha256": run.snapshot.sha},
            "steps": run.steps,
            "best_epoch": run.best_epoch,
            "seconds": round(run.seconds, 1),
            "parameters": facts.parameters,
            "findings": [finding.key for finding in facts.findings],
            "weights": [asdict(origin) for origin in facts.origins],
            "python": platform.python_version(),
            "machine": platform.machine(),
            "libraries": {name: metadata.version(name) for name in LIBRARIES},
        },
    )


def write_metrics(folder: Path, evaluation: Evaluation) -> None:
    """metrics.json and metrics.csv: overall and by finding, with intervals."""
    _write_json(folder / "metrics.json", evaluation.to_json())
    with (folder / "metrics.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["metric", "finding", "value", "low", "high", "n"])
        for name, metric in evaluation.metrics.items():
            for finding, estimate in {"": metric.overall, **metric.per_finding}.items():
                table.writerow([name, finding, estimate.value, estimate.low, estimate.high, estimate.n])


def write_details(folder: Path, details: Mapping[str, Any]) -> None:
    """details.json: what a family tells beside its metrics, for whoever wants to look closer."""
    _write_json(folder / "details.json", details)


def draw_curves(place: Path, curve: Sequence[CurvePoint]) -> None:
    """training_curves.png: the loss, and under it whatever was validated."""
    names = sorted({point.name for point in curve})
    losses = [name for name in names if name.startswith("train_")]
    others = [name for name in names if name not in losses]
    figure = Figure(figsize=(8, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for axes, shown, prefix in ((above, losses, "train_"), (below, others, "validation_")):
        for name in shown:
            points = [point for point in curve if point.name == name]
            axes.plot([p.step for p in points], [p.value for p in points], label=name.removeprefix(prefix))
        if shown:
            axes.legend(fontsize="small")
    above.set_ylabel("training loss")
    below.set_xlabel("step")
    below.set_ylabel("validation")
    figure.savefig(place, dpi=110)


def write_card(
    folder: Path,
    name: str,
    run: Run,
    facts: ModelFacts,
    evaluation: Evaluation,
    data: Manifest,
    notes: Sequence[str] = (),
    aside: Collection[str] = (),
) -> None:
    """model_card.md (after Mitchell et al. 2019): what it is for, made of, trained on, and how good it is.

    `notes` are lines on the measurement; metrics named in `aside` are left to them.
    """
    findings = ", ".join(finding.name.lower() for finding in facts.findings)
    counts = data.counts()
    lines = [
        f"# {name}",
        "",
        f"**{RESEARCH_ONLY}**",
        "",
        f"A {run.family} model with {facts.parameters:,} parameters. "
        + (f"It answers for: {findings}." if findings else "It answers for no finding."),
        *([SUGGESTS] if findings else []),
        "",
        "## Weights it started from",
        "",
        _started(facts),
        "",
        *(f"- {origin}" for origin in facts.origins),
        "",
        "## Data",
        "",
        f"Snapshot `{run.snapshot.name}` (sha256 `{run.snapshot.sha}`), datasets {', '.join(data.datasets)}: "
        f"{counts.studies} studies of {counts.patients} patients; "
        + ", ".join(f"{counts.by_split[split]} for {split}" for split in Split)
        + ". The terms of the datasets hold for what is derived from them.",
        *([_curated(counts.curated)] if counts.curated else []),
        "",
        "## Training",
        "",
        f"Recipe `{run.recipe.preset}`, seed {run.recipe.seed}, {run.steps} steps in {run.seconds:.0f} s; "
        + ("the last weights were kept." if run.best_epoch is None else f"epoch {run.best_epoch + 1} was the best."),
        "",
        f"## How good it is ({evaluation.split} split, {evaluation.n} films)",
        "",
        "| metric | finding | value | 95 % interval | N |",
        "| --- | --- | --- | --- | --- |",
        *_rows(evaluation.metrics, aside),
        "",
        *notes,
        *facts.notes,
    ]
    (folder / "model_card.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def animate(working: Path, folder: Path) -> None:
    """figures/training.gif from the frames that the training left; nothing where it left none. Of many frames some are
    taken, evenly spread, the first and the last among them."""
    left = sorted((working / FRAMES).glob("*.png"))
    if not left:
        return
    kept = min(len(left), ANIMATED_FRAMES)
    taken = sorted({round(place * (len(left) - 1) / max(1, kept - 1)) for place in range(kept)})
    frames = [Image.open(left[place]).convert("RGB") for place in taken]
    place = folder / "figures" / "training.gif"
    place.parent.mkdir(parents=True, exist_ok=True)
    durations = [FRAME_MILLISECONDS] * (len(frames) - 1) + [LAST_FRAME_MILLISECONDS]
    frames[0].save(place, save_all=True, append_images=frames[1:], duration=durations, loop=0)


def keep_logs(working: Path, folder: Path) -> None:
    """Copy the training's TensorBoard files beside the model."""
    if (working / "tensorboard").is_dir():
        shutil.copytree(working / "tensorboard", folder / "tensorboard", dirs_exist_ok=True)


def _curated(counted: Mapping[str, int]) -> str:
    told = ", ".join(f"{count} {origin}" for origin, count in sorted(counted.items()))
    return f"Reports among the training studies by their readers' word, made of what a model wrote: {told}."


def _rows(metrics: Mapping[str, Metric], aside: Collection[str]) -> list[str]:
    return [
        f"| {name} | {finding or 'all'} | {_cell(estimate)} |"
        for name, metric in metrics.items()
        if name not in aside
        for finding, estimate in {"": metric.overall, **metric.per_finding}.items()
    ]


def _started(facts: ModelFacts) -> str:
    random = [origin.part for origin in facts.origins if origin.is_random]
    if not random:
        return "Each part began with weights that were learned elsewhere."
    if len(random) == len(facts.origins):
        return "**Nothing was pretrained: it began with random weights.**"
    return f"**Not everything was pretrained: random weights for the {', the '.join(random)}.**"


def _cell(estimate: Estimate) -> str:
    if estimate.value is None:
        return "not evaluable | | 0"
    return f"{estimate.value:.4f} | {estimate.low:.4f} to {estimate.high:.4f} | {estimate.n}"


def _write_json(place: Path, data: Any) -> None:
    place.write_text(json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
