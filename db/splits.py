"""Where each patient falls: settled when they come in, frozen when a snapshot first takes them."""

from collections.abc import Collection

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session, joinedload

from core.errors import ReadingRoomError
from core.splits import SplitContradicts, SplitPolicy, split_of
from core.studies import Split
from db.standing import settle_after_models, settle_patients
from db.tables import DatasetRow, ImageRow, PatientRow, PinnedImageRow, StudyRow


class PinnedFilmsJudge(ReadingRoomError):
    """Films that taught a shipped model are among those that an earlier snapshot froze for judging models."""

    def __init__(self, patients: int, datasets: Collection[str]) -> None:
        super().__init__(
            f"{patients} patients of {', '.join(sorted(datasets))} are frozen to judge models, and the model learned "
            "from their films, so what it scored there would be worth nothing. Use it in another workspace "
            "(READING_ROOM_HOME)."
        )


def policy_of(dataset: DatasetRow) -> SplitPolicy:
    return SplitPolicy(dataset.split_train, dataset.split_validation, dataset.split_test, dataset.split_seed)


def settle(session: Session, patient: PatientRow) -> None:
    """Give a patient its split together with all who share an image with it.

    In order: a split already frozen, one given by the dataset's makers, the hash of the group's least patient.
    A patient whose image taught a shipped model stays in training.
    """
    group = _companions(session, patient)
    if _is_pinned(session, group):
        for member in group:
            if not member.split_frozen:
                member.split, member.split_given = Split.TRAIN, True
        return
    _decide(group)
    settle_patients(session, [member.id for member in group])


def contradicts(session: Session, patient: PatientRow, stated: Split) -> bool:
    """Whether this split of a patient is another than the one that was given before.

    Who was moved, by sharing an image or by having taught a shipped model, is where nobody stated; that is no
    contradiction.
    """
    if not patient.split_given or patient.split == stated:
        return False
    group = _companions(session, patient)
    return len(group) == 1 and not _is_pinned(session, group)


def freeze(session: Session, dataset: DatasetRow, asked: SplitPolicy | None) -> None:
    """Fix the dataset's policy and the split of every patient in it. Raises SplitContradicts."""
    if dataset.split_frozen and asked is not None and asked != policy_of(dataset):
        raise SplitContradicts(dataset.name, policy_of(dataset), asked)
    if not dataset.split_frozen and asked is not None:
        dataset.split_train, dataset.split_validation = asked.train, asked.validation
        dataset.split_test, dataset.split_seed = asked.test, asked.seed
        for patient in session.scalars(select(PatientRow).where(PatientRow.dataset_id == dataset.id)):
            settle(session, patient)
        settle_after_models(session)
    dataset.split_frozen = True
    for patient in session.scalars(
        select(PatientRow).where(PatientRow.dataset_id == dataset.id, PatientRow.split_frozen.is_(False))
    ):
        patient.split_frozen = True


def require_pinnable(session: Session, shas: Collection[str]) -> None:
    """Raises PinnedFilmsJudge when one of these images belongs to a patient frozen in validation or test."""
    judges = [p for p in _holders(session, shas) if p.split_frozen and p.split != Split.TRAIN]
    if judges:
        raise PinnedFilmsJudge(len(judges), {patient.dataset.name for patient in judges})


def pin(session: Session, shas: Collection[str], reason: str) -> None:
    """Keep the patients of these images in training, those on record and those still to come.

    Raises PinnedFilmsJudge.
    """
    require_pinnable(session, shas)
    known = set(session.scalars(select(PinnedImageRow.sha)))
    session.add_all(PinnedImageRow(sha=sha, reason=reason) for sha in sorted(set(shas) - known))
    session.flush()
    for patient in _holders(session, shas):
        settle(session, patient)


def torn_groups(session: Session, dataset: DatasetRow) -> dict[str, str]:
    """Patients who share an image with a patient of another split, both frozen before the image joined them.

    Neither may move any more, so a snapshot has to leave the later one out. Gives patient key and reason.
    """
    shared = (
        select(ImageRow.sha)
        .join(StudyRow, ImageRow.study_id == StudyRow.id)
        .join(PatientRow, StudyRow.patient_id == PatientRow.id)
        .group_by(ImageRow.sha)
        .having(func.count(distinct(PatientRow.split)) > 1)
    )
    query = (
        select(PatientRow)
        .join(StudyRow, StudyRow.patient_id == PatientRow.id)
        .join(ImageRow, ImageRow.study_id == StudyRow.id)
        .where(PatientRow.dataset_id == dataset.id, ImageRow.sha.in_(shared))
        .distinct()
    )
    reason = "shares an image with a patient whose split was frozen otherwise"
    return {patient.key: reason for patient in session.scalars(query)}


def _holders(session: Session, shas: Collection[str]) -> list[PatientRow]:
    """The patients who have one of these images."""
    query = (
        select(PatientRow)
        .join(StudyRow, StudyRow.patient_id == PatientRow.id)
        .join(ImageRow, ImageRow.study_id == StudyRow.id)
        .where(ImageRow.sha.in_(list(shas)))
        .options(joinedload(PatientRow.dataset))
        .distinct()
    )
    return list(session.scalars(query))


def _decide(group: list[PatientRow]) -> None:
    anchor = min(group, key=lambda p: (not p.split_frozen, not p.split_given, p.dataset.name, p.key))
    decided = anchor.split_frozen or anchor.split_given
    split = Split(anchor.split) if decided else split_of(anchor.dataset.name, anchor.key, policy_of(anchor.dataset))
    for member in group:
        if not member.split_frozen:
            member.split = split


def _companions(session: Session, patient: PatientRow) -> list[PatientRow]:
    group = {patient.id: patient}
    frontier = [patient.id]
    while frontier:
        shas = (
            select(ImageRow.sha)
            .join(StudyRow, ImageRow.study_id == StudyRow.id)
            .where(StudyRow.patient_id.in_(frontier))
        )
        others = session.scalars(
            select(PatientRow)
            .join(StudyRow, StudyRow.patient_id == PatientRow.id)
            .join(ImageRow, ImageRow.study_id == StudyRow.id)
            .where(ImageRow.sha.in_(shas), PatientRow.id.not_in(list(group)))
            .distinct()
        ).all()
        frontier = [other.id for other in others]
        group.update({other.id: other for other in others})
    return list(group.values())


def _is_pinned(session: Session, group: list[PatientRow]) -> bool:
    query = (
        select(PinnedImageRow.sha)
        .join(ImageRow, ImageRow.sha == PinnedImageRow.sha)
        .join(StudyRow, ImageRow.study_id == StudyRow.id)
        .where(StudyRow.patient_id.in_([patient.id for patient in group]))
        .limit(1)
    )
    return session.scalar(query) is not None
