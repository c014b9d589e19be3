"""Searching by meaning: the studies that are like some words, a report, a film or a study; and the index for it."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from app.cli.output import AsJson, answer, table
from app.cli.shapes import hit_shape
from app.cli.waiting import INFERENCE, at_hand, follow, trainer_at_hand
from app.house import House, local_reader, open_house
from app.services import searching
from app.services.searching import Result
from core.findings import State
from core.search import EmptyQuery, Search, SearchFilter
from core.studies import Split, View

commands = typer.Typer()

_SENTENCE = 60


@commands.command()
def search(
    words: Annotated[str, typer.Argument(help="A phrase or a report.")] = "",
    study: Annotated[str, typer.Option(help="A study, by its number or as dataset/key.")] = "",
    image: Annotated[Path | None, typer.Option(help="A film that is in no dataset.")] = None,
    report: Annotated[Path | None, typer.Option(help="A text file with a report.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only studies of this dataset.")] = None,
    finding: Annotated[str | None, typer.Option(help="Only studies on which this finding is present.")] = None,
    view: Annotated[View | None, typer.Option(help="Compare films of this view alone.")] = None,
    split: Annotated[Split | None, typer.Option(help="Only studies of this split.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=60, help="How many studies to name.")] = 12,
    as_json: AsJson = False,
) -> None:
    """Find the studies that are like some words, a report, a film or another study.

    Example: python -m app search "left basilar opacity" --dataset demo --limit 5
    """
    asked = [name for name, given in (("words", words), ("--study", study), ("--image", image), ("--report", report))
             if given]  # fmt: skip
    if len(asked) > 1:
        raise typer.BadParameter(f"Give one thing to search by; there are {' and '.join(asked)}.")
    if not asked:
        raise EmptyQuery
    house, reader = open_house(), local_reader()
    remarks: tuple[str, ...] = ()
    place = ""
    among = SearchFilter(dataset, finding, view, split)
    try:
        if image is not None:
            film = searching.drop(house, _bytes_of(image))
            place, remarks = film.place, film.cautions
            number = searching.for_film(house, film, among, limit, reader)
        elif study:
            number = searching.for_study(house, searching.study_called(house, study), among, limit, reader)
        else:
            text = _bytes_of(report).decode("utf-8", "replace") if report is not None else words
            number, remarks = searching.for_words(house, text, among, limit, reader)
        with at_hand(house, INFERENCE) as tend:
            found = searching.wait_for(house, number, tend)
        told = searching.results(house, found)
    finally:
        if place:
            searching.forget(house, place, reader)
    data = {
        "model": found.model,
        "searched": found.searched,
        "hits": [hit_shape(each) for each in told],
        "remarks": [*remarks, *found.remarks],
    }
    answer(data, as_json, lambda out: _show(out, house, found, told, data["remarks"]))


@commands.command()
def index(
    status: Annotated[bool, typer.Option("--status", help="Only say how searchable the studies are.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let the retrieval model in use look at every study, so that all can be found.

    Promotion does so by itself; this is for afterwards, such as when the job was cancelled.

    Example: python -m app index --status
    """
    house = open_house()
    if not status:
        job = searching.rebuild(house, local_reader())
        with trainer_at_hand(house) as tend:
            follow(house, job, tend)
    now = searching.standing(house)
    data = {
        "answering": now.answering.name if now.answering else None,
        "wanted": now.wanted.name if now.wanted else None,
        "job": now.job.id if now.job else None,
        "pending": now.pending,
    }

    def show(out: Console) -> None:
        if now.answering is None:
            out.print("No study can be searched for yet.")
        else:
            out.print(f"{now.answering.name} finds the studies.")
        if now.is_behind and now.wanted is not None:
            out.print(f"{now.wanted.name} is in use, and its index is not whole: {now.pending} studies are to go.")

    answer(data, as_json, show)


def _show(out: Console, house: House, found: Search, told: tuple[Result, ...], remarks: Any) -> None:
    names = {key: finding.name for key, finding in searching.vocabulary(house).items()}
    for remark in remarks:
        out.print(remark, markup=False)
    rows = [
        (
            f"{each.hit.similarity:.3f}",
            f"{each.study.dataset}/{each.study.key}",
            ", ".join(names.get(key, key) for key, said in each.labels if said.state is State.PRESENT),
            each.hit.sentence[:_SENTENCE],
        )
        for each in told
    ]
    table(out, ("cosine", "study", "present", "report"), rows, "Nothing was found.")
    out.print(f"{found.model}, among {found.searched:,} studies.", markup=False)


def _bytes_of(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{place} cannot be read ({error.strerror}).") from error
