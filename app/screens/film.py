"""An open study as the editor and the findings list show it."""

from collections.abc import Sequence

from app.mask_editor import EditorImage, EditorLayer, EditorRoutes, EditorStudy, EditorSuggestion, GreyWindow
from app.parts.findings import FindingLine, Offer
from app.routes import PREFIX
from app.services.reviewing import OpenStudy
from core.findings import NO_FINDING, Finding, by_key
from core.studies import Image, Study

ROUTES = EditorRoutes(f"{PREFIX}/pixels", f"{PREFIX}/preview", f"{PREFIX}/masks", f"{PREFIX}/drafts")

REASONS = ("Wrong place", "Too large", "Too small", "Nothing is there", "Another finding", "Wrong side")

USUAL = ("lungs", "heart", "cardiomegaly", "consolidation", "pleural_effusion", "pneumothorax", "nodule")
"""Offered on every study, so that a first stroke needs no choosing."""


def findings_shown(opened: OpenStudy, added: Sequence[str], before: Sequence[str] = ()) -> tuple[Finding, ...]:
    """The findings of a study in their order: marked or suggested first, then reported, added by hand, the usual.

    `before` is the order they were last shown in, which stays: a stroke must not move what a number key points at.
    """
    marked = {v.finding for versions in opened.history.values() for v in versions if v.is_current}
    marked |= {draft.finding for draft in opened.drafts} | {each.finding for each in opened.suggestions}
    reported = {label.finding for label in opened.study.labels if label.state in ("present", "uncertain")}
    known = by_key(opened.vocabulary)
    groups = (
        before,
        [key for key in known if key in marked],
        [key for key in known if key in reported],
        added,
        USUAL,
    )
    order = dict.fromkeys(key for group in groups for key in group if key in known and key != NO_FINDING)
    return tuple(known[key] for key in order)


def editor_study(
    opened: OpenStudy,
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
        images=tuple(_image(opened, image, findings) for image in opened.study.images),
        active_finding=active,
        prefetch=tuple(image.sha for image in ahead.images) if ahead else (),
        reject_reasons=REASONS,
        suggestion_bar=False,
        heard=heard,
        bottom_gap=bottom_gap,
    )


def reading_study(opened: OpenStudy, reader: str, bottom_gap: int) -> EditorStudy:
    """Another study of the patient, to be looked at beside the one that is read."""
    return EditorStudy(
        study_id=f"beside-{opened.study.id}",
        reader=reader,
        token="",
        routes=ROUTES,
        images=tuple(_image(opened, image, findings_shown(opened, ()), False) for image in opened.study.images),
        read_only=True,
        can_turn=False,
        bottom_gap=bottom_gap,
    )


def lines(opened: OpenStudy, findings: Sequence[Finding], reader: str) -> list[FindingLine]:
    """What the model, the report and the reader say of each finding."""
    offers = {each.finding: each for each in opened.suggestions}
    reported = {label.finding: label.state for label in opened.study.labels if label.source != "reader"}
    drawn: dict[str, str] = {}
    for version in (v for history in opened.history.values() for v in history if v.is_current and v.stats.area):
        if drawn.get(version.finding) != reader:
            drawn[version.finding] = version.author
    drafts = {draft.finding for draft in opened.drafts}
    told = []
    for finding in findings:
        offer = offers.get(finding.key)
        sure = f"{offer.confidence:.2f}" if offer and offer.confidence is not None else "yes" if offer else ""
        says = f"Suggested by {offer.model}" + (f", {sure}" if offer.confidence is not None else "") if offer else ""
        told.append(
            FindingLine(
                finding.key,
                finding.name,
                finding.colour,
                model=sure,
                report=str(reported.get(finding.key, "")),
                me="draft" if finding.key in drafts else "drawn" if drawn.get(finding.key) == reader else "",
                by="" if drawn.get(finding.key) == reader else drawn.get(finding.key, ""),
                suggestion=Offer(offer.id, says) if offer else None,
            )
        )
    return told


def facts(study: Study) -> list[str]:
    """The study in a few words: views, age and sex, where it comes from."""
    views = " + ".join(image.view if image.view.isupper() else image.view.lower() for image in study.images)
    person = " ".join(word for word in (str(study.age or ""), (study.sex or "")[:1].upper()) if word)
    key = "" if study.key == study.patient else study.key
    return [word for word in (views, person, key, study.dataset) if word]


def _image(opened: OpenStudy, image: Image, findings: Sequence[Finding], is_open: bool = True) -> EditorImage:
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
        view=image.view if image.view.isupper() else image.view.capitalize(),
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
