"""What retrieval models made of studies: which are still to be embedded, and rows of vectors to be searched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, and_, delete, exists, func, insert, select
from sqlalchemy.orm import Session

from core.jobs import JobKind, JobRequest, JobState
from core.registry import SEARCHING_FAMILY, ModelState, ModelVersion
from core.search import SearchFilter, Vectors
from core.studies import Study
from db import jobs, models
from db.models import to_model
from db.standing import in_batches
from db.tables import (
    DatasetRow,
    EmbeddingRow,
    ImageRow,
    JobRow,
    ModelVersionRow,
    PatientRow,
    SearchIndexRow,
    StudyFindingRow,
    StudyRow,
    now,
)

_KEPT_AS = "<f2"


@dataclass(frozen=True)
class NewEmbedding:
    """What a model made of a study: `fused` (D,) of all its films, `single` of each that it reads by its SHA-256; None
    and nothing where it reads none."""

    study: Study
    fused: NDArray[np.float32] | None
    single: dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Rows:
    """N rows that can be searched: `numbers` (N,) in rising order, the `studies` (N,) that they are of, the `images`
    (N,), 0 for what is said of a study's films together, and `vectors` (N, D)."""

    numbers: NDArray[np.int64]
    studies: NDArray[np.int64]
    images: NDArray[np.int64]
    vectors: Vectors

    def where(self, wanted: NDArray[np.bool_]) -> "Rows":
        """Those of the rows that are wanted (N,)."""
        return Rows(self.numbers[wanted], self.studies[wanted], self.images[wanted], self.vectors[wanted])


def pending(session: Session, model_id: int, limit: int) -> list[int]:
    """Studies with a film of which this model has made nothing yet, the newest first: they are asked for soonest."""
    query = _lacking(model_id).order_by(StudyRow.id.desc()).limit(limit)
    return list(session.scalars(query))


def stamp(session: Session) -> tuple[int, datetime | None]:
    """Something that is another whenever a film came in or a study changed, and costs next to nothing to ask for."""
    return session.scalar(select(func.max(ImageRow.id))) or 0, session.scalar(select(func.max(StudyRow.changed_at)))


def count_pending(session: Session, model_id: int) -> int:
    return session.scalar(select(func.count()).select_from(_lacking(model_id).subquery())) or 0


def keep(session: Session, model_id: int, made: Sequence[NewEmbedding]) -> None:
    """Keep what a model made of studies, instead of what it had made of them before."""
    # What was there goes last: SQLite gives the numbers of rows that went out again, and whoever reads on from the
    # last number would never see the new ones.
    before = session.scalar(select(func.max(EmbeddingRow.id))) or 0
    rows = [
        {"model_id": model_id, "study_id": one.study.id, "image_id": image, "sha": sha, "vector": _bytes_of(vector)}
        for one in made
        for image, sha, vector in (
            *((image.id, image.sha, one.single.get(image.sha)) for image in one.study.images),
            (None, "", one.fused),
        )
    ]
    if rows:
        session.execute(insert(EmbeddingRow), rows)
    row = EmbeddingRow
    for some in in_batches(one.study.id for one in made):
        session.execute(delete(row).where(row.model_id == model_id, row.study_id.in_(some), row.id <= before))


def rows_after(session: Session, model_id: int, number: int = 0) -> Rows:
    """The rows of a model beyond this number."""
    row = EmbeddingRow
    query = select(row.id, row.study_id, row.image_id, row.vector)
    found = session.execute(
        query.where(row.model_id == model_id, row.id > number, row.vector.is_not(None)).order_by(row.id)
    ).all()
    numbers, studies, images = (
        np.array([each[place] or 0 for each in found], dtype=np.int64) for place in range(3)
    )  # fmt: skip
    body = b"".join(each[3] or b"" for each in found)
    vectors = np.frombuffer(body, _KEPT_AS).reshape(len(found), -1 if found else 0).astype(np.float32)
    return Rows(numbers, studies, images, vectors)


def last_number(session: Session, model_id: int) -> int:
    """The number of a model's newest row; 0 where there is none."""
    return session.scalar(select(func.max(EmbeddingRow.id)).where(EmbeddingRow.model_id == model_id)) or 0


