"""Labels from reports."""

from typing import Annotated

import typer
from rich.console import Console

from app.cli.output import AsJson, answer, progress, table
from app.house import local_reader, open_house
from app.services.labelling_reports import LabelledReports, label_reports

commands = typer.Typer()


@commands.command()
def label(
    dataset: Annotated[str, typer.Option(help="The dataset whose reports are read.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be said, and keep nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read the reports of a dataset again, and keep what they say of each finding, with the sentence that says so.

    Example: python -m app label --dataset iu
    """
    house = open_house()
    with progress("labelling") as report:
        told = label_reports(house, dataset, local_reader(), report, dry_run)
    answer(told.to_json(), as_json, lambda out: _show(out, told, dry_run))


def _show(out: Console, told: LabelledReports, dry_run: bool) -> None:
    kept = "nothing was kept" if dry_run else f"{told.changed} statements are new or changed"
    out.print(f"{told.labelled} of {told.reports} reports of {told.dataset} say something; {kept}.", markup=False)
    rows = [(finding, *said.values()) for finding, said in told.by_finding.items()]
    table(out, ("finding", "present", "absent", "uncertain"), rows, "No finding is named in them.")
