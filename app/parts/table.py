"""The rows of the worklist."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from app.parts.part import heard, register

_mount = register("table")


@dataclass(frozen=True)
class ChipOfFinding:
    """A finding of a study; `says` is who says what of it where that is in dispute."""

    name: str
    colour: str
    says: str = ""


@dataclass(frozen=True)
class Line:
    """One study as the worklist shows it. `thumbnails` are addresses; all else is plain text. Where there are
    `disputes`, they stand in place of the findings."""

    id: int
    href: str
    thumbnails: tuple[str, ...]
    patient: str
    study: str
    views: str
    findings: tuple[ChipOfFinding, ...]
    marks: str
    state: str
    reader: str
    changed: str
    disputes: tuple[ChipOfFinding, ...] = ()


def table(lines: Sequence[Line], *, key: str) -> int | None:
    """Show the rows; gives the number of the study that was opened in this run, if one was."""
    result = _mount(key=key, data={"rows": [asdict(line) for line in lines]}, on_open_change=heard)
    opened = result.get("open")
    return opened if isinstance(opened, int) else None
