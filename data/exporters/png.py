"""PNG: the folder layout that `import folder` reads. Images, a mask file for each finding, and three tables.

`cases.csv` has a row for each image with all that is known of its study, `masks.csv` says who drew which mask,
`labels.csv` whose statement each label is, and `regions.csv`, where there are any, holds the boxes and polygons. Cells
that a spreadsheet would run as formulas are escaped.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from core.jobs import Report
from core.labels import Statement
from core.reports import Report as RadiologyReport
from core.snapshots import Manifest, SnapshotImage, SnapshotMask, SnapshotRegion, SnapshotStudy
from data.csvsafe import harmless
from data.exporters.output import Exported, exported, filling, in_order, stems
from data.layouts import CASES, LABELS, MASKS, REGIONS, SEPARATOR
from data.store import Store

_SECTIONS: Final = ("indication", "comparison", "technique", "findings", "impression", "text")
_SAID: Final = ("side", "zone", "reader", "evidence", "suggested")
_CASE: Final = ("image", "name", "dataset", "patient", "study", "view", "age", "sex", "split", "notes", *_SECTIONS)
_MASK: Final = ("file", "image", "finding", "version", "origin", "suggested", "author", "area", "sha256")
_REGION: Final = ("image", "finding", "kind", "points", "author")
_LABEL: Final = ("dataset", "patient", "study", "finding", "state", "source", *_SAID)

Cells = Sequence[str | int | None]


def export(manifest: Manifest, store: Store, out: Path, report: Report) -> Exported:
    """See data.exporters.output.Exporter."""
    cases: list[Cells] = []
    masks: list[Cells] = []
    labels: list[Cells] = []
    regions: list[Cells] = []
    names = stems(manifest)
    with filling(out, "png", manifest) as output:
        for done, study in enumerate(in_order(manifest)):
            report(done, len(manifest.studies), "exporting")
            for image in study.images:
                stem = names[study.dataset, study.key, image.name]
                file = output.image(image, stem, store)
                cases.append(_case(study, image, file))
                regions += [_region(region, file) for region in image.regions]
                for mask, path in _placed(image, stem):
                    output.write(path, store.get(mask.sha))
                    masks.append(_mask(mask, path, file))
            for label in study.labels:
                whose = (study.dataset, study.patient, study.key)
                labels.append((*whose, *_label(label)))
        output.write(CASES, _table((*_CASE, "absent"), cases))
        output.write(MASKS, _table(_MASK, masks))
        output.write(LABELS, _table(_LABEL, labels))
        if regions:
            output.write(REGIONS, _table(_REGION, regions))
    report(len(manifest.studies), len(manifest.studies), "done")
    return exported(out, output, manifest)


def _placed(image: SnapshotImage, stem: str) -> list[tuple[SnapshotMask, str]]:
    """Where each mask goes. Of two readers' masks of one finding the later carries its version in its name."""
    placed: dict[str, SnapshotMask] = {}
    for mask in sorted(image.masks, key=lambda mask: (mask.finding, mask.version)):
        path = f"masks/{mask.finding}/{stem}.png"
        placed[path if path not in placed else f"masks/{mask.finding}/{stem}~{mask.version}.png"] = mask
    return [(mask, path) for path, mask in placed.items()]


def _case(study: SnapshotStudy, image: SnapshotImage, file: str) -> Cells:
    report = study.report or RadiologyReport()
    return (
        file,
        image.name,
        study.dataset,
        study.patient,
        study.key,
        image.view.value,
        study.age,
        study.sex,
        study.split.value,
        study.notes,
        *(getattr(report, section) for section in _SECTIONS),
        SEPARATOR.join(sorted(image.absent)),
    )


def _mask(mask: SnapshotMask, path: str, file: str) -> Cells:
    suggested = _yes_or_no(mask.suggested)
    return (path, file, mask.finding, mask.version, mask.origin, suggested, mask.author, mask.stats.area, mask.sha)


def _region(region: SnapshotRegion, file: str) -> Cells:
    corners = SEPARATOR.join(f"{x!r} {y!r}" for x, y in region.shape.points)
    return (file, region.finding, region.shape.kind, corners, region.author)


def _label(label: Statement) -> Cells:
    said = (label.side, label.zone, label.reader, label.evidence, _yes_or_no(label.suggested))
    return (label.finding, label.state, label.source, *said)


def _yes_or_no(flag: bool) -> str:
    return "yes" if flag else "no"


def _table(columns: Sequence[str], rows: Iterable[Cells]) -> bytes:
    out = io.StringIO(newline="")
    # A carriage return alone in a cell is not quoted by itself, and would be read as the end of the row.
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    for row in rows:
        writer.writerow("" if cell is None else harmless(cell) if isinstance(cell, str) else cell for cell in row)
    return out.getvalue().encode()
