"""Model versions: which there are, which one answers, and changing that."""

from dataclasses import asdict
from typing import Annotated, Literal

import typer
from rich.console import Console

from app.cli.output import AsJson, answer, table
from app.cli.shapes import model_shape
from app.house import local_reader, open_house
from app.services import models as registry
from core.errors import ReadingRoomError
from core.registry import RESEARCH_ONLY, ModelVersion

commands = typer.Typer()
_models = typer.Typer(invoke_without_command=True)
commands.add_typer(_models, name="models")

Model = Annotated[str, typer.Argument(help="A model such as segmentation-v3.")]


class NotMeasuredThere(ReadingRoomError):
    """Two models are to be compared on films on which one of them was not measured."""

    def __init__(self, one: str, other: str, snapshot: str, split: str) -> None:
        super().__init__(
            f"{one} and {other} were not both measured there. Run `evaluate NAME --snapshot {snapshot} "
            f"--split {split}` with each, then compare them again."
        )


class RuleOrReason(ReadingRoomError):
    def __init__(self) -> None:
        super().__init__('Say why with --reason "...", or let the rule decide with --rule; one of the two.')


@_models.callback()
def models(
    context: typer.Context,
    family: Annotated[str | None, typer.Option(help="Only this family.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the model versions, newest first; `models show NAME` tells what one scored.

    Example: python -m app models --family segmentation
    """
    if context.invoked_subcommand is not None:
        return
    found = registry.all_models(open_house(), family)
    columns = ("model", "state", "data", "headline", "findings", "made", "by")
    rows = [
        (
            m.name,
            m.state,
            m.snapshot or "",
            _headline(m),
            ", ".join(m.findings),
            f"{m.created_at:%Y-%m-%d}",
            m.created_by,
        )
        for m in found
    ]
    data = {"models": [model_shape(model) for model in found]}
    answer(data, as_json, lambda out: table(out, columns, rows, "No model has been trained yet."))


@_models.command()
def show(model: Model, as_json: AsJson = False) -> None:
    """One model and everything it was measured on.

    Example: python -m app models show segmentation-v3
    """
    house = open_house()
    found = registry.model(house, model)
    looks = [evaluation.to_json() for evaluation in registry.evaluations(house, found.name)]

    def show_it(out: Console) -> None:
        out.print(f"{found.name}: {found.state}, {_headline(found)}. {found.reason or ''}".rstrip(), markup=False)
        rows = [
            (look["snapshot"], look["split"], name, _interval(metric["overall"]))
            for look in looks
            for name, metric in look["metrics"].items()
        ]
        table(out, ("data", "split", "metric", "value (95 % interval, N)"), rows, "It was not measured yet.")
        out.print(RESEARCH_ONLY)

    answer({"model": model_shape(found), "evaluations": looks}, as_json, show_it)


@_models.command()
def compare(
    one: Model,
    other: Annotated[str, typer.Argument(help="The model that it is held against.")],
    snapshot: Annotated[str, typer.Option(help="The frozen data on which both were measured.")],
    split: Annotated[
        Literal["train", "validation", "test", "all"], typer.Option(help="The split on which both were measured.")
    ] = "validation",
    as_json: AsJson = False,
) -> None:
    """How much better one model is than another on the same items: the paired difference of the headline, resampled by
    patient.

    Example: python -m app models compare segmentation-v3 segmentation-v2 --snapshot lungs-1 --split test
    """
    found = registry.compare(open_house(), one, other, snapshot, split)
    if found is None:
        raise NotMeasuredThere(one, other, snapshot, split)
    difference = asdict(found.difference)
    data = {
        "one": found.one.name,
        "other": found.other.name,
        "snapshot": snapshot,
        "split": split,
        "headline": found.one.headline,
        "difference": difference,
    }
    sentence = f"{found.one.name} minus {found.other.name} on {snapshot}, {split}: {found.one.headline} "
    answer(data, as_json, lambda out: out.print(sentence + _interval(difference), markup=False))


@commands.command()
def promote(
    model: Model,
    reason: Annotated[str | None, typer.Option(help="Why this model is put in use; kept with it.")] = None,
    rule: Annotated[
        bool, typer.Option("--rule", help="Only if it is better than the model in use beyond chance.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a model in use. Its suggestions for the studies not yet reviewed are queued.

    Example: python -m app promote segmentation-v3 --reason "better apices on the demo films"
    """
    if (reason is None) is not rule:
        raise RuleOrReason
    house = open_house()
    if rule:
        found = registry.promote_by_rule(house, model, local_reader())
    else:
        found = registry.promote(house, model, reason or "", local_reader())
    answer({"model": model_shape(found)}, as_json, lambda out: out.print(f"{found.name} is in use. {found.reason}"))


@commands.command()
def rollback(
    family: Annotated[str, typer.Argument(help="The family whose last promotion is taken back.")],
    reason: Annotated[str, typer.Option(help="Why; kept on the audit trail.")],
    as_json: AsJson = False,
) -> None:
    """Take a family's last promotion back.

    Example: python -m app rollback segmentation --reason "misses pacemakers"
    """
    found = registry.roll_back(open_house(), family, reason, local_reader())
    answer({"model": model_shape(found)}, as_json, lambda out: out.print(f"{found.name} is in use again."))


def _headline(model: ModelVersion) -> str:
    metric = model.metrics.get(model.headline)
    if metric is None:
        return ""
    e = metric.overall
    return f"{model.headline} {_interval({'value': e.value, 'low': e.low, 'high': e.high, 'n': e.n})}"


def _interval(estimate: dict[str, float | None]) -> str:
    value, low, high = estimate["value"], estimate["low"], estimate["high"]
    if value is None or low is None or high is None:
        return "not evaluable"
    return f"{value:.3f} ({low:.3f} to {high:.3f}, N {estimate['n']})"
