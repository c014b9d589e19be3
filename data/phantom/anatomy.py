"""One simulated person: build, thorax, heart, great vessels and diaphragm, in millimetres.

Proportions follow radiographic anatomy: cardiothoracic ratio under one half in health, the right dome higher than the
left, the right hilum lower than the left, lungs reaching behind and below the domes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from core.findings import Side
from data.phantom.geometry import Curve, Ellipsoid, Points

_EDGE_KNOTS = (0.0, 0.10, 0.18, 0.26, 0.36, 0.5, 0.63, 0.78, 0.9, 1.06)
_LATERAL_EDGE = Curve(_EDGE_KNOTS, (0.42, 0.515, 0.595, 0.68, 0.775, 0.88, 0.94, 0.985, 1.0, 0.99))
_MEDIAL_EDGE = Curve(_EDGE_KNOTS, (0.42, 0.335, 0.27, 0.215, 0.165, 0.12, 0.10, 0.09, 0.09, 0.09))
_DEPTH = Curve((0.0, 0.12, 0.28, 0.48, 0.66, 0.82, 1.06), (0.05, 0.20, 0.42, 0.72, 0.92, 1.0, 0.98))
"""Edges and half-depth of a hemithorax in half-widths and half-depths, by the root of the way down from the apex."""

_SPINE = Curve((-0.3, 0.0, 0.2, 0.4, 0.7, 1.0, 1.3), (0.05, 0.24, 0.52, 0.69, 0.74, 0.69, 0.54))
_MEDIASTINUM = {
    Side.RIGHT: Curve((-0.2, 0.05, 0.2, 0.4, 0.6, 1.1), (34.0, 25.0, 27.0, 25.0, 19.0, 18.0)),
    Side.LEFT: Curve((-0.2, 0.05, 0.2, 0.4, 0.6, 1.1), (34.0, 27.0, 24.0, 22.0, 24.0, 23.0)),
}

ANTERIOR_DROP = 18.0
"""How far the dome falls from its top to the front wall, mm."""
POSTERIOR_DROP = 62.0
"""How far it falls to the bottom of the posterior recess, mm."""


def sign(side: Side) -> float:
    """+1 on the patient's left (the right of a frontal film), -1 on the right."""
    return 1.0 if side is Side.LEFT else -1.0


