"""Small studies, put on record in one line."""

from core.labels import Statement
from core.masks import Box, MaskStats
from core.reports import Report
from core.studies import (
    IncomingImage,
    IncomingLabel,
    IncomingMask,
    IncomingStudy,
    PixelFacts,
    Split,
    View,
)
from db import intake
from db.engine import Database
from db.intake import Added, StoredImage

SIDE = 10
SMALL = MaskStats(SIDE, SIDE, 4, Box(0, 0, 2, 2))


def film(
    name: str = "pa.png", view: View = View.PA, masks: tuple[str, ...] = (), absent: tuple[str, ...] = ()
) -> IncomingImage:
    marked = tuple(IncomingMask(finding, b"", SMALL) for finding in masks)
    return IncomingImage(name, view, PixelFacts(SIDE, SIDE), b"", "image/png", marked, absent=absent)


def bring(
    database: Database,
    key: str,
    *,
    dataset: str = "chest",
    patient: str | None = None,
    sha: str | None = None,
    masks: tuple[str, ...] = (),
    report: Report | None = None,
    split: Split | None = None,
    view: View = View.PA,
    absent: tuple[str, ...] = (),
    labels: tuple[Statement, ...] = (),
) -> Added:
    """Put one study with one film on record; its pixels are `sha`, its masks "<finding>-<key>"."""
    shot = film(view=view, masks=masks, absent=absent)
    said = tuple(IncomingLabel(**vars(label)) for label in labels)
    study = IncomingStudy(patient or key, key, (shot,), report, split=split, labels=said)
    stored = [StoredImage(sha or f"pixels-{dataset}-{key}", tuple(f"{finding}-{key}" for finding in masks))]
    with database.writing() as session:
        return intake.add_study(session, dataset, study, stored, "tester")
