"""The lateral projection: every organ's thickness along x, and the masks that are exact there.

The patient faces the left of the film. Both lungs lie over one another, so no lung has a mask; heart, nodules,
consolidation, effusion and devices do. A pneumothorax shows no edge that could be drawn exactly, and has none.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from core.findings import Side
from data.phantom.anatomy import POSTERIOR_DROP, Anatomy
from data.phantom.body import lateral_body
from data.phantom.devices import bronchus, can, trachea, wires
from data.phantom.films import (
    CORTEX_MM,
    LUNG_DENSITY,
    METAL_MM,
    VESSEL_MM,
    Materials,
    Setup,
    band,
    consolidation_field,
    draw_wires,
    flat,
    nodule_shadow,
    texture,
    ventilate,
)
from data.phantom.frontal import gastric_bubble
from data.phantom.geometry import (
    CIRCLE,
    Bits,
    Box,
    Floats,
    Frame,
    blurred,
    chord,
    chord_table,
    union_thickness,
)
from data.phantom.pathology import CARDIOMEGALY, CONSOLIDATION, EFFUSION, NODULE, PACEMAKER, Case
from data.phantom.skeleton import Skeleton
from data.phantom.vessels import Generation

_LUNG = chord_table(2.6, 2.6)
_BONE_MM = 9.0
_SIDES = (Side.RIGHT, Side.LEFT)


class LateralFilm:
    """One lateral projection being laid down, organ by organ; `project` runs them in order."""

    def __init__(self, skeleton: Skeleton, case: Case, setup: Setup, vessels: Sequence[Generation]) -> None:
        self.skeleton, self.case, self.setup, self.vessels = skeleton, case, setup, vessels
        self.anatomy: Anatomy = skeleton.anatomy
        self.frame: Frame = setup.frame
        self.rows = self.frame.z[:, 0].astype(float)
        self.masks: dict[str, Bits] = {}
        self.metal: Floats | None = None

    def _blank_mask(self) -> Bits:
        return np.zeros((self.frame.size, self.frame.size), np.bool_)

    def lungs(self) -> dict[Side, Floats]:
        """(H, W) mm of inflated lung in each hemithorax."""
        a, z = self.anatomy, self.rows
        half = np.maximum(a.cavity_depth(z), 1e-3).astype(np.float32)[:, None]
        centre = a.cavity_centre(z).astype(np.float32)[:, None]
        width = ((a.lateral_edge(z) - np.maximum(a.medial_edge(z), 17)) * (z > a.apex)).astype(np.float32)[:, None]
        low, high = float((-centre - half).min()), float((half - centre).max())
        box = self.frame.box(low, high, a.apex, a.base + POSTERIOR_DROP)
        whole = np.zeros((self.frame.size, self.frame.size), np.float32)
        whole[box] = chord((self.frame.u[:, box[1]] + centre[box[0]]) / half[box[0]], _LUNG)
        whole[box] *= np.maximum(width[box[0]], 0)
        self.inside = whole > 0
        y = -self.frame.u[0].astype(float)
        found = {}
        for side in _SIDES:
            edge = a.dome_profile(y, side).astype(np.float32)[None, :]
            first = self.frame.row(a.dome[side])
            air = whole.copy()
            below = np.sqrt(np.maximum(self.frame.z[first:] - edge, 0))
            below *= np.float32(a.half_width / 5.2)
            air[first:] -= below
            found[side] = np.maximum(air, 0, out=air)
        return found

    def _above_dome(self, side: Side) -> Bits:
        y = -self.frame.u[0].astype(float)
        edge = self.anatomy.dome_profile(y, side).astype(np.float32)[None, :]
        above: Bits = (self.frame.z < edge) & self.inside
        return above

    def mediastinum(self, air: dict[Side, Floats]) -> None:
        a = self.anatomy
        heart = [p.shadow(self.frame, lateral=True) for p in a.heart(self.case.heart_ratio)]
        vessels = [p.shadow(self.frame, lateral=True) for p in a.great_vessels()]
        box, thick = union_thickness(heart, 42)
        mask = self._blank_mask()
        mask[box] = thick > 0
        self.masks["heart"] = mask
        if self.case.present[CARDIOMEGALY]:
            self.masks[CARDIOMEGALY] = mask
        for side, share in ((Side.RIGHT, 0.18), (Side.LEFT, 0.52)):
            air[side][box] -= thick * np.float32(share)
        box, thick = union_thickness(vessels, 20)
        for side, share in ((Side.RIGHT, 0.22), (Side.LEFT, 0.3)):
            air[side][box] -= thick * np.float32(share)
        for side in _SIDES:
            np.maximum(air[side], 0, out=air[side])

    def vessel_layer(self) -> Floats:
        """(H, W) mm of blood in both lungs' vessels."""
        layers = (self.frame.blank(), self.frame.blank())
        for generation in reversed(self.vessels):
            value = min(255.0, 255 * (generation.diameter + 1.0) * 1.2 / VESSEL_MM)
            points = np.stack([-generation.lines[..., 1], generation.lines[..., 2]], axis=-1)
            for parity in (0, 1):
                self.frame.draw_lines(layers[parity], points[parity::2], generation.diameter, value)
        total = cv2.GaussianBlur(cv2.add(*layers), (0, 0), max(0.6, 0.75 / self.frame.spacing_mm))
        return total.astype(np.float32) * np.float32(VESSEL_MM / 255)

    def airways(self) -> Floats:
        """(H, W) mm of air in trachea and main bronchi."""
        a, layer = self.anatomy, self.frame.blank()
        calibre = 16.5 if a.sex == "M" else 14.0
        pipe = flat(trachea(a, self.frame.top_mm - 5), lateral=True)
        end = flat(bronchus(a, Side.LEFT), lateral=True)
        for width, value in ((1.0, 105.0), (0.8, 170.0), (0.5, 235.0)):
            self.frame.draw_lines(layer, [pipe], width * calibre, value)
            self.frame.draw_lines(layer, [end[:6]], 0.7 * width * calibre, value)
            self.frame.fill(layer, [end[6] + 0.42 * width * calibre * CIRCLE], value)
        soft = cv2.GaussianBlur(layer, (0, 0), max(0.5, 0.8 / self.frame.spacing_mm))
        return soft.astype(np.float32) * np.float32(1.3 * calibre / 255)

    def bones(self) -> Floats:
        """(H, W) mm of bone: ribs of both sides, spine, sternum, scapulae."""
        frame, sk = self.frame, self.skeleton
        column = frame.blank()
        arcs = np.concatenate([sk.ribs.posterior[:, :-1], sk.ribs.anterior[:, 1:]], axis=1)
        outlines = band(flat(arcs, lateral=True), 0.8 * sk.ribs.height)
        pairs = len(arcs) // 2
        ribs = [frame.shell(side, 30, 50, CORTEX_MM) for side in (outlines[:pairs], outlines[pairs:])]
        v = sk.vertebrae
        middle = flat(v.centre, lateral=True)[:, None, :]
        size = np.column_stack([v.half_depth, v.half_height])[:, None, :]
        body = middle + size * _BODY
        frame.fill(column, middle + size * (1, 0) + size * (0, 1) * _ARCH + _ARCH * (1, 0), 62)
        frame.fill(column, body, 84)
        frame.draw_lines(column, np.concatenate([body[:, [6, 7, 0]], body[:, [2, 3, 4]]]), 1.5, 150)
        frame.draw_lines(column, np.concatenate([body[:, :3], body[:, 4:7]]), 1.7, 190)
        breastbone = flat(sk.sternum, lateral=True)
        edges = breastbone + np.array([[[-5, 0]], [[5, 0]]])
        plate = np.vstack([edges[0], edges[1, ::-1]])
        frame.fill(column, [plate], 92)
        frame.draw_lines(column, edges, 1.6, 150)
        for side, shift in ((Side.LEFT, 0.0), (Side.RIGHT, 9.0)):
            blade = sk.scapula(side, 0)[8:26]
            edge = np.column_stack([-blade[:, 1] + shift - 10, blade[:, 2]])
            frame.draw_lines(column, [edge], 2.6, 70)
        total = ribs[0].astype(np.float32)
        total += ribs[1]
        total += column
        total = blurred(total, max(0.45, 0.5 / frame.spacing_mm))
        return total * np.float32(_BONE_MM * self.anatomy.bone / 255)

    def pathology(self, air: dict[Side, Floats], blood: Floats, soft: Floats) -> None:
        """Findings take the place of air on their side; masks are where they do."""
        frame, a = self.frame, self.anatomy
        for lump in self.case.nodules:
            box, thick = nodule_shadow(lump, frame, lateral=True, turn=0.0)
            soft[box] += thick * np.float32(1 - LUNG_DENSITY)
            self._mark(NODULE, box, thick > 0)
        for patch in self.case.consolidations:
            box, dense = consolidation_field(patch, frame, lateral=True, turn=0.0)
            part = air[patch.side][box]
            part -= np.minimum(part, np.float32(1.6 * patch.radii[0])) * dense * np.float32(0.85)
            blood[box] *= np.float32(1) - dense
            self._mark(CONSOLIDATION, box, (dense > 0.5) & self._above_dome(patch.side)[box])
        for fluid in self.case.effusions:
            y = -self.frame.u
            level = np.array([fluid.level])
            centre, half = float(a.cavity_centre(level)[0]), float(a.cavity_depth(level)[0])
            away = np.clip((np.abs(y - centre) / half - 0.35) / 0.65, 0, 1.2) ** 2.2
            surface = np.float32(fluid.level) - np.float32(fluid.rise) * away
            deep = frame.z - surface
            share = np.sqrt(np.clip(deep / np.float32(26), 0, 1)) * np.float32(0.96)
            air[fluid.side] *= np.float32(1) - share
            blood *= np.float32(1) - np.float32(0.6) * share
            whole = (slice(0, frame.size), slice(0, frame.size))
            self._mark(EFFUSION, whole, (deep > 0) & self._above_dome(fluid.side))

    def _mark(self, name: str, box: Box, found: Bits) -> None:
        mask = self.masks.setdefault(name, self._blank_mask())
        mask[box] |= found

    def devices(self) -> None:
        a, frame = self.anatomy, self.frame
        strands = wires(a, self.case, frame.top_mm)
        if not strands:
            return
        layer, masks = draw_wires(frame, strands, lateral=True, turn=0.0)
        if self.case.pacemaker is not None:
            shape = can(a, self.case.pacemaker)
            side_on = flat(shape.case, lateral=True)
            middle = float(side_on[:, 0].mean())
            slab = np.array([(middle, side_on[:, 1].min() + 4), (middle, side_on[:, 1].max() - 4)])
            cover = frame.blank()
            frame.draw_lines(cover, [slab], 8.0, 255)
            masks[PACEMAKER] |= cover >= 128
            frame.draw_lines(layer, [slab], 8.0, 240)
        self.masks.update(masks)
        self.metal = layer.astype(np.float32) * np.float32(METAL_MM / 255)

    def project(self) -> tuple[Materials, dict[str, Bits]]:
        """Everything in order: (materials, masks)."""
        soft = lateral_body(self.anatomy, self.frame)
        air = self.lungs()
        self.mediastinum(air)
        blood = self.vessel_layer()
        self.pathology(air, blood, soft)
        whole = (slice(0, self.frame.size),) * 2
        grain = texture(self.frame.size, whole, self.anatomy.vessel_seed + 7) * np.float32(0.9)
        ventilate(soft, air[Side.RIGHT] + air[Side.LEFT], blood, self.airways(), grain, 90)
        gas = gastric_bubble(self.anatomy)
        if gas is not None:
            solid, level = gas
            shadow = solid.shadow(self.frame, lateral=True)
            flat_top = np.clip((np.float32(level) - self.frame.z[shadow.box[0]]) / np.float32(1.2), 0, 1)
            soft[shadow.box] -= shadow.thickness() * flat_top
        np.maximum(soft, 0, out=soft)
        self.devices()
        return Materials(soft, self.bones(), self.metal), self.masks


_BODY = np.array([(-1, -1), (0, -0.95), (1, -1), (0.92, 0), (1, 1), (0, 0.95), (-1, 1), (-0.90, 0)])
_ARCH = np.array([(0, -0.7), (11, -0.5), (26, 0.6), (38, 1.5), (34, 2.0), (20, 1.2), (8, 0.5), (0, 0.1)])
"""Outlines of a vertebral body in half-depths and half-heights, and of its arch in mm and half-heights."""
