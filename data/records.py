"""A study as a JSON record, the same in every export: written from a snapshot, read back as an incoming study."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from core import labels
from core.errors import ReadingRoomError
from core.masks import Box, Mask, MaskSizeDiffers, coco_counts, from_coco_counts, squeeze, stats, unsqueeze
from core.reports import Report
from core.shapes import MalformedShape, from_plain
from core.snapshots import SnapshotImage, SnapshotMask, SnapshotRegion, SnapshotStudy
from core.studies import IncomingImage, IncomingLabel, IncomingMask, IncomingRegion, IncomingStudy, Split
from data import images


class MalformedRecord(ReadingRoomError):
    """A record that lacks what a study needs."""


def study_record(study: SnapshotStudy) -> dict[str, Any]:
    """Everything of a study but its images."""
    return {
        "dataset": study.dataset,
        "patient": study.patient,
        "key": study.key,
        "split": study.split.value,
        "age": study.age,
        "sex": study.sex,
        "notes": study.notes,
        "report": asdict(study.report) if study.report else None,
        "labels": [dict(labels.plain(x)) for x in study.labels],
    }


def image_record(image: SnapshotImage, file: str) -> dict[str, Any]:
    """Everything of an image but its masks; `file` is where the export keeps its bytes."""
    record = {
        "file_name": file,
        "name": image.name,
        "view": image.view.value,
        "width": image.width,
        "height": image.height,
        "bits": image.bits,
        "sha256": image.sha,
        "absent": sorted(image.absent),
    }
    return record | ({"regions": [region_record(each) for each in image.regions]} if image.regions else {})


def region_record(region: SnapshotRegion) -> dict[str, Any]:
    """A region with its corners in pixels: two that are opposite of a box, all in order of a polygon."""
    return {"finding": region.finding, **asdict(region.shape), "author": region.author}


def incoming_region(record: Mapping[str, Any]) -> IncomingRegion:
    """The region that `region_record` wrote. Raises MalformedRecord."""
    try:
        author = record.get("author")
        return IncomingRegion(str(record["finding"]), from_plain(record), str(author) if author else None)
    except (AttributeError, KeyError, MalformedShape, TypeError, ValueError) as error:
        raise MalformedRecord(f"The region cannot be read ({error!r}).") from error


def mask_record(mask: SnapshotMask, drawn: Mask) -> dict[str, Any]:
    """A mask with its pixels as COCO's compressed run lengths, `bbox` as left, top, width, height."""
    box = mask.stats.box or Box(0, 0, 0, 0)
    return {
        "segmentation": {"size": list(drawn.shape), "counts": squeeze(coco_counts(drawn))},
        "area": mask.stats.area,
        "bbox": [box.left, box.top, box.width, box.height],
        "version": mask.version,
        "origin": mask.origin,
        "suggested": mask.suggested,
        "author": mask.author,
    }


def drawn(segmentation: Mapping[str, Any], height: int, width: int) -> Mask:
    """The (height, width) mask in COCO run lengths, squeezed into text or as numbers.

    Raises MalformedMask, MalformedRecord, and MaskSizeDiffers before anything of another size is unfolded.
    """
    try:
        tall, wide = (int(side) for side in segmentation["size"])
        counts = segmentation["counts"]
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise MalformedRecord(f"The mask's run lengths lack their size or counts ({error!r}).") from error
    if (tall, wide) != (height, width):
        raise MaskSizeDiffers((tall, wide), (height, width))
    return from_coco_counts(unsqueeze(counts) if isinstance(counts, str) else counts, height, width)


def incoming_mask(finding: str, mask: Mask, record: Mapping[str, Any]) -> IncomingMask:
    """A drawn mask with what the record says of its author."""
    author = record.get("author")
    suggested = bool(record.get("suggested", False))
    return IncomingMask(finding, images.mask_png(mask), stats(mask), str(author) if author else None, suggested)


def incoming_label(record: Mapping[str, Any]) -> IncomingLabel:
    """The label in a study's record. Raises MalformedRecord."""
    try:
        return IncomingLabel(**vars(labels.from_plain(record)))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise MalformedRecord(f"The label cannot be read ({error!r}).") from error


def incoming_study(
    record: Mapping[str, Any], films: Sequence[IncomingImage], said: Sequence[IncomingLabel], several_datasets: bool
) -> IncomingStudy:
    """The study that `study_record` wrote; its keys begin with the dataset where several were exported together.

    Raises MalformedRecord.
    """
    try:
        before = f"{record['dataset']}/" if several_datasets else ""
        return IncomingStudy(
            patient=before + str(record["patient"]),
            key=before + str(record["key"]),
            images=tuple(films),
            report=Report(**record["report"]) if record.get("report") else None,
            age=record.get("age"),
            sex=record.get("sex"),
            notes=record.get("notes"),
            split=Split(record["split"]) if record.get("split") else None,
            labels=tuple(said),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedRecord(f"The record is no study that Reading Room wrote ({error!r}).") from error
