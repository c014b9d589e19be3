"""What is wrong in a simulated chest, and where: each finding a solid or a surface in space, drawn from a generator."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.findings import Side
from data.phantom.anatomy import Anatomy, sign
from data.phantom.geometry import Points

NODULE = "nodule"
CONSOLIDATION = "consolidation"
EFFUSION = "pleural_effusion"
PNEUMOTHORAX = "pneumothorax"
CARDIOMEGALY = "cardiomegaly"
TUBE = "endotracheal_tube"
LINE = "central_venous_line"
PACEMAKER = "pacemaker"

FINDINGS: tuple[str, ...] = (NODULE, CONSOLIDATION, EFFUSION, PNEUMOTHORAX, CARDIOMEGALY)


class Zone(StrEnum):
    """A third of the lung's height on a frontal film, from the apex to the costophrenic angle."""

    UPPER = "upper"
    MIDDLE = "middle"
    LOWER = "lower"


class Amount(StrEnum):
    SMALL = "small"
    MODERATE = "moderate"
    LARGE = "large"


@dataclass(frozen=True)
class Nodule:
    """A roughly round solid, `centre` (3,) and `radius` in mm, its outline lobulated by `lobes` (3,) phases."""

    side: Side
    zone: Zone
    centre: Points
    radius: float
    lobes: Points


@dataclass(frozen=True)
class Consolidation:
    """Airless lung in and around an ellipsoid, ragged by noise from `seed`; `fissure` cuts it off sharply below."""

    side: Side
    zone: Zone
    centre: Points
    radii: Points
    seed: int
    fissure: float | None


@dataclass(frozen=True)
class Effusion:
    """Free fluid, its surface at height `level` near the mediastinum and `rise` mm higher at the chest wall."""

    side: Side
    amount: Amount
    level: float
    rise: float


@dataclass(frozen=True)
class Pneumothorax:
    """Air outside the lung, which has sunk `gap` mm from the apex and less and less down to the base."""

    side: Side
    amount: Amount
    gap: float


@dataclass(frozen=True)
class EndotrachealTube:
    """Tip `above_carina` mm above the carina (negative: in the right main bronchus)."""

    above_carina: float


@dataclass(frozen=True)
class CentralLine:
    """A catheter through the jugular or subclavian vein of a side, its tip at a level of the superior vena cava."""

    side: Side
    jugular: bool
    tip: float


@dataclass(frozen=True)
class Pacemaker:
    """A generator under the clavicle of a side with one or two leads."""

    side: Side
    leads: int
    drop: float


@dataclass(frozen=True)
class Case:
    """All that one study shows. `heart_ratio` is the cardiothoracic ratio of its frontal film."""

    heart_ratio: float
    nodules: tuple[Nodule, ...] = ()
    consolidations: tuple[Consolidation, ...] = ()
    effusions: tuple[Effusion, ...] = ()
    pneumothorax: Pneumothorax | None = None
    tube: EndotrachealTube | None = None
    line: CentralLine | None = None
    pacemaker: Pacemaker | None = None

    @property
    def present(self) -> Mapping[str, bool]:
        """Every finding and device, and whether this case has it."""
        return {
            NODULE: bool(self.nodules),
            CONSOLIDATION: bool(self.consolidations),
            EFFUSION: bool(self.effusions),
            PNEUMOTHORAX: self.pneumothorax is not None,
            CARDIOMEGALY: self.heart_ratio > 0.5,
            TUBE: self.tube is not None,
            LINE: self.line is not None,
            PACEMAKER: self.pacemaker is not None,
        }

    @property
    def is_normal(self) -> bool:
        return not any(self.present.values())


def zone_of(anatomy: Anatomy, z: float) -> Zone:
    """The third of the lung that height z lies in."""
    part = (z - anatomy.apex) / anatomy.height
    return Zone.UPPER if part < 1 / 3 else Zone.MIDDLE if part < 2 / 3 else Zone.LOWER


def _any_side(rng: np.random.Generator) -> Side:
    return Side.RIGHT if rng.random() < 0.5 else Side.LEFT


