"""Predicting: a model's suggestions for a dataset, as a job, or what it says of films that are in none, at once."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from app.cli.output import AsJson, answer, progress, table
from app.cli.shapes import tried_shape
from app.cli.waiting import INFERENCE, at_hand, follow, trainer_at_hand
from app.house import House, local_reader, open_house
from app.services import training, trying
from app.services.try_files import Answered, NothingRead, Reading, films_at
from core.registry import RESEARCH_ONLY
from core.studies import Skipped

commands = typer.Typer()

_TOLD = 6


@commands.command()
def predict(
    model: Annotated[
        str | None, typer.Argument(help="A model such as segmentation-v3, or a family for its model in use.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="The dataset to make suggestions for.")] = None,
    unreviewed: Annotated[
        bool, typer.Option("--unreviewed", help="Only studies not yet submitted, in worklist order.")
    ] = False,
    image: Annotated[
        list[Path] | None,
        typer.Option(help="A film, or a folder of films, to read without importing; may be repeated."),
    ] = None,
    context: Annotated[str, typer.Option(help="With --image: what was known before the films were read.")] = "",
    read_by: Annotated[str, typer.Option("--model", help="With --image: the model that reads them.")] = trying.FAMILY,
    save: Annotated[
        Path | None,
        typer.Option(help="With --image: a folder for a picture of each film, the table and the map on it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a model's suggestions for a dataset, or read films that are in none, with and without context.

    Example: python -m app predict --image film.png --context "Cough and fever for a week."
    """
    if image and not dataset:
        _read(image, context, model or read_by, save, as_json)
    elif dataset and model and not image:
        _suggest(model, dataset, unreviewed, as_json)
    else:
        raise typer.BadParameter("Name a model and a --dataset, or films with --image.")


def _suggest(model: str, dataset: str, unreviewed: bool, as_json: bool) -> None:
    house = open_house()
    job = training.predict(house, model, dataset, local_reader(), unreviewed)
    with trainer_at_hand(house) as tend:
        result = follow(house, job, tend)

    def show(out: Console) -> None:
        made = f"{result['predictions']} suggestions on {result['images']} images"
        out.print(f"{result['model']} made {made} in {result['seconds']:.1f} s.")

    answer(result, as_json, show)


def _read(places: list[Path], context: str, name: str, save: Path | None, as_json: bool) -> None:
    """Films by their files. Raises NothingRead when not one of them could be."""
    house = open_house()
    version = trying.model_called(house, name)
    files = films_at(places, save)
    heeded = trying.heed(context)
    told: list[Answered | Skipped] = []
    with at_hand(house, INFERENCE) as tend, progress(f"{version.name} reads films") as report:
        reading = Reading(house, heeded.context, version, local_reader(), save, tend)
        for each in reading.read(files):
            told.append(each)
            report(len(told), len(files), each.item)
    answered = [each for each in told if isinstance(each, Answered)]
    skipped = [each for each in told if isinstance(each, Skipped)]
    if not answered:
        raise NothingRead(skipped)
    data = {
        "model": version.name,
        "context": heeded.context.text,
        "films": [tried_shape(each) for each in answered],
        "skipped": [{"item": each.item, "reason": each.reason} for each in skipped],
        "remarks": list(heeded.cautions),
    }
    answer(data, as_json, lambda out: _show(out, house, data))


def _show(out: Console, house: House, data: Any) -> None:
    names = trying.names(house)
    for remark in data["remarks"]:
        out.print(remark, markup=False)
    for film in data["films"]:
        out.print(f"\n{film['file']} ({film['width']:,} x {film['height']:,})", markup=False)
        rows = [
            (names.get(each["finding"], each["finding"]), *_shares(each), each["says"] or "")
            for each in film["findings"][:_TOLD]
        ]
        table(out, ("finding", "film alone", "with context", "threshold", "says"), rows, "")
        rest = len(film["findings"]) - _TOLD
        if rest > 0:
            out.print(f"and {rest} less probable ones (--json tells all)", markup=False)
        for remark in film["remarks"]:
            out.print(remark, markup=False)
        if film["picture"]:
            out.print(f"Picture: {film['picture']}", markup=False)
    out.print()
    table(out, ("left out", "why"), [(each["item"], each["reason"]) for each in data["skipped"]], "")
    out.print(f"{data['model']}. {RESEARCH_ONLY}", markup=False)


def _shares(each: Any) -> tuple[str, str, str]:
    threshold = "" if each["threshold"] is None else f"{each['threshold']:.2f}"
    with_context = f"{each['probability']:.2f}" if each["with_context"] else ""
    return f"{each['without_context']:.2f}", with_context, threshold
