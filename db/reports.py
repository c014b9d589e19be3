"""Reports on record, for whoever reads many of them at a time."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core.labels import Source
from core.reports import Report
from db.datasets import require_dataset
from db.standing import in_batches
from db.studies import to_report
from db.tables import DatasetRow, LabelRow, ReportRow, StudyRow


def reports(session: Session, dataset: str) -> Mapping[int, Report]:
    """Every report of a dataset by its study's number, in the order of import. Raises NotFound."""
    require_dataset(session, dataset)
    rows = session.scalars(_of(dataset).order_by(ReportRow.study_id))
    return {row.study_id: to_report(row) for row in rows}


def never_labelled(session: Session, dataset: str, keys: Iterable[str]) -> Mapping[int, Report]:
    """The reports of these studies of which no labeler has said anything yet."""
    is_labelled = (
        select(LabelRow.id).where(LabelRow.study_id == StudyRow.id, LabelRow.source == Source.LABELER).exists()
    )
    found: dict[int, Report] = {}
    for some in in_batches(keys):
        rows = session.scalars(_of(dataset).where(StudyRow.key.in_(some), ~is_labelled).order_by(ReportRow.study_id))
        found |= {row.study_id: to_report(row) for row in rows}
    return found


def _of(dataset: str) -> Select[ReportRow]:
    query = select(ReportRow).join(StudyRow, ReportRow.study_id == StudyRow.id)
    return query.join(DatasetRow, StudyRow.dataset_id == DatasetRow.id).where(DatasetRow.name == dataset)
