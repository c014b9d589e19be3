"""Studies coming in: what is new is put on record, what is known adds nothing, what contradicts is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.annotations import Origin
from core.studies import IncomingImage, IncomingMask, IncomingRegion, IncomingStudy, Skipped, Turn
from db import audit, labels, splits
from db.datasets import ensure_dataset
from db.findings import ensure_findings
from db.people import ensure_reader
from db.regions import add_region, to_shape
from db.standing import ALREADY_MARKED, MARKED_REASON
from db.tables import (
    AbsenceRow,
    DatasetRow,
    ImageRow,
    MaskVersionRow,
    PatientRow,
    RegionRow,
    ReportRow,
    StudyFindingRow,
    StudyRow,
)

IMPORTER = "import"


@dataclass(frozen=True)
class Added:
    """What one study added to the record. `duplicates` counts images whose content the dataset already held."""

    studies: int = 0
    images: int = 0
    masks: int = 0
    reports: int = 0
    duplicates: int = 0
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class StoredImage:
    """Where the store put an image and its masks: one hash for the image, one for each of its masks, in order."""

    sha: str
    masks: tuple[str, ...]


def add_study(session: Session, dataset: str, study: IncomingStudy, stored: Sequence[StoredImage], actor: str) -> Added:
    """Put a study on record. `stored` runs beside `study.images`; the bytes are in the store already.

    What is on record already is left as it is, so a second import adds nothing; an image whose name is known but whose
    content is not, a report that differs, or a study that puts its patient into another split, is skipped with the
    reason.
    """
    home = ensure_dataset(session, dataset)
    patient = _ensure_patient(session, home, study)
    if study.split is not None and splits.contradicts(session, patient, study.split):
        reason = (
            f"patient {study.patient} is in {patient.split} by an earlier study or import, and here in {study.split}; "
            "a patient who trains cannot judge, so the study was left out"
        )
        return Added(skipped=(Skipped(study.key, reason),))
    author = ensure_reader(session, IMPORTER)
    named = {mask.finding for image in study.images for mask in image.masks}
    named |= {finding for image in study.images for finding in image.absent}
    named |= {region.finding for image in study.images for region in image.regions}
    ensure_findings(session, named | {label.finding for label in study.labels}, actor)
    row, is_new = _ensure_study(session, home, patient, study)
    images, masks, duplicates, skipped = 0, 0, 0, list[Skipped]()
    for image, place in zip(study.images, stored, strict=True):
        known_elsewhere = _holds(session, home, place.sha)
        duplicates += known_elsewhere
        image_row = session.scalar(select(ImageRow).where(ImageRow.study_id == row.id, ImageRow.name == image.name))
        if image_row is not None and image_row.sha != place.sha and image_row.turn == Turn.NONE:
            reason = "an image of this name with other content is already in the study; the first one was kept"
            skipped.append(Skipped(f"{study.key}/{image.name}", reason))
            continue
        if image_row is None:
            image_row = _add_image(session, row, image, place.sha, actor)
            images += 1
        masks += _add_masks(session, image_row, image.masks, place.masks, author)
        _add_absences(session, image_row, image.absent)
        _add_regions(session, image_row, image.regions, author)
    reports = _add_report(session, row, study, skipped)
    skipped += labels.take_in(session, row, study.labels)
    if images or study.split is not None:
        session.flush()
        splits.settle(session, patient)
    return Added(int(is_new), images, masks, reports, duplicates, tuple(skipped))


def _ensure_patient(session: Session, dataset: DatasetRow, study: IncomingStudy) -> PatientRow:
    query = select(PatientRow).where(PatientRow.dataset_id == dataset.id, PatientRow.key == study.patient)
    row = session.scalar(query)
    if row is None:
        row = PatientRow(dataset_id=dataset.id, key=study.patient, split="train", dataset=dataset)
        session.add(row)
        session.flush()
        splits.settle(session, row)
    if study.split is not None and not row.split_frozen and not row.split_given:
        row.split, row.split_given = study.split, True
    return row


def _ensure_study(
    session: Session, dataset: DatasetRow, patient: PatientRow, study: IncomingStudy
) -> tuple[StudyRow, bool]:
    query = select(StudyRow).where(StudyRow.dataset_id == dataset.id, StudyRow.key == study.key)
    row = session.scalar(query)
    if row is not None:
        return row, False
    row = StudyRow(
        dataset_id=dataset.id,
        patient_id=patient.id,
        patient_key=patient.key,
        key=study.key,
        ordinal=study.order,
        age=study.age,
        sex=study.sex,
        notes=study.notes,
    )
    session.add(row)
    session.flush()
    return row, True


def _holds(session: Session, dataset: DatasetRow, sha: str) -> bool:
    query = select(ImageRow.id).join(StudyRow, ImageRow.study_id == StudyRow.id)
    return session.scalar(query.where(ImageRow.sha == sha, StudyRow.dataset_id == dataset.id).limit(1)) is not None


def _add_image(session: Session, study: StudyRow, image: IncomingImage, sha: str, actor: str) -> ImageRow:
    position = len(session.scalars(select(ImageRow.id).where(ImageRow.study_id == study.id)).all())
    facts = image.facts
    row = ImageRow(
        study_id=study.id,
        position=position,
        name=image.name,
        sha=sha,
        media_type=image.media_type,
        view=image.view,
        width=facts.width,
        height=facts.height,
        bits=facts.bits,
        photometric=facts.photometric,
        spacing_mm=facts.spacing_mm,
        window_center=facts.window.center if facts.window else None,
        window_width=facts.window.width if facts.window else None,
        turn=image.turn,
    )
    session.add(row)
    session.flush()
    if image.turn is not Turn.NONE:
        audit.record(
            session, actor, "turn film", f"image {row.id}", f"{image.turn}: {image.turn_reason or 'on import'}"
        )
    return row


def _add_masks(
    session: Session, image: ImageRow, masks: Sequence[IncomingMask], shas: Sequence[str], importer: int
) -> int:
    added = 0
    for mask, sha in zip(masks, shas, strict=True):
        same = (MaskVersionRow.image_id == image.id, MaskVersionRow.finding == mask.finding, MaskVersionRow.sha == sha)
        if session.scalar(select(MaskVersionRow.id).where(*same).limit(1)) is not None:
            continue
        box = mask.stats.box
        session.add(
            MaskVersionRow(
                image_id=image.id,
                image_sha=image.sha,
                finding=mask.finding,
                sha=sha,
                height=mask.stats.height,
                width=mask.stats.width,
                area=mask.stats.area,
                box=[box.left, box.top, box.right, box.bottom] if box else None,
                origin=Origin.IMPORTED,
                suggested=mask.suggested,
                author_id=ensure_reader(session, mask.author) if mask.author else importer,
            )
        )
        added += 1
        note_finding(session, image.study_id, mask.finding)
    if added:
        study = session.get_one(StudyRow, image.study_id)
        study.has_mask = True
        study.queue_rank, study.queue_reason = ALREADY_MARKED, MARKED_REASON
    return added


def _add_absences(session: Session, image: ImageRow, absent: Sequence[str]) -> None:
    query = select(AbsenceRow.finding).where(AbsenceRow.image_id == image.id)
    known = set(session.scalars(query)) if absent else set()
    session.add_all(AbsenceRow(image_id=image.id, finding=finding) for finding in sorted(set(absent) - known))


def _add_regions(session: Session, image: ImageRow, regions: Sequence[IncomingRegion], importer: int) -> None:
    """A region that was removed, or turned with its film, stays so."""
    if not regions:
        return
    rows = session.scalars(select(RegionRow).where(RegionRow.image_id == image.id))
    known = {(row.finding, to_shape(row)) for row in rows}
    for region in regions:
        if (region.finding, region.shape) not in known:
            known.add((region.finding, region.shape))
            author = ensure_reader(session, region.author) if region.author else importer
            add_region(session, image.id, region.finding, region.shape.kind, region.shape.points, author)
            note_finding(session, image.study_id, region.finding)


def _add_report(session: Session, study: StudyRow, incoming: IncomingStudy, skipped: list[Skipped]) -> int:
    report = incoming.report
    if report is None or report.is_empty:
        return 0
    known = session.get(ReportRow, study.id)
    fields = {
        "indication": report.indication,
        "comparison": report.comparison,
        "technique": report.technique,
        "findings": report.findings,
        "impression": report.impression,
        "text": report.text,
    }
    if known is None:
        session.add(ReportRow(study_id=study.id, **fields))
        study.has_report = True
        return 1
    if any(getattr(known, name) != value for name, value in fields.items()):
        skipped.append(Skipped(f"{incoming.key} report", "the study already has another report; the first was kept"))
    return 0


def note_finding(session: Session, study_id: int, finding: str) -> None:
    """Let the worklist find a study by a finding marked on it."""
    if session.get(StudyFindingRow, (finding, study_id)) is None:
        session.add(StudyFindingRow(finding=finding, study_id=study_id))
        session.flush()
