"""Datasets on record, and what each holds."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.reviews import ReviewState
from core.splits import SplitPolicy
from core.studies import DatasetSummary, Split
from db.standing import settle_after_models
from db.tables import DatasetRow, ImageRow, MaskVersionRow, PatientRow, StudyRow


def ensure_dataset(session: Session, name: str) -> DatasetRow:
    """The dataset of this name, put on record when new. For use inside db; others pass names."""
    row = session.scalar(select(DatasetRow).where(DatasetRow.name == name))
    if row is None:
        policy = SplitPolicy()
        row = DatasetRow(
            name=name,
            split_train=policy.train,
            split_validation=policy.validation,
            split_test=policy.test,
            split_seed=policy.seed,
        )
        session.add(row)
        session.flush()
    return row


def require_dataset(session: Session, name: str) -> DatasetRow:
    """Raises NotFound."""
    row = session.scalar(select(DatasetRow).where(DatasetRow.name == name))
    if row is None:
        known = ", ".join(dataset_names(session)) or "none yet; import one first"
        raise NotFound(f'There is no dataset "{name}". There are: {known}.')
    return row


def dataset_names(session: Session) -> tuple[str, ...]:
    return tuple(session.scalars(select(DatasetRow.name).order_by(DatasetRow.name)))


def set_blind(session: Session, name: str, blind: bool) -> None:
    """Whether all of a dataset is read without suggestions, whatever the split."""
    require_dataset(session, name).blind = blind
    session.flush()
    settle_after_models(session)


def summaries(session: Session) -> tuple[DatasetSummary, ...]:
    return tuple(_summary(session, row) for row in session.scalars(select(DatasetRow).order_by(DatasetRow.name)))


def _summary(session: Session, dataset: DatasetRow) -> DatasetSummary:
    studies = select(StudyRow.id).where(StudyRow.dataset_id == dataset.id)
    by_state = session.execute(
        select(StudyRow.state, func.count()).where(StudyRow.dataset_id == dataset.id).group_by(StudyRow.state)
    )
    by_split = session.execute(
        select(PatientRow.split, func.count())
        .join(StudyRow, StudyRow.patient_id == PatientRow.id)
        .where(StudyRow.dataset_id == dataset.id)
        .group_by(PatientRow.split)
    )
    states = {ReviewState(state): count for state, count in by_state}
    masks = (
        select(func.count())
        .select_from(MaskVersionRow)
        .join(ImageRow, MaskVersionRow.image_id == ImageRow.id)
        .where(ImageRow.study_id.in_(studies))
    )
    return DatasetSummary(
        name=dataset.name,
        patients=session.scalar(select(func.count()).where(PatientRow.dataset_id == dataset.id)) or 0,
        studies=sum(states.values()),
        images=session.scalar(select(func.count()).where(ImageRow.study_id.in_(studies))) or 0,
        masks=session.scalar(masks) or 0,
        reports=session.scalar(
            select(func.count()).where(StudyRow.dataset_id == dataset.id, StudyRow.has_report.is_(True))
        )
        or 0,
        blind=dataset.blind,
        by_state=states,
        by_split={Split(split): count for split, count in by_split},
    )
