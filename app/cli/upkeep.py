"""Keeping a workspace safe: backup, restore, doctor."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.cli.output import AsJson, answer, progress, table
from app.house import open_house
from app.services import backups, upkeep
from app.supervisor import alone
from core.workspace import workspace

commands = typer.Typer()


@commands.command()
def backup(
    out: Annotated[Path | None, typer.Argument(help="The file to write; by default one in the workspace.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the whole workspace into one file: database, store and models. Others may go on working.

    Example: python -m app backup /mnt/backups/reading-room-monday.tar
    """
    with progress("backing up") as report:
        made = backups.back_up(open_house(), out, report)
    sentence = (
        f"Wrote {made.file}: {made.files} files, {made.bytes / 2**20:.1f} MiB. It holds health data; keep it safe."
    )
    answer(backups.to_json(made), as_json, lambda out: out.print(sentence, markup=False))


@commands.command()
def restore(
    archive: Annotated[Path, typer.Argument(help="A file that backup wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Replace what is there, after a backup of it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup's content into the workspace. Every file is verified before anything is replaced.

    Example: READING_ROOM_HOME=/srv/reading-room python -m app restore reading-room-monday.tar
    """
    place = workspace().prepare()
    with alone(place), progress("restoring") as report:
        made = backups.restore(place, archive, force, report)
    sentence = f"Restored {made.file} of {made.made_at[:19]} into {place.home}: {made.files} files."
    answer(backups.to_json(made), as_json, lambda out: out.print(sentence, markup=False))


@commands.command()
def doctor(
    quick: Annotated[bool, typer.Option("--quick", help="Look whether files are there without reading them.")] = False,
    as_json: AsJson = False,
) -> int:
    """Examine the workspace; the exit code is 1 when something is broken. Nothing is changed.

    Example: python -m app doctor
    """
    with progress("examining") as report:
        found = upkeep.examine(workspace(), quick, report)

    def show(out: Console) -> None:
        rows = [(check.name, check.level, check.detail) for check in found.checks]
        table(out, ("check", "", "what was seen"), rows, "")
        out.print(", ".join(f"{name} {number}" for name, number in found.versions.items()), markup=False)

    answer(found.to_json(), as_json, show)
    return 0 if found.is_well else 1
