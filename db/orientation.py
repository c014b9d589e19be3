"""Turning a film: the new pixels, and every mask and region that stands on it turned with it."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.annotations import NewMask, Origin
from core.errors import NotFound
from core.masks import MaskStats
from core.studies import Image, Turn
from db import audit
from db.masks import add_version, stats_columns, versions
from db.people import ensure_reader
from db.regions import turn_regions
from db.standing import settle
from db.studies import to_image
from db.tables import ImageRow, MaskDraftRow, StudyRow, now


def masks_to_turn(session: Session, image_id: int) -> set[str]:
    """Hashes of the masks and open drafts that stand on an image as it lies now."""
    current = {version.sha for version in versions(session, image_id) if version.is_current}
    return current | {row.sha for row in _open_strokes(session, image_id)}


def turn_image(
    session: Session,
    image_id: int,
    sha: str,
    media_type: str,
    shape: tuple[int, ...],
    turn: Turn,
    turned: Mapping[str, tuple[str, MaskStats]],
    by: str,
) -> Image:
    """Put the turned pixels in the image's place. `turned` gives, by hash, each mask's new hash and facts.

    The old pixels and masks stay in the store and in the history. Raises NotFound.
    """
    row = session.get(ImageRow, image_id)
    if row is None:
        raise NotFound(f"There is no image number {image_id}.")
    before = [version for version in versions(session, image_id) if version.is_current]
    strokes = _open_strokes(session, image_id)
    audit.record(session, by, "turn film", f"image {image_id}", f"{turn}: {row.sha} became {sha}")
    turn_regions(session, image_id, turn, row.height, row.width)
    row.sha, row.media_type, row.turn = sha, media_type, turn
    row.height, row.width = shape[0], shape[1]
    session.get_one(StudyRow, row.study_id).changed_at = now()
    session.flush()
    settle(session, [row.study_id])
    new_base: dict[int, int] = {}
    for version in before:
        place, stats = turned[version.sha]
        author = ensure_reader(session, version.author)
        made = add_version(
            session,
            NewMask(image_id, version.finding, place, stats),
            Origin.TURNED,
            author,
            parent_id=version.id,
            prediction_id=version.prediction_id,
            edit_dice=version.edit_dice,
        )
        new_base[version.id] = made.id
    for stroke in strokes:
        place, stats = turned[stroke.sha]
        base = new_base.get(stroke.base_version_id) if stroke.base_version_id is not None else None
        session.add(
            MaskDraftRow(
                image_id=image_id,
                image_sha=sha,
                finding=stroke.finding,
                reader_id=stroke.reader_id,
                branch=stroke.branch,
                parent_id=stroke.id,
                base_version_id=base or stroke.base_version_id,
                prediction_id=stroke.prediction_id,
                sha=place,
                **stats_columns(stats),
            )
        )
    session.flush()
    return to_image(row)


def _open_strokes(session: Session, image_id: int) -> list[MaskDraftRow]:
    query = select(MaskDraftRow).where(
        MaskDraftRow.image_id == image_id, MaskDraftRow.closed_by.is_(None), MaskDraftRow.discarded.is_(False)
    )
    rows = list(session.scalars(query))
    continued = {(row.parent_id, row.branch) for row in rows}
    return [row for row in rows if (row.id, row.branch) not in continued]
