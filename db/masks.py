"""Mask versions: every one immutable, with its parent, its author and its time."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from core.annotations import MaskVersion, NewMask, Origin
from core.errors import NotFound
from core.masks import Box, MaskStats
from db.intake import note_finding
from db.tables import ImageRow, MaskVersionRow, StudyRow, now


def add_version(
    session: Session,
    mask: NewMask,
    origin: Origin,
    author_id: int,
    *,
    parent_id: int | None = None,
    prediction_id: int | None = None,
    edit_dice: float | None = None,
) -> MaskVersion:
    """Put a mask on record as a new version. It counts as suggested when it or any ancestor came from a model."""
    image = session.get_one(ImageRow, mask.image_id)
    parent = session.get(MaskVersionRow, parent_id) if parent_id is not None else None
    row = MaskVersionRow(
        image_id=mask.image_id,
        image_sha=image.sha,
        finding=mask.finding,
        sha=mask.sha,
        origin=origin,
        author_id=author_id,
        parent_id=parent_id,
        prediction_id=prediction_id,
        suggested=origin.is_suggested or prediction_id is not None or bool(parent and parent.suggested),
        edit_dice=edit_dice,
        **stats_columns(mask.stats),
    )
    session.add(row)
    study = session.get_one(StudyRow, image.study_id)
    study.has_mask, study.changed_at = True, now()
    note_finding(session, study.id, mask.finding)
    session.flush()
    return versions(session, mask.image_id, mask.finding)[0]


def versions(session: Session, image_id: int, finding: str | None = None) -> tuple[MaskVersion, ...]:
    """The history of an image's masks, newest first; `is_current` marks the one that counts for each finding."""
    query = select(MaskVersionRow).where(MaskVersionRow.image_id == image_id)
    if finding is not None:
        query = query.where(MaskVersionRow.finding == finding)
    rows = session.scalars(query.options(joinedload(MaskVersionRow.author)).order_by(MaskVersionRow.id.desc())).all()
    image = session.get_one(ImageRow, image_id)
    heads = current_ids(rows, image.sha)
    torn = conflicting_ids(rows)
    return tuple(to_version(row, row.id in heads, row.id in torn) for row in rows)


def current(session: Session, image_id: int) -> dict[str, MaskVersion]:
    """The mask that counts, for each finding that has one."""
    return {version.finding: version for version in versions(session, image_id) if version.is_current}


def get_version(session: Session, version_id: int) -> MaskVersion:
    """Raises NotFound."""
    row = session.get(MaskVersionRow, version_id)
    if row is None:
        raise NotFound(f"There is no mask version {version_id}.")
    return to_version(row, False, False)


def of_study(session: Session, study: int) -> tuple[MaskVersion, ...]:
    """The masks that count on a study's films, as these are now."""
    images = session.scalars(select(ImageRow.id).where(ImageRow.study_id == study).order_by(ImageRow.id))
    return tuple(each for image in images for each in versions(session, image) if each.is_current)


def current_ids(rows: Iterable[MaskVersionRow], image_sha: str) -> set[int]:
    """Which versions count: for each finding the newest by a reader, or else the newest imported one.

    Versions drawn on pixels that the film no longer shows (it was turned since) do not count.
    """
    best: dict[str, MaskVersionRow] = {}
    for row in rows:
        if row.image_sha == image_sha and _rank(row) > _rank(best.get(row.finding)):
            best[row.finding] = row
    return {row.id for row in best.values()}


def conflicting_ids(rows: Iterable[MaskVersionRow]) -> set[int]:
    """Versions by different readers that were made from the same parent: both are kept, a person has to choose."""
    leaves: dict[tuple[str, int | None], list[MaskVersionRow]] = {}
    listed = list(rows)
    parents = {row.parent_id for row in listed}
    for row in listed:
        if row.id not in parents and row.origin not in (Origin.IMPORTED, Origin.TURNED):
            leaves.setdefault((row.finding, row.parent_id), []).append(row)
    return {row.id for group in leaves.values() if len(group) > 1 for row in group}


def unblinded(rows: Iterable[MaskVersionRow]) -> list[MaskVersionRow]:
    """The versions that no model had a hand in: all that may judge a model."""
    return [row for row in rows if not row.suggested]


def to_version(row: MaskVersionRow, is_current: bool, in_conflict: bool) -> MaskVersion:
    return MaskVersion(
        id=row.id,
        image_id=row.image_id,
        image_sha=row.image_sha,
        finding=row.finding,
        sha=row.sha,
        stats=to_stats(row.height, row.width, row.area, row.box),
        origin=Origin(row.origin),
        author=row.author.name,
        created_at=row.created_at,
        parent_id=row.parent_id,
        prediction_id=row.prediction_id,
        suggested=row.suggested,
        edit_dice=row.edit_dice,
        is_current=is_current,
        in_conflict=in_conflict,
    )


def to_stats(height: int, width: int, area: int, box: list[int] | None) -> MaskStats:
    return MaskStats(height, width, area, Box(*box) if box else None)


def stats_columns(stats: MaskStats) -> dict[str, object]:
    box = stats.box
    return {
        "height": stats.height,
        "width": stats.width,
        "area": stats.area,
        "box": [box.left, box.top, box.right, box.bottom] if box else None,
    }


def _rank(row: MaskVersionRow | None) -> tuple[int, int]:
    if row is None:
        return (-1, -1)
    return (0 if row.origin == Origin.IMPORTED else 1, row.id)
