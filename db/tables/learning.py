"""Snapshots, jobs, models and what they were measured at, and what models answered."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Float,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.tables.base import Base, now
from db.tables.studies import ReaderRow


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
