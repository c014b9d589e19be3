"""Exports read back: COCO (`annotations.json`) and JSONL (`studies.jsonl`), ours, and COCO from other tools.

In COCO from elsewhere each image is a study of its own, polygons are filled, and the instances of one category on one
image become one mask. A category without an annotation on an image is absent there where the person says so.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import PIL.Image
import PIL.ImageDraw

from core.errors import ReadingRoomError
from core.findings import slug
from core.masks import Mask, union
from core.studies import IncomingImage, IncomingLabel, IncomingMask, IncomingRegion, IncomingStudy, Skipped, View
from data import manifests, records
from data.images import read_mask
from data.importers import absence, films
from data.importers.plan import ImportOptions, ImportPlan, NothingToImport
from data.layouts import ANNOTATIONS, STUDIES

Record = Mapping[str, Any]
Marked = tuple[Record, list[tuple[str, Record]]]
"""An image's record, and the findings and records of its masks."""

_BROKEN: Final = (KeyError, TypeError, ValueError, AttributeError)


def plan_coco(path: Path, options: ImportOptions) -> ImportPlan:
    """Raises NothingToImport."""
    place = _only(path, ANNOTATIONS, "*.json")
    try:
        body = json.loads(place.read_bytes())
        coco = _Coco.of(body, place.parent, manifests.read(path), options)
    except _BROKEN as error:
        raise NothingToImport(f"{place.name} is no COCO file: {error!r}.") from error
    studies = _flat(films.ahead(coco.study, coco.studies, options.workers))
    return ImportPlan(len(coco.studies), studies, absence.told(coco.looked_for))


def plan_jsonl(path: Path, options: ImportOptions) -> ImportPlan:
    """Raises NothingToImport."""
    place = _only(path, STUDIES, "*.jsonl")
    with place.open("rb") as file:
        total = sum(1 for line in file if line.strip())
    head = manifests.read(path)
    jsonl = _Jsonl(place, head is not None and head.has_several_datasets)
    return ImportPlan(total, _flat(films.ahead(jsonl.study, jsonl.lines(), options.workers)))


@dataclass(frozen=True)
class _Jsonl:
    place: Path
    several_datasets: bool

    def lines(self) -> Iterator[tuple[int, bytes]]:
        with self.place.open("rb") as file:
            yield from ((number, line) for number, line in enumerate(file, 1) if line.strip())

    def study(self, numbered: tuple[int, bytes]) -> list[IncomingStudy | Skipped]:
        number, line = numbered
        made: list[IncomingStudy | Skipped] = []
        item = f"{self.place.name} line {number}"
        try:
            record = json.loads(line)
            marked = [(image, [(mask["finding"], mask) for mask in image["masks"]]) for image in record["images"]]
        except _BROKEN as error:
            return [Skipped(item, f"the line is no study that Reading Room wrote ({error!r})")]
        images = _images(marked, self.place.parent, View.UNKNOWN, made)
        return [*made, *_study(record, images, self.several_datasets, item)]


@dataclass(frozen=True)
class _Coco:
    """A COCO file taken apart: each study with its images, each image with its masks."""

    studies: list[tuple[Record | None, list[Marked]]]
    folder: Path
    several_datasets: bool
    is_ours: bool
    view: View
    looked_for: Collection[str]

    @classmethod
    def of(cls, body: Record, folder: Path, head: manifests.ExportHead | None, options: ImportOptions) -> "_Coco":
        categories = {category["id"]: slug(str(category["name"])) for category in body["categories"]}
        marks: dict[Any, list[tuple[str, Record]]] = {}
        for mark in body.get("annotations", ()):
            marks.setdefault(mark["image_id"], []).append((categories[mark["category_id"]], mark))
        images = {image["id"]: (image, marks.get(image["id"], [])) for image in body["images"]}
        is_ours = head is not None and head.form == "coco" and "studies" in body
        if is_ours:
            studies = [(study, [images[number] for number in study["images"]]) for study in body["studies"]]
        else:
            studies = [(None, [image]) for image in images.values()]
        marked = {finding for group in marks.values() for finding, mark in group if mark.get("area") != 0}
        return cls(
            studies,
            folder,
            several_datasets=head is not None and head.has_several_datasets,
            is_ours=is_ours,
            view=options.fallback_view,
            looked_for=marked if options.unmarked_absent else (),
        )

    def study(self, entry: tuple[Record | None, list[Marked]]) -> list[IncomingStudy | Skipped]:
        record, marked = entry
        made: list[IncomingStudy | Skipped] = []
        images = _images(marked, self.folder, self.view, made, self.looked_for)
        if record is not None:
            return [*made, *_study(record, images, self.several_datasets, f"study {record.get('key')}")]
        united = (replace(image, masks=_united(image.masks)) for image in images)
        return [*made, *(IncomingStudy(image.name, image.name, (image,)) for image in united)]


