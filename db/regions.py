"""Vector regions: boxes and polygons of a finding. Removed ones stay on record."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from core.annotations import Region
from core.errors import NotFound
from core.shapes import Shape, ShapeKind
from core.studies import Turn
from core.turning import turned
from db.tables import RegionRow, now


def add_region(
    session: Session, image_id: int, finding: str, shape: str, points: Sequence[tuple[float, float]], author_id: int
) -> int:
    row = RegionRow(
        image_id=image_id, finding=finding, shape=shape, points=[list(p) for p in points], author_id=author_id
    )
    session.add(row)
    session.flush()
    return row.id


def regions(session: Session, image_ids: list[int]) -> tuple[Region, ...]:
    """The regions that stand on these images, oldest first."""
    query = select(RegionRow).where(RegionRow.image_id.in_(image_ids), RegionRow.removed_at.is_(None))
    rows = session.scalars(query.options(joinedload(RegionRow.author)).order_by(RegionRow.id))
    return tuple(
        Region(
            row.id,
            row.image_id,
            row.finding,
            row.shape,
            tuple((float(x), float(y)) for x, y in row.points),
            row.author.name,
            row.created_at,
        )
        for row in rows
    )


def turn_regions(session: Session, image_id: int, turn: Turn, height: int, width: int) -> None:
    """Put regions that lie on the turned film in the place of those that stood on it, height x width pixels then."""
    query = select(RegionRow).where(RegionRow.image_id == image_id, RegionRow.removed_at.is_(None))
    for row in session.scalars(query.order_by(RegionRow.id)).all():
        row.removed_at = now()
        shape = turned(to_shape(row), turn, height, width)
        add_region(session, image_id, row.finding, shape.kind, shape.points, row.author_id)


def to_shape(row: RegionRow) -> Shape:
    return Shape(ShapeKind(row.shape), tuple((float(x), float(y)) for x, y in row.points))


def remove_region(session: Session, region_id: int) -> None:
    """Raises NotFound."""
    row = session.get(RegionRow, region_id)
    if row is None:
        raise NotFound(f"There is no region number {region_id}.")
    row.removed_at = now()
