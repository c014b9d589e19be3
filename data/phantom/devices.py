"""Tubes, lines and pacemakers as curves in space, through the veins and airways they really take."""

from dataclasses import dataclass

import numpy as np

from core.findings import Side
from data.phantom.anatomy import Anatomy, sign
from data.phantom.geometry import Points, spline
from data.phantom.pathology import LINE, PACEMAKER, TUBE, Case, CentralLine, EndotrachealTube, Pacemaker


@dataclass(frozen=True)
class Wire:
    """A radiopaque strand of a device: (n, 3) midline, width in mm, opacity in (0, 1]; `edges`: only its walls show."""

    device: str
    line: Points
    width: float
    opacity: float
    edges: bool = False


@dataclass(frozen=True)
class Can:
    """A pacemaker's generator: (n, 3) outlines of the case, of the denser battery and of the clear header."""

    case: Points
    battery: Points
    header: Points


def trachea(anatomy: Anatomy, top: float) -> Points:
    """(n, 3) midline of the windpipe from height `top` to the carina, pushed to the right by the aortic arch."""
    z = np.linspace(top, anatomy.carina, 14)
    t = np.clip((z - anatomy.apex) / anatomy.height, -0.3, 1)
    x = 0.6 * anatomy.spine_x(z) - (2.5 + 2.5 * anatomy.aorta) * np.exp(-(((t - 0.27) / 0.1) ** 2))
    y = anatomy.spine_y(z) + 30 + 8 * np.clip(0.3 - t, 0, 0.4)
    return np.column_stack([x, y, z])


def bronchus(anatomy: Anatomy, side: Side) -> Points:
    """(n, 3) midline of a main bronchus from the carina into the hilum."""
    start = trachea(anatomy, anatomy.apex)[-1]
    hilum = anatomy.hila[side]
    bend = (0.45, 0.55, 0.62) if side is Side.RIGHT else (0.5, 0.5, 0.45)
    middle = start + (hilum - start) * bend
    return spline(
        np.array([start - (0, 0, 3), middle, hilum + np.array([sign(side) * 6, 0, 14 if side is Side.RIGHT else 8])])
    )


def wires(anatomy: Anatomy, case: Case, top: float) -> tuple[Wire, ...]:
    """All strands of a case's devices; `top` is the height of the film's upper edge."""
    found: list[Wire] = []
    if case.tube is not None:
        found += _tube(anatomy, case.tube, top)
    if case.line is not None:
        found.append(_line(anatomy, case.line, top))
    if case.pacemaker is not None:
        found += _leads(anatomy, case.pacemaker)
    return tuple(found)


def _tube(anatomy: Anatomy, tube: EndotrachealTube, top: float) -> list[Wire]:
    path = spline(trachea(anatomy, top - 10), 6)
    tip = anatomy.carina - tube.above_carina
    path = path[path[:, 2] <= tip]
    sway = np.linspace(3.0, 0.0, len(path))[:, None] * (1, 0, 0)
    return [
        Wire(TUBE, path + sway, 10.0, 0.30, edges=True),
        Wire(TUBE, path + sway + (2.6, 0, 0), 1.3, 0.75),
    ]


def _line(anatomy: Anatomy, line: CentralLine, top: float) -> Wire:
    s = sign(line.side)
    cava = np.array([-20.0, 10.0, anatomy.level(0.24)])
    tip = np.array([-21.0, 14.0, anatomy.level(line.tip)])
    junction = anatomy.level(0.10)
    if line.jugular:
        entry = [(s * 42, 4, top - 8), (s * 36, 6, 0.5 * (top + junction)), (s * 29, 12, junction)]
    else:
        entry = [
            (s * 0.86 * anatomy.half_width, 52, anatomy.level(0.17)),
            (s * 0.62 * anatomy.half_width, 56, anatomy.level(0.115)),
            (s * 34, 40, anatomy.level(0.085)),
        ]
    crossing = [(6, 24, anatomy.level(0.17))] if line.side is Side.LEFT else []
    return Wire(LINE, spline(np.array([*entry, *crossing, cava, tip], float)), 1.9, 0.42)


def _pocket(anatomy: Anatomy, pacemaker: Pacemaker) -> Points:
    z = anatomy.level(0.235) + pacemaker.drop
    return np.array([sign(pacemaker.side) * 0.70 * anatomy.half_width, 0.9 * anatomy.half_depth, z])


def _leads(anatomy: Anatomy, pacemaker: Pacemaker) -> list[Wire]:
    s, pocket = sign(pacemaker.side), _pocket(anatomy, pacemaker)
    low = anatomy.dome[Side.LEFT]
    vein = [
        pocket + np.array([s * 6, 0, -21]),
        pocket + np.array([s * 27, 2, -8]),
        pocket + np.array([s * 20, -4, -34]),
        np.array([s * 0.50 * anatomy.half_width, 48, anatomy.level(0.09)]),
        np.array([s * 30, 34, anatomy.level(0.115)]),
    ]
    if pacemaker.side is Side.LEFT:
        vein.append(np.array([2.0, 24, anatomy.level(0.185)]))
    cava = [np.array([-19.0, 10, anatomy.level(0.27)]), np.array([-21.0, 12, anatomy.level(0.44)])]
    ventricle = [
        np.array([-19.0, 14, low - 62]),
        np.array([-4.0, 28, low - 30]),
        np.array([24.0, 38, low - 16]),
        np.array([52.0, 42, low - 12]),
    ]
    atrium = [np.array([-24.0, 14, low - 66]), np.array([-22.0, 30, low - 52]), np.array([-27.0, 40, low - 70])]
    apart = np.array([1.8, 1.0, 2.6])
    paths = [[*vein, *cava, *ventricle]]
    if pacemaker.leads == 2:
        paths.append([p + apart for p in (*vein, *cava)] + atrium)
    found: list[Wire] = []
    for path in paths:
        curve = spline(np.array(path))
        found.append(Wire(PACEMAKER, curve, 1.5, 0.75))
        found.append(Wire(PACEMAKER, curve[-4:], 3.2, 0.95))
    return found


def can(anatomy: Anatomy, pacemaker: Pacemaker) -> Can:
    """The generator in its pocket, flat against the chest wall."""
    centre, s = _pocket(anatomy, pacemaker), sign(pacemaker.side)
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    rounded = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.7, np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** 0.7

    def outline(dx: float, dz: float, wide: float, high: float) -> Points:
        across, down = dx + wide * rounded[0], dz + high * rounded[1]
        moved: Points = centre + np.column_stack([s * across, 3 * np.cos(turn), down])
        return moved

    return Can(outline(0, 0, 23, 20), outline(-5, 6, 14, 10), outline(2, -16.5, 15, 6))
