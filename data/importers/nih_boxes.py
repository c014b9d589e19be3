"""`BBox_List_2017.csv`: boxes that a radiologist drew around findings on films of ChestX-ray14."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from core.shapes import Shape, ShapeKind
from core.studies import IncomingRegion, PixelFacts, Skipped
from data.importers.classes import CHESTXRAY14, finding_of
from data.tables import Row, Table

_SIDE: Final = 1024
"""The makers' films, on which the boxes were drawn, have this many pixels a side."""

_SLACK: Final = 1.0
"""By so many pixels a box may run over its film; it is cut off there."""

_FINDINGS: Final = frozenset(map(finding_of, CHESTXRAY14))


@dataclass(frozen=True)
class Box:
    """A box on a film of the makers' size."""

    finding: str
    left: float
    top: float
    right: float
    bottom: float

    def on(self, facts: PixelFacts) -> IncomingRegion:
        """The box where it lies on a copy of another size."""
        across, down = facts.width / _SIDE, facts.height / _SIDE
        corners = ((self.left * across, self.top * down), (self.right * across, self.bottom * down))
        return IncomingRegion(self.finding, Shape(ShapeKind.BOX, corners))


def read_boxes(table: Table, films: Collection[str], skipped: list[Skipped]) -> dict[str, tuple[Box, ...]]:
    """The boxes by the film's file name; what is none, or on none of these films, goes to `skipped`.

    Raises MissingColumns.
    """
    table.require("image index", "finding label")
    first = table.columns.index("finding label") + 1
    sides = table.columns[first : first + 4]
    boxes: dict[str, list[Box]] = {}
    for row in table.rows():
        if isinstance(row, Skipped):
            skipped.append(row)
            continue
        film = row["image index"]
        box = _box(row, sides) if film in films else f"{film} is on no line of the table of films"
        if isinstance(box, str):
            skipped.append(Skipped(f"{table.name} line {row.line}", box))
        elif box not in boxes.setdefault(film, []):
            boxes[film].append(box)
    return {film: tuple(group) for film, group in boxes.items()}


def _box(row: Row, sides: tuple[str, ...]) -> Box | str:
    """The row's box, or why it is none."""
    finding = finding_of(row["finding label"])
    if finding not in _FINDINGS:
        return f'"{row["finding label"]}" is none of the collection\'s findings'
    try:
        left, top, width, height = (float(row[side]) for side in sides)
    except ValueError:
        return "a box is four numbers: left, top, width and height"
    right, bottom = left + width, top + height
    if not all(map(math.isfinite, (left, top, right, bottom))) or width <= 0 or height <= 0:
        return f"a box of {width:g} x {height:g} holds nothing"
    if min(left, top) < -_SLACK or max(right, bottom) > _SIDE + _SLACK:
        return f"the box runs out of a film of {_SIDE} x {_SIDE}"
    return Box(finding, max(left, 0.0), max(top, 0.0), min(right, float(_SIDE)), min(bottom, float(_SIDE)))
