"""The readers' judgements of reports, out and in again."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.cli.output import AsJson, answer
from app.house import local_reader, open_house
from app.services import rating_files
from app.services.rating_files import TakenIn
from core.errors import NotFound

commands = typer.Typer()


@commands.command("export-ratings")
def hand_out(
    file: Annotated[Path, typer.Argument(help="The file to write; it ends in .jsonl or .csv.")],
    dataset: Annotated[str | None, typer.Option(help="Only ratings of this dataset's studies.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write what readers said of reports: errors, ratings, corrections and blind pairs.

    Example: python -m app export-ratings ratings.jsonl --dataset iu
    """
    count = rating_files.hand_out(open_house(), file, local_reader(), dataset)
    told = {"file": str(file), "ratings": count}
    answer(told, as_json, lambda out: out.print(f"{count} ratings are in {file}.", markup=False))


@commands.command("import-ratings")
def take_in(
    file: Annotated[Path, typer.Argument(help="A file that export-ratings wrote.")],
    as_json: AsJson = False,
) -> None:
    """Put ratings that were exported on record again, beside the same studies and reports. What is there adds nothing.

    Example: python -m app import-ratings ratings.jsonl
    """
    if not file.is_file():
        raise NotFound(f"There is no file {file}.")
    told = rating_files.take_in(open_house(), file, local_reader())
    answer(told.to_json(), as_json, lambda out: _show(out, told))


def _show(out: Console, told: TakenIn) -> None:
    out.print(
        f"{told.added} ratings are new, {told.known} were here, {len(told.left_out)} were left out.", markup=False
    )
    for reason in told.left_out:
        out.print(f"  {reason}", markup=False)
