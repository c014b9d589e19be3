"""The phantom's geometry: a pixel grid in millimetres, smooth curves, solids with exact shadows, antialiased strokes.

Axes in millimetres, the patient upright: x to the patient's left (to the right of a frontal film), y forward, z down
from the top of the film. A frontal ray runs along y, a lateral ray along x.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Bits = NDArray[np.bool_]
Points = NDArray[np.float64]

_TURN = np.linspace(0, 2 * np.pi, 17)
CIRCLE: Points = np.column_stack([np.cos(_TURN), np.sin(_TURN)])
"""(17, 2) points around the unit circle, the first again at the end."""

_SHIFT = 4
_STEPS = 4096


@dataclass(frozen=True)
class Frame:
    """A square film: `size` pixels of `spacing_mm`; `left_mm` and `top_mm` are the coordinates of its upper left corner.

    The horizontal film coordinate u is x on a frontal film and -y on a lateral one (anterior to the left).
    """

    size: int
    spacing_mm: float
    left_mm: float
    top_mm: float

    @cached_property
    def u(self) -> Floats:
        """(1, W) horizontal coordinate of the pixel centres, mm."""
        return (self.left_mm + (np.arange(self.size) + 0.5) * self.spacing_mm).astype(np.float32)[None, :]

    @cached_property
    def z(self) -> Floats:
        """(H, 1) vertical coordinate of the pixel centres, mm."""
        return (self.top_mm + (np.arange(self.size) + 0.5) * self.spacing_mm).astype(np.float32)[:, None]

    def column(self, u_mm: float) -> int:
        """The column whose left edge is nearest to u, clipped to the film."""
        return int(np.clip(round((u_mm - self.left_mm) / self.spacing_mm), 0, self.size))

    def row(self, z_mm: float) -> int:
        """The row whose top edge is nearest to z, clipped to the film."""
        return int(np.clip(round((z_mm - self.top_mm) / self.spacing_mm), 0, self.size))

    def box(self, u_low: float, u_high: float, z_low: float, z_high: float) -> tuple[slice, slice]:
        """The rows and columns of a rectangle in mm, clipped to the film."""
        return slice(self.row(z_low), self.row(z_high)), slice(self.column(u_low), self.column(u_high))

    def blank(self) -> Bytes:
        return np.zeros((self.size, self.size), np.uint8)

    def fixed(self, points_mm: Points) -> NDArray[np.int32]:
        """(n, 2) film coordinates (u, z) in mm as OpenCV's fixed-point pixels."""
        pixels = (points_mm - (self.left_mm, self.top_mm)) / self.spacing_mm - 0.5
        return np.rint(pixels * (1 << _SHIFT)).astype(np.int32)

    def draw_lines(self, layer: Bytes, lines: Iterable[Points], width_mm: float, value: float) -> None:
        """Stroke each (n, 2) line onto `layer`. A stroke thinner than a pixel is one pixel wide and fainter."""
        width = width_mm / self.spacing_mm
        level = value * min(1.0, width)
        if level < 1.0:
            return
        fixed = [self.fixed(line) for line in lines]
        cv2.polylines(layer, fixed, False, (round(level),), max(1, round(width)), cv2.LINE_AA, _SHIFT)

    def fill(self, layer: Bytes, outlines: Iterable[Points], value: float) -> None:
        """Fill each (n, 2) outline on `layer`, one after the other."""
        for outline in outlines:
            cv2.fillPoly(layer, [self.fixed(outline)], (round(value),), cv2.LINE_AA, _SHIFT)


def smooth_curve(at: NDArray[np.floating], knots: Sequence[float], values: Sequence[float]) -> Points:
    """A cubic Hermite curve through (knots, values) with the monotone-safe slopes of Fritsch and Butland (1984).

    Beyond the ends it keeps the end value.
    """
    x, y = np.asarray(knots, float), np.asarray(values, float)
    h = np.diff(x)
    chord = np.diff(y) / h
    slope = np.zeros_like(y)
    left, right = chord[:-1], chord[1:]
    same = left * right > 0
    total = np.where(same, left + right, 1.0)
    slope[1:-1] = np.where(same, 2 * left * right / total, 0.0)
    slope[0], slope[-1] = chord[0], chord[-1]
    p = np.clip(np.asarray(at, float), x[0], x[-1])
    i = np.clip(np.searchsorted(x, p, side="right") - 1, 0, len(h) - 1)
    s = (p - x[i]) / h[i]
    rest = 1 - s
    return (
        y[i] * (1 + 2 * s) * rest**2
        + slope[i] * h[i] * s * rest**2
        + y[i + 1] * s**2 * (3 - 2 * s)
        - slope[i + 1] * h[i] * s**2 * rest
    )


