"""The phantom's geometry: a pixel grid in millimetres, smooth curves, solids with exact shadows, antialiased strokes.

Axes in millimetres, the patient upright: x to the patient's left (to the right of a frontal film), y forward, z down
from the top of the film. A frontal ray runs along y, a lateral ray along x.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Bits = NDArray[np.bool_]
Points = NDArray[np.float64]
Box = tuple[slice, slice]
"""Rows and columns of a rectangle of pixels."""

_TURN = np.linspace(0, 2 * np.pi, 25)
CIRCLE: Points = np.column_stack([np.cos(_TURN), np.sin(_TURN)])
"""(25, 2) points around the unit circle, the first again at the end."""

_SHIFT = 4
_STEPS = 4096
_TABLE = 2049


@dataclass(frozen=True)
class Frame:
    """A square film: `size` pixels of `spacing_mm`; `left_mm` and `top_mm` are where its upper left corner lies.

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

    @property
    def coarse(self) -> "Frame":
        """The same film with half as many pixels a side, for what has no edges; itself when it is small."""
        if self.size < 256:
            return self
        size = self.size // 2
        return Frame(size, self.spacing_mm * self.size / size, self.left_mm, self.top_mm)

    def refine(self, field: Floats) -> Floats:
        """A field on `coarse` brought to this film's pixels."""
        if len(field) == self.size:
            return field
        return np.asarray(cv2.resize(field, (self.size, self.size), interpolation=cv2.INTER_LINEAR), np.float32)

    def column(self, u_mm: float) -> int:
        """The column whose left edge is nearest to u, clipped to the film."""
        return int(np.clip(round((u_mm - self.left_mm) / self.spacing_mm), 0, self.size))

    def row(self, z_mm: float) -> int:
        """The row whose top edge is nearest to z, clipped to the film."""
        return int(np.clip(round((z_mm - self.top_mm) / self.spacing_mm), 0, self.size))

    def box(self, u_low: float, u_high: float, z_low: float, z_high: float) -> Box:
        """The rows and columns of a rectangle in mm, clipped to the film."""
        return slice(self.row(z_low), self.row(z_high)), slice(self.column(u_low), self.column(u_high))

    def blank(self) -> Bytes:
        return np.zeros((self.size, self.size), np.uint8)

    def fixed(self, points_mm: Points) -> NDArray[np.int32]:
        """(..., 2) film coordinates (u, z) in mm as OpenCV's fixed-point pixels."""
        scale = (1 << _SHIFT) / self.spacing_mm
        pixels = points_mm * scale
        pixels -= (self.left_mm * scale + (1 << _SHIFT) / 2, self.top_mm * scale + (1 << _SHIFT) / 2)
        return np.rint(pixels, out=pixels).astype(np.int32, order="C")

    def draw_lines(self, layer: Bytes, lines: Points | Sequence[Points], width_mm: float, value: float) -> None:
        """Stroke lines, (n, k, 2) or a sequence of (k, 2), onto `layer`; one thinner than a pixel is drawn fainter."""
        width = width_mm / self.spacing_mm
        level = round(value * min(1.0, width))
        if level < 1:
            return
        fixed = list(self.fixed(lines)) if isinstance(lines, np.ndarray) else [self.fixed(line) for line in lines]
        cv2.polylines(layer, fixed, False, (level,), max(1, round(width)), cv2.LINE_AA, _SHIFT)

    def fill(self, layer: Bytes, outlines: Points | Sequence[Points], value: float) -> None:
        """Fill outlines, (n, k, 2) or a sequence of (k, 2), on `layer`, one after the other."""
        fixed = self.fixed(outlines) if isinstance(outlines, np.ndarray) else [self.fixed(line) for line in outlines]
        for outline in fixed:
            cv2.fillPoly(layer, [outline], (round(value),), cv2.LINE_AA, _SHIFT)

    def shell(self, outlines: Points, core: float, rim: float, rim_mm: float) -> Bytes:
        """A layer with outlines (n, k, 2) filled with `core`, and with `rim` down to `rim_mm` from above and below.

        For bones that run across the film: their ends are open.
        """
        whole = self.blank()
        self.fill(whole, outlines, 255)
        reach = 2 * max(1, round(rim_mm / self.spacing_mm)) + 1
        inner = cv2.erode(whole, np.ones((reach, 1), np.uint8))
        return np.asarray(cv2.addWeighted(whole, rim / 255, inner, (core - rim) / 255, 0), np.uint8)