@dataclass(frozen=True)
class Anatomy:
    """Everything about a person's chest that does not change between two films.

    Lengths in mm. `half_width` and `half_depth` are the inner thorax at its widest; the lung runs from `apex` down to
    `base` (the costophrenic angle). `heart_ratio` is the healthy cardiothoracic ratio. `bone` scales mineral content.
    """

    number: int
    sex: str
    age: int
    bmi: float
    half_width: float
    half_depth: float
    apex: float
    base: float
    dome: Mapping[Side, float]
    wall: float
    breast: float
    heart_ratio: float
    heart_roll: float
    aorta: float
    kyphosis: float
    scoliosis: float
    shoulder_drop: float
    bone: float
    rib_slope: float
    bubble: float
    vessel_seed: int

    @property
    def height(self) -> float:
        """Lung height, mm."""
        return self.base - self.apex

    @property
    def carina(self) -> float:
        """z of the tracheal bifurcation."""
        return self.apex + 0.37 * self.height

    def level(self, part: float) -> float:
        """z at a fraction of the lung's height: 0 at the apex, 1 at the costophrenic angle."""
        return self.apex + part * self.height

    def _depth_root(self, z: NDArray[np.floating]) -> Points:
        return np.sqrt(np.clip((np.asarray(z, float) - self.apex) / self.height, 0, None))

    def lateral_edge(self, z: NDArray[np.floating]) -> Points:
        """|x| of the inner chest wall at height z."""
        return _LATERAL_EDGE(self._depth_root(z)) * self.half_width

    def medial_edge(self, z: NDArray[np.floating]) -> Points:
        """|x| of the mediastinal pleura at height z."""
        return _MEDIAL_EDGE(self._depth_root(z)) * self.half_width

    def cavity_depth(self, z: NDArray[np.floating]) -> Points:
        """Half of the thorax's inner depth at height z."""
        return _DEPTH(self._depth_root(z)) * self.half_depth

    def cavity_centre(self, z: NDArray[np.floating]) -> Points:
        """y midway between spine and sternum at height z: the chest leans forward as it widens, more so in kyphosis."""
        t = (np.asarray(z, float) - self.apex) / self.height
        return -20 + 32 * np.clip(t, -0.3, 1.3) - (4 + self.kyphosis) * np.sin(np.pi * np.clip(t, 0, 1))

    def spine_x(self, z: NDArray[np.floating]) -> Points:
        """x of the spine at height z."""
        t = (np.asarray(z, float) - self.apex) / self.height
        return self.scoliosis * np.sin(2.4 * np.pi * (t - 0.1))

    def spine_y(self, z: NDArray[np.floating]) -> Points:
        """y of the vertebral bodies' centres at height z."""
        t = np.clip((np.asarray(z, float) - self.apex) / self.height, -0.3, 1.3)
        return self.cavity_centre(z) - _SPINE(t) * self.half_depth

    def dome_edge(self, x: NDArray[np.floating], side: Side) -> Points:
        """z of the dome's outline on a frontal film at x: falls steeply to the costophrenic angle, gently inwards."""
        top = self.dome[side]
        across = (np.asarray(x, float) * sign(side) - 0.50 * self.half_width) / (0.50 * self.half_width)
        outer = (self.base - top) * (0.42 * np.clip(across, 0, None) ** 2 + 0.58 * np.clip(across, 0, None) ** 5)
        return top + outer + 9 * np.clip(-across, 0, None) ** 2

    def dome_profile(self, y: NDArray[np.floating], side: Side) -> Points:
        """z of the dome's outline on a lateral film at y."""
        back = (np.asarray(y, float) - 18) / self.half_depth
        return (
            self.dome[side]
            + ANTERIOR_DROP * np.clip(back, 0, None) ** 2 / 0.8
            + POSTERIOR_DROP * np.clip(-back, 0, None) ** 2 / 1.3
        )

    def heart(self, ratio: float) -> tuple[Ellipsoid, ...]:
        """Ventricles, right atrium, left atrium and outflow tract, scaled to a cardiothoracic ratio on the film."""
        low = 0.5 * (self.dome[Side.LEFT] + self.dome[Side.RIGHT])
        grow = 0.5 * (ratio / 0.45 - 1)
        top = low - 92 * (1 + 0.55 * grow)
        parts = (
            Ellipsoid.of((33, 24, low - 20), (60, 47, 41), roll=self.heart_roll, pitch=-6),
            Ellipsoid.of((8, 20, low - 37), (50, 45, 54), roll=22),
            Ellipsoid.of((-15, 8, low - 33), (28, 32, 46), roll=-3),
            Ellipsoid.of((8, -16, low - 58), (40, 33, 36)),
            Ellipsoid.of((27, 20, top + 24), (22, 22, 30), roll=-18),
        )
        about = np.array([0.0, 8.0, low - 18])
        reach = max(p.centre[0] + p.reach[0] for p in parts) - min(p.centre[0] - p.reach[0] for p in parts)
        scale = ratio * 2 * self.half_width / reach
        matrix = np.diag([scale, 1 + 0.7 * (scale - 1), 1 + 0.45 * (scale - 1)])
        return tuple(p.moved(matrix, about) for p in parts)

    def great_vessels(self) -> tuple[Ellipsoid, ...]:
        """Ascending aorta, arch, pulmonary trunk and its main branches: outside the heart's mask, inside its shadow."""
        knob, swell = self.level(0.275), self.aorta
        return (
            Ellipsoid.of((-9, 20, self.level(0.43)), (21 + 5 * swell, 20, 48), roll=5),
            Ellipsoid.of((15 + 7 * swell, -10, knob + 2), (20 + 3 * swell, 34, 20 + 2 * swell), roll=-10),
            Ellipsoid.of((14, 8, self.level(0.44)), (17, 30, 34), roll=-14),
        )

    @cached_property
    def hila(self) -> Mapping[Side, Points]:
        """(3,) the root of each lung."""
        return MappingProxyType(
            {
                Side.RIGHT: np.array([-0.25 * self.half_width, -4.0, self.level(0.465)]),
                Side.LEFT: np.array([0.25 * self.half_width, -8.0, self.level(0.425)]),
            }
        )

    def mediastinum(self, z: NDArray[np.floating], side: Side) -> Points:
        """|x| of the mediastinal edge at height z, the heart and the great vessels' bulges aside."""
        t = (np.asarray(z, float) - self.apex) / self.height
        return _MEDIASTINUM[side](t)

    def breathing(self, millimetres: float) -> "Anatomy":
        """The same chest with both domes lower (a deeper breath) by so much; a shallow one is negative."""
        lowered = {side: z + millimetres for side, z in self.dome.items()}
        return replace(self, dome=MappingProxyType(lowered), base=self.base + 0.6 * millimetres)


def draw_anatomy(number: int, rng: np.random.Generator) -> Anatomy:
    """A person drawn from `rng`: sex, age and build first, then what depends on them."""
    sex = "F" if rng.random() < 0.48 else "M"
    male = sex == "M"
    age = int(np.clip(rng.normal(56, 18), 18, 94))
    old = max(0.0, (age - 55) / 40)
    bmi = float(np.clip(rng.gamma(9.0, 1.0) + 17.5, 18, 41))
    height = float(rng.normal(282 if male else 258, 9))
    apex = float(rng.uniform(44, 56))
    base = apex + height
    right = base - float(np.clip(rng.normal(50, 7), 36, 66))
    return Anatomy(
        number=number,
        sex=sex,
        age=age,
        bmi=bmi,
        half_width=float(rng.normal(146 if male else 134, 5)),
        half_depth=float(rng.normal(99 if male else 90, 5) + 7 * old),
        apex=apex,
        base=base,
        dome=MappingProxyType({Side.RIGHT: right, Side.LEFT: right + float(np.clip(rng.normal(12, 4), 3, 22))}),
        wall=13 + 1.15 * (bmi - 18) + (5 if male else 0),
        breast=0.0 if male else float(np.clip(rng.normal(26 + 1.3 * (bmi - 24), 7), 10, 60)),
        heart_ratio=float(np.clip(rng.normal(0.425 + 0.02 * old + 0.0015 * (bmi - 26), 0.022), 0.36, 0.478)),
        heart_roll=float(rng.normal(27, 5)),
        aorta=float(np.clip(rng.normal(0.15 + 0.9 * old, 0.25), 0, 1.5)),
        kyphosis=float(np.clip(rng.normal(3 + 14 * old, 4), 0, 26)),
        scoliosis=float(rng.normal(0, 3.0)),
        shoulder_drop=float(rng.normal(0, 5)),
        bone=float(np.clip(rng.normal(1.08 - 0.35 * old + (0.05 if male else -0.05), 0.08), 0.55, 1.3)),
        rib_slope=float(np.clip(rng.normal(1.0, 0.1), 0.75, 1.25)),
        bubble=float(np.clip(rng.normal(14, 7), 0, 27)),
        vessel_seed=int(rng.integers(2**31)),
    )
