"""Drafts: each acknowledged stroke is a row, children of the stroke before. Nothing is overwritten, so nothing is lost.

When two tabs go on from the same stroke, the second one forks: it gets a branch of its own and is told.
"""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased, joinedload

from core.annotations import Draft, MaskVersion, NewMask, Origin, SavedDraft
from core.errors import NotFound, ReadingRoomError
from core.masks import require_size_of
from db.masks import add_version, stats_columns, to_stats, versions
from db.tables import ImageRow, MaskDraftRow, PredictionRow


class NotYourDraft(ReadingRoomError):
    def __init__(self) -> None:
        super().__init__("This drawing was begun by another reader. Reload the study to start your own.")


def save_draft(
    session: Session,
    reader_id: int,
    mask: NewMask,
    *,
    parent_id: int | None = None,
    base_version_id: int | None = None,
    prediction_id: int | None = None,
) -> SavedDraft:
    """Keep a stroke. `parent_id` is the stroke the tab drew on, `base_version_id` the version it started from.

    A stroke sent twice is kept once. Raises NotYourDraft, NotFound, MaskSizeDiffers.
    """
    image = session.get(ImageRow, mask.image_id)
    if image is None:
        raise NotFound(f"There is no image number {mask.image_id}.")
    require_size_of(mask.stats, image.height, image.width)
    parent = _parent(session, reader_id, mask, parent_id)
    siblings = _open_children(session, reader_id, mask, parent)
    for sibling in siblings:
        if sibling.sha == mask.sha:
            return SavedDraft(to_draft(sibling))
    conflict = _conflict(session, mask, parent, siblings, base_version_id)
    forks = bool(siblings) or parent is None or parent.closed_by is not None or parent.discarded
    row = MaskDraftRow(
        image_id=mask.image_id,
        image_sha=image.sha,
        finding=mask.finding,
        reader_id=reader_id,
        branch=_next_branch(session, reader_id, mask) if forks or parent is None else parent.branch,
        parent_id=parent.id if parent else None,
        base_version_id=base_version_id if parent is None else parent.closed_by or parent.base_version_id,
        prediction_id=prediction_id or (parent.prediction_id if parent else None),
        sha=mask.sha,
        **stats_columns(mask.stats),
    )
    session.add(row)
    session.flush()
    session.refresh(row, ["reader"])
    return SavedDraft(to_draft(row), conflict)


def open_drafts(session: Session, reader_id: int, image_ids: list[int]) -> tuple[Draft, ...]:
    """The newest stroke of every line not yet submitted or discarded, newest first."""
    return tuple(to_draft(row) for row in _heads(session, reader_id, image_ids))


def get_draft(session: Session, draft_id: int) -> Draft:
    """Raises NotFound."""
    row = session.get(MaskDraftRow, draft_id)
    if row is None:
        raise NotFound(f"There is no draft {draft_id}.")
    return to_draft(row)


def submit_drafts(
    session: Session, reader_id: int, image_ids: list[int], edit_dice: Mapping[int, float]
) -> tuple[MaskVersion, ...]:
    """Make an immutable version of every open line, the newest line last so that it is the one that counts.

    `edit_dice` gives, by draft, the Dice between the suggestion it came from and the drawing.
    """
    made = []
    for head in reversed(_heads(session, reader_id, image_ids)):
        prediction = session.get(PredictionRow, head.prediction_id) if head.prediction_id else None
        origin = Origin.MANUAL
        if prediction is not None:
            origin = Origin.ACCEPTED if prediction.sha == head.sha else Origin.CORRECTED
        version = add_version(
            session,
            NewMask(head.image_id, head.finding, head.sha, to_stats(head.height, head.width, head.area, head.box)),
            origin,
            reader_id,
            parent_id=head.base_version_id,
            prediction_id=head.prediction_id,
            edit_dice=edit_dice.get(head.id),
        )
        for row in _line(session, head):
            row.closed_by = version.id
        made.append(version)
    return tuple(made)


