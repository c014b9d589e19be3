"""Training and measuring: asked for as jobs, done by the training worker."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
import yaml
from rich.console import Console

from app.cli.output import AsJson, answer, say, table
from app.cli.shapes import job_shape
from app.cli.waiting import follow, trainer_at_hand
from app.house import House, local_reader, open_house
from app.services import ablation as ablation_service
from app.services import training
from core.errors import NotFound
from core.recipes import PRESETS, BadRecipe, Recipe, parse_settings
from core.registry import RESEARCH_ONLY
from core.studies import Split

commands = typer.Typer()

Snapshot = Annotated[str, typer.Option("--snapshot", help="The frozen data to use.")]


@commands.command()
def train(
    family: Annotated[str, typer.Argument(help=f"Model family: {', '.join(PRESETS)}.")],
    snapshot: Snapshot,
    preset: Annotated[str, typer.Option(help="The recipe to start from.")] = "cpu",
    recipe: Annotated[Path | None, typer.Option(help="A YAML or JSON file of recipe fields.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="One recipe field, such as epochs=3.")] = None,
    promote: Annotated[
        Literal["never", "rule"], typer.Option(help="Put the model in use if the promotion rule says so.")
    ] = "never",
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end and print what the model scored.")] = False,
    ablation: Annotated[
        bool,
        typer.Option("--ablation", help="Train and test retrieval's variants A to E, each from the one before."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a model. Later sources win: preset, recipe file, --set.

    Example: python -m app train segmentation --snapshot lungs-1 --preset cpu --set epochs=3 --wait
    """
    stated = _recipe_file(recipe) if recipe else {}
    wanted = training.recipe_for(family, preset, stated, parse_settings(settings or []))
    house = open_house()
    if ablation:
        _ablate(house, wanted, snapshot, as_json)
        return
    job = training.train(house, wanted, snapshot, local_reader(), promote)
    if not wait:
        sentence = f"Job {job.id} is queued. Follow it with: python -m app jobs show {job.id}"
        answer({"job": job_shape(job)}, as_json, lambda out: out.print(sentence))
        return
    with trainer_at_hand(house) as tend:
        result = follow(house, job, tend)
    answer(result, as_json, lambda out: _show_scores(out, result))


@commands.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="A model such as segmentation-v3, or a family for its model in use.")],
    snapshot: Snapshot,
    split: Annotated[
        Literal["train", "validation", "test", "all"], typer.Option(help="Which patients judge; all takes everybody.")
    ] = "test",
    as_json: AsJson = False,
) -> None:
    """Measure a model on a split of a snapshot. Each look at a test split is put on the audit trail.

    Example: python -m app evaluate segmentation-v3 --snapshot lungs-1 --split test
    """
    house = open_house()
    job = training.evaluate(house, model, snapshot, "all" if split == "all" else Split(split), local_reader())
    with trainer_at_hand(house) as tend:
        result = follow(house, job, tend)
    answer(result, as_json, lambda out: _show_scores(out, result))


def _ablate(house: House, recipe: Recipe, snapshot: str, as_json: bool) -> None:
    """One variant after the other; whatever was trained before the end is told all the same."""
    taken: list[ablation_service.Step] = []
    with trainer_at_hand(house) as tend:
        for step in ablation_service.steps(
            house, recipe, snapshot, Split.TEST, local_reader(), lambda job: follow(house, job, tend)
        ):
            taken.append(step)
            say(f"{step.variant}: {step.model}, {step.seconds:.0f} s")
    place = ablation_service.keep(house, taken, snapshot, Split.TEST)
    data = ablation_service.as_json(taken, snapshot, Split.TEST) | {"table": str(place)}

    def show(out: Console) -> None:
        figures = ablation_service.METRICS
        rows = [
            (step.variant, step.model, *(ablation_service.shown(step.metrics[name].overall) for name in figures))
            for step in taken
        ]
        table(out, ("variant", "model", *figures.values()), rows, "Nothing was trained.")
        out.print(f"Table: {place}", markup=False)

    answer(data, as_json, show)


def _recipe_file(place: Path) -> dict[str, Any]:
    try:
        stated = yaml.safe_load(place.read_text())
    except FileNotFoundError:
        raise NotFound(f"There is no recipe file {place}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadRecipe(f"{place} is neither YAML nor JSON: {error}") from error
    if not isinstance(stated, dict):
        raise BadRecipe(f"{place} holds no recipe: it has to be fields and their values.")
    return stated


def _show_scores(out: Console, result: Any) -> None:
    name = f"{result['model']} on {result['snapshot']}, {result['split']}"
    out.print(f"{name}: N {result['n']}, {result['seconds']:.1f} s")
    rows = [
        (metric, finding, _figure(estimate["value"]), _interval(estimate["low"], estimate["high"]), n)
        for metric, scores in result["metrics"].items()
        for finding, estimate in [("all", scores["overall"]), *scores["per_finding"].items()]
        if (n := estimate["n"]) is not None
    ]
    table(out, ("metric", "finding", "value", "95 % interval", "N"), rows, "Nothing could be measured.")
    out.print(RESEARCH_ONLY)


def _figure(value: float | None) -> str:
    return "not evaluable" if value is None else f"{value:.3f}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.3f} to {high:.3f}"
