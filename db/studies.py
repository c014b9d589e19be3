"""Studies and their images, as the rest of the house knows them."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, selectinload

from core.errors import NotFound
from core.labels import standing
from core.reports import Report
from core.reviews import ReviewState
from core.studies import Image, Photometric, PixelFacts, Split, Study, View, Window
from db.labels import to_version
from db.tables import DatasetRow, ImageRow, LabelRow, ReportRow, StudyRow


def get_study(session: Session, study_id: int) -> Study:
    """Raises NotFound."""
    row = session.scalar(_whole().where(StudyRow.id == study_id))
    if row is None:
        raise NotFound(f"There is no study number {study_id}. Choose one from the worklist.")
    return to_study(row)


def number_of(session: Session, dataset: str, key: str) -> int:
    """Raises NotFound."""
    number = session.scalar(select(StudyRow.id).join(DatasetRow).where(DatasetRow.name == dataset, StudyRow.key == key))
    if number is None:
        raise NotFound(f"There is no study {dataset}/{key}. Name one by its number, or as dataset/key.")
    return number


def study_numbers(session: Session, dataset: str | None = None) -> list[int]:
    """All studies of a dataset, or of all, in the order of import."""
    query = select(StudyRow.id).order_by(StudyRow.id)
    if dataset is not None:
        query = query.join(DatasetRow).where(DatasetRow.name == dataset)
    return list(session.scalars(query))


def other_studies(session: Session, study_id: int) -> tuple[Study, ...]:
    """The other studies of the same patient, newest first."""
    patient = select(StudyRow.patient_id).where(StudyRow.id == study_id).scalar_subquery()
    query = _whole().where(StudyRow.patient_id == patient, StudyRow.id != study_id)
    return tuple(to_study(row) for row in session.scalars(query.order_by(StudyRow.ordinal.desc(), StudyRow.id.desc())))


def get_image(session: Session, image_id: int) -> Image:
    """Raises NotFound."""
    row = session.get(ImageRow, image_id)
    if row is None:
        raise NotFound(f"There is no image number {image_id}.")
    return to_image(row)


def study_of_image(session: Session, image_id: int) -> Study:
    """Raises NotFound."""
    return get_study(session, get_image(session, image_id).study_id)


def to_study(row: StudyRow) -> Study:
    return Study(
        id=row.id,
        dataset=row.dataset.name,
        patient=row.patient.key,
        key=row.key,
        split=Split(row.patient.split),
        state=ReviewState(row.state),
        images=tuple(to_image(image) for image in row.images),
        report=to_report(row.report) if row.report else None,
        age=row.age,
        sex=row.sex,
        notes=row.notes,
        blind=row.dataset.blind or row.patient.split != Split.TRAIN,
        labels=standing(to_version(label).statement for label in row.labels),
    )


def to_image(row: ImageRow) -> Image:
    window = Window(row.window_center, row.window_width) if row.window_center is not None and row.window_width else None
    photometric = Photometric(row.photometric)
    facts = PixelFacts(row.width, row.height, row.bits, photometric, row.spacing_mm, window)
    return Image(row.id, row.study_id, row.name, row.sha, View(row.view), facts, row.media_type)


def to_report(row: ReportRow) -> Report:
    return Report(row.indication, row.comparison, row.technique, row.findings, row.impression, row.text)


def _whole() -> Select[StudyRow]:
    return select(StudyRow).options(
        joinedload(StudyRow.dataset),
        joinedload(StudyRow.patient),
        joinedload(StudyRow.report),
        selectinload(StudyRow.images),
        selectinload(StudyRow.labels).joinedload(LabelRow.reader),
    )
