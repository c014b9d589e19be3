"""The page under test: a text box, the editor, and a panel beside it, as on the review screen."""

import streamlit as st

from app.mask_editor import (
    EditorImage,
    EditorLayer,
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
        }
    )


study = BACKEND.study
left, right = st.columns([0.68, 0.32], gap="small")
with right:
    st.text_input("Search reports", key="search")
    st.write(f"In hand: {finding_in_hand('editor')}")
    st.button("Rerun")
if study:
    with right.container() if study.get("moved") else left:
        action = mask_editor(
            EditorStudy(
                study_id=study["study_id"],
                reader=study.get("reader", "reader"),
                token=study.get("token", TOKEN),
                routes=EditorRoutes("/fake/pixels", "/fake/preview", "/fake/masks", "/fake/drafts"),
                images=tuple(image(each) for each in study["images"]),
                active_finding=study.get("active_finding"),
                read_only=study.get("read_only", False),
                prefetch=tuple(study.get("prefetch", [])),
                reject_reasons=tuple(study.get("reject_reasons", [])),
                suggestion_bar=study.get("suggestion_bar", True),
                bottom_gap=4,
            ),
            key="editor",
        )
    if action:
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
                routes=EditorRoutes("/fake/pixels", "/fake/preview", "/fake/masks", "/fake/drafts"),
                images=tuple(image(each) for each in beside),
                read_only=True,
            ),
            key="beside",
        )
