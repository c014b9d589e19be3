"""The phantom's bones as curves in space: ribs that follow the chest wall, spine, clavicles, scapulae, sternum."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from core.findings import Side
from data.phantom.anatomy import Anatomy, sign
from data.phantom.geometry import Points, spline

Level = TypeVar("Level", float, Points)

_RIBS = np.arange(1.0, 12.0)
_VERTEBRAE = np.arange(-3.0, 18.0)
_ROUND = 2 / 2.2


@dataclass(frozen=True)
class Ribs:
    """Eleven pairs, the right side's first: (22, k, 3) midlines of the two arcs, and (22, 1) height on edge, mm."""

    posterior: Points
    anterior: Points
    height: Points


@dataclass(frozen=True)
class Vertebrae:
    """From the neck down: centres (n, 3); half-widths (x), half-depths (y), half-heights (z), (n,) mm each."""

    centre: Points
    half_width: Points
    half_depth: Points
    half_height: Points


@dataclass(frozen=True)
class Skeleton:
    anatomy: Anatomy

    def vertebra_level(self, number: Level) -> Level:
        """z of the centre of thoracic vertebra `number`; 0 and below are cervical, 13 and above lumbar."""
        pitch = 0.0815 * self.anatomy.height
        start = self.anatomy.apex + 0.042 * self.anatomy.height
        return start + pitch * (number - 1) * (0.86 + 0.0125 * number)

    @cached_property
    def vertebrae(self) -> Vertebrae:
        a, number = self.anatomy, _VERTEBRAE
        z = self.vertebra_level(number)
        gap = self.vertebra_level(number + 0.5) - self.vertebra_level(number - 0.5)
        grown = np.clip((number + 3) / 17, 0, 1)
        centre = np.column_stack([a.spine_x(z), a.spine_y(z), z])
        return Vertebrae(centre, 13.5 + 7.0 * grown, 11 + 6.5 * grown, 0.415 * gap)

    @cached_property
    def ribs(self) -> Ribs:
        number = _RIBS[:, None]
        end = np.interp(number, (1, 2, 7, 8, 9, 10, 11), (0.80, 0.79, 0.765, 0.75, 0.69, 0.6, 0.52))
        back = np.linspace(0.025, 0.53, 13)[None, :] + 0 * number
        front = 0.48 + (end - 0.48) * np.linspace(0, 1, 12)[None, :]
        height = np.interp(number, (1, 2, 4, 9, 11), (10, 9, 9.5, 10, 8.5))
        return Ribs(self._arcs(number, back), self._arcs(number, front), np.concatenate([height, height]))

    def _arcs(self, number: Points, part: Points) -> Points:
        """(22, k, 3) points of both sides' ribs at fractions `part` (11, k) of the way from spine to sternum."""
        a = self.anatomy
        head = self.vertebra_level(number - 0.35)
        slope = a.rib_slope * a.height / 275
        fall = np.interp(number, (1, 2, 3, 5, 8, 11), (40, 60, 80, 102, 116, 104)) * slope
        angle = part * np.pi
        z = head + fall * (1.05 * part - 0.035 * np.sin(2 * angle) - 0.04)
        wide = a.lateral_edge(head + 0.5 * fall) + 2.5
        deep = a.cavity_depth(np.maximum(z, a.apex + 14)) + 4
        x = wide * np.abs(np.sin(angle)) ** _ROUND
        y = a.cavity_centre(z) - deep * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** _ROUND
        return np.concatenate([np.stack([-x, y, z], axis=-1), np.stack([x, y, z], axis=-1)])

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