def discard_draft(session: Session, reader_id: int, draft_id: int) -> None:
    """Put a line aside; its strokes stay on record. Raises NotFound, NotYourDraft."""
    row = session.get(MaskDraftRow, draft_id)
    if row is None:
        raise NotFound(f"There is no draft {draft_id}.")
    if row.reader_id != reader_id:
        raise NotYourDraft
    for stroke in _line(session, row):
        stroke.discarded = True


def to_draft(row: MaskDraftRow) -> Draft:
    return Draft(
        id=row.id,
        image_id=row.image_id,
        finding=row.finding,
        reader=row.reader.name,
        branch=row.branch,
        sha=row.sha,
        stats=to_stats(row.height, row.width, row.area, row.box),
        saved_at=row.saved_at,
        parent_id=row.parent_id,
        base_version_id=row.base_version_id,
        prediction_id=row.prediction_id,
    )


def _parent(session: Session, reader_id: int, mask: NewMask, parent_id: int | None) -> MaskDraftRow | None:
    if parent_id is None:
        return None
    parent = session.get(MaskDraftRow, parent_id)
    if parent is None or (parent.image_id, parent.finding) != (mask.image_id, mask.finding):
        raise NotFound("The drawing this stroke belongs to is not known here. Reload the study; the stroke is kept.")
    if parent.reader_id != reader_id:
        raise NotYourDraft
    return parent


def _open_children(session: Session, reader_id: int, mask: NewMask, parent: MaskDraftRow | None) -> list[MaskDraftRow]:
    if parent is None:
        return [head for head in _heads(session, reader_id, [mask.image_id]) if head.finding == mask.finding]
    return list(session.scalars(select(MaskDraftRow).where(MaskDraftRow.parent_id == parent.id)))


def _conflict(
    session: Session,
    mask: NewMask,
    parent: MaskDraftRow | None,
    siblings: list[MaskDraftRow],
    base_version_id: int | None,
) -> str | None:
    if siblings:
        return "This finding is also being drawn in another tab. Both drawings are kept; look under Versions."
    if parent is not None and parent.closed_by is not None:
        return "This drawing was submitted from another tab. What you draw now is kept as a new draft."
    base = base_version_id if parent is None else parent.base_version_id
    newer = [v for v in versions(session, mask.image_id, mask.finding) if v.is_current and v.id != base]
    if newer and (base is None or newer[0].id > base):
        return f"{newer[0].author} submitted another version since you opened the study. Both are kept; see Versions."
    return None


def _heads(session: Session, reader_id: int, image_ids: list[int]) -> list[MaskDraftRow]:
    child = aliased(MaskDraftRow)
    later = select(child.id).where(child.parent_id == MaskDraftRow.id, child.branch == MaskDraftRow.branch).exists()
    query = select(MaskDraftRow).where(
        MaskDraftRow.reader_id == reader_id,
        MaskDraftRow.image_id.in_(image_ids),
        MaskDraftRow.closed_by.is_(None),
        MaskDraftRow.discarded.is_(False),
        ~later,
    )
    return list(session.scalars(query.options(joinedload(MaskDraftRow.reader)).order_by(MaskDraftRow.id.desc())))


def _line(session: Session, head: MaskDraftRow) -> list[MaskDraftRow]:
    query = select(MaskDraftRow).where(
        MaskDraftRow.reader_id == head.reader_id,
        MaskDraftRow.image_id == head.image_id,
        MaskDraftRow.finding == head.finding,
        MaskDraftRow.branch == head.branch,
        MaskDraftRow.closed_by.is_(None),
    )
    return list(session.scalars(query))


def _next_branch(session: Session, reader_id: int, mask: NewMask) -> int:
    query = select(func.max(MaskDraftRow.branch)).where(
        MaskDraftRow.reader_id == reader_id,
        MaskDraftRow.image_id == mask.image_id,
        MaskDraftRow.finding == mask.finding,
    )
    return (session.scalar(query) or 0) + 1
