"""The brush editor: pixel-exact masks on a study's films, drawn and saved in the browser without a rerun.

`mask_editor` mounts it. Strokes, undo and redo go to the routes named in `EditorRoutes` by themselves; what comes back
to the script is only what the reader decided (an `EditorAction`) and which finding is in hand (`finding_in_hand`).

Mount it under one key for all studies: the browser keeps every film's drawing apart by image id and pixel hash, and a
constant key is what lets zoom, window and tool go along from study to study.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import streamlit as st

from app.mask_editor.bundle import bundle

_HERE = Path(__file__).parent

_component = st.components.v2.component(
    "reading_room_mask_editor",
    css=(_HERE / "editor.css").read_text(encoding="utf-8"),
    js=bundle(_HERE / "js", "main"),
    isolate_styles=True,
)


@dataclass(frozen=True, slots=True)
class EditorRoutes:
    """Where the browser fetches and saves, as paths without a trailing slash.

    GET `pixels`/{sha}: stored pixels row by row, uint8 up to 8 bits, else uint16 little-endian, with headers X-Width,
    X-Height and X-Bits-Stored. GET `preview`/{sha}: the film as an 8-bit JPEG of the same size. GET
    `masks`/{sha}?w=&h=: run lengths as `core.masks.to_wire` writes them. POST `drafts`/{image}/{finding}: the same.
    POST `labels`/{study}/{finding}, and under it /settled: a state, a side and a zone as JSON. GET `maps`/{sha}: an
    8-bit grey PNG of a film's shape.
    """

    pixels: str
    preview: str
    masks: str
    drafts: str
    labels: str = ""
    maps: str = ""


@dataclass(frozen=True, slots=True)
class GreyWindow:
    """A window in stored pixel values; width at least 1."""

    name: str
    center: float
    width: float


@dataclass(frozen=True, slots=True)
class EditorLayer:
    """One finding's mask on one film.

    `mask_sha` is the newest mask, a draft's if there is one; None is an empty mask. `draft_id`, `base_version_id` and
    `suggestion_id` are the draft, the committed version and the prediction that it stands on: the first save from here
    names them as its parents. `colour` is "#RRGGBB".
    """

    finding: str
    name: str
    colour: str
    mask_sha: str | None = None
    draft_id: int | None = None
    base_version_id: int | None = None
    suggestion_id: int | None = None
    editable: bool = True


@dataclass(frozen=True, slots=True)
class EditorSuggestion:
    """A model's mask that waits for an answer.

    `mask_sha` None: the model saw nothing. `model` is its name as the reader reads it.
    """

    prediction_id: int
    finding: str
    name: str
    colour: str
    mask_sha: str | None
    model: str


@dataclass(frozen=True, slots=True)
class EditorMap:
    """Where a model looked for a finding: a grey picture in the store, of its film's shape."""

    finding: str
    sha: str


@dataclass(frozen=True, slots=True)
class EditorLabel:
    """A word on a finding of the study, and what it stands on, as a layer says it of a mask.

    `state`, `side` and `zone` as `core.findings` and `core.labels` name them. `has_side` and `has_zone` tell whether
    they mean anything for this finding.
    """

    finding: str
    name: str
    state: str = "unassessed"
    side: str | None = None
    zone: str | None = None
    draft_id: int | None = None
    base_version_id: int | None = None
    has_side: bool = True
    has_zone: bool = True


@dataclass(frozen=True, slots=True)
class EditorImage:
    """One film of the study.

    `sha` names the stored pixels, `width` x `height` of `bits` stored bits (8..16, black is low). `view` is the tab's
    label. R and L are marked on frontal films only. `window` None: chosen from the film's histogram.
    """

    id: int
    sha: str
    width: int
    height: int
    bits: int
    view: str
    is_frontal: bool
    window: GreyWindow | None = None
    presets: tuple[GreyWindow, ...] = ()
    pixel_spacing_mm: float | None = None
    layers: tuple[EditorLayer, ...] = ()
    suggestions: tuple[EditorSuggestion, ...] = ()
    maps: tuple[EditorMap, ...] = ()


