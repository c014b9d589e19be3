"""The tables that our own PNG export writes beside its images: authors, labels, boxes and polygons."""

from pathlib import Path

from core.labels import from_plain
from core.studies import IncomingLabel, IncomingRegion, Skipped
from data import csvsafe, records
from data.layouts import SEPARATOR
from data.tables import Row, Table, open_table


def origins(table: Table, skipped: list[Skipped]) -> dict[str, Row]:
    """Who drew each mask by the mask's file."""
    table.require("file", "image", "author", "suggested")
    return {row["file"]: row for row in _sound(table, skipped)}


def labels(table: Table, several_datasets: bool, skipped: list[Skipped]) -> dict[str, tuple[IncomingLabel, ...]]:
    """The labels by study key."""
    table.require("dataset", "study", "finding", "state", "source")
    found: dict[str, list[IncomingLabel]] = {}
    for row in _sound(table, skipped):
        try:
            said = from_plain({**row.cells, "suggested": row["suggested"] == "yes"})
        except ValueError as error:
            skipped.append(Skipped(f"{table.name} line {row.line}", f"the label cannot be read: {error}"))
            continue
        before = f"{row['dataset']}/" if several_datasets else ""
        found.setdefault(before + row["study"], []).append(IncomingLabel(**vars(said)))
    return {key: tuple(group) for key, group in found.items()}


def regions(path: Path, skipped: list[Skipped]) -> dict[str, tuple[IncomingRegion, ...]]:
    """The regions by their image's stem; none where the table is not there."""
    if not path.is_file():
        return {}
    table = open_table(path)
    table.require("image", "finding", "kind", "points", "author")
    found: dict[str, list[IncomingRegion]] = {}
    for row in _sound(table, skipped):
        corners = [corner.split() for corner in row["points"].split(SEPARATOR)]
        try:
            region = records.incoming_region({**row.cells, "points": corners})
        except records.MalformedRecord as error:
            skipped.append(Skipped(f"{table.name} line {row.line}", str(error)))
            continue
        found.setdefault(Path(row["image"]).stem, []).append(region)
    return {stem: tuple(group) for stem, group in found.items()}


def _sound(table: Table, skipped: list[Skipped]) -> list[Row]:
    rows = list(table.rows(csvsafe.restored))
    skipped += [row for row in rows if isinstance(row, Skipped)]
    return [row for row in rows if isinstance(row, Row)]
