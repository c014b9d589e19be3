"""The outside of the body: skin-to-skin thickness of trunk, neck, shoulders, arms and breasts on either film.

Nothing here has an edge within the chest, so it is laid down on half as many pixels and brought up.
"""

import numpy as np

from core.studies import View
from data.phantom.anatomy import Anatomy
from data.phantom.geometry import Curve, Ellipsoid, Floats, Frame, Points, chord, chord_table, smoothstep

_FRONTAL = chord_table(2.9, 2.9)
_LATERAL = chord_table(2.4, 2.4)

_DEPTH = Curve((-0.2, 0.0, 0.25, 0.6, 1.3), (0.72, 0.78, 0.92, 1.0, 1.04))
_NECK = Curve((-0.25, -0.08, 0.16), (0.62, 0.78, 1.0))
_ACROSS = Curve((-0.25, -0.12, 0.05, 0.22, 0.34, 1.3), (0.5, 0.85, 1.16, 1.04, 0.92, 1.0))
"""Shares of the chest's depth (frontal), of its depth and of its width (lateral), by part of the lung's height."""

_SHOULDERS = Curve(
    (-70, -42, -28, -16, -6, 6, 20, 40, 70, 95, 125), (53, 57, 68, 92, 122, 155, 182, 198, 196, 172, 120)
)
_THICK = Curve((-60, -20, 10, 50, 90, 128), (104, 92, 98, 122, 104, 0))
"""Half-width and thickness of neck and shoulders, mm, by mm below the shoulders' top."""


def frontal_body(anatomy: Anatomy, film: Frame, view: View) -> Floats:
    """(H, W) mm along y. On a PA film the arms are away from the trunk, on an AP film beside it."""
    a, frame = anatomy, film.coarse
    z = frame.z[:, 0].astype(float)
    low = np.maximum(z, a.level(0.34))
    flare = 1 + 0.05 * np.clip((z - a.level(0.8)) / a.height, 0, 1) * (a.bmi - 24) / 10
    wide = (a.lateral_edge(low) + a.wall + 4) * flare
    depth = 2 * (a.cavity_depth(np.maximum(z, a.level(0.12))) + 0.85 * a.wall)
    depth *= _DEPTH((z - a.apex) / a.height)
    top = a.apex - 14 - 0.2 * a.wall
    depth *= np.clip((z - top) / 22, 0, 1)
    trunk = chord(frame.u / wide.astype(np.float32)[:, None], _FRONTAL)
    trunk *= depth.astype(np.float32)[:, None]
    reach = _SHOULDERS(z - top)
    reach = reach * (a.half_width / 142) + 0.4 * a.wall
    thick = _THICK(z - top) + 0.6 * a.wall
    rows = slice(0, frame.row(top + 125))
    girdle = chord(frame.u / reach.astype(np.float32)[rows, None], _FRONTAL)
    girdle *= thick.astype(np.float32)[rows, None]
    np.maximum(trunk[rows], girdle, out=trunk[rows])
    for s in (-1.0, 1.0):
        _hanging_arm(a, frame, trunk, s, top, 0.42 if view is View.PA else 0.13)
    if a.breast > 0:
        _breasts_in_front(a, frame, trunk)
    return film.refine(trunk)


def _hanging_arm(a: Anatomy, frame: Frame, body: Floats, s: float, top: float, away: float) -> None:
    shoulder = np.array([s * (1.22 * a.half_width + 0.25 * a.wall), top + 48])
    along = np.array([s * away, 1.0]) / np.hypot(away, 1.0)
    radius = 40 + 0.6 * a.wall
    rows = slice(frame.row(shoulder[1] - 8), frame.size)
    middle = frame.column(0.0)
    columns = slice(middle, frame.size) if s > 0 else slice(0, middle)
    u, z = frame.u[:, columns], frame.z[rows]
    across = (u - np.float32(shoulder[0])) * np.float32(along[1]) - (z - np.float32(shoulder[1])) * np.float32(along[0])
    arm = np.sqrt(np.maximum(np.float32(radius**2) - across * across, 0)) * np.float32(2.0)
    arm *= np.clip((z - np.float32(shoulder[1] - 8)) / np.float32(30), 0, 1)
    part = body[rows, columns]
    np.maximum(part, arm, out=part)


