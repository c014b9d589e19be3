"""A snapshot as bytes: canonical, so that equal content has one hash, and read back as it was written."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from core.errors import ReadingRoomError
from core.findings import Finding, Kind
from core.labels import from_plain, plain
from core.masks import Box, MaskStats
from core.reports import Cleaning, Report, ReportOrigin
from core.shapes import from_plain as from_plain_shape
from core.snapshots import Fold, Manifest, SnapshotFilter, SnapshotImage, SnapshotMask, SnapshotRegion, SnapshotStudy
from core.splits import SplitPolicy
from core.studies import Split, View

_ALWAYS_WRITTEN = frozenset({"findings", "views", "with_masks", "with_report", "min_report_characters", "max_patients"})
"""The fields of a filter that the first manifests held whatever their value; later ones are written where they filter,
so that those manifests keep their hash."""


class MalformedManifest(ReadingRoomError):
    """Bytes that are no manifest of ours, or whose hash is not the one on record."""


def to_bytes(manifest: Manifest) -> bytes:
    """Canonical JSON: sorted keys, sorted studies, no spaces, so that equal content gives equal bytes."""
    ordered = sorted(manifest.studies, key=lambda study: (study.dataset, study.patient, study.key))
    data = asdict(manifest) | {"studies": [_plain_study(study) for study in ordered], "format": 1}
    data["filter"] = _plain_filter(manifest.filter)
    # As with what a study leaves unsaid, so that manifests from before these were written keep their hash.
    if not manifest.left_out:
        del data["left_out"]
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def content_hash(manifest: Manifest) -> str:
    """SHA-256 of the canonical bytes, 64 hex digits."""
    return hashlib.sha256(to_bytes(manifest)).hexdigest()


def from_bytes(body: bytes) -> Manifest:
    """The manifest that `to_bytes` wrote. Raises MalformedManifest."""
    try:
        data = json.loads(body)
        return Manifest(
            datasets=tuple(data["datasets"]),
            policies={name: SplitPolicy(**policy) for name, policy in data["policies"].items()},
            studies=tuple(_study(entry) for entry in data["studies"]),
            filter=_filter(data["filter"]),
            cleaning=Cleaning(**data["cleaning"]),
            fold=Fold(**data["fold"]) if data["fold"] else None,
            excluded=tuple((item, reason) for item, reason in data["excluded"]),
            vocabulary=tuple(_vocable(entry) for entry in data["vocabulary"]),
            left_out={str(reason): int(count) for reason, count in data.get("left_out", {}).items()},
        )
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedManifest(f"This is no snapshot manifest that Reading Room wrote ({error}).") from error


def _plain_filter(wanted: SnapshotFilter) -> dict[str, Any]:
    chosen = {each.name: getattr(wanted, each.name) for each in fields(wanted)}
    return {name: value for name, value in chosen.items() if value or name in _ALWAYS_WRITTEN}


def _plain_study(study: SnapshotStudy) -> dict[str, Any]:
    # What is left unsaid is left out, so that manifests frozen before labels had sides and films regions keep their
    # hash; so are reports that are the study's own.
    images = [_plain_image(image) for image in study.images]
    record = asdict(study) | {"labels": [plain(label) for label in study.labels], "images": images}
    if study.report_origin is ReportOrigin.ORIGINAL:
        del record["report_origin"]
    return record


def _plain_image(image: SnapshotImage) -> dict[str, Any]:
    record = asdict(image)
    return record if image.regions else {name: value for name, value in record.items() if name != "regions"}


def _study(data: Mapping[str, Any]) -> SnapshotStudy:
    return SnapshotStudy(
        **{
            **data,
            "split": Split(data["split"]),
            "images": tuple(_image(entry) for entry in data["images"]),
            "report": Report(**data["report"]) if data["report"] else None,
            "labels": tuple(from_plain(label) for label in data["labels"]),
            "report_origin": ReportOrigin(data.get("report_origin", ReportOrigin.ORIGINAL)),
        }
    )


def _image(data: Mapping[str, Any]) -> SnapshotImage:
    masks = tuple(SnapshotMask(**{**x, "stats": _stats(x["stats"])}) for x in data["masks"])
    regions = tuple(_region(entry) for entry in data.get("regions", ()))
    lists = {"masks": masks, "absent": tuple(data["absent"]), "regions": regions}
    return SnapshotImage(**{**data, **lists, "view": View(data["view"])})


def _region(data: Mapping[str, Any]) -> SnapshotRegion:
    return SnapshotRegion(data["finding"], from_plain_shape(data["shape"]), data["author"])


def _stats(data: Mapping[str, Any]) -> MaskStats:
    return MaskStats(data["height"], data["width"], data["area"], Box(**data["box"]) if data["box"] else None)


def _vocable(data: Mapping[str, Any]) -> Finding:
    lists = {"kind": Kind(data["kind"]), "prompts": tuple(data["prompts"]), "parts": tuple(data["parts"])}
    return Finding(**{**data, **lists})


def _filter(data: Mapping[str, Any]) -> SnapshotFilter:
    views = tuple(View(view) for view in data["views"])
    return SnapshotFilter(**{**data, "findings": tuple(data["findings"]), "views": views})
