"""Versions of a finding's mask: who drew what and when, any two compared, and an older one taken up again."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from app.parts.comparison import Side, comparison, mask_address
from app.screens import frame, session, times
from app.screens.tables import html_table
from app.services import reviewing
from app.services.reviewing import OpenStudy
from core.annotations import Draft, MaskVersion
from core.findings import by_key
from core.studies import Image

_OTHER_COLOUR = "#D5A34A"


@dataclass(frozen=True)
class Entry:
    """A version, or an open draft, of one finding on one film."""

    name: str
    who: str
    when: str
    origin: str
    area: int
    edit_dice: float | None
    stands: str
    sha: str
    version: MaskVersion | None = None
    draft: Draft | None = None


def dialog(opened: OpenStudy) -> None:
    """Open the dialog in this run."""
    _dialog(opened)


@st.dialog("Versions", width="large")
def _dialog(opened: OpenStudy) -> None:
    films = {image.id: image for image in opened.study.images}
    drawn = _drawn(opened)
    if not drawn:
        st.text("Nothing is drawn on this study yet. Each submitted drawing becomes a version; none is overwritten.")
        return
    names = by_key(opened.vocabulary)
    image_id, finding = st.selectbox(
        "Finding",
        drawn,
        format_func=lambda each: f"{names[each[1]].name if each[1] in names else each[1]}, {films[each[0]].view}",
        label_visibility="collapsed",
    )
    entries = history(opened, image_id, finding)
    st.html(_table(entries, films[image_id]))
    colour = names[finding].colour if finding in names else "#7FA6C9"
    _compare(entries, films[image_id], colour)
    _choose(entries)


def history(opened: OpenStudy, image_id: int, finding: str) -> list[Entry]:
    """Open drafts first, then versions, each newest first."""
    drafts = [
        Entry(
            name=f"Draft, line {draft.branch}",
            who=draft.reader,
            when=times.full(draft.saved_at),
            origin="being drawn",
            area=draft.stats.area,
            edit_dice=None,
            stands="open",
            sha=draft.sha,
            draft=draft,
        )
        for draft in opened.drafts
        if (draft.image_id, draft.finding) == (image_id, finding)
    ]
    versions = [
        Entry(
            name=f"Version {version.id}",
            who=version.author,
            when=times.full(version.created_at),
            origin=version.origin,
            area=version.stats.area,
            edit_dice=version.edit_dice,
            stands=_standing(version),
            sha=version.sha,
            version=version,
        )
        for version in opened.history[image_id]
        if version.finding == finding
    ]
    return [*drafts, *versions]


def _drawn(opened: OpenStudy) -> list[tuple[int, str]]:
    places = [(draft.image_id, draft.finding) for draft in opened.drafts]
    places += [(image_id, v.finding) for image_id, versions in opened.history.items() for v in versions]
    return list(dict.fromkeys(places))


def _standing(version: MaskVersion) -> str:
    words = ["counts" if version.is_current else "", "drawn apart from another" if version.in_conflict else ""]
    return ", ".join(word for word in words if word)


def _table(entries: Sequence[Entry], image: Image) -> str:
    spacing = image.facts.spacing_mm
    rows = [
        (
            entry.name,
            entry.who,
            entry.when,
            entry.origin,
            f"{entry.area * spacing**2 / 100:.1f} cm²" if spacing else f"{entry.area:,} px",
            "" if entry.edit_dice is None else f"{entry.edit_dice:.3f}",
            entry.stands,
        )
        for entry in entries
    ]
    return html_table(("", "By", "When", "How", "Area", "Dice to suggestion", ""), rows, numbers=(4, 5))


def _compare(entries: Sequence[Entry], image: Image, colour: str) -> None:
    if len(entries) < 2:
        st.html('<div class="rr-quiet">There is one version, so there is nothing to compare it with.</div>')
        return
    left, right = st.columns(2)
    numbers = range(len(entries))
    one = left.selectbox("Compare", numbers, 0, format_func=lambda i: entries[i].name)
    other = right.selectbox("with", numbers, 1, format_func=lambda i: entries[i].name)
    sides = [
        Side(mask_address(entries[i].sha, image), f"{entries[i].name}, {entries[i].who}, {entries[i].when}", shade)
        for i, shade in ((one, colour), (other, _OTHER_COLOUR))
    ]
    comparison(image, sides[0], sides[1], key="versions-comparison")


def _choose(entries: Sequence[Entry]) -> None:
    choices = [entry for entry in entries if entry.version is None or not entry.version.is_current]
    if not choices:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.selectbox("Take up", range(len(choices)), format_func=lambda i: choices[i].name, width=220)
        entry = choices[chosen]
        if entry.version is not None and st.button("Let this version count", type="primary"):
            with frame.told():
                reviewing.choose_version(session.house(), session.reader(), entry.version.id)
                st.rerun()
        if entry.draft is not None and st.button("Put this draft aside", help="It stays on record"):
            with frame.told():
                reviewing.discard_draft(session.house(), session.reader(), entry.draft.id)
                st.rerun()
