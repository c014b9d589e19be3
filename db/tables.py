"""The tables. Everything that is kept, and how it hangs together; rows never leave this package."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


def now() -> datetime:
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """Moments in UTC, with their zone, on databases that forget zones too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012


class ReaderRow(Base):
    __tablename__ = "readers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class DatasetRow(Base):
    __tablename__ = "datasets"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    blind: Mapped[bool] = mapped_column(default=False)
    split_train: Mapped[float]
    split_validation: Mapped[float]
    split_test: Mapped[float]
    split_seed: Mapped[int]
    split_frozen: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)


class PatientRow(Base):
    __tablename__ = "patients"
    __table_args__ = (UniqueConstraint("dataset_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id"))
    key: Mapped[str] = mapped_column(String(200))
    split: Mapped[str] = mapped_column(String(20))
    split_given: Mapped[bool] = mapped_column(default=False)
    split_frozen: Mapped[bool] = mapped_column(default=False)

    dataset: Mapped[DatasetRow] = relationship()


class StudyRow(Base):
    """The columns from `state` on repeat what other tables say, so that the worklist reads one table.

    `queue_rank` puts the studies in the order of reading, least first.
    """

    __tablename__ = "studies"
    __table_args__ = (
        UniqueConstraint("dataset_id", "key"),
        Index("ix_studies_state_queue", "state", "queue_rank", "id"),
        Index("ix_studies_dataset_state_queue", "dataset_id", "state", "queue_rank", "id"),
        Index("ix_studies_queue", "queue_rank", "id"),
        Index("ix_studies_changed_at", "changed_at", "id"),
        Index("ix_studies_patient_key", "patient_key", "id"),
        Index("ix_studies_state_reader_id", "state_reader_id", "state"),
        Index("ix_studies_has_mask", "has_mask", "state"),
        Index("ix_studies_has_suggestion", "has_suggestion", "state"),
        Index("ix_studies_has_report", "has_report", "state"),
        Index("ix_studies_disagrees", "disagrees", "queue_rank", "id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.id"), index=True)
    key: Mapped[str] = mapped_column(String(200))
    ordinal: Mapped[int] = mapped_column(default=0)
    age: Mapped[int | None]
    sex: Mapped[str | None] = mapped_column(String(20))
    notes: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)

    state: Mapped[str] = mapped_column(String(20), default="unread")
    state_reader_id: Mapped[int | None] = mapped_column(ForeignKey("readers.id"))
    changed_at: Mapped[datetime] = mapped_column(default=now)
    patient_key: Mapped[str] = mapped_column(String(200))
    has_mask: Mapped[bool] = mapped_column(default=False)
    has_report: Mapped[bool] = mapped_column(default=False)
    has_suggestion: Mapped[bool] = mapped_column(default=False)
    disagrees: Mapped[bool] = mapped_column(default=False)
    queue_rank: Mapped[float] = mapped_column(default=0.0)
    queue_reason: Mapped[str] = mapped_column(String(300), default="")

    dataset: Mapped[DatasetRow] = relationship()
    patient: Mapped[PatientRow] = relationship()
    images: Mapped[list["ImageRow"]] = relationship(order_by="ImageRow.position", back_populates="study")
    report: Mapped["ReportRow | None"] = relationship(back_populates="study")
    labels: Mapped[list["LabelRow"]] = relationship(order_by="LabelRow.id")


class ImageRow(Base):
    __tablename__ = "images"
    __table_args__ = (UniqueConstraint("study_id", "name"), Index("ix_images_view", "view", "study_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(300))
    sha: Mapped[str] = mapped_column(String(64), index=True)
    media_type: Mapped[str] = mapped_column(String(50))
    view: Mapped[str] = mapped_column(String(20))
    width: Mapped[int]
    height: Mapped[int]
    bits: Mapped[int]
    photometric: Mapped[str] = mapped_column(String(20))
    spacing_mm: Mapped[float | None]
    window_center: Mapped[float | None]
    window_width: Mapped[float | None]
    turn: Mapped[str] = mapped_column(String(20), default="none")

    study: Mapped[StudyRow] = relationship(back_populates="images")
    masks: Mapped[list["MaskVersionRow"]] = relationship(order_by="MaskVersionRow.id", back_populates="image")
    absences: Mapped[list["AbsenceRow"]] = relationship(order_by="AbsenceRow.finding")
    regions: Mapped[list["RegionRow"]] = relationship(order_by="RegionRow.id")


class ReportRow(Base):
    __tablename__ = "reports"

    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), primary_key=True)
    indication: Mapped[str]
    comparison: Mapped[str]
    technique: Mapped[str]
    findings: Mapped[str]
    impression: Mapped[str]
    text: Mapped[str]

    study: Mapped[StudyRow] = relationship(back_populates="report")


