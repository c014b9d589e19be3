"""What commands print: one JSON object for machines, sentences and tables for people, progress on a terminal."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from core.jobs import Report

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, all else on standard error.")]

WIDTH = 160
"""Columns of a table that goes to a file or a pipe."""


def say(sentence: str) -> None:
    """A sentence for the person, on standard error so that it never mixes with an answer."""
    print(sentence, file=sys.stderr, flush=True)


def answer(data: Mapping[str, Any], as_json: bool, for_people: Callable[[Console], None]) -> None:
    """The command's answer on standard output."""
    if as_json:
        print(json.dumps(data, ensure_ascii=False), flush=True)
    else:
        for_people(Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH))


def show_error(sentence: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"error": sentence}, ensure_ascii=False), flush=True)
    say(sentence)


def table(console: Console, columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """A plain table, or the sentence that says why there is none; no sentence prints nothing."""
    listed = [[str(cell) for cell in row] for row in rows]
    if not listed:
        if empty:
            console.print(empty)
        return
    grid = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in listed:
        grid.add_row(*row)
    console.print(grid, markup=False)


@contextmanager
def progress(what: str) -> Iterator[Report]:
    """A progress bar on a terminal, nothing elsewhere. Gives the function to tell progress to."""
    console = Console(stderr=True, highlight=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=None)

        def report(done: int, total: int, message: str = "") -> None:
            bar.update(task, completed=done, total=total or None, description=f"{what}: {message}" if message else what)

        yield report
