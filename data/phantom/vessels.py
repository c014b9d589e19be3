"""Pulmonary vessels: branching trees from each hilum, grown in space so that both films show the same ones."""

from dataclasses import dataclass

import numpy as np

from core.findings import Side
from data.phantom.anatomy import Anatomy, sign
from data.phantom.geometry import Points

_TRUNKS = (
    (0.42, -0.10, -0.95),
    (0.80, 0.45, -0.62),
    (0.75, -0.55, -0.45),
    (1.00, 0.55, -0.05),
    (1.00, -0.50, 0.12),
    (0.85, 0.40, 0.55),
    (0.62, -0.55, 0.80),
    (0.36, 0.10, 1.00),
    (0.22, -0.45, 1.05),
)
_GENERATIONS = 6
_STRAIGHT = 3
"""Generations that bend before the twigs, too short to show it, run straight."""
_SHRINK = 0.68


@dataclass(frozen=True)
class Generation:
    """Branches of one order: (n, k, 3) mm midlines and their diameter, mm."""

    lines: Points
    diameter: float


def grow_vessels(anatomy: Anatomy) -> tuple[Generation, ...]:
    """Both lungs' trees, thickest branches first. Every fork turns about 30 degrees in a random plane."""
    rng = np.random.default_rng(anatomy.vessel_seed)
    starts, headings = [], []
    for side in (Side.RIGHT, Side.LEFT):
        for trunk in _TRUNKS:
            direction = np.array(trunk) * (sign(side), 1, 1) + rng.normal(0, 0.10, 3)
            starts.append(anatomy.hila[side] + direction * (3, 6, 10))
            headings.append(direction / np.linalg.norm(direction))
    position, heading = np.array(starts), np.array(headings)
    diameter, length = 7.4, 0.092 * anatomy.height
    grown = []
    for generation in range(_GENERATIONS):
        bend = heading + rng.normal(0, 0.22, heading.shape)
        bend /= np.linalg.norm(bend, axis=1, keepdims=True)
        reach = length * rng.uniform(0.7, 1.3, (len(position), 1))
        middle = position + heading * reach * 0.5
        tip = middle + bend * reach * 0.5
        path = [position, middle, tip] if generation < _STRAIGHT else [position, tip]
        grown.append(Generation(np.stack(path, axis=1), diameter))
        if generation == _GENERATIONS - 1:
            break
        turn = rng.normal(0, 1, bend.shape)
        turn -= bend * np.sum(turn * bend, axis=1, keepdims=True)
        turn /= np.linalg.norm(turn, axis=1, keepdims=True)
        wide = rng.uniform(0.28, 0.62, (len(bend), 1))
        heading = np.concatenate([bend + turn * wide, bend - turn * (0.85 - wide)])
        heading /= np.linalg.norm(heading, axis=1, keepdims=True)
        position = np.concatenate([tip, tip])
        diameter, length = diameter * _SHRINK, length * 0.90
    return tuple(grown)
