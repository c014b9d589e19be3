"""Who reads, and what there is to read: datasets, patients, studies, films and reports; and the audit trail."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.tables.base import Base, now

if TYPE_CHECKING:
    from db.tables.readings import AbsenceRow, LabelRow, MaskVersionRow, RegionRow


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
