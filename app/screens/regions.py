"""Boxes and polygons over a film, drawn on a canvas of their own."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.house import House
from app.screens import frame, session
from app.services import regions, reviewing
from app.services.regions import Use
from app.services.reviewing import OpenStudy
from core.findings import Finding, by_key
from core.shapes import Point, Shape, ShapeKind
from core.studies import Image
from data import images

_LONGEST_SIDE = 560
_TOOLS = {ShapeKind.BOX: "rect", ShapeKind.POLYGON: "polygon"}
_USES = {Use.ADD: "Add to mask", Use.CUT: "Cut from mask", Use.KEEP: "Keep as region"}
_ADVICE = {
    ShapeKind.BOX: "Drag to draw a box.",
    ShapeKind.POLYGON: "Click the corners, and the first one again to close it.",
}
_ORIGIN = {"left": 0.0, "top": 0.0, "center": 0.5, "right": 1.0, "bottom": 1.0}


def dialog(opened: OpenStudy, finding: str | None) -> None:
    """Open the dialog in this run."""
    _dialog(opened, finding)


@st.dialog("Box or polygon", width="large")
def _dialog(opened: OpenStudy, finding: str | None) -> None:
    known = by_key(opened.vocabulary)
    keys = list(known)
    film, panel = st.columns([0.56, 0.44], gap="medium")
    with panel:
        image = st.selectbox("Film", opened.study.images, format_func=lambda each: str(each.view))
        key = st.selectbox(
            "Finding",
            keys,
            index=keys.index(finding) if finding is not None and finding in known else 0,
            format_func=lambda each: known[each].name,
        )
        kind = st.segmented_control(
            "Shape", list(ShapeKind), default=ShapeKind.BOX, required=True, format_func=lambda each: each.capitalize()
        )
        use = st.segmented_control(
            "What becomes of it", list(Use), default=Use.ADD, required=True, format_func=lambda each: _USES[each]
        )
        st.html(
            f'<div class="rr-quiet">{_ADVICE[kind or ShapeKind.BOX]} Several may be drawn before they are used.</div>'
        )
    if image is None or key is None or kind is None or use is None:
        return
    with film:
        shapes = _canvas(opened, image, known[key], kind)
    with panel:
        count = f" {len(shapes)} shape{'' if len(shapes) == 1 else 's'}" if shapes else ""
        if st.button(_USES[use].split()[0] + count, type="primary", disabled=not shapes, key="use-shapes"):
            with frame.told():
                regions.apply(session.house(), session.reader(), image.id, key, shapes, use)
                st.rerun()
        _kept(opened, image, known)


def _canvas(opened: OpenStudy, image: Image, finding: Finding, kind: ShapeKind) -> list[Shape]:
    # Its package can only be loaded once Streamlit serves: it finds its own files through the running server.
    from streamlit_drawable_canvas import st_canvas

    scale = _LONGEST_SIDE / max(image.facts.width, image.facts.height)
    width, height = round(image.facts.width * scale), round(image.facts.height * scale)
    draft = opened.draft(image.id, finding.key)
    current = opened.current(image.id).get(finding.key)
    version = f"draft{draft.id}" if draft else f"version{current.id}" if current else "new"
    result = st_canvas(
        fill_color=f"{finding.colour}55",
        stroke_color=finding.colour,
        stroke_width=1,
        background_image=_background(session.house(), image.sha, _LONGEST_SIDE),
        width=width,
        height=height,
        drawing_mode=_TOOLS[kind],
        # A canvas keeps its strokes under its key: without the film and the version in it, they reach the next study.
        key=f"canvas-{opened.study.id}-{image.sha[:16]}-{finding.key}-{version}-{kind}",
    )
    drawn: Sequence[Mapping[str, Any]] = (result.json_data or {}).get("objects", [])
    return shapes_from(drawn, image.facts.width / width, image.facts.height / height)


def shapes_from(objects: Sequence[Mapping[str, Any]], across: float, down: float) -> list[Shape]:
    """The shapes that a canvas holds, in film pixels. `across` and `down` are film pixels to a canvas pixel."""
    shapes = []
    for each in objects:
        corners = _corners(each)
        points = tuple((x * across, y * down) for x, y in corners)
        if str(each.get("type", "")).lower().endswith("rect"):
            if not each.get("angle"):
                shapes.append(Shape(ShapeKind.BOX, (points[0], points[2])))
                continue
        elif len(points) < 3:
            continue
        shapes.append(Shape(ShapeKind.POLYGON, points))
    return shapes


def _corners(each: Mapping[str, Any]) -> list[Point]:
    """The corners of a canvas object where it lies now, moved, sized and turned as it was."""
    width, height = float(each.get("width", 0)), float(each.get("height", 0))
    if str(each.get("type", "")).lower().endswith("rect"):
        inner = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)]
    else:
        inner = _outline(each)
        left, top = min((x for x, _ in inner), default=0), min((y for _, y in inner), default=0)
        inner = [(x - left, y - top) for x, y in inner]
    across, down = float(each.get("scaleX", 1)), float(each.get("scaleY", 1))
    origin_x = _ORIGIN[each.get("originX", "left")] * width * across
    origin_y = _ORIGIN[each.get("originY", "top")] * height * down
    turn = math.radians(float(each.get("angle", 0)))
    placed = [(x * across - origin_x, y * down - origin_y) for x, y in inner]
    return [
        (
            float(each.get("left", 0)) + x * math.cos(turn) - y * math.sin(turn),
            float(each.get("top", 0)) + x * math.sin(turn) + y * math.cos(turn),
        )
        for x, y in placed
    ]


def _outline(each: Mapping[str, Any]) -> list[Point]:
    if "points" in each:
        return [(float(point["x"]), float(point["y"])) for point in each["points"]]
    steps: Sequence[Sequence[Any]] = each.get("path", ())
    return [(float(step[1]), float(step[2])) for step in steps if step[0] in ("M", "L")]


def _kept(opened: OpenStudy, image: Image, known: Mapping[str, Finding]) -> None:
    for region in (each for each in opened.regions if each.image_id == image.id):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            name = known[region.finding].name if region.finding in known else region.finding
            st.text(f"{name}: {region.shape} of {len(region.points)} corners by {region.author}", width="content")
            if st.button("Remove", type="tertiary", key=f"remove-region-{region.id}"):
                with frame.told():
                    reviewing.remove_region(session.house(), session.reader(), region.id)
                    st.rerun()


@st.cache_data(max_entries=64, show_spinner=False)
def _background(_house: House, sha: str, longest_side: int) -> bytes:
    payload = _house.store.get(sha)
    facts = images.header(payload)
    return images.preview(images.read(payload), facts.window, longest_side, facts.photometric, facts.bits)
