"""Freezing curated data: which masks and labels count, which patients judge, and the manifest on record."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from core import selection
from core.errors import NotFound, ReadingRoomError
from core.findings import Side, State
from core.judgements import Curated
from core.labels import Effective, Source, Statement, effective, standing
from core.reports import Cleaning, ReportOrigin, clean
from core.snapshots import (
    EmptySnapshot,
    Fold,
    Manifest,
    Snapshot,
    SnapshotCounts,
    SnapshotFilter,
    SnapshotImage,
    SnapshotMask,
    SnapshotRegion,
    SnapshotStudy,
    require_disjoint,
)
from core.splits import SplitPolicy, fold_of
from core.studies import Split, View
from db import audit, judgements, splits
from db.datasets import require_dataset
from db.findings import vocabulary
from db.labels import to_version
from db.masks import current_ids, to_stats, unblinded
from db.regions import to_shape
from db.studies import to_report
from db.tables import DatasetRow, ImageRow, LabelRow, MaskVersionRow, RegionRow, SnapshotRow, StudyRow

_AT_ONCE: Final = 500
"""Studies whose rows are held at a time."""


class SnapshotExists(ReadingRoomError):
    def __init__(self, name: str) -> None:
        super().__init__(f'A snapshot "{name}" with other content is already on record. Choose another name.')


def freeze_splits(session: Session, datasets: Sequence[str], asked: SplitPolicy | None) -> None:
    """Fix the split of every patient in these datasets. Raises NotFound, SplitContradicts."""
    for name in datasets:
        splits.freeze(session, require_dataset(session, name), asked)


def collect(
    session: Session,
    datasets: Sequence[str],
    wanted: SnapshotFilter | None = None,
    cleaning: Cleaning | None = None,
    fold: Fold | None = None,
) -> Manifest:
    """The curated data of these datasets as it stands now. Raises NotFound, EmptySnapshot, PatientsTorn.

    In validation and test no mask counts that a model had a hand in, no label that was set in sight of a model's
    probability, and no report that a reader made of a model's; an earlier one without counts in its place.
    """
    wanted, cleaning = wanted or SnapshotFilter(), cleaning or Cleaning()
    rows = [require_dataset(session, name) for name in sorted(set(datasets))]
    studies: list[SnapshotStudy] = []
    excluded: list[tuple[str, str]] = []
    counted: Counter[str] = Counter()
    for dataset in rows:
        torn = splits.torn_groups(session, dataset) if dataset.split_frozen else {}
        passed: list[tuple[SnapshotStudy, Counter[str]]] = []
        patients: dict[str, Split] = {}
        curated = judgements.curated_reports(session, dataset.id)
        for study in _studies(session, dataset):
            frozen, without = _study(study, dataset, cleaning, wanted, fold, curated.get(study.id))
            reason = torn.get(study.patient.key) or selection.left_out(frozen, wanted)
            if reason:
                excluded.append((f"{dataset.name}/{study.key}", reason))
            else:
                passed.append((frozen, without))
                patients[study.patient.key] = Split(study.patient.split)
        chosen = selection.chosen_patients(dataset.name, patients, wanted.max_patients)
        counted[selection.BEYOND] += len(patients) - len(chosen)
        for frozen, without in passed:
            if frozen.patient in chosen:
                studies.append(frozen)
                counted += without
    require_disjoint(studies)
    if not studies:
        reasons = sorted({reason for _, reason in excluded})
        raise EmptySnapshot(f"No study passed the filters ({'; '.join(reasons) or 'there are no studies'}).")
    return Manifest(
        datasets=tuple(dataset.name for dataset in rows),
        policies={dataset.name: splits.policy_of(dataset) for dataset in rows},
        studies=tuple(studies),
        filter=wanted,
        cleaning=cleaning,
        fold=fold,
        excluded=tuple(excluded),
        vocabulary=vocabulary(session, include_retired=True),
        left_out={reason: count for reason, count in counted.items() if count},
    )


def record_snapshot(session: Session, name: str, sha: str, manifest: Manifest, by: str) -> Snapshot:
    """Put a manifest whose bytes are in the store on record. Raises SnapshotExists.

    The same name with the same content is the same snapshot.
    """
    known = session.scalar(select(SnapshotRow).where(SnapshotRow.name == name))
    if known is not None:
        if known.sha != sha:
            raise SnapshotExists(name)
        return to_snapshot(known)
    row = SnapshotRow(
        name=name,
        sha=sha,
        datasets=list(manifest.datasets),
        counts=asdict(manifest.counts()),
        fold_index=manifest.fold.index if manifest.fold else None,
        fold_of=manifest.fold.of if manifest.fold else None,
        created_by=by,
    )
    session.add(row)
    session.flush()
    audit.record(session, by, "freeze snapshot", name, sha)
    return to_snapshot(row)


def get_snapshot(session: Session, name: str) -> Snapshot:
    """Raises NotFound."""
    row = session.scalar(select(SnapshotRow).where(SnapshotRow.name == name))
    if row is None:
        known = ", ".join(session.scalars(select(SnapshotRow.name).order_by(SnapshotRow.id))) or "none yet"
        raise NotFound(f'There is no snapshot "{name}". There are: {known}.')
    return to_snapshot(row)


def snapshots(session: Session) -> tuple[Snapshot, ...]:
    """All snapshots, newest first."""
    return tuple(to_snapshot(row) for row in session.scalars(select(SnapshotRow).order_by(SnapshotRow.id.desc())))


def to_snapshot(row: SnapshotRow) -> Snapshot:
    by_split = {Split(split): count for split, count in row.counts["by_split"].items()}
    fold = Fold(row.fold_index, row.fold_of) if row.fold_index is not None and row.fold_of else None
    return Snapshot(
        id=row.id,
        name=row.name,
        sha=row.sha,
        datasets=tuple(row.datasets),
        counts=SnapshotCounts(**{**row.counts, "by_split": by_split}),
        created_by=row.created_by,
        created_at=row.created_at.isoformat(),
        fold=fold,
    )


def _studies(session: Session, dataset: DatasetRow) -> Iterator[StudyRow]:
    masks = selectinload(StudyRow.images).selectinload(ImageRow.masks).joinedload(MaskVersionRow.author)
    absences = selectinload(StudyRow.images).selectinload(ImageRow.absences)
    shapes = selectinload(StudyRow.images).selectinload(ImageRow.regions).joinedload(RegionRow.author)
    options = (
        masks,
        absences,
        shapes,
        joinedload(StudyRow.patient),
        joinedload(StudyRow.report),
        selectinload(StudyRow.labels).joinedload(LabelRow.reader),
    )
    query = select(StudyRow).where(StudyRow.dataset_id == dataset.id).order_by(StudyRow.key).options(*options)
    yield from session.scalars(query.execution_options(yield_per=_AT_ONCE))


def _study(
    row: StudyRow,
    dataset: DatasetRow,
    cleaning: Cleaning,
    wanted: SnapshotFilter,
    fold: Fold | None,
    curated: Curated | None,
) -> tuple[SnapshotStudy, Counter[str]]:
    """The study as it would be frozen, and what of it the filter leaves out."""
    split = Split(row.patient.split)
    if fold is not None:
        split = _fold_split(dataset, row.patient.key, fold)
    said = [to_version(label).statement for label in row.labels]
    stands = standing(said if split is Split.TRAIN else [statement for statement in said if not statement.suggested])
    labels = selection.active(stands, wanted)
    absent = _absent(labels)
    report = to_report(row.report) if row.report else None
    origin = ReportOrigin.ORIGINAL
    if curated is not None and split is Split.TRAIN:
        report, origin = curated.over(report), curated.origin
    films = [image for image in row.images if selection.wants_view(View(image.view), wanted)]
    study = SnapshotStudy(
        dataset=dataset.name,
        patient=row.patient.key,
        key=row.key,
        split=split,
        images=tuple(_image(image, split, absent, wanted) for image in films),
        report=clean(report, cleaning) if report else None,
        labels=labels,
        age=row.age,
        sex=row.sex,
        notes=row.notes,
        report_origin=origin,
    )
    without = {selection.OTHER_VIEW: len(row.images) - len(films), selection.NOT_POSITIVE: len(stands) - len(labels)}
    return study, Counter(without)


def _absent(labels: Sequence[Statement]) -> tuple[str, ...]:
    """The findings that are on no film of the study by the word of somebody who looked: a labeler only read."""

    def is_whole(counted: Effective) -> bool:
        return counted.side in (None, Side.BOTH) and counted.zone is None

    seen = effective(label for label in labels if label.source is not Source.LABELER)
    return tuple(finding for finding, said in seen.items() if said.state is State.ABSENT and is_whole(said))


def _fold_split(dataset: DatasetRow, patient: str, fold: Fold) -> Split:
    place = fold_of(dataset.name, patient, fold.of, dataset.split_seed)
    if place == fold.index:
        return Split.TEST
    # A tenth of the other patients validates; which tenth is drawn anew in each fold.
    judge = fold_of(f"{dataset.name}/validation-{fold.index}", patient, 10, dataset.split_seed)
    return Split.VALIDATION if judge == 0 else Split.TRAIN


def _image(row: ImageRow, split: Split, absent: tuple[str, ...], wanted: SnapshotFilter) -> SnapshotImage:
    candidates = list(row.masks) if split is Split.TRAIN else unblinded(row.masks)
    heads = current_ids(candidates, row.sha)
    masks = sorted((_mask(version) for version in candidates if version.id in heads), key=lambda m: m.finding)
    kept = tuple(mask for mask in masks if not wanted.findings or mask.finding in wanted.findings)
    shapes = [_region(region) for region in row.regions if region.removed_at is None]
    drawn = {mask.finding for mask in masks} | {each.finding for each in shapes}
    stated = dict.fromkeys((*absent, *(absence.finding for absence in row.absences)))
    return SnapshotImage(
        sha=row.sha,
        name=row.name,
        view=View(row.view),
        width=row.width,
        height=row.height,
        bits=row.bits,
        masks=kept,
        absent=tuple(finding for finding in stated if finding not in drawn),
        regions=tuple(each for each in shapes if not wanted.findings or each.finding in wanted.findings),
    )


def _region(row: RegionRow) -> SnapshotRegion:
    return SnapshotRegion(row.finding, to_shape(row), row.author.name)


def _mask(row: MaskVersionRow) -> SnapshotMask:
    return SnapshotMask(
        finding=row.finding,
        sha=row.sha,
        stats=to_stats(row.height, row.width, row.area, row.box),
        version=row.id,
        origin=row.origin,
        suggested=row.suggested,
        author=row.author.name,
    )