@dataclass(frozen=True, slots=True)
class EditorStudy:
    """All that the editor shows.

    `reader` and `token`: who draws, and the signed word that says so to the routes. `active_finding` takes effect when
    the study opens and whenever it changes. `prefetch`: pixel hashes of the films likely to be next. `reject_reasons`:
    asked for in the browser when a suggestion is rejected; none, and the rejection comes back without one.
    `bottom_gap`: CSS pixels to leave free beneath the editor. `can_turn` offers to turn or mirror a film. Without
    `suggestion_bar` the page shows suggestions' answers elsewhere; A, T and X work all the same. `heard`:
    the `id` of the action that the script acted on last, so that the editor may send the next. `labels` are the
    reader's words on the findings that can be assessed, in the order in which one walks through them; `settled` are the
    words that settle a disagreement.
    """

    study_id: str
    reader: str
    token: str
    routes: EditorRoutes
    images: tuple[EditorImage, ...]
    active_finding: str | None = None
    read_only: bool = False
    prefetch: tuple[str, ...] = ()
    reject_reasons: tuple[str, ...] = ()
    can_turn: bool = True
    suggestion_bar: bool = True
    bottom_gap: int = 0
    heard: str = ""
    labels: tuple[EditorLabel, ...] = ()
    settled: tuple[EditorLabel, ...] = ()


@dataclass(frozen=True, slots=True)
class Pick:
    """A finding taken in hand. `id` tells one pick of it from another."""

    finding: str
    id: str


class ActionKind(StrEnum):
    SUBMIT = "submit"
    NEXT = "next"
    PREVIOUS = "previous"
    ACCEPT = "accept"
    REJECT = "reject"
    ORIENT = "orient"


class Orientation(StrEnum):
    """How the film shown must be moved to hang right."""

    ROTATE_LEFT = "rotate-left"
    ROTATE_RIGHT = "rotate-right"
    ROTATE_180 = "rotate-180"
    MIRROR = "mirror"


@dataclass(frozen=True, slots=True)
class EditorAction:
    """What the reader decided. Every stroke and label made before it has been acknowledged by the server.

    `study_id`, `image_id` and `finding` are what was on the screen then. `prediction_id` is set for ACCEPT and REJECT,
    `orientation` for ORIENT. `id` tells one action from another: the same one may be sent again until it is handed back
    as the study's `heard`.
    """

    kind: ActionKind
    study_id: str
    image_id: int | None
    finding: str | None
    prediction_id: int | None = None
    reason: str = ""
    orientation: Orientation | None = None
    id: str = ""


def mask_editor(study: EditorStudy, *, key: str) -> EditorAction | None:
    """Mounts the editor as tall as the window allows. Returns what the reader decided in this run, if anything."""
    result = _component(
        key=key,
        data=asdict(study),
        on_action_change=_heard,
        on_finding_change=_heard,
    )
    action: object = result.get("action")
    return parse_action(action) if isinstance(action, Mapping) else None


def finding_in_hand(key: str) -> Pick | None:
    """What the reader last picked in the editor under `key` or in the panel beside it; None while they picked none."""
    state: object = st.session_state.get(key)
    told = state.get("finding") if isinstance(state, Mapping) else None
    return Pick(str(told["finding"]), str(told["pick"])) if isinstance(told, Mapping) else None


def parse_action(message: Mapping[str, Any]) -> EditorAction:
    """The action in a browser's message. Raises ValueError when it is none."""
    return EditorAction(
        kind=ActionKind(message["kind"]),
        study_id=str(message["study_id"]),
        image_id=_whole(message.get("image_id")),
        finding=None if message.get("finding") is None else str(message["finding"]),
        prediction_id=_whole(message.get("prediction_id")),
        reason=str(message.get("reason", "")),
        orientation=Orientation(message["orientation"]) if message.get("orientation") else None,
        id=str(message.get("id", "")),
    )


def _whole(value: object) -> int | None:
    if value is None or isinstance(value, int):
        return value
    raise ValueError(f"Expected a whole number, not {value!r}.")


def _heard() -> None:
    """Streamlit reports only the values that have a callback."""
