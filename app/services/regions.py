"""Shapes drawn over a film: added to a finding's mask, cut out of it, or kept as regions of the finding."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from app.house import House
from app.services import reviewing
from core.annotations import SavedDraft
from core.masks import Mask
from core.shapes import Shape, rasterise
from core.studies import Image
from data.images import read_mask
from db import drafts, masks, people, studies


class Use(StrEnum):
    ADD = "add to the mask"
    CUT = "cut from the mask"
    KEEP = "keep as a region"


def apply(
    house: House, reader: str, image_id: int, finding: str, shapes: Sequence[Shape], use: Use
) -> SavedDraft | None:
    """Do with the shapes what `use` says: a new stroke of the reader's draft, or regions on record (then None).

    Raises NotFound, UnknownFinding, DiskFull.
    """
    if use is Use.KEEP:
        for shape in shapes:
            reviewing.add_region(house, reader, image_id, finding, shape.kind, list(shape.points))
        return None
    with house.database.writing() as session:
        reader_id = people.ensure_reader(session, reader)
    with house.database.reading() as session:
        image = studies.get_image(session, image_id)
        mine = [d for d in drafts.open_drafts(session, reader_id, [image_id]) if d.finding == finding]
        current = masks.current(session, image_id).get(finding)
    draft = mine[0] if mine else None
    sha = draft.sha if draft else current.sha if current else None
    before = read_mask(house.store.get(sha)) if sha else _nothing(image)
    after = before.copy()
    for shape in shapes:
        inside = rasterise(shape, image.facts.height, image.facts.width)
        after = after | inside if use is Use.ADD else after & ~inside
    return reviewing.save_stroke(
        house,
        reader,
        image_id,
        finding,
        after,
        parent=draft.id if draft else None,
        base=draft.base_version_id if draft else current.id if current else None,
        suggestion=draft.prediction_id if draft else None,
    )


def _nothing(image: Image) -> Mask:
    return np.zeros((image.facts.height, image.facts.width), dtype=np.bool_)
