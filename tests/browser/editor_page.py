"""The page under test: a text box, the editor, and a panel beside it, as on the review screen."""

import streamlit as st

from app.mask_editor import (
    EditorImage,
    EditorLabel,
    EditorLayer,
    EditorMap,
    EditorRoutes,
    EditorStudy,
    EditorSuggestion,
    GreyWindow,
    finding_in_hand,
    mask_editor,
)
from tests.browser.editor_backend import BACKEND, TOKEN

st.set_page_config(layout="wide")
st.html(
    "<style>.stMainBlockContainer{padding:8px 12px 0 12px !important} .stAppHeader{display:none}"
    " .stApp{background:#0e1116;color:#c9d1db} .stVerticalBlock{gap:.4rem}</style>"
)
BACKEND.runs += 1
ROUTES = EditorRoutes(
    "/fake/pixels", "/fake/preview", "/fake/masks", "/fake/drafts", labels="/fake/labels", maps="/fake/maps"
)


def image(described: dict) -> EditorImage:
    def layer(each: dict) -> EditorLayer:
        saved = BACKEND.latest(described["id"], each["finding"])
        fresh = {"mask_sha": saved.sha, "draft_id": saved.id} if saved else {}
        return EditorLayer(**{**each, **fresh})

    return EditorImage(
        **{
            **described,
            "window": GreyWindow(**described["window"]) if described.get("window") else None,
            "presets": tuple(GreyWindow(**each) for each in described.get("presets", [])),
            "layers": tuple(layer(each) for each in described.get("layers", [])),
            "suggestions": tuple(EditorSuggestion(**each) for each in described.get("suggestions", [])),
            "maps": tuple(EditorMap(**each) for each in described.get("maps", [])),
        }
    )


def label(described: dict) -> EditorLabel:
    """The word as it stands at the backend, as a reload would find it."""
    place = (study["study_id"], described["finding"], False)
    said = [each for each in BACKEND.labels if (each["study"], each["finding"], each["settled"]) == place]
    fresh = {**said[-1]["word"], "draft_id": said[-1]["id"]} if said else {}
    return EditorLabel(**{**described, **fresh})


study = BACKEND.study
state = st.session_state.get("editor")
heard = state.get("action", {}).get("id", "") if state and state.get("action") else st.session_state.get("heard", "")
left, right = st.columns([0.68, 0.32], gap="small")
with right:
    st.text_input("Search reports", key="search")
    picked = finding_in_hand("editor")
    st.write(f"In hand: {picked.finding if picked else None}")
    st.button("Rerun")
if study:
    with right.container() if study.get("moved") else left:
        action = mask_editor(
            EditorStudy(
                study_id=study["study_id"],
                reader=study.get("reader", "reader"),
                token=study.get("token", TOKEN),
                routes=ROUTES,
                images=tuple(image(each) for each in study["images"]),
                active_finding=study.get("active_finding"),
                read_only=study.get("read_only", False),
                prefetch=tuple(study.get("prefetch", [])),
                reject_reasons=tuple(study.get("reject_reasons", [])),
                suggestion_bar=study.get("suggestion_bar", True),
                bottom_gap=4,
                heard=heard,
                labels=tuple(label(each) for each in study.get("labels", [])),
                settled=tuple(EditorLabel(**each) for each in study.get("settled", [])),
            ),
            key="editor",
        )
    if action and action.id != st.session_state.get("heard"):
        st.session_state["heard"] = action.id
        BACKEND.actions.append({**{name: getattr(action, name) for name in action.__slots__}})
        if action.kind == "next" and study.get("then"):
            BACKEND.study = study["then"]
            st.rerun()
if study.get("beside"):
    with right:
        beside = study["beside"]
        mask_editor(
            EditorStudy(
                study_id="beside",
                reader="reader",
                token="",
                routes=ROUTES,
                images=tuple(image(each) for each in beside),
                read_only=True,
            ),
            key="beside",
        )
