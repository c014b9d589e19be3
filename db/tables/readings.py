"""What is said of studies: findings, labels, masks and regions, with their drafts, and reviews."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.tables.base import Base, now
from db.tables.studies import ImageRow, ReaderRow


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
