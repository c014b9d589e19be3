"""The phantom's bones as curves in space: ribs that follow the chest wall, spine, clavicles, scapulae, sternum."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.findings import Side
from data.phantom.anatomy import Anatomy, sign
from data.phantom.geometry import Points, spline

_RIBS = 11
_ROUND = 2 / 2.2


@dataclass(frozen=True)
class Rib:
    """One rib: the midlines of its posterior and anterior arcs, (n, 3) mm, and its height on edge, mm."""

    side: Side
    number: int
    posterior: Points
    anterior: Points
    height: float


@dataclass(frozen=True)
class Vertebra:
    """One vertebral body: centre (3,), half-width (x), half-depth (y) and half-height (z), mm."""

    centre: Points
    half_width: float
    half_depth: float
    half_height: float


@dataclass(frozen=True)
class Skeleton:
    anatomy: Anatomy

    def vertebra_level(self, number: float) -> float:
        """z of the centre of thoracic vertebra `number`; 0 and below are cervical, 13 and above lumbar."""
        pitch = 0.0815 * self.anatomy.height
        start = self.anatomy.apex + 0.042 * self.anatomy.height
        return start + pitch * (number - 1) * (0.86 + 0.0125 * number)

    @cached_property
    def vertebrae(self) -> tuple[Vertebra, ...]:
        found = []
        for number in range(-3, 18):
            z = self.vertebra_level(number)
            gap = self.vertebra_level(number + 0.5) - self.vertebra_level(number - 0.5)
            level = np.array([z])
            centre = np.array([self.anatomy.spine_x(level)[0], self.anatomy.spine_y(level)[0], z])
            grown = np.clip((number + 3) / 17, 0, 1)
            found.append(Vertebra(centre, 13.5 + 7.0 * grown, 11 + 6.5 * grown, 0.5 * gap * 0.83))
        return tuple(found)

    @cached_property
    def ribs(self) -> tuple[Rib, ...]:
        return tuple(self._rib(number, side) for number in range(1, _RIBS + 1) for side in (Side.RIGHT, Side.LEFT))

    def _rib(self, number: int, side: Side) -> Rib:
        a = self.anatomy
        head = self.vertebra_level(number - 0.35)
        fall = np.interp(number, (1, 2, 3, 5, 8, 11), (40, 60, 80, 102, 116, 104)) * a.rib_slope * a.height / 275
        end = np.interp(number, (1, 2, 7, 8, 9, 10, 11), (0.80, 0.79, 0.765, 0.75, 0.69, 0.6, 0.5))
        part = np.linspace(0.06, end, 34)
        angle = part * np.pi
        z = head + fall * (1.05 * part - 0.035 * np.sin(2 * angle) - 0.04)
        wide = float(a.lateral_edge(np.array([head + 0.5 * fall]))[0]) + 2.5
        deep = a.cavity_depth(np.maximum(z, a.apex + 14)) + 4
        x = sign(side) * wide * np.abs(np.sin(angle)) ** _ROUND
        y = a.cavity_centre(z) - deep * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** _ROUND
        curve = np.column_stack([x, y, z])
        half = int(np.searchsorted(part, 0.5))
        height = float(np.interp(number, (1, 2, 4, 9, 11), (10, 9, 9.5, 10, 8.5)))
        return Rib(side, number, curve[: half + 2], curve[half - 1 :], height)

    def clavicle(self, side: Side, raised: float) -> Points:
        """(n, 3) midline from the sternal end to the acromion; `raised` lifts the outer end, mm."""
        a, s = self.anatomy, sign(side)
        inner = self.vertebra_level(3.7)
        outer = inner - 26 - raised + s * a.shoulder_drop
        front = float(a.cavity_depth(np.array([inner]))[0]) + float(a.cavity_centre(np.array([inner]))[0])
        w = a.half_width
        return spline(
            [
                (s * 15, front + 6, inner),
                (s * 0.27 * w, front + 14, inner - 6 - 0.12 * raised),
                (s * 0.55 * w, front + 8, inner - 13 - 0.4 * raised + s * 0.4 * a.shoulder_drop),
                (s * 0.88 * w, front - 14, outer - 3),
                (s * 1.16 * w, front - 26, outer),
            ]
        )

    def scapula(self, side: Side, spread: float) -> Points:
        """(n, 3) outline of the blade; `spread` moves it out of the lung, mm (arms forward on a PA film)."""
        a, s = self.anatomy, sign(side)
        top = self.vertebra_level(2.6) + s * a.shoulder_drop
        w = a.half_width
        corner = [
            (0.93 * w + spread, top + 4),
            (0.80 * w + spread, top + 12),
            (0.755 * w + spread, top + 55),
            (0.80 * w + spread, top + 105),
            (0.87 * w + spread, top + 134),
            (0.93 * w + spread, top + 128),
            (0.97 * w + spread, top + 96),
            (1.06 * w + spread, top + 58),
            (1.17 * w + spread, top + 30),
            (1.12 * w + spread, top + 10),
        ]
        outline = spline([*corner, corner[0]], per_span=4)
        back = a.cavity_centre(outline[:, 1]) - a.cavity_depth(np.maximum(outline[:, 1], a.apex + 30)) - 14
        return np.column_stack([s * outline[:, 0], back, outline[:, 1]])

    def scapular_spine(self, side: Side, spread: float) -> Points:
        """(n, 3) ridge from the blade's inner edge to the acromion."""
        a, s = self.anatomy, sign(side)
        top = self.vertebra_level(2.6) + s * a.shoulder_drop
        w = a.half_width
        return spline(
            [
                (s * (0.78 * w + spread), -70, top + 26),
                (s * (0.95 * w + spread), -74, top + 8),
                (s * (1.12 * w + spread), -60, top - 10),
                (s * (1.28 * w + spread), -30, top - 12),
            ]
        )

    def humeral_head(self, side: Side, spread: float) -> Points:
        """(3,) centre of the humeral head, 23 mm in radius."""
        a, s = self.anatomy, sign(side)
        return np.array(
            [s * (1.30 * a.half_width + 0.5 * spread), -20.0, self.vertebra_level(3.5) + s * a.shoulder_drop]
        )

    @cached_property
    def sternum(self) -> Points:
        """(n, 3) midline of manubrium and body, seen edge on in a lateral film."""
        a = self.anatomy
        z = np.linspace(self.vertebra_level(3.6), a.level(0.80), 16)
        return np.column_stack([np.zeros_like(z), a.cavity_centre(z) + a.cavity_depth(z) * 0.985 + 7, z])
