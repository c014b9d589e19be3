"""What both projections share: a film's set-up, what a ray meets, and how findings and devices are laid on it."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from core.studies import View
from data.phantom.devices import Wire
from data.phantom.geometry import Bits, Box, Bytes, Floats, Frame, Points, smoothstep
from data.phantom.pathology import Consolidation, Nodule

LUNG_DENSITY = 0.26
"""Inflated lung against soft tissue, by thickness."""

CORTEX_MM = 1.5
"""How far compact bone reaches in from a bone's outline on the film."""

RIB_MM = 7.5
SPINE_MM = 11.0
GIRDLE_MM = 13.0
METAL_MM = 1.0
VESSEL_MM = 15.0
"""What 255 in a drawn layer means, in mm of its material (metal: in units of full opacity)."""


@dataclass(frozen=True)
class Setup:
    """How one film was taken. `turn` is the tangent of the patient's rotation; `kvp` the tube voltage."""

    view: View
    frame: Frame
    turn: float
    kvp: float
    exposure: float
    scatter: float
    raised: float
    spread: float
    processing: float
    brightness: float
    collimation: tuple[float, float, float, float]
    tilt: float
    marker: str


@dataclass(frozen=True)
class Materials:
    """Ray lengths (H, W): soft tissue and bone in mm, metal as opacity."""

    soft: Floats
    bone: Floats
    metal: Floats | None


@lru_cache(maxsize=4)
def mottle(size: int) -> Floats:
    """(size, size) seamless fractal texture, mean 0, deviation 1: the fine interstitial pattern of lung."""
    rng = np.random.default_rng(20240901)
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]) * size
    shape: Points = np.where(frequency > 2.0, np.maximum(frequency, 1.0) ** -1.05, 0.0) * np.exp(
        -((frequency / 130) ** 2)
    )
    noise = np.fft.rfft2(rng.standard_normal((size, size))) * shape
    field = np.fft.irfft2(noise, s=(size, size))
    return np.asarray(field / field.std(), np.float32)


@lru_cache(maxsize=4)
def white(size: int) -> Floats:
    """(size, size) independent standard normal values."""
    return np.random.default_rng(20240902).standard_normal((size, size), dtype=np.float32)


def wrapped(base: Floats, down: int, across: int) -> Floats:
    """A copy of a square field, rolled down and across."""
    size = len(base)
    out = np.empty_like(base)
    out[down:, across:] = base[: size - down, : size - across]
    out[:down, across:] = base[size - down :, : size - across]
    out[down:, :across] = base[: size - down, size - across :]
    out[:down, :across] = base[size - down :, size - across :]
    return out