class FindingRow(Base):
    __tablename__ = "findings"

    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    colour: Mapped[str] = mapped_column(String(9))
    prompts: Mapped[list[Any]]
    parts: Mapped[list[Any]]
    retired: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)


class LabelRow(Base):
    """A version of what one source says of a finding. Rows are only ever added.

    `state` "unassessed" takes back what the same source said before. `suggested` tells whether a model's probability
    was in sight.
    """

    __tablename__ = "labels"
    __table_args__ = (Index("ix_labels_study_id_finding", "study_id", "finding"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    finding: Mapped[str] = mapped_column(ForeignKey("findings.key"))
    state: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(20))
    side: Mapped[str | None] = mapped_column(String(20))
    zone: Mapped[str | None] = mapped_column(String(20))
    evidence: Mapped[str] = mapped_column(default="")
    reader_id: Mapped[int | None] = mapped_column(ForeignKey("readers.id"))
    suggested: Mapped[bool] = mapped_column(default=False)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("labels.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)

    reader: Mapped[ReaderRow | None] = relationship()


class LabelDraftRow(Base):
    """Every acknowledged word of a reader is a row; nothing is overwritten. `closed_by` is the version it became."""

    __tablename__ = "label_drafts"
    __table_args__ = (
        Index("ix_label_drafts_reader_id_study_id", "reader_id", "study_id"),
        Index("ix_label_drafts_parent_id", "parent_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    finding: Mapped[str] = mapped_column(ForeignKey("findings.key"))
    reader_id: Mapped[int] = mapped_column(ForeignKey("readers.id"))
    branch: Mapped[int]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("label_drafts.id"))
    base_version_id: Mapped[int | None] = mapped_column(ForeignKey("labels.id"))
    state: Mapped[str] = mapped_column(String(20))
    side: Mapped[str | None] = mapped_column(String(20))
    zone: Mapped[str | None] = mapped_column(String(20))
    suggested: Mapped[bool] = mapped_column(default=False)
    saved_at: Mapped[datetime] = mapped_column(default=now)
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("labels.id"))
    discarded: Mapped[bool] = mapped_column(default=False)

    reader: Mapped[ReaderRow] = relationship()


class DisagreementRow(Base):
    """A finding on which somebody contradicts somebody, with everyone's word as it stands: for a lead to look at."""

    __tablename__ = "disagreements"
    __table_args__ = (Index("ix_disagreements_finding", "finding", "study_id"),)

    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), primary_key=True)
    finding: Mapped[str] = mapped_column(ForeignKey("findings.key"), primary_key=True)
    reader: Mapped[str | None] = mapped_column(String(20))
    imported: Mapped[str | None] = mapped_column(String(20))
    labeler: Mapped[str | None] = mapped_column(String(20))
    model: Mapped[str | None] = mapped_column(String(20))
    probability: Mapped[float | None]
    readers_differ: Mapped[bool] = mapped_column(default=False)


class StudyFindingRow(Base):
    """What the worklist filters by: findings of which a study has a mask, a region or an effective present label."""

    __tablename__ = "study_findings"

    finding: Mapped[str] = mapped_column(ForeignKey("findings.key"), primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), primary_key=True)


