"""Where regions come to lie when their film is turned."""

from core.shapes import Point, Shape
from core.studies import Turn


def turned(shape: Shape, turn: Turn, height: int, width: int) -> Shape:
    """The shape on a film that was height x width pixels before the turn."""
    return Shape(shape.kind, tuple(_turned(point, turn, height, width) for point in shape.points))


def _turned(point: Point, turn: Turn, height: int, width: int) -> Point:
    x, y = point
    return {
        Turn.NONE: (x, y),
        Turn.MIRROR: (width - x, y),
        Turn.ROTATE_90: (height - y, x),
        Turn.ROTATE_180: (width - x, height - y),
        Turn.ROTATE_270: (y, width - x),
        Turn.FLIP: (x, height - y),
        Turn.TRANSPOSE: (y, x),
        Turn.TRANSVERSE: (height - y, width - x),
    }[turn]
