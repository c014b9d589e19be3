"""The frontal projection: every organ's thickness along y, and the exact masks that follow from it."""

from collections.abc import Sequence

import cv2
import numpy as np

from core.findings import Side
from core.studies import View
from data.phantom.anatomy import ANTERIOR_DROP, POSTERIOR_DROP, Anatomy, sign
from data.phantom.body import frontal_body
from data.phantom.devices import bronchus, can, trachea, wires
from data.phantom.films import (
    CORTEX_MM,
    GIRDLE_MM,
    LUNG_DENSITY,
    METAL_MM,
    RIB_MM,
    SPINE_MM,
    VESSEL_MM,
    Materials,
    Setup,
    band,
    consolidation_field,
    draw_wires,
    flat,
    nodule_shadow,
    ribbon,
    texture,
    ventilate,
)
from data.phantom.geometry import (
    CIRCLE,
    Bits,
    Box,
    Bytes,
    Curve,
    Ellipsoid,
    Floats,
    Frame,
    blurred,
    chord,
    chord_table,
    union_thickness,
)
from data.phantom.pathology import CARDIOMEGALY, CONSOLIDATION, EFFUSION, NODULE, PACEMAKER, PNEUMOTHORAX, Case
from data.phantom.skeleton import Skeleton
from data.phantom.vessels import Generation

_LUNG = chord_table(3.0, 2.5)
_CENTRAL = Curve((0.0, 0.3, 0.5, 0.75, 1.1), (1.9, 1.5, 0.85, 0.5, 0.5))
"""How much of the thorax's half-depth the mediastinum fills in the midline, by part of the lung's height."""