class AbsenceRow(Base):
    """A statement from outside that a finding is not on a film. A mask of it that counts overrules the statement."""

    __tablename__ = "absences"

    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    finding: Mapped[str] = mapped_column(ForeignKey("findings.key"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class MaskVersionRow(Base):
    __tablename__ = "mask_versions"
    __table_args__ = (Index("ix_mask_versions_image_id_finding", "image_id", "finding"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    image_sha: Mapped[str] = mapped_column(String(64))
    finding: Mapped[str] = mapped_column(ForeignKey("findings.key"))
    sha: Mapped[str] = mapped_column(String(64))
    height: Mapped[int]
    width: Mapped[int]
    area: Mapped[int]
    box: Mapped[list[Any] | None]
    origin: Mapped[str] = mapped_column(String(30))
    author_id: Mapped[int] = mapped_column(ForeignKey("readers.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("mask_versions.id"))
    prediction_id: Mapped[int | None] = mapped_column(ForeignKey("predictions.id"))
    suggested: Mapped[bool] = mapped_column(default=False)
    edit_dice: Mapped[float | None]
    created_at: Mapped[datetime] = mapped_column(default=now)

    author: Mapped[ReaderRow] = relationship()
    image: Mapped[ImageRow] = relationship(back_populates="masks")


class MaskDraftRow(Base):
    """Every acknowledged stroke is a row; nothing is overwritten. `closed_by` is the version it was submitted as."""

    __tablename__ = "mask_drafts"
    __table_args__ = (
        Index("ix_mask_drafts_reader_id_image_id_finding", "reader_id", "image_id", "finding"),
        Index("ix_mask_drafts_parent_id", "parent_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    image_sha: Mapped[str] = mapped_column(String(64))
    finding: Mapped[str] = mapped_column(ForeignKey("findings.key"))
    reader_id: Mapped[int] = mapped_column(ForeignKey("readers.id"))
    branch: Mapped[int]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("mask_drafts.id"))
    base_version_id: Mapped[int | None] = mapped_column(ForeignKey("mask_versions.id"))
    prediction_id: Mapped[int | None] = mapped_column(ForeignKey("predictions.id"))
    sha: Mapped[str] = mapped_column(String(64))
    height: Mapped[int]
    width: Mapped[int]
    area: Mapped[int]
    box: Mapped[list[Any] | None]
    saved_at: Mapped[datetime] = mapped_column(default=now)
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("mask_versions.id"))
    discarded: Mapped[bool] = mapped_column(default=False)

    reader: Mapped[ReaderRow] = relationship()


class RegionRow(Base):
    __tablename__ = "regions"

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), index=True)
    finding: Mapped[str] = mapped_column(ForeignKey("findings.key"))
    shape: Mapped[str] = mapped_column(String(20))
    points: Mapped[list[Any]]
    author_id: Mapped[int] = mapped_column(ForeignKey("readers.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    removed_at: Mapped[datetime | None]

    author: Mapped[ReaderRow] = relationship()


class ReviewRow(Base):
    """`saw_similar_at`: when the reader first looked at similar cases, and at what is known of them."""

    __tablename__ = "reviews"
    __table_args__ = (UniqueConstraint("study_id", "reader_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    reader_id: Mapped[int] = mapped_column(ForeignKey("readers.id"))
    state: Mapped[str] = mapped_column(String(20))
    seconds: Mapped[float] = mapped_column(default=0.0)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    saw_similar_at: Mapped[datetime | None]


class SnapshotRow(Base):
    __tablename__ = "snapshots"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    sha: Mapped[str] = mapped_column(String(64))
    datasets: Mapped[list[Any]]
    counts: Mapped[dict[str, Any]]
    fold_index: Mapped[int | None]
    fold_of: Mapped[int | None]
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)


class JobRow(Base):
    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_state_kind", "state", "kind", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20), default="queued")
    parameters: Mapped[dict[str, Any]]
    family: Mapped[str | None] = mapped_column(String(50))
    snapshot_id: Mapped[int | None] = mapped_column(ForeignKey("snapshots.id"))
    requested_by: Mapped[str] = mapped_column(String(200))
    requested_at: Mapped[datetime] = mapped_column(default=now)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    message: Mapped[str] = mapped_column(default="")
    seconds_left: Mapped[float | None]
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(200))
    claim: Mapped[str | None] = mapped_column(String(40))
    heartbeat_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]
    traceback: Mapped[str | None]
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)

    snapshot: Mapped[SnapshotRow | None] = relationship()


class CurvePointRow(Base):
    __tablename__ = "curve_points"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    step: Mapped[int]
    value: Mapped[float]


class WorkerRow(Base):
    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    role: Mapped[str] = mapped_column(String(20))
    host: Mapped[str] = mapped_column(String(200))
    pid: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(default=now)
    heartbeat_at: Mapped[datetime] = mapped_column(default=now)


class ModelVersionRow(Base):
    __tablename__ = "model_versions"
    __table_args__ = (UniqueConstraint("family", "number"), UniqueConstraint("job_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    family: Mapped[str] = mapped_column(String(50))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(20), default="candidate")
    folder: Mapped[str] = mapped_column(String(500))
    recipe: Mapped[dict[str, Any]]
    snapshot_id: Mapped[int | None] = mapped_column(ForeignKey("snapshots.id"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    findings: Mapped[list[Any]]
    headline: Mapped[str] = mapped_column(String(50))
    metrics: Mapped[dict[str, Any]]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    promotable: Mapped[bool] = mapped_column(default=True)
    reason: Mapped[str | None]
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)

    snapshot: Mapped[SnapshotRow | None] = relationship()


class PromotionRow(Base):
    """Every change of champion, so that each can be taken back."""

    __tablename__ = "promotions"

    id: Mapped[int] = mapped_column(primary_key=True)
    family: Mapped[str] = mapped_column(String(50), index=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"))
    previous_id: Mapped[int | None] = mapped_column(ForeignKey("model_versions.id"))
    reason: Mapped[str]
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(default=now)
    undone: Mapped[bool] = mapped_column(default=False)


class EvaluationRow(Base):
    __tablename__ = "evaluations"
    __table_args__ = (Index("ix_evaluations_model_id_snapshot_id_split", "model_id", "snapshot_id", "split"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"))
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshots.id"))
    split: Mapped[str] = mapped_column(String(20))
    n: Mapped[int]
    seconds: Mapped[float]
    metrics: Mapped[dict[str, Any]]
    scores: Mapped[list[Any]]
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)

    model: Mapped[ModelVersionRow] = relationship()
    snapshot: Mapped[SnapshotRow] = relationship()


class PredictionRow(Base):
    __tablename__ = "predictions"
    __table_args__ = (
        Index("ix_predictions_image_id_finding", "image_id", "finding"),
        Index("ix_predictions_model_id", "model_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"))
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    image_sha: Mapped[str] = mapped_column(String(64))
    finding: Mapped[str] = mapped_column(ForeignKey("findings.key"))
    prompt: Mapped[str | None]
    sha: Mapped[str | None] = mapped_column(String(64))
    height: Mapped[int | None]
    width: Mapped[int | None]
    area: Mapped[int | None]
    box: Mapped[list[Any] | None]
    confidence: Mapped[float | None] = mapped_column(Float)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now)
    decision: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("readers.id"))
    decided_at: Mapped[datetime | None]
    edit_dice: Mapped[float | None]

    model: Mapped[ModelVersionRow] = relationship()
    decided_by: Mapped[ReaderRow | None] = relationship()


class AskRow(Base):
    __tablename__ = "asks"
    __table_args__ = (Index("ix_asks_state", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    finding: Mapped[str] = mapped_column(ForeignKey("findings.key"))
    prompt: Mapped[str]
    reader_id: Mapped[int] = mapped_column(ForeignKey("readers.id"))
    state: Mapped[str] = mapped_column(String(20), default="waiting")
    asked_at: Mapped[datetime] = mapped_column(default=now)
    answered_at: Mapped[datetime | None]
    prediction_id: Mapped[int | None] = mapped_column(ForeignKey("predictions.id"))
    answer: Mapped[str | None]


class TryRow(Base):
    """A question about a film that is in no dataset. It goes with the film, once that is forgotten."""

    __tablename__ = "tries"
    __table_args__ = (Index("ix_tries_state", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(String(64), index=True)
    sha: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str] = mapped_column(String(50))
    view: Mapped[str] = mapped_column(String(20))
    context: Mapped[str]
    model: Mapped[str] = mapped_column(String(200))
    reader_id: Mapped[int] = mapped_column(ForeignKey("readers.id"))
    state: Mapped[str] = mapped_column(String(20), default="waiting")
    asked_at: Mapped[datetime] = mapped_column(default=now)
    answered_at: Mapped[datetime | None]
    said: Mapped[list[Any]] = mapped_column(default=list)
    answer: Mapped[str | None]


class EmbeddingRow(Base):
    """What a retrieval model made of a film, or of a study's films together (`image_id` NULL).

    `sha` is the film's, so that one that was turned or replaced is embedded again. `vector` holds little-endian half
    floats, NULL where the model reads no such film. Rows of a study are written together, the one without a film last.
    """

    __tablename__ = "embeddings"
    __table_args__ = (
        Index("ix_embeddings_model", "model_id", "image_id", "sha"),
        Index("ix_embeddings_study", "study_id", "model_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"))
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    image_id: Mapped[int | None] = mapped_column(ForeignKey("images.id"))
    sha: Mapped[str] = mapped_column(String(64), default="")
    vector: Mapped[bytes | None]


class SearchIndexRow(Base):
    """A retrieval model by which every study could be found at the moment `whole_at`."""

    __tablename__ = "search_indexes"

    model_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"), primary_key=True)
    whole_at: Mapped[datetime] = mapped_column(default=now)


class SearchRow(Base):
    """A question to the warm inference process: what is like these words, this film or this study."""

    __tablename__ = "searches"
    __table_args__ = (Index("ix_searches_state", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(default="")
    place: Mapped[str] = mapped_column(String(64), default="", index=True)
    sha: Mapped[str] = mapped_column(String(64), default="")
    view: Mapped[str] = mapped_column(String(20))
    study_id: Mapped[int | None] = mapped_column(ForeignKey("studies.id"))
    among: Mapped[dict[str, Any]] = mapped_column(default=dict)
    limit: Mapped[int]
    reader_id: Mapped[int] = mapped_column(ForeignKey("readers.id"))
    state: Mapped[str] = mapped_column(String(20), default="waiting")
    asked_at: Mapped[datetime] = mapped_column(default=now)
    answered_at: Mapped[datetime | None]
    model: Mapped[str] = mapped_column(String(200), default="")
    searched: Mapped[int] = mapped_column(default=0)
    hits: Mapped[list[Any]] = mapped_column(default=list)
    remarks: Mapped[list[Any]] = mapped_column(default=list)
    answer: Mapped[str | None]


class WritingRow(Base):
    """A report that a model wrote about a study. Never changed: another is another row."""

    __tablename__ = "writings"
    __table_args__ = (Index("ix_writings_study", "study_id", "id"), Index("ix_writings_model", "model_id", "study_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    model_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"))
    sentences: Mapped[list[Any]] = mapped_column(default=list)
    decoding: Mapped[dict[str, Any]] = mapped_column(default=dict)
    remarks: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=now)

    model: Mapped[ModelVersionRow] = relationship()


class WritingAskRow(Base):
    """A question to the warm inference process: write about this study."""

    __tablename__ = "writing_asks"
    __table_args__ = (Index("ix_writing_asks_state", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    model: Mapped[str] = mapped_column(String(200), default="")
    decoding: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reader_id: Mapped[int] = mapped_column(ForeignKey("readers.id"))
    state: Mapped[str] = mapped_column(String(20), default="waiting")
    asked_at: Mapped[datetime] = mapped_column(default=now)
    answered_at: Mapped[datetime | None]
    writing_id: Mapped[int | None] = mapped_column(ForeignKey("writings.id"))
    answer: Mapped[str | None]


class JudgementRow(Base):
    """What a reader says of a written report. Every save is a row; of those submitted the newest of a reader counts."""

    __tablename__ = "judgements"
    __table_args__ = (
        Index("ix_judgements_writing", "writing_id", "reader_id", "id"),
        Index("ix_judgements_reader", "reader_id", "submitted", "study_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    writing_id: Mapped[int] = mapped_column(ForeignKey("writings.id"))
    reader_id: Mapped[int] = mapped_column(ForeignKey("readers.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("judgements.id"))
    said: Mapped[dict[str, Any]] = mapped_column(default=dict)
    submitted: Mapped[bool] = mapped_column(default=False)
    saved_at: Mapped[datetime] = mapped_column(default=now)

    reader: Mapped[ReaderRow] = relationship()


class RevisionRow(Base):
    """A version of a study's report that a reader made of a written one. Never changed: the next has it as parent."""

    __tablename__ = "revisions"
    __table_args__ = (Index("ix_revisions_study", "study_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    writing_id: Mapped[int] = mapped_column(ForeignKey("writings.id"))
    judgement_id: Mapped[int] = mapped_column(ForeignKey("judgements.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("revisions.id"))
    reader_id: Mapped[int] = mapped_column(ForeignKey("readers.id"))
    sections: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=now)

    reader: Mapped[ReaderRow] = relationship()


class ReportPairRow(Base):
    """Which of two reports of unknown source a reader found better, and who wrote `first` and `second`."""

    __tablename__ = "report_pairs"
    __table_args__ = (UniqueConstraint("reader_id", "writing_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    writing_id: Mapped[int] = mapped_column(ForeignKey("writings.id"))
    reader_id: Mapped[int] = mapped_column(ForeignKey("readers.id"))
    first: Mapped[str] = mapped_column(String(20))
    second: Mapped[str] = mapped_column(String(20))
    preference: Mapped[str] = mapped_column(String(20))
    judged_at: Mapped[datetime] = mapped_column(default=now)

    reader: Mapped[ReaderRow] = relationship()


class PinnedImageRow(Base):
    """Images that a shipped model learned from: their patients stay in training for ever."""

    __tablename__ = "pinned_images"

    sha: Mapped[str] = mapped_column(String(64), primary_key=True)
    reason: Mapped[str] = mapped_column(String(300))


class AuditEventRow(Base):
    """Append-only: database triggers refuse UPDATE and DELETE."""

    __tablename__ = "audit_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    actor: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(100))
    subject: Mapped[str] = mapped_column(String(200), index=True)
    detail: Mapped[str] = mapped_column(default="")
