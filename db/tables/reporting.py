"""Reports that models wrote, and what readers make of them."""

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
from db.tables.learning import ModelVersionRow
from db.tables.studies import ReaderRow


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