def _in_lung(
    anatomy: Anatomy, ratio: float, side: Side, margin: float, rng: np.random.Generator, low: float, high: float
) -> Points:
    """A point (3,) whose frontal and lateral shadows of radius `margin` stay clear of heart, walls and dome.

    `low` and `high` are fractions of the lung's height between which its z falls.
    """
    z = anatomy.level(1) - rng.uniform(1 - high, 1 - low, 400) * anatomy.height
    across = rng.uniform(0, 1, 400)
    inner = np.maximum(anatomy.medial_edge(z), anatomy.mediastinum(z, side)) + margin + 8
    for part in (*anatomy.heart(ratio), *anatomy.great_vessels()):
        level = np.clip(np.abs(z - part.centre[2]) - margin, 0, None)
        beside = part.centre[0] * sign(side) + part.reach[0] * np.sqrt(np.clip(1 - (level / part.reach[2]) ** 2, 0, 1))
        inner = np.where(level < part.reach[2], np.maximum(inner, beside + margin + 3), inner)
    outer = np.minimum(anatomy.lateral_edge(z - margin), anatomy.lateral_edge(z)) - margin - 7
    x = inner + across * (outer - inner)
    above = np.minimum(anatomy.dome_edge(sign(side) * x, side), anatomy.dome_edge(sign(side) * (x + margin), side))
    fits = (outer > inner) & (z + margin + 4 < above) & (z - margin > anatomy.apex + 8)
    if not fits.any():
        return _in_lung(anatomy, ratio, side, 0.8 * margin, rng, 0.6 * low, min(0.8, high + 0.1))
    pick = int(np.argmax(fits))
    half = float(anatomy.cavity_depth(z[pick : pick + 1])[0])
    y = float(anatomy.cavity_centre(z[pick : pick + 1])[0]) + rng.uniform(-0.5, 0.45) * (half - margin)
    return np.array([sign(side) * x[pick], y, z[pick]])


def _nodules(anatomy: Anatomy, ratio: float, rng: np.random.Generator) -> tuple[Nodule, ...]:
    count = int(rng.choice((1, 1, 1, 1, 2, 3)))
    found = []
    for _ in range(count):
        side = _any_side(rng)
        radius = float(rng.uniform(5.5, 13) if count == 1 else rng.uniform(4.5, 9))
        centre = _in_lung(anatomy, ratio, side, radius, rng, 0.12, 0.76)
        lobes = rng.uniform(0, 2 * np.pi, 3)
        found.append(Nodule(side, zone_of(anatomy, centre[2]), centre, radius, lobes))
    return tuple(found)


def _consolidations(anatomy: Anatomy, ratio: float, rng: np.random.Generator) -> tuple[Consolidation, ...]:
    side, count = _any_side(rng), int(rng.choice((1, 1, 1, 2)))
    found = []
    for number in range(count):
        side = side if number == 0 else (Side.LEFT if side is Side.RIGHT else Side.RIGHT)
        radii = rng.uniform((26, 32, 24), (42, 52, 40))
        bands = ((0.16, 0.30), (0.40, 0.58), (0.68, 0.78))
        low, high = bands[int(rng.choice(3, p=(0.25, 0.25, 0.5)))]
        centre = _in_lung(anatomy, ratio, side, 15, rng, low, high)
        fissure = None
        if side is Side.RIGHT and high < 0.4 and rng.random() < 0.6:
            fissure = anatomy.level(0.47)
            radii[2] += 0.35 * (fissure - centre[2])
        zone = zone_of(anatomy, centre[2])
        found.append(Consolidation(side, zone, centre, radii, int(rng.integers(2**31)), fissure))
    return tuple(found)


def _effusion(anatomy: Anatomy, side: Side, amount: Amount, rng: np.random.Generator) -> Effusion:
    if amount is Amount.SMALL:
        return Effusion(side, amount, anatomy.dome[side] + float(rng.uniform(12, 20)), float(rng.uniform(24, 34)))
    above = rng.uniform(6, 30) if amount is Amount.MODERATE else rng.uniform(48, 95)
    return Effusion(side, amount, anatomy.dome[side] - float(above), float(rng.uniform(22, 40)))


def _effusions(anatomy: Anatomy, rng: np.random.Generator) -> tuple[Effusion, ...]:
    sides = (Side.RIGHT, Side.LEFT) if rng.random() < 0.3 else (_any_side(rng),)
    amounts = (Amount.SMALL, Amount.MODERATE, Amount.LARGE)
    odds = (0.5, 0.5, 0.0) if len(sides) == 2 else (0.42, 0.38, 0.2)
    return tuple(_effusion(anatomy, side, amounts[int(rng.choice(3, p=odds))], rng) for side in sides)


def _pneumothorax(rng: np.random.Generator) -> Pneumothorax:
    amount = (Amount.SMALL, Amount.MODERATE, Amount.LARGE)[int(rng.choice(3, p=(0.45, 0.35, 0.2)))]
    low, high = {Amount.SMALL: (16, 26), Amount.MODERATE: (30, 46), Amount.LARGE: (54, 82)}[amount]
    return Pneumothorax(_any_side(rng), amount, float(rng.uniform(low, high)))


