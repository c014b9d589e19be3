"""Vectors of studies and films, and what was searched for."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base, now


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