def _breasts_in_front(a: Anatomy, frame: Frame, body: Floats) -> None:
    size = 0.36 * a.half_width + 0.55 * a.breast
    for s in (-1.0, 1.0):
        centre = (s * (0.60 * a.half_width + 0.12 * a.breast), 0.0, a.level(0.72) + 0.55 * a.breast)
        breast = Ellipsoid.of(centre, (size, 0.5 * a.breast + 5, 0.92 * size), roll=s * 8)
        shadow = breast.shadow(frame, lateral=False)
        down = frame.z[shadow.box[0]] - np.float32(a.level(0.72) + 0.55 * a.breast - 0.9 * size)
        body[shadow.box] += shadow.thickness(0.7) * smoothstep(down / np.float32(1.1 * size)) * np.float32(0.75)


def lateral_body(anatomy: Anatomy, film: Frame) -> Floats:
    """(H, W) mm along x, the arms raised forward."""
    a, frame = anatomy, film.coarse
    z = frame.z[:, 0].astype(float)
    t = (z - a.apex) / a.height
    low = np.maximum(z, a.level(0.16))
    middle, half = a.cavity_centre(low), a.cavity_depth(low)
    front = middle + half + 12 + 0.55 * a.wall
    back = middle - half - 22 - 0.75 * a.wall
    narrow = _NECK(t)
    centre = 0.5 * (front + back) - 12 * (1 - narrow) / 0.38
    span = 0.5 * (front - back) * narrow
    belly = np.clip((t - 0.85) / 0.4, 0, 1) * max(a.bmi - 23, 0) * 0.8
    centre, span = centre + 0.5 * belly, span + 0.5 * belly
    across = 2 * (a.lateral_edge(np.maximum(z, a.level(0.3))) + a.wall)
    across *= _ACROSS(t)
    centre, span = _eased(centre, frame), _eased(span, frame)
    trunk = chord((frame.u + centre.astype(np.float32)[:, None]) / span.astype(np.float32)[:, None], _LATERAL)
    trunk *= across.astype(np.float32)[:, None]
    _raised_arms(a, frame, trunk)
    if a.breast > 0:
        _breasts_from_the_side(a, frame, trunk)
    return film.refine(trunk)


def _eased(rows: Points, frame: Frame) -> Points:
    """A value by row, averaged over 36 mm up and down, so that the skin has no corners."""
    reach = max(1, round(18 / frame.spacing_mm))
    padded = np.pad(rows, reach, mode="edge")
    return np.convolve(padded, np.full(2 * reach + 1, 1 / (2 * reach + 1)), mode="valid")


def _raised_arms(a: Anatomy, frame: Frame, body: Floats) -> None:
    start = np.array([-18.0, a.level(0.04)])
    along = np.array([-np.cos(0.42), -np.sin(0.42)])
    radius = 40 + 0.8 * a.wall
    rows = slice(0, frame.row(start[1] + radius + 30))
    u, z = frame.u - np.float32(start[0]), frame.z[rows] - np.float32(start[1])
    out: Floats = u * np.float32(along[0]) + z * np.float32(along[1])
    across = u * np.float32(along[1]) - z * np.float32(along[0])
    arm = np.sqrt(np.maximum(np.float32(radius**2) - across * across, 0)) * np.float32(3.1)
    arm *= smoothstep(out / np.float32(45) + np.float32(0.55))
    np.maximum(body[rows], arm, out=body[rows])


def _breasts_from_the_side(a: Anatomy, frame: Frame, body: Floats) -> None:
    level = np.array([a.level(0.70)])
    front = float(a.cavity_centre(level)[0] + a.cavity_depth(level)[0]) + 10
    size = 0.34 * a.half_width + 0.5 * a.breast
    centre = (0, front, a.level(0.68) + 0.5 * a.breast)
    shadow = Ellipsoid.of(centre, (size, 12 + 0.95 * a.breast, 0.78 * size), pitch=18).shadow(frame, lateral=True)
    ahead: Floats = np.negative(frame.u[:, shadow.box[1]])
    ahead -= np.float32(front - 34)
    body[shadow.box] += shadow.thickness(0.8) * smoothstep(ahead / np.float32(48)) * np.float32(0.7)