class Curve:
    """A smooth function of one variable through knots, flat beyond the ends.

    Cubic Hermite with the shape-preserving slopes of Fritsch and Butland (SIAM J. Sci. Stat. Comput. 5, 1984),
    tabulated once, since films ask for the same few curves at every row.
    """

    def __init__(self, knots: Sequence[float], values: Sequence[float]) -> None:
        x, y = np.asarray(knots, float), np.asarray(values, float)
        h = np.diff(x)
        chord = np.diff(y) / h
        left, right = chord[:-1], chord[1:]
        same = left * right > 0
        slope = np.concatenate([chord[:1], np.zeros(len(x) - 2), chord[-1:]])
        slope[1:-1] = np.where(same, 2 * left * right / np.where(same, left + right, 1.0), 0.0)
        self._at: Points = np.linspace(x[0], x[-1], _TABLE)
        i = np.clip(np.searchsorted(x, self._at, side="right") - 1, 0, len(h) - 1)
        s = (self._at - x[i]) / h[i]
        rest = 1 - s
        self._value: Points = y[i] * (1 + 2 * s) * rest**2 + y[i + 1] * s**2 * (3 - 2 * s)
        self._value += slope[i] * h[i] * s * rest**2 - slope[i + 1] * h[i] * s**2 * rest

    def __call__(self, at: NDArray[np.floating]) -> Points:
        return np.asarray(np.interp(at, self._at, self._value), float)


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


def blurred(field: Floats, sigma: float) -> Floats:
    """The field under a Gaussian of `sigma` pixels."""
    return np.asarray(cv2.GaussianBlur(field, (0, 0), sigma), np.float32)


def smoothstep(t: Floats) -> Floats:
    """0 below 0, 1 above 1, and a smooth step between."""
    t = np.clip(t, 0, 1)
    out: Floats = t * t * (np.float32(3) - np.float32(2) * t)
    return out


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
        depth = float(self.shape[along, along])
        column = self.shape[keep, along]
        flat = self.shape[np.ix_(keep, keep)] - np.outer(column, column) / depth
        quadratic = (float(flat[0, 0]), float(2 * sign * flat[0, 1]), float(flat[1, 1]))
        centre = (float(sign * self.centre[across]), float(self.centre[2]))
        return Shadow(frame, centre, quadratic, (float(self.reach[across]), float(self.reach[2])), 2 / depth**0.5)


@dataclass(frozen=True)
class Shadow:
    """What an ellipsoid throws on a film: an ellipse about `centre` with half-extents `reach`, mm.

    At (u, z) from the centre, with q = a u u + b u z + c z z of `quadratic`, the ray runs scale * sqrt(max(1 - q, 0))
    mm within the solid.
    """

    frame: Frame
    centre: tuple[float, float]
    quadratic: tuple[float, float, float]
    reach: tuple[float, float]
    scale: float

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """u low, u high, z low, z high, mm."""
        (u, z), (wide, high) = self.centre, self.reach
        return u - wide, u + wide, z - high, z + high

    @cached_property
    def box(self) -> Box:
        low, high, top, bottom = self.bounds
        edge = self.frame.spacing_mm
        return self.frame.box(low - edge, high + edge, top - edge, bottom + edge)

    def inside(self, box: Box) -> Floats:
        """1 - q over a box: positive within the shadow, 1 at its centre."""
        a, b, c = self.quadratic
        u = self.frame.u[:, box[1]] - np.float32(self.centre[0])
        z = self.frame.z[box[0]] - np.float32(self.centre[1])
        value: Floats = (np.float32(-b) * z) * u
        value -= np.float32(a) * u * u
        value += np.float32(1) - np.float32(c) * z * z
        return value

    def thickness(self, softness: float = 0.5) -> Floats:
        """(h, w) mm of ray within the solid, over `box`; a larger `softness` than 0.5 blunts its edge."""
        value = np.maximum(self.inside(self.box), 0)
        return np.float32(self.scale) * (np.sqrt(value) if softness == 0.5 else value ** np.float32(softness))


def union_thickness(shadows: Sequence[Shadow], blend_mm: float) -> tuple[Box, Floats]:
    """The thickest of several overlapping shadows, creases rounded: (box, (h, w) mm, 0 outside the union).

    Two squared thicknesses that differ by less than blend_mm squared give a little more than the larger, so that the
    outline of the union has no notch.
    """
    frame = shadows[0].frame
    bounds = np.array([s.bounds for s in shadows])
    low, high, top, bottom = bounds[:, 0].min(), bounds[:, 1].max(), bounds[:, 2].min(), bounds[:, 3].max()
    edge = frame.spacing_mm
    box = frame.box(low - edge, high + edge, top - edge, bottom + edge)
    width = np.float32(blend_mm**2)
    total: Floats | None = None
    for shadow in shadows:
        square = shadow.inside(box) * np.float32(shadow.scale**2)
        if total is None:
            total = square
            continue
        overlap = np.maximum(width - np.abs(total - square), 0)
        np.maximum(total, square, out=total)
        total += overlap * overlap / (np.float32(4) * width)
    assert total is not None
    return box, np.sqrt(np.maximum(total, 0, out=total))