def spline(points: Sequence[Sequence[float]] | Points, per_span: int = 8) -> Points:
    """A Catmull-Rom curve through (n, d) points, `per_span` steps between neighbours."""
    p = np.asarray(points, float)
    padded = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = (np.arange(per_span) / per_span)[None, :, None]
    a, b, c, d = (padded[k : len(padded) - 3 + k, None, :] for k in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.vstack([curve.reshape(-1, p.shape[1]), p[-1:]])


def chord_table(power_low: float, power_high: float) -> Floats:
    """How thick a solid of unit half-depth is across its width u in [-1, 1], as a table for `chord`.

    Superellipses of two powers, one on each half: 2 is an ellipse, larger ones are boxier.
    """
    u = np.linspace(-1.0, 1.0, _STEPS + 1)
    power = np.where(u < 0, power_low, power_high)
    table = np.maximum(1 - np.abs(u) ** power, 0) ** (1 / power)
    return np.concatenate([[0.0], table, [0.0]]).astype(np.float32)


def chord(u: Floats, table: Floats) -> Floats:
    """The table's thickness at u, 0 outside [-1, 1]."""
    index = u * np.float32(_STEPS / 2) + np.float32(_STEPS / 2 + 1)
    np.clip(index, 0, _STEPS + 2, out=index)
    taken: Floats = table.take(index.astype(np.int32), mode="clip")
    return taken


@dataclass(frozen=True)
class Ellipsoid:
    """A solid ellipsoid: `centre` (3,) in mm and `shape` (3, 3) with (p - centre)' shape (p - centre) <= 1."""

    centre: Points
    shape: Points

    @classmethod
    def of(cls, centre: Sequence[float], radii: Sequence[float], roll: float = 0.0, pitch: float = 0.0) -> "Ellipsoid":
        """Radii in mm along x, y, z, then rolled about y and pitched about x, degrees."""
        a, b = np.radians(roll), np.radians(pitch)
        about_y = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
        axes = about_x @ about_y
        return cls(np.asarray(centre, float), axes @ np.diag(1 / np.asarray(radii, float) ** 2) @ axes.T)

    def moved(self, matrix: Points, about: Points) -> "Ellipsoid":
        """The image under p -> about + matrix (p - about)."""
        inverse = np.linalg.inv(matrix)
        return Ellipsoid(about + matrix @ (self.centre - about), inverse.T @ self.shape @ inverse)

    @cached_property
    def reach(self) -> Points:
        """(3,) half-extents along x, y, z, mm."""
        return np.sqrt(np.diag(np.linalg.inv(self.shape)))

    def shadow(self, frame: Frame, *, lateral: bool) -> "Shadow":
        """Its exact parallel projection on the film."""
        along, across = (0, 1) if lateral else (1, 0)
        sign = -1.0 if lateral else 1.0
        keep = [across, 2]
        depth = self.shape[along, along]
        column = self.shape[keep, along]
        flat = self.shape[np.ix_(keep, keep)] - np.outer(column, column) / depth
        flat[0, 1] *= sign
        flat[1, 0] *= sign
        u0, z0 = sign * self.centre[across], self.centre[2]
        box = frame.box(
            u0 - self.reach[across] - 1, u0 + self.reach[across] + 1, z0 - self.reach[2] - 1, z0 + self.reach[2] + 1
        )
        u = frame.u[:, box[1]] - np.float32(u0)
        z = frame.z[box[0]] - np.float32(z0)
        inside = (np.float32(1) - np.float32(flat[1, 1]) * z * z) - np.float32(flat[0, 0]) * u * u
        inside -= (np.float32(2 * flat[0, 1]) * z) * u
        return Shadow(box, inside, float(2 / np.sqrt(depth)))


@dataclass(frozen=True)
class Shadow:
    """What an ellipsoid throws on a film: within `box`, thickness is `scale` * sqrt(max(inside, 0)) mm."""

    box: tuple[slice, slice]
    inside: Floats
    scale: float

    @property
    def mask(self) -> Bits:
        return self.inside > 0

    def thickness(self) -> Floats:
        """(h, w) mm of ray within the solid, over `box`."""
        return np.sqrt(np.maximum(self.inside, 0)) * np.float32(self.scale)


def union_thickness(size: int, shadows: Sequence[Shadow]) -> tuple[tuple[slice, slice], Floats]:
    """The thickest of several shadows at each pixel of their common box: (box, (h, w) mm)."""
    rows = slice(min(s.box[0].start for s in shadows), max(s.box[0].stop for s in shadows))
    columns = slice(min(s.box[1].start for s in shadows), max(s.box[1].stop for s in shadows))
    square = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.float32)
    for s in shadows:
        part = square[
            s.box[0].start - rows.start : s.box[0].stop - rows.start,
            s.box[1].start - columns.start : s.box[1].stop - columns.start,
        ]
        np.maximum(part, s.inside * np.float32(s.scale**2), out=part)
    return (rows, columns), np.sqrt(square)
