"""Master: `master.jsonl`, a line for each image with its text and labels, and `findings_by_split.csv`; no image.

A line names the image by its SHA-256 and by its file in the store, which has to be there. `text` is what models read,
findings and impression; `labels` the state that counts of each finding of which anything was said. The table counts
studies: for every finding and split, those on which it is present, absent, uncertain, and of which nothing was said.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from core.findings import State
from core.jobs import Report
from core.labels import effective_of
from core.reports import Report as RadiologyReport
from core.snapshots import Manifest, SnapshotImage, SnapshotStudy
from core.studies import Split
from data.exporters.output import Exported, exported, filling, in_order
from data.layouts import FINDINGS_BY_SPLIT, MASTER
from data.store import BlobMissing, Store, below

_STATES: Final = tuple(State)


def export(manifest: Manifest, store: Store, out: Path, report: Report) -> Exported:
    """See data.exporters.output.Exporter."""
    with filling(out, "master", manifest) as output:
        output.write_lines(MASTER, _lines(manifest, store, report))
        output.write(FINDINGS_BY_SPLIT, _table(manifest))
    report(len(manifest.studies), len(manifest.studies), "done")
    return exported(out, output, manifest)


def _lines(manifest: Manifest, store: Store, report: Report) -> Iterator[bytes]:
    for done, study in enumerate(in_order(manifest)):
        report(done, len(manifest.studies), "exporting")
        about = _study(study)
        for image in study.images:
            if not store.has(image.sha):
                raise BlobMissing(image.sha)
            line = json.dumps({**about, **_image(image)}, sort_keys=True, ensure_ascii=False)
            yield f"{line}\n".encode()


def _study(study: SnapshotStudy) -> dict[str, Any]:
    return {
        "dataset": study.dataset,
        "patient": study.patient,
        "study": study.key,
        "split": study.split.value,
        "views": [image.view.value for image in study.images],
        "text": (study.report or RadiologyReport()).narrative,
        "labels": {finding: said.state.value for finding, said in sorted(effective_of(study).items())},
    }


def _image(image: SnapshotImage) -> dict[str, Any]:
    return {
        "image": image.name,
        "view": image.view.value,
        "width": image.width,
        "height": image.height,
        "sha256": image.sha,
        "file": below(image.sha),
    }


def _table(manifest: Manifest) -> bytes:
    studies = Counter(study.split for study in manifest.studies)
    said: dict[str, Counter[tuple[Split, State]]] = {}
    for study in manifest.studies:
        for finding, counted in effective_of(study).items():
            said.setdefault(finding, Counter())[study.split, counted.state] += 1
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["finding", *(f"{split}_{state}" for split in Split for state in _STATES)])
    for finding, counts in sorted(said.items()):
        for split in Split:
            spoken = sum(counts[split, state] for state in _STATES)
            counts[split, State.UNASSESSED] = studies[split] - spoken
        writer.writerow([finding, *(counts[split, state] for split in Split for state in _STATES)])
    return out.getvalue().encode()
