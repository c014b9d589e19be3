"""What the database leans on outside itself, for backup and doctor: blobs it names, and workers that fell silent."""

from collections.abc import Iterator

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from db.tables import ImageRow, MaskDraftRow, MaskVersionRow, PredictionRow, SnapshotRow, WorkerRow, now
from db.workers import SILENCE


def referenced_blobs(session: Session) -> dict[str, str]:
    """Every blob that a row names, and what it is: "image", "mask", "draft", "suggestion", "map", "snapshot".

    Images as they lay before they were turned are named by the masks that were drawn on them.
    """
    named: dict[str, str] = {}
    for what, query in _blobs():
        for sha in session.scalars(query):
            if sha is not None:
                named.setdefault(sha, what)
    return named


def silent_workers(session: Session) -> tuple[str, ...]:
    """Workers on record that have not spoken lately: killed, or on a machine that is gone."""
    return tuple(session.scalars(select(WorkerRow.name).where(WorkerRow.heartbeat_at <= now() - SILENCE)))


def _blobs() -> Iterator[tuple[str, Select[str | None]]]:
    yield "image", select(ImageRow.sha).distinct()
    yield "image", select(MaskVersionRow.image_sha).distinct()
    yield "image", select(MaskDraftRow.image_sha).distinct()
    yield "image", select(PredictionRow.image_sha).distinct()
    yield "mask", select(MaskVersionRow.sha).distinct()
    yield "draft", select(MaskDraftRow.sha).distinct()
    yield "suggestion", select(PredictionRow.sha).distinct()
    yield "map", select(PredictionRow.payload["map"].as_string()).distinct()
    yield "snapshot", select(SnapshotRow.sha).distinct()
