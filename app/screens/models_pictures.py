"""Pictures of what versions drew: one measurement's, failures first, and the same films as two versions drew them."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app.screens import frame, session
from app.screens.models_scores import Place
from app.services import figures
from app.services.figures import Example, Pictures, SameFilm
from core.registry import ModelVersion

_LEGEND = (
    '<div class="rr-quiet"><i class="rr-dot" style="background:#2EC4B6"></i>truth '
    '&nbsp; <i class="rr-dot" style="background:#F2B84B"></i>prediction</div>'
)
_ALL = "All findings"


def show_pictures(pair: Sequence[ModelVersion], place: Place) -> None:
    """The pictures of one or two versions, by what they show."""
    found = [figures.pictures(session.house(), model, *place) for model in pair]
    kinds = [kind for kind in _kinds(found[0]) if any(_kinds(each)[kind] for each in found)]
    if not kinds:
        st.html('<div class="rr-quiet">No pictures were left here. Measure it here again to have some.</div>')
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        kind = st.segmented_control(
            "Pictures", kinds, default=kinds[0], required=True, label_visibility="collapsed", key="models-pictures"
        )
        findings = list(dict.fromkeys(each.finding for one in found for each in one.failures))
        finding = _ALL
        if len(findings) > 1 and kind != "Training":
            finding = st.selectbox(
                "Finding",
                [_ALL, *findings],
                format_func=frame.plain,
                label_visibility="collapsed",
                key="models-pictures-finding",
                width=220,
            )
        st.space("stretch")
        st.html(_LEGEND, width="content")
    for column, model, one in zip(st.columns(len(pair), gap="medium"), pair, found, strict=True):
        with column:
            if len(pair) > 1:
                st.html(f'<div class="rr-title">{frame.escaped(model.name)}</div>')
            _show(_kinds(one)[str(kind)], str(kind), finding, wide=len(pair) == 1)


def show_same_films(pair: Sequence[ModelVersion], place: Place) -> None:
    """The same films as each version drew them, those first on which one did worst."""
    films = figures.same_films(session.house(), pair, *place)
    if not films:
        st.html(
            '<div class="rr-quiet">They left no pictures of the same films here. '
            "Measure each of them here to see them side by side.</div>"
        )
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        names = " | ".join(model.name for model in pair)
        st.html(f'<div class="rr-quiet">{frame.escaped(names)}, worst first</div>', width="content")
        st.space("stretch")
        st.html(_LEGEND, width="content")
    with st.grid(3 if len(pair) > 1 else 6, gap="small"):
        for film in films:
            with st.container(gap="xxsmall"):
                for column, path in zip(st.columns(len(pair), gap="xxsmall"), film.paths, strict=True):
                    column.image(path, width="stretch")
                st.html(f'<div class="rr-quiet">{frame.escaped(_told(film))}</div>')


def _kinds(found: Pictures) -> Mapping[str, Sequence[Example]]:
    moving = (Example("after each epoch", "", found.training),) if found.training is not None else ()
    return {
        "Failures": found.failures,
        "Usual and best": found.others,
        "Outlines": found.overlays,
        "Where it looked": found.looks,
        "Training": moving,
    }


def _show(examples: Sequence[Example], kind: str, finding: str, wide: bool) -> None:
    shown = [each for each in examples if finding in (_ALL, each.finding)]
    if not shown:
        st.html('<div class="rr-quiet">It left no such picture here.</div>')
        return
    if kind == "Training":
        st.image(shown[0].path, width="content", caption="The same validation films after each epoch")
        return
    sheets = kind in ("Failures", "Usual and best")
    with st.grid((2 if sheets else 4) if wide else (1 if sheets else 2), gap="small"):
        for example in shown:
            st.image(example.path, caption=frame.plain(example.name), width="stretch")


def _told(film: SameFilm) -> str:
    values = " | ".join(f"{value:.3f}" for value in film.dice)
    return f"{film.finding.replace('_', ' ')} {values} · {film.item}"