class FrontalFilm:
    """One frontal projection being laid down, organ by organ; `project` runs them in order."""

    def __init__(self, skeleton: Skeleton, case: Case, setup: Setup, vessels: Sequence[Generation]) -> None:
        self.skeleton, self.case, self.setup, self.vessels = skeleton, case, setup, vessels
        self.anatomy: Anatomy = skeleton.anatomy
        self.frame: Frame = setup.frame
        self.rows = self.frame.z[:, 0].astype(float)
        size = self.frame.size
        self.air: Floats = np.zeros((size, size), np.float32)
        self.filled: Floats = np.zeros((size, size), np.float32)
        self.masks: dict[str, Bits] = {}
        self.silhouette: Bits = np.zeros((size, size), np.bool_)
        self.metal: Floats | None = None

    def _turned(self, solid: Ellipsoid) -> Ellipsoid:
        shear = np.array([[1.0, self.setup.turn, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        return solid.moved(shear, np.zeros(3))

    def _half(self, side: Side) -> slice:
        """The columns of one hemithorax."""
        middle = self.frame.column(0.0)
        return slice(middle, self.frame.size) if side is Side.LEFT else slice(0, middle)

    def lungs(self) -> None:
        """Air in each hemithorax above and behind its dome; the lung fields before heart and vessels are cut out."""
        a = self.anatomy
        z = self.rows
        lateral, medial, half = a.lateral_edge(z), a.medial_edge(z), a.cavity_depth(z)
        centre = (0.5 * (lateral + medial)).astype(np.float32)[:, None]
        spread = np.maximum(0.5 * (lateral - medial), 1e-3).astype(np.float32)[:, None]
        depth = (2 * half * (z > a.apex)).astype(np.float32)[:, None]
        fall = a.half_depth * (1 / np.sqrt(ANTERIOR_DROP / 0.8) + 1 / np.sqrt(POSTERIOR_DROP / 1.3))
        self.field: dict[Side, Bits] = {}
        for side in (Side.RIGHT, Side.LEFT):
            columns = self._half(side)
            u = self.frame.u[:, columns]
            air = chord((u * np.float32(sign(side)) - centre) / spread, _LUNG)
            air *= depth
            self.air[:, columns] = air
            edge = a.dome_edge(u[0].astype(float), side).astype(np.float32)[None, :]
            below = self.frame.z - edge
            self.field[side] = (air > 0) & (below < 0)
            first = self.frame.row(a.dome[side])
            under = np.sqrt(np.maximum(below[first:], 0))
            under *= np.float32(fall)
            self.filled[first:, columns] = under

    def mediastinum(self) -> None:
        """Heart, great vessels and the column of soft tissue between the lungs push the air aside."""
        a = self.anatomy
        z = self.rows
        heart = [self._turned(p).shadow(self.frame, lateral=False) for p in a.heart(self.case.heart_ratio)]
        vessels = [self._turned(p).shadow(self.frame, lateral=False) for p in a.great_vessels()]
        box, thick = union_thickness(heart, 42)
        mask = np.zeros_like(self.silhouette)
        mask[box] = thick > 0
        self.masks["heart"] = mask
        self.silhouette |= mask
        np.maximum(self.filled[box], thick * np.float32(1.75), out=self.filled[box])
        shift = self.setup.turn * (a.cavity_centre(z) + 10)
        wide = slice(self.frame.column(-70), self.frame.column(70))
        left = (a.mediastinum(z, Side.LEFT) + shift).astype(np.float32)[:, None]
        right = (a.mediastinum(z, Side.RIGHT) - shift).astype(np.float32)[:, None]
        u = self.frame.u[:, wide]
        inverse = np.where(u > 0, np.float32(1) / left, np.float32(1) / right)
        inverse *= u
        inverse *= inverse
        self.silhouette[:, wide] |= inverse < 1
        share = _CENTRAL((z - a.apex) / a.height)
        central = np.sqrt(np.maximum(np.float32(1) - inverse, 0))
        central *= (share * a.cavity_depth(z)).astype(np.float32)[:, None]
        box, thick = union_thickness(vessels, 20)
        self.silhouette[box] |= thick > 0
        part = central[box[0], box[1].start - wide.start : box[1].stop - wide.start]
        np.maximum(part, thick[:, : part.shape[1]] * np.float32(1.6), out=part)
        radius = 12.5 + 2 * a.aorta
        start = self.frame.row(a.level(0.29))
        aorta = u - (a.spine_x(z[start:]) + 15 + 5 * a.aorta).astype(np.float32)[:, None]
        aorta *= aorta
        central[start:] += np.sqrt(np.maximum(np.float32(radius**2) - aorta, 0)) * np.float32(22 / radius)
        self.filled[:, wide] += central
        self.air -= self.filled
        np.maximum(self.air, 0, out=self.air)
        for side, name in ((Side.RIGHT, "right_lung"), (Side.LEFT, "left_lung")):
            columns = self._half(side)
            lung = np.zeros_like(self.silhouette)
            lung[:, columns] = self.field[side] & ~self.silhouette[:, columns]
            self.masks[name] = lung

    def vessel_layer(self) -> Floats:
        """(H, W) mm of blood in the pulmonary vessels, hila included."""
        layers = (self.frame.blank(), self.frame.blank())
        for order, generation in enumerate(reversed(self.vessels)):
            value = min(255.0, 255 * (generation.diameter + 1.2) * 1.2 / VESSEL_MM)
            lines = generation.lines
            points = np.stack([lines[..., 0] + self.setup.turn * lines[..., 1], lines[..., 2]], axis=-1)
            half = len(points) // 2
            self.frame.draw_lines(layers[order % 2], points[:half], generation.diameter, value)
            self.frame.draw_lines(layers[(order + 1) % 2], points[half:], generation.diameter, value)
        total = cv2.add(layers[0], layers[1])
        soft = cv2.GaussianBlur(total, (0, 0), max(0.6, 0.75 / self.frame.spacing_mm))
        return soft.astype(np.float32) * np.float32(VESSEL_MM / 255)

    def airways(self) -> Floats:
        """(H, W) mm of air in trachea and main bronchi."""
        a = self.anatomy
        layer = self.frame.blank()
        calibre = 16.5 if a.sex == "M" else 14.0
        paths = [
            (flat(trachea(a, self.frame.top_mm - 5), lateral=False, turn=self.setup.turn), calibre),
            (flat(bronchus(a, Side.RIGHT), lateral=False, turn=self.setup.turn), 0.72 * calibre),
            (flat(bronchus(a, Side.LEFT), lateral=False, turn=self.setup.turn), 0.62 * calibre),
        ]
        for width, value in ((1.0, 105.0), (0.84, 165.0), (0.62, 215.0), (0.36, 245.0)):
            for path, full in paths:
                self.frame.draw_lines(layer, [path], width * full, value * full / calibre)
        soft = cv2.GaussianBlur(layer, (0, 0), max(0.5, 0.8 / self.frame.spacing_mm))
        return soft.astype(np.float32) * np.float32(1.3 * calibre / 255)

    def bones(self) -> Floats:
        """(H, W) mm of bone."""
        total = self._ribs()
        for layer, full in ((self._spine(), SPINE_MM), (self._girdle(), GIRDLE_MM)):
            total += layer * np.float32(full / 255)
        total = blurred(total, max(0.5, 0.55 / self.frame.spacing_mm))
        total *= np.float32(self.anatomy.bone)
        return total

    def _ribs(self) -> Floats:
        frame, turn = self.frame, self.setup.turn
        ribs = self.skeleton.ribs
        back, front = (
            frame.shell(ribbon(flat(arcs, lateral=False, turn=turn), ribs.height), core, rim, CORTEX_MM)
            for arcs, core, rim in ((ribs.posterior, 78, 142), (ribs.anterior, 60, 106))
        )
        tangent = np.concatenate([ribs.posterior[:, -5:-1], ribs.anterior[:, 1:4]], axis=1)
        frame.draw_lines(front, flat(tangent, lateral=False, turn=turn), 5.0, 84)
        total = back.astype(np.float32)
        total += front
        total *= np.float32(RIB_MM / 255)
        return total

    def _spine(self) -> Bytes:
        frame, v = self.frame, self.skeleton.vertebrae
        layer = frame.blank()
        middle = flat(v.centre, lateral=False, turn=self.setup.turn)[:, None, :]
        size = np.column_stack([v.half_width, v.half_height])[:, None, :]
        body = middle + size * _BODY
        process = middle - size * (0, 0.35) + _PROCESS
        frame.fill(layer, process, 50)
        frame.fill(layer, body, 72)
        frame.draw_lines(layer, np.concatenate([body[:, [6, 7, 0]], body[:, [2, 3, 4]]]), 1.4, 135)
        frame.draw_lines(layer, np.concatenate([body[:, :3], body[:, 4:7]]), 1.5, 150)
        for s in (-0.62, 0.62):
            ring = middle + size * (s, -0.25) + CIRCLE * (2.7, 4.2)
            frame.draw_lines(layer, ring, 1.3, 150)
        spike = middle + size * (0, 0.75) + CIRCLE * (2.0, 6.0)
        frame.fill(layer, spike, 125)
        frame.draw_lines(layer, spike, 1.0, 165)
        return layer

    def _girdle(self) -> Bytes:
        frame, turn, sk = self.frame, self.setup.turn, self.skeleton
        blades, clavicles = frame.blank(), []
        for side in (Side.RIGHT, Side.LEFT):
            blade = flat(sk.scapula(side, self.setup.spread), lateral=False, turn=turn)
            frame.fill(blades, [blade], 42)
            frame.draw_lines(blades, [blade[6:30]], 3.4, 120)
            frame.draw_lines(blades, [blade[:8], blade[28:]], 1.6, 80)
            ridge = flat(sk.scapular_spine(side, self.setup.spread), lateral=False, turn=turn)
            frame.fill(blades, [ribbon(ridge, 9.0)], 74)
            head = flat(sk.humeral_head(side, self.setup.spread)[None], lateral=False, turn=turn)[0]
            ball = head + 23 * CIRCLE
            down = np.array([(sign(side) * 6, 8), (sign(side) * 34, 120), (sign(side) * 70, 260)])
            frame.fill(blades, [band(head + down, 25.0)], 120)
            frame.fill(blades, [ball], 130)
            frame.draw_lines(blades, [ball], 1.8, 185)
            line = flat(sk.clavicle(side, self.setup.raised), lateral=False, turn=turn)
            clavicles.append(ribbon(line, 11.5))
        layer = frame.shell(np.array(clavicles), 84, 150, CORTEX_MM)
        return np.asarray(cv2.add(layer, blades), np.uint8)

    def pathology(self, blood: Floats, soft: Floats) -> None:
        """Findings take the place of air; vessels vanish in them. Masks are where they do."""
        air, frame, turn = self.air, self.frame, self.setup.turn
        if self.case.pneumothorax is not None:
            self._pneumothorax(blood, soft)
        for lump in self.case.nodules:
            box, thick = nodule_shadow(lump, frame, lateral=False, turn=turn)
            soft[box] += thick * np.float32(1 - LUNG_DENSITY)
            self._mark(NODULE, box, thick > 0)
        for patch in self.case.consolidations:
            box, dense = consolidation_field(patch, frame, lateral=False, turn=turn)
            lung = self._lung(patch.side)[box]
            depth = np.minimum(air[box], np.float32(1.9 * patch.radii[1])) * dense
            air[box] -= depth * np.float32(0.9)
            blood[box] *= np.float32(1) - np.float32(1.6) * dense
            self._mark(CONSOLIDATION, box, (dense > 0.5) & lung)
        for fluid in self.case.effusions:
            self._effusion(blood, fluid.side, fluid.level, fluid.rise)
        if self.case.present[CARDIOMEGALY]:
            self.masks[CARDIOMEGALY] = self.masks["heart"]

    def _lung(self, side: Side) -> Bits:
        return self.masks["left_lung" if side is Side.LEFT else "right_lung"]

    def _mark(self, name: str, box: Box, found: Bits) -> None:
        mask = self.masks.setdefault(name, np.zeros_like(self.silhouette))
        mask[box] |= found

    def _effusion(self, blood: Floats, side: Side, level: float, rise: float) -> None:
        a, columns = self.anatomy, self._half(side)
        outwards = self.frame.u[:, columns] * np.float32(sign(side) / a.half_width)
        surface = np.float32(level) - np.float32(rise) * np.clip((outwards - 0.30) / 0.70, 0, None) ** 2.2
        top = self.frame.row(float(surface.min()) - 2)
        box = (slice(top, self.frame.size), columns)
        deep = self.frame.z[box[0]] - surface
        share = np.sqrt(np.clip(deep / np.float32(30), 0, 1)) * np.float32(0.96)
        self.air[box] *= np.float32(1) - share
        blood[box] *= np.float32(1) - share
        self._mark(EFFUSION, box, (deep > 0) & self._lung(side)[box])

    def _pneumothorax(self, blood: Floats, soft: Floats) -> None:
        found, a = self.case.pneumothorax, self.anatomy
        assert found is not None
        s, z = sign(found.side), self.rows
        sunk = found.gap * np.clip(1 - (z - a.apex) / (0.97 * a.height), 0, 1) ** 1.15
        lifted = z - sunk
        outer = a.lateral_edge(lifted) - 0.72 * sunk
        inner = np.where(lifted < a.level(0.10), a.medial_edge(lifted) * 1.0, 0.0)
        outer = np.where(lifted < a.apex, 0.0, outer)
        inner = np.where(lifted < a.apex, 1e3, inner)
        columns = self._half(found.side)
        across = self.frame.u[:, columns] * np.float32(s)
        outside = (across > outer.astype(np.float32)[:, None]) | (across < inner.astype(np.float32)[:, None])
        outside &= self._lung(found.side)[:, columns]
        box = (slice(0, self.frame.size), columns)
        self._mark(PNEUMOTHORAX, box, outside)
        gone = cv2.GaussianBlur(outside.astype(np.float32), (0, 0), max(0.5, 0.5 / self.frame.spacing_mm))
        blood[box] *= np.float32(1) - gone
        squeezed = 0.10 + 0.12 * min(found.gap / 60, 1)
        air = self.air[box]
        soft[box] -= air * (gone * np.float32(LUNG_DENSITY * 0.9))
        soft[box] += air * ((1 - gone) * np.float32(squeezed * LUNG_DENSITY))
        rows = (lifted >= a.apex) & (sunk > 0.6)
        edge = np.column_stack([s * outer[rows], z[rows]])
        cap = np.column_stack([s * inner[rows], z[rows]])[inner[rows] > 0][::-1]
        layer = self.frame.blank()
        self.frame.draw_lines(layer, [np.vstack([cap, edge])], 1.1, 255)
        line = layer[box].astype(np.float32) * (self._lung(found.side)[box] * np.float32(9.0 / 255))
        soft[box] += line

    def stomach(self, soft: Floats) -> None:
        """Gas in the fundus under the left dome, flat below where fluid lies."""
        found = gastric_bubble(self.anatomy)
        if found is None or self.setup.view is View.AP:
            return
        solid, surface = found
        gas = solid.shadow(self.frame, lateral=False)
        above = np.clip((np.float32(surface) - self.frame.z[gas.box[0]]) / np.float32(1.2), 0, 1)
        soft[gas.box] -= gas.thickness() * above

    def devices(self) -> None:
        a, frame, turn = self.anatomy, self.frame, self.setup.turn
        strands = wires(a, self.case, frame.top_mm)
        pacemaker = self.case.pacemaker
        if not strands:
            return
        layer, masks = draw_wires(frame, strands, lateral=False, turn=turn)
        if pacemaker is not None:
            shape = can(a, pacemaker)
            case = flat(shape.case, lateral=False, turn=turn)
            cover: Bytes = frame.blank()
            frame.fill(cover, [case], 255)
            masks[PACEMAKER] |= cover >= 128
            frame.fill(layer, [case], 175)
            frame.fill(layer, [flat(shape.header, lateral=False, turn=turn)], 90)
            frame.fill(layer, [flat(shape.battery, lateral=False, turn=turn)], 240)
            frame.draw_lines(layer, [np.vstack([case, case[:1]])], 1.2, 225)
        self.masks.update(masks)
        self.metal = layer.astype(np.float32) * np.float32(METAL_MM / 255)

    def project(self) -> tuple[Materials, dict[str, Bits]]:
        """Everything in order: (materials, masks)."""
        soft = frontal_body(self.anatomy, self.frame, self.setup.view)
        self.lungs()
        self.mediastinum()
        blood = self.vessel_layer()
        self.pathology(blood, soft)
        a = self.anatomy
        chest = self.frame.box(-1.05 * a.half_width, 1.05 * a.half_width, self.frame.top_mm, a.base + POSTERIOR_DROP)
        grain = texture(self.frame.size, chest, a.vessel_seed) * np.float32(0.8)
        ventilate(soft[chest], self.air[chest], blood[chest], self.airways()[chest], grain, 45)
        self.stomach(soft)
        np.maximum(soft, 0, out=soft)
        self.devices()
        return Materials(soft, self.bones(), self.metal), self.masks


_BODY = np.array([(-1, -1), (0, -0.92), (1, -1), (0.9, 0), (1, 1), (0, 0.92), (-1, 1), (-0.9, 0)])
_PROCESS = np.array([(-28, -5), (-28, 1), (0, 5), (28, 1), (28, -5), (0, -3)], float)
"""Outlines of a vertebral body in half-widths and half-heights, and of its transverse processes in mm."""


def gastric_bubble(anatomy: Anatomy) -> tuple[Ellipsoid, float] | None:
    """Gas in the gastric fundus, if there is enough to see, and z of the fluid on which it lies."""
    a = anatomy
    if a.bubble < 6:
        return None
    top, wide, high = a.dome[Side.LEFT] + 9, 16 + 1.1 * a.bubble, 7 + 0.62 * a.bubble
    centre = (0.47 * a.half_width, 12, top + high)
    return Ellipsoid.of(centre, (wide, 0.8 * wide, high), roll=6), top + 1.25 * high
