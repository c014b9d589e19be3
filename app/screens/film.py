"""An open study as the editor shows it, and which findings stand beside it."""

from collections.abc import Iterable, Sequence

from app.mask_editor import (
    EditorImage,
    EditorLayer,
    EditorMap,
    EditorRoutes,
    EditorStudy,
    EditorSuggestion,
    GreyWindow,
)
from app.routes import PREFIX
from app.screens import voices
from app.services.labelling import OpenLabels
from app.services.reviewing import OpenStudy
from core.annotations import Prediction
from core.findings import CHEXPERT, NO_FINDING, Finding, State, by_key
from core.labels import LabelDraft, LabelVersion
from core.studies import Image, Study

ROUTES = EditorRoutes(
    pixels=f"{PREFIX}/pixels",
    preview=f"{PREFIX}/preview",
    masks=f"{PREFIX}/masks",
    drafts=f"{PREFIX}/drafts",
    labels=f"{PREFIX}/labels",
    maps=f"{PREFIX}/maps",
)

REASONS = ("Wrong place", "Too large", "Too small", "Nothing is there", "Another finding", "Wrong side")

USUAL = ("lungs", "heart", "cardiomegaly", "consolidation", "pleural_effusion", "pneumothorax", "nodule")
"""Offered on every study, so that a first stroke needs no choosing."""


def findings_shown(
    opened: OpenStudy,
    said: OpenLabels,
    added: Sequence[str],
    before: Sequence[str] = (),
    first: Iterable[str] = (),
) -> tuple[Finding, ...]:
    """The findings of a study in their order: `first`, then those marked or suggested, those that somebody says are
    there or may be, those added by hand, the usual, and the rest of what is assessed on every film.

    `before` is the order they were last shown in, which stays: a stroke must not move what a number key points at.
    """
    marked = {v.finding for versions in opened.history.values() for v in versions if v.is_current}
    marked |= {draft.finding for draft in opened.drafts} | {each.finding for each in opened.suggestions}
    words: tuple[LabelDraft | LabelVersion, ...] = (*said.drafts, *said.history)
    spoken = {each.finding for each in words if each.state in (State.PRESENT, State.UNCERTAIN)}
    spoken |= {each.finding for each in said.probabilities if each.payload.get("says") == State.PRESENT}
    known = by_key(opened.vocabulary)
    groups = (
        before,
        first,
        [key for key in known if key in marked],
        [key for key, finding in known.items() if key in spoken and voices.is_assessed(finding)],
        added,
        USUAL,
        [finding.key for finding in CHEXPERT],
    )
    order = dict.fromkeys(key for group in groups for key in group if key in known and key != NO_FINDING)
    return tuple(known[key] for key in order)


def editor_study(
    opened: OpenStudy,
    said: OpenLabels,
    findings: Sequence[Finding],
    *,
    reader: str,
    token: str,
    active: str | None,
    ahead: Study | None,
    heard: str,
    bottom_gap: int,
) -> EditorStudy:
    return EditorStudy(
        study_id=str(opened.study.id),
        reader=reader,
        token=token,
        routes=ROUTES,
        images=tuple(_image(opened, image, findings, said.probabilities) for image in opened.study.images),
        active_finding=active,
        prefetch=tuple(image.sha for image in ahead.images) if ahead else (),
        reject_reasons=REASONS,
        suggestion_bar=False,
        heard=heard,
        bottom_gap=bottom_gap,
        labels=voices.own_words(said, findings),
        settled=voices.settling_words(said, findings),
    )


def reading_study(opened: OpenStudy, reader: str, bottom_gap: int) -> EditorStudy:
    """Another study of the patient, to be looked at beside the one that is read."""
    marked = {version.finding for history in opened.history.values() for version in history if version.is_current}
    findings = tuple(finding for finding in opened.vocabulary if finding.key in marked)
    return EditorStudy(
        study_id=f"beside-{opened.study.id}",
        reader=reader,
        token="",
        routes=ROUTES,
        images=tuple(_image(opened, image, findings, is_open=False) for image in opened.study.images),
        read_only=True,
        can_turn=False,
        bottom_gap=bottom_gap,
    )


def view_name(image: Image) -> str:
    return image.view if image.view.isupper() else image.view.capitalize()


def facts(study: Study) -> list[str]:
    """The study in a few words: views, age and sex, where it comes from."""
    views = " + ".join(image.view if image.view.isupper() else image.view.lower() for image in study.images)
    person = " ".join(word for word in (str(study.age or ""), (study.sex or "")[:1].upper()) if word)
    key = "" if study.key == study.patient else study.key
    return [word for word in (views, person, key, study.dataset) if word]


def _image(
    opened: OpenStudy,
    image: Image,
    findings: Sequence[Finding],
    judged: Sequence[Prediction] = (),
    is_open: bool = True,
) -> EditorImage:
    pixels = image.facts
    names = by_key(opened.vocabulary)
    current = opened.current(image.id)
    shown = findings if is_open else [finding for finding in findings if finding.key in current]
    return EditorImage(
        id=image.id,
        sha=image.sha,
        width=pixels.width,
        height=pixels.height,
        bits=pixels.bits,
        view=view_name(image),
        is_frontal=image.view.is_frontal,
        window=GreyWindow("Stored", pixels.window.center, pixels.window.width) if pixels.window else None,
        pixel_spacing_mm=pixels.spacing_mm,
        layers=tuple(_layer(opened, image, finding) for finding in shown),
        suggestions=tuple(
            EditorSuggestion(
                each.id, each.finding, names[each.finding].name, names[each.finding].colour, each.sha, each.model
            )
            for each in opened.suggestions
            if is_open and each.image_id == image.id and each.finding in names
        ),
        maps=tuple(
            EditorMap(each.finding, str(each.payload["map"]))
            for each in judged
            if each.image_id == image.id and each.payload.get("map")
        ),
    )


def _layer(opened: OpenStudy, image: Image, finding: Finding) -> EditorLayer:
    draft = opened.draft(image.id, finding.key)
    current = opened.current(image.id).get(finding.key)
    if draft is not None:
        return EditorLayer(
            finding.key,
            finding.name,
            finding.colour,
            mask_sha=draft.sha,
            draft_id=draft.id,
            base_version_id=draft.base_version_id,
            suggestion_id=draft.prediction_id,
        )
    return EditorLayer(
        finding.key,
        finding.name,
        finding.colour,
        mask_sha=current.sha if current else None,
        base_version_id=current.id if current else None,
    )
