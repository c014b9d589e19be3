"""Versions of a finding's mask and of its label: who drew or said what and when, masks compared, one taken up again."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from app.parts.comparison import Side, comparison, mask_address
from app.screens import frame, session, times
from app.screens.tables import html_table
from app.services import labelling, reviewing
from app.services.labelling import OpenLabels
from app.services.reviewing import OpenStudy
from core.annotations import Draft, MaskVersion
from core.findings import by_key
from core.labels import LabelDraft, LabelVersion, Source
from core.studies import Image

_OTHER_COLOUR = "#D5A34A"
_MASKS, _LABELS = "Masks", "Labels"
_HOW = {
    Source.ADJUDICATED: "settled",
    Source.READER: "submitted",
    Source.IMPORTED: "imported",
    Source.LABELER: "heard in the report",
}


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


def dialog(opened: OpenStudy, said: OpenLabels, in_hand: str | None) -> None:
    """Open the dialog in this run, at the finding in hand where there is anything of it."""
    _dialog(opened, said, in_hand)


@st.dialog("Versions", width="large")
def _dialog(opened: OpenStudy, said: OpenLabels, in_hand: str | None) -> None:
    kinds = [kind for kind, has in ((_MASKS, _drawn(opened)), (_LABELS, said.history or said.drafts)) if has]
    if not kinds:
        st.text("Nothing is drawn or said on this study yet. What is submitted becomes a version; none is overwritten.")
        return
    if len(kinds) > 1:
        kind = st.segmented_control(
            "What", kinds, default=kinds[0], required=True, label_visibility="collapsed", key="versions-what"
        )
    else:
        kind = kinds[0]
    if kind == _LABELS:
        _show_labels(opened, said, in_hand)
    else:
        _show_masks(opened, in_hand)


def _show_masks(opened: OpenStudy, in_hand: str | None) -> None:
    films = {image.id: image for image in opened.study.images}
    names = by_key(opened.vocabulary)
    drawn = _drawn(opened)
    image_id, finding = st.selectbox(
        "Finding",
        drawn,
        next((place for place, each in enumerate(drawn) if each[1] == in_hand), 0),
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


def _show_labels(opened: OpenStudy, said: OpenLabels, in_hand: str | None) -> None:
    names = {finding.key: finding.name for finding in opened.vocabulary}
    spoken = {each.finding for each in said.drafts} | {each.finding for each in said.history}
    keys = sorted(spoken, key=lambda key: names.get(key, key))
    finding = st.selectbox(
        "Finding",
        keys,
        keys.index(in_hand) if in_hand in keys else 0,
        format_func=lambda key: names.get(key, key),
        label_visibility="collapsed",
        key=f"versions-label-{in_hand}",
    )
    st.html(html_table(("", "By", "When", "How", "Says", "Sentence", ""), words_history(said, finding)))
    _choose_label(said, finding)


def words_history(said: OpenLabels, finding: str) -> list[tuple[str, ...]]:
    """What was said of a finding as rows of a table: open drafts first, then versions, each newest first."""
    drafts = [_draft_row(draft) for draft in said.drafts if draft.finding == finding]
    return [*drafts, *(_version_row(said, version) for version in said.history if version.finding == finding)]


def _draft_row(draft: LabelDraft) -> tuple[str, ...]:
    when = times.full(draft.saved_at)
    return f"Draft, line {draft.branch}", draft.reader, when, "not submitted", _words(draft), "", "open"


def _version_row(said: OpenLabels, version: LabelVersion) -> tuple[str, ...]:
    counted = said.effective.get(version.finding)
    counts = counted is not None and (version.source, version.reader) == (counted.source, counted.reader)
    stands = [
        "counts" if version.is_current and counts else "stands" if version.is_current else "",
        "contradicts another" if version.in_conflict else "",
    ]
    return (
        f"Version {version.id}",
        version.reader or "",
        times.full(version.created_at),
        _HOW.get(version.source, str(version.source)),
        _words(version),
        version.evidence,
        ", ".join(word for word in stands if word),
    )


def _choose_label(said: OpenLabels, finding: str) -> None:
    drafts = [draft for draft in said.drafts if draft.finding == finding]
    versions = [version for version in said.history if version.finding == finding]
    choices: list[LabelDraft | LabelVersion] = [
        *drafts,
        *(each for each in versions if not (each.is_current and each.reader == said.reader)),
    ]
    if not choices:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = choices[
            st.selectbox("Take up", range(len(choices)), format_func=lambda i: _name(choices[i]), width=320)
        ]
        house, reader = session.house(), session.reader()
        if isinstance(chosen, LabelVersion):
            deed = "Settle on it again" if chosen.source is Source.ADJUDICATED else "Say the same"
            if st.button(deed, type="primary"):
                with frame.told():
                    labelling.choose_version(house, reader, chosen.id)
                    st.rerun()
        elif st.button("Put this draft aside", help="It stays on record"):
            with frame.told():
                labelling.discard_draft(house, reader, chosen.id)
                st.rerun()


def _name(each: LabelDraft | LabelVersion) -> str:
    kind = f"Draft, line {each.branch}" if isinstance(each, LabelDraft) else f"Version {each.id}"
    return f"{kind}: {_words(each)}"


def _words(each: LabelDraft | LabelVersion) -> str:
    return ", ".join(word for word in (each.state, each.side, each.zone) if word)