def texture(size: int, box: Box, seed: int) -> Floats:
    """A window of `mottle` as large as `box` of a film of `size`, from where the seed says; not to be changed."""
    base = mottle(size)
    rows, columns = box[0].stop - box[0].start, box[1].stop - box[1].start
    down, across = seed % (size - rows + 1), (seed // size) % (size - columns + 1)
    window = base[down : down + rows, across : across + columns]
    return window[:, ::-1] if seed % 2 else window


def ventilate(soft: Floats, air: Floats, blood: Floats, airways: Floats, grain: Floats, full_mm: float) -> None:
    """Put lung into `soft`, mm, in place: its vessels and fine pattern where `air` fills it, then the air itself.

    Vessels fade where less than `full_mm` of lung lies on the ray. `blood` and `airways` are used up.
    """
    blood += grain
    weight = air * np.float32(1 / full_mm)
    np.minimum(weight, 1, out=weight)
    blood *= weight
    soft += blood
    np.multiply(air, np.float32(1 - LUNG_DENSITY), out=weight)
    soft -= weight
    np.multiply(soft, np.float32(1 / 80), out=weight)
    np.minimum(weight, 1, out=weight)
    airways *= weight
    soft -= airways


def noise(size: int, rng: np.random.Generator) -> Floats:
    """(size, size) standard normal noise: two rolled copies of one field, which costs a fifth of drawing it anew."""
    base = white(size)
    a, b, c, d = (int(v) for v in rng.integers(size, size=4))
    total = wrapped(base, a, b)
    total += wrapped(base.T, c, d)
    total *= np.float32(np.sqrt(0.5))
    return total


def flat(points: Points, *, lateral: bool, turn: float = 0.0) -> Points:
    """(..., 3) points in space as (..., 2) film coordinates (u, z)."""
    if lateral:
        return np.stack([-points[..., 1], points[..., 2]], axis=-1)
    return np.stack([points[..., 0] + turn * points[..., 1], points[..., 2]], axis=-1)


def ribbon(line: Points, height: float | Points) -> Points:
    """(..., 2k, 2) outline of a band about a flat (..., k, 2) line, the first k points its upper edge.

    `height` in mm is measured across the line where it runs level.
    """
    step = np.gradient(line, axis=-2)
    run = np.abs(step[..., 0])
    lean = np.minimum(np.hypot(run, step[..., 1]) / np.maximum(run, 1e-6), 1.5)
    shift = np.zeros_like(line)
    shift[..., 1] = 0.5 * np.asarray(height) * lean
    return np.concatenate([line - shift, (line + shift)[..., ::-1, :]], axis=-2)


def band(line: Points, width: float | Points) -> Points:
    """(..., 2k, 2) outline of a band of `width` mm about a flat (..., k, 2) line, across its direction everywhere."""
    step = np.gradient(line, axis=-2)
    step /= np.maximum(np.hypot(step[..., 0], step[..., 1]), 1e-6)[..., None]
    normal = np.stack([-step[..., 1], step[..., 0]], axis=-1) * (0.5 * np.asarray(width)[..., None])
    return np.concatenate([line - normal, (line + normal)[..., ::-1, :]], axis=-2)


def nodule_shadow(nodule: Nodule, frame: Frame, *, lateral: bool, turn: float) -> tuple[Box, Floats]:
    """A nodule's thickness in mm over its box; it is there exactly where the thickness is above 0."""
    u0, z0 = flat(nodule.centre[None], lateral=lateral, turn=turn)[0]
    reach = nodule.radius * 1.25
    box = frame.box(u0 - reach, u0 + reach, z0 - reach, z0 + reach)
    u, z = frame.u[:, box[1]] - np.float32(u0), frame.z[box[0]] - np.float32(z0)
    around = np.arctan2(z, u)
    a, b, c = nodule.lobes + (1.3 if lateral else 0.0)
    edge = 1 + 0.07 * np.cos(2 * around + a) + 0.05 * np.cos(3 * around + b) + 0.03 * np.cos(5 * around + c)
    square = (nodule.radius * edge) ** 2 - (u * u + z * z)
    return box, (2 * np.sqrt(np.maximum(square, 0))).astype(np.float32)


def consolidation_field(found: Consolidation, frame: Frame, *, lateral: bool, turn: float) -> tuple[Box, Floats]:
    """The airless fraction of the lung (0 to 1) over a box around a consolidation.

    `seed` makes its edge ragged; its middle is never thinned out on average.
    """
    u0, z0 = flat(found.centre[None], lateral=lateral, turn=turn)[0]
    across, down = (found.radii[1] if lateral else found.radii[0]), found.radii[2]
    box = frame.box(u0 - 1.5 * across, u0 + 1.5 * across, z0 - 1.5 * down, z0 + 1.5 * down)
    rows, columns = box[0].stop - box[0].start, box[1].stop - box[1].start
    rng = np.random.default_rng([found.seed, int(lateral)])
    grain = np.zeros((rows, columns), np.float32)
    for cells, weight in ((4, 0.50), (9, 0.26), (20, 0.13)):
        coarse = rng.standard_normal((cells, cells), dtype=np.float32) * np.float32(weight)
        grain += cv2.resize(coarse, (max(columns, 1), max(rows, 1)), interpolation=cv2.INTER_CUBIC)[:rows, :columns]
    u = (frame.u[:, box[1]] - np.float32(u0)) / np.float32(across)
    z = (frame.z[box[0]] - np.float32(z0)) / np.float32(down)
    far = u * u + z * z
    core = grain[far < 0.35]
    if core.size:
        grain += max(0.0, -float(core.mean()))
    grain *= np.float32(0.55)
    grain += np.float32(0.85) - far
    dense = smoothstep(grain * np.float32(1.1))
    if found.fissure is not None:
        line = np.float32(found.fissure) + np.float32(0.05) * (frame.u[:, box[1]] - np.float32(u0))
        dense *= np.clip((line - frame.z[box[0]]) / np.float32(1.5) + np.float32(0.5), 0, 1)
    return box, dense


def draw_wires(frame: Frame, strands: tuple[Wire, ...], *, lateral: bool, turn: float) -> tuple[Bytes, dict[str, Bits]]:
    """Devices' opacity (H, W) and the exact mask of each: every pixel at least half covered by one of its strands."""
    layer = frame.blank()
    covered: dict[str, Bytes] = {}
    for wire in strands:
        line = flat(wire.line, lateral=lateral, turn=turn)
        cover = covered.setdefault(wire.device, frame.blank())
        frame.draw_lines(cover, [line], max(wire.width, frame.spacing_mm), 255)
        if wire.edges:
            faint = 255 * wire.opacity
            frame.draw_lines(layer, [line], wire.width, 0.30 * faint)
            for shift in (-0.45 * wire.width, 0.45 * wire.width):
                frame.draw_lines(layer, [line + np.array([shift, 0])], 1.1, faint)
        else:
            frame.draw_lines(layer, [line], wire.width, 255 * wire.opacity)
    return layer, {device: cover >= 128 for device, cover in covered.items()}
