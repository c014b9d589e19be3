"""Regions with straight edges: boxes and polygons over a film, and the pixels that they hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from core.errors import ReadingRoomError
from core.masks import Mask

Point = tuple[float, float]
"""x to the right and y downwards in pixels; (0, 0) is the outer corner of the first pixel, whose centre is (.5, .5)."""


class ShapeKind(StrEnum):
    BOX = "box"
    POLYGON = "polygon"


class MalformedShape(ReadingRoomError):
    """A shape without an inside."""

    def __init__(self, kind: ShapeKind) -> None:
        super().__init__(f"This {kind} has too few corners to hold anything. Draw it again.")


@dataclass(frozen=True)
class Shape:
    """A box by two opposite corners, or a polygon by its corners in order. Raises MalformedShape."""

    kind: ShapeKind
    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        if len(self.points) < (2 if self.kind is ShapeKind.BOX else 3):
            raise MalformedShape(self.kind)

    @property
    def corners(self) -> tuple[Point, ...]:
        if self.kind is ShapeKind.POLYGON:
            return self.points
        (left, top), (right, bottom) = self.points[0], self.points[1]
        return ((left, top), (right, top), (right, bottom), (left, bottom))


def from_plain(record: Mapping[str, Any]) -> Shape:
    """The shape that a JSON record with `kind` and `points` states. Raises MalformedShape, KeyError, ValueError."""
    points = tuple((float(x), float(y)) for x, y in record["points"])
    if not np.isfinite(points).all():
        raise ValueError("a corner is no point")
    return Shape(ShapeKind(record["kind"]), points)


def rasterise(shape: Shape, height: int, width: int) -> Mask:
    """The (height, width) mask of the pixels whose centre lies inside the shape, by the even-odd rule."""
    return _fill(shape.corners, height, width)


def _fill(corners: Sequence[Point], height: int, width: int) -> Mask:
    xs, ys = (np.asarray(axis, dtype=np.float64) for axis in zip(*corners, strict=True))
    next_xs, next_ys = np.roll(xs, -1), np.roll(ys, -1)
    mask = np.zeros((height, width), dtype=np.bool_)
    first, last = max(0, int(np.floor(ys.min() - 0.5))), min(height, int(np.ceil(ys.max() + 0.5)))
    for row in range(first, last):
        y = row + 0.5
        # Half-open in y, so that a corner on the line counts for one of its two edges only.
        crossing = (ys <= y) != (next_ys <= y)
        share = (y - ys[crossing]) / (next_ys[crossing] - ys[crossing])
        edges = np.sort(xs[crossing] + share * (next_xs[crossing] - xs[crossing]))
        # The first pixel whose centre lies at or beyond the edge.
        columns = np.clip(np.ceil(edges - 0.5), 0, width).astype(np.int64)
        for begin, end in zip(columns[::2], columns[1::2], strict=True):
            mask[row, begin:end] = True
    return mask
