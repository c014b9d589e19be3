"""JSONL: `studies.jsonl`, a study a line with its report, labels and masks as run lengths, and the stored images."""

import json
from pathlib import Path
from typing import Any

from core.jobs import Report
from core.snapshots import Manifest, SnapshotImage
from data import images, records
from data.exporters.output import Exported, exported, filling, in_order, stems
from data.layouts import STUDIES
from data.store import Store


def export(manifest: Manifest, store: Store, out: Path, report: Report) -> Exported:
    """See data.exporters.output.Exporter."""
    lines: list[str] = []
    names = stems(manifest)
    with filling(out, "jsonl", manifest) as output:
        for done, study in enumerate(in_order(manifest)):
            report(done, len(manifest.studies), "exporting")
            films: list[dict[str, Any]] = []
            for image in study.images:
                file = output.image(image, names[study.dataset, study.key, image.name], store)
                films.append({**records.image_record(image, file), "masks": _masks(image, store)})
            record = {**records.study_record(study), "images": films}
            lines.append(json.dumps(record, sort_keys=True, ensure_ascii=False) + "\n")
        output.write(STUDIES, "".join(lines).encode())
    report(len(manifest.studies), len(manifest.studies), "done")
    return exported(out, output, manifest)


def _masks(image: SnapshotImage, store: Store) -> list[dict[str, Any]]:
    in_order_of_finding = sorted(image.masks, key=lambda mask: (mask.finding, mask.version))
    return [
        {"finding": mask.finding, **records.mask_record(mask, images.read_mask(store.get(mask.sha)))}
        for mask in in_order_of_finding
    ]