def mark_whole(session: Session, model_id: int) -> None:
    """Every study can be found by this model from now on, and by no other any more."""
    session.execute(delete(SearchIndexRow))
    session.add(SearchIndexRow(model_id=model_id, whole_at=now()))
    session.execute(delete(EmbeddingRow).where(EmbeddingRow.model_id != model_id))


def answering(session: Session) -> ModelVersion | None:
    """The model by which studies are found: the last that was whole, whichever is in use meanwhile."""
    row = session.scalar(select(ModelVersionRow).join(SearchIndexRow, SearchIndexRow.model_id == ModelVersionRow.id))
    return to_model(row) if row is not None else None


def made_at(session: Session, model_id: int) -> datetime | None:
    """When every study could be found by a model; None where that was never so."""
    return session.scalar(select(SearchIndexRow.whole_at).where(SearchIndexRow.model_id == model_id))


def wanted(session: Session) -> ModelVersion | None:
    """The model in use, by which they should be found."""
    row = session.scalar(
        select(ModelVersionRow).where(
            ModelVersionRow.family == SEARCHING_FAMILY, ModelVersionRow.state == ModelState.CHAMPION
        )
    )
    return to_model(row) if row is not None else None


def version_answering(session: Session, family: str) -> ModelVersion | None:
    """The model of a family that answers readers: the one in use; of those that find studies the one whose index is
    whole, for as long as that of the one in use is made."""
    found = answering(session) if family == SEARCHING_FAMILY else None
    return found or models.champion(session, family)


def lists_wanted(session: Session, model: ModelVersion, by: str) -> None:
    """Ask for the index of a model to be made anew, unless that waits or runs, or was given up the last time."""
    query = select(JobRow).where(JobRow.kind == JobKind.INDEX).order_by(JobRow.id.desc()).limit(1)
    last = session.scalar(query)
    if last is None or last.state == JobState.SUCCEEDED:
        jobs.enqueue(session, JobRequest(JobKind.INDEX, {"model": model.name}, model.family), by)


def among(session: Session, wanted: SearchFilter) -> NDArray[np.int64] | None:
    """The numbers of the studies that pass a filter, in rising order; None where all do. Of views, see
    `images_of_view`."""
    if wanted.dataset is None and wanted.finding is None and wanted.split is None:
        return None
    query = select(StudyRow.id).order_by(StudyRow.id)
    if wanted.dataset is not None:
        dataset = select(DatasetRow.id).where(DatasetRow.name == wanted.dataset).scalar_subquery()
        query = query.where(StudyRow.dataset_id == dataset)
    if wanted.finding is not None:
        marked = select(StudyFindingRow.study_id).where(StudyFindingRow.finding == wanted.finding)
        query = query.where(StudyRow.id.in_(marked))
    if wanted.split is not None:
        patients = select(PatientRow.id).where(PatientRow.split == wanted.split)
        query = query.where(StudyRow.patient_id.in_(patients))
    return np.array(session.scalars(query).all(), dtype=np.int64)


def of_same_patient(session: Session, study_id: int) -> list[int]:
    """A study and all others of its patient."""
    patient = select(StudyRow.patient_id).where(StudyRow.id == study_id).scalar_subquery()
    return list(session.scalars(select(StudyRow.id).where(StudyRow.patient_id == patient)))


def images_of_view(session: Session, view: str) -> NDArray[np.int64]:
    """The numbers of the images of a view, in rising order."""
    query = select(ImageRow.id).where(ImageRow.view == view).order_by(ImageRow.id)
    return np.array(session.scalars(query).all(), dtype=np.int64)


def _lacking(model_id: int) -> Select[int]:
    row = EmbeddingRow
    known = exists().where(row.model_id == model_id, row.image_id == ImageRow.id, row.sha == ImageRow.sha)
    lacking = exists().where(and_(ImageRow.study_id == StudyRow.id, ~known))
    return select(StudyRow.id).where(lacking)


def _bytes_of(vector: NDArray[np.float32] | None) -> bytes | None:
    return None if vector is None else vector.astype(_KEPT_AS).tobytes()
