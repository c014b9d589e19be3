"""COCO: `annotations.json` with compressed run lengths, and the stored images below `images/`.

Any COCO reader takes it. Beyond the format's own keys an image tells its study, and `studies` holds patients, splits,
reports and labels, so that an import gives back what was exported (Lin et al. 2014; cocodataset.org, data format).
"""

import json
from pathlib import Path
from typing import Any

from core.findings import VOCABULARY, Finding, by_key
from core.jobs import Report
from core.registry import RESEARCH_ONLY
from core.snapshots import Manifest
from data import images, records
from data.exporters.output import Exported, exported, filling, in_order, stems
from data.layouts import ANNOTATIONS
from data.store import Store


def export(manifest: Manifest, store: Store, out: Path, report: Report) -> Exported:
    """See data.exporters.output.Exporter."""
    findings = _findings(manifest)
    numbers = {finding.key: number for number, finding in enumerate(findings, 1)}
    films: list[dict[str, Any]] = []
    marks: list[dict[str, Any]] = []
    studies: list[dict[str, Any]] = []
    names = stems(manifest)
    with filling(out, "coco", manifest) as output:
        for done, study in enumerate(in_order(manifest)):
            report(done, len(manifest.studies), "exporting")
            numbered: list[int] = []
            for image in study.images:
                file = output.image(image, names[study.dataset, study.key, image.name], store)
                films.append({"id": len(films) + 1, **records.image_record(image, file)})
                numbered.append(len(films))
                for mask in sorted(image.masks, key=lambda mask: (mask.finding, mask.version)):
                    drawn = images.read_mask(store.get(mask.sha))
                    ids = {"id": len(marks) + 1, "image_id": len(films), "category_id": numbers[mask.finding]}
                    marks.append({**ids, "iscrowd": 0, **records.mask_record(mask, drawn)})
            studies.append({**records.study_record(study), "images": numbered})
        body = {
            "info": {"description": "Chest radiographs exported by Reading Room", "notice": RESEARCH_ONLY},
            "licenses": [],
            "categories": [_category(finding, numbers[finding.key]) for finding in findings],
            "images": films,
            "annotations": marks,
            "studies": studies,
        }
        output.write(ANNOTATIONS, (json.dumps(body, sort_keys=True, ensure_ascii=False) + "\n").encode())
    report(len(manifest.studies), len(manifest.studies), "done")
    return exported(out, output, manifest)


def _findings(manifest: Manifest) -> list[Finding]:
    """The snapshot's vocabulary, and what is marked beyond it, by key."""
    known = by_key(manifest.vocabulary or VOCABULARY)
    marked = {mask.finding for study in manifest.studies for image in study.images for mask in image.masks}
    return [known.get(key) or Finding(key, key) for key in sorted(marked | known.keys())]


def _category(finding: Finding, number: int) -> dict[str, Any]:
    return {"id": number, "name": finding.key, "supercategory": finding.kind.value, "title": finding.name}