def draw_case(anatomy: Anatomy, rng: np.random.Generator, *, portable: bool, pacemaker: Pacemaker | None) -> Case:
    """What a study of this person shows: nothing in about a third of upright films, else one to three things.

    A portable film is an ill patient's: lines, tubes and effusions are likelier. An implanted `pacemaker` is given.
    """
    draw = rng.random(5)
    odds = (0.16, 0.30, 0.36, 0.15, 0.32) if portable else (0.22, 0.20, 0.18, 0.11, 0.20)
    sick = portable or rng.random() < 0.80
    has = dict(zip(FINDINGS, (bool(sick and d < p) for d, p in zip(draw, odds, strict=True)), strict=True))
    ratio = float(rng.uniform(0.545, 0.64)) if has[CARDIOMEGALY] else anatomy.heart_ratio
    collapse = _pneumothorax(rng) if has[PNEUMOTHORAX] else None
    effusions = _effusions(anatomy, rng) if has[EFFUSION] else ()
    if collapse is not None:
        effusions = tuple(e for e in effusions if e.side is not collapse.side)
    ventilated = portable and rng.random() < 0.5
    lined = rng.random() < (0.55 if portable else 0.04)
    return Case(
        heart_ratio=ratio,
        nodules=_clear_of(collapse, _nodules(anatomy, ratio, rng)) if has[NODULE] else (),
        consolidations=_consolidations(anatomy, ratio, rng) if has[CONSOLIDATION] else (),
        effusions=effusions,
        pneumothorax=collapse,
        tube=EndotrachealTube(float(rng.choice((rng.uniform(25, 60), rng.uniform(4, 14)), p=(0.85, 0.15))))
        if ventilated
        else None,
        line=CentralLine(_any_side(rng), bool(rng.random() < 0.6), float(rng.uniform(0.40, 0.52))) if lined else None,
        pacemaker=pacemaker,
    )


def _clear_of(collapse: Pneumothorax | None, nodules: tuple[Nodule, ...]) -> tuple[Nodule, ...]:
    """A collapsing lung takes its nodules along; such studies are left out by dropping the nodules of that side."""
    return tuple(n for n in nodules if collapse is None or n.side is not collapse.side)


def draw_pacemaker(rng: np.random.Generator, age: int) -> Pacemaker | None:
    """A pacemaker, likelier with age; mostly on the left."""
    implanted = rng.random() < (0.02 if age < 60 else 0.14)
    side = Side.LEFT if rng.random() < 0.85 else Side.RIGHT
    leads, drop = int(rng.choice((1, 2, 2))), float(rng.uniform(-4, 12))
    return Pacemaker(side, leads, drop) if implanted else None


def follow_up(anatomy: Anatomy, before: Case, rng: np.random.Generator, redraw: Callable[[], Case]) -> Case:
    """The same person later: what was there has gone, shrunk or grown; now and then something new has come."""
    if before.is_normal or rng.random() < 0.15:
        return redraw()
    fate = rng.random(4)
    effusions = tuple(_effusion(anatomy, e.side, _step(e.amount, rng), rng) for e in before.effusions if fate[0] > 0.35)
    collapse = before.pneumothorax
    if collapse is not None:
        collapse = None if fate[1] < 0.5 else Pneumothorax(collapse.side, Amount.SMALL, 0.45 * collapse.gap + 8)
    grown = float(rng.uniform(1.0, 1.35))
    nodules = tuple(
        Nodule(n.side, zone_of(anatomy, n.centre[2]), n.centre, n.radius * grown, n.lobes) for n in before.nodules
    )
    consolidations = tuple(
        Consolidation(c.side, zone_of(anatomy, c.centre[2]), c.centre, c.radii * 0.78, c.seed, c.fissure)
        for c in before.consolidations
        if fate[2] > 0.5
    )
    return Case(
        heart_ratio=before.heart_ratio,
        nodules=nodules,
        consolidations=consolidations,
        effusions=effusions,
        pneumothorax=collapse,
        pacemaker=before.pacemaker,
    )


def _step(amount: Amount, rng: np.random.Generator) -> Amount:
    order = (Amount.SMALL, Amount.MODERATE, Amount.LARGE)
    return order[int(np.clip(order.index(amount) + rng.choice((-1, -1, 0, 1)), 0, 2))]