def _study(
    record: Record, images: list[IncomingImage], several_datasets: bool, item: str
) -> list[IncomingStudy | Skipped]:
    if not images:
        return [Skipped(item, "none of its images could be read")]
    made: list[IncomingStudy | Skipped] = []
    said = _labels(record, item, made)
    try:
        return [*made, records.incoming_study(record, images, said, several_datasets)]
    except records.MalformedRecord as error:
        return [Skipped(item, str(error))]


def _labels(record: Record, item: str, made: list[IncomingStudy | Skipped]) -> list[IncomingLabel]:
    """The labels that can be read; what cannot goes to `made`."""
    said: list[IncomingLabel] = []
    for each in record.get("labels") or ():
        try:
            said.append(records.incoming_label(each))
        except records.MalformedRecord as error:
            made.append(Skipped(f"a label of {item}", str(error)))
    return said


def _images(
    marked: Iterable[Marked],
    folder: Path,
    view: View,
    made: list[IncomingStudy | Skipped],
    looked_for: Collection[str] = (),
) -> list[IncomingImage]:
    """The images that can be read, with their masks; what cannot goes to `made`."""
    images: list[IncomingImage] = []
    for record, marks in marked:
        file = str(record.get("file_name", ""))
        path = _below(folder, file)
        if path is None:
            made.append(Skipped(file, "no image of this name is in the folder images"))
            continue
        stated = View(record["view"]) if record.get("view") in set(View) else view
        try:
            image = films.film(path, str(record.get("name") or Path(file).with_suffix("").as_posix()), stated)
        except ReadingRoomError as error:
            made.append(Skipped(f"images/{file}", str(error)))
            continue
        masks = tuple(mask for finding, mark in marks if (mask := _mask(finding, mark, image, made)) is not None)
        empty = {mask.finding for mask in masks if mask.stats.area == 0}
        absent = {slug(str(key)) for key in record.get("absent", ())} - {""}
        # A mask that cannot be read marks its finding all the same.
        unmarked = absence.unmarked(looked_for, {finding for finding, _ in marks} - empty)
        regions = _regions(record, image, made)
        unmarked -= {region.finding for region in regions}
        absent |= empty | unmarked
        images.append(replace(image, masks=masks, absent=tuple(sorted(absent)), regions=regions))
    return images


def _regions(record: Record, image: IncomingImage, made: list[IncomingStudy | Skipped]) -> tuple[IncomingRegion, ...]:
    regions: list[IncomingRegion] = []
    for each in record.get("regions", ()):
        try:
            regions.append(records.incoming_region(each))
        except records.MalformedRecord as error:
            made.append(Skipped(f"a region on {image.name}", str(error)))
    return tuple(regions)


def _mask(finding: str, mark: Record, image: IncomingImage, made: list[IncomingStudy | Skipped]) -> IncomingMask | None:
    item = f"{finding} on {image.name}"
    shape = mark.get("segmentation")
    mask = _filled(shape, image, item) if isinstance(shape, list) else films.decoded(shape, image, item)
    if isinstance(mask, Skipped):
        made.append(mask)
        return None
    return records.incoming_mask(finding, mask, mark)


def _filled(polygons: list[list[float]], image: IncomingImage, item: str) -> Mask | Skipped:
    canvas = PIL.Image.new("1", (image.facts.width, image.facts.height))
    pen = PIL.ImageDraw.Draw(canvas)
    try:
        for corners in polygons:
            pen.polygon([(float(x), float(y)) for x, y in zip(corners[::2], corners[1::2], strict=True)], fill=1)
    except _BROKEN as error:
        return Skipped(item, f"the mask cannot be read ({error})")
    return np.array(canvas)


def _united(masks: tuple[IncomingMask, ...]) -> tuple[IncomingMask, ...]:
    """One mask for each finding, all its instances in it."""
    by_finding: dict[str, list[Mask]] = {}
    for mask in masks:
        by_finding.setdefault(mask.finding, []).append(read_mask(mask.png))
    return tuple(records.incoming_mask(finding, union(group), {}) for finding, group in by_finding.items())


def _below(folder: Path, file: str) -> Path | None:
    """The file, in `images/` or beside the table; never outside the folder."""
    for place in (folder / "images" / file, folder / file):
        if file and place.is_file() and place.resolve().is_relative_to(folder.resolve()):
            return place
    return None


def _only(path: Path, name: str, pattern: str) -> Path:
    """The file itself, the one of the usual name in a folder, or the only one of its kind there."""
    if path.is_file():
        return path
    if (path / name).is_file():
        return path / name
    others = sorted(other for other in path.glob(pattern) if other.name != manifests.NAME)
    if len(others) == 1:
        return others[0]
    raise NothingToImport(f"{name} is not in {path}, nor is there a single {pattern} to take for it.")


def _flat(groups: Iterable[list[IncomingStudy | Skipped]]) -> Iterator[IncomingStudy | Skipped]:
    for group in groups:
        yield from group
