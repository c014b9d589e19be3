"""ChestX-ray14 of the NIH Clinical Center: `Data_Entry_2017.csv` and the films, as published.

A row is a film and a study of its own: `Image Index` is its file in `images` or in one of `images_001/images` to
`images_012/images`, `Follow-up #` puts a patient's studies in order, and `Finding Labels` names, divided by "|", those
of fourteen findings that the report speaks of. What it does not name is absent; "No Finding" stands alone. A name
outside the fourteen is listed, and since it may be any of them, nothing is taken for absent in its row.

`BBox_List_2017.csv`, where it is there, gives boxes of findings. `test_list.txt` and `train_val_list.txt` give the
split: the first tests; of the patients of the second, which its makers left to divide, a tenth validates, chosen by a
hash. A patient in both is refused.

Wang et al. 2017, "ChestX-ray8: hospital-scale chest X-ray database and benchmarks".
"""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from core.findings import NO_FINDING, State
from core.splits import fold_of
from core.studies import IncomingLabel, IncomingStudy, PixelFacts, Skipped, Split, View
from data.importers import films
from data.importers.ages import Ages
from data.importers.classes import CHESTXRAY14, finding_of
from data.importers.given import GivenSplits
from data.importers.labels import new_findings
from data.importers.nih_boxes import Box, read_boxes
from data.importers.plan import ImportOptions, ImportPlan, NothingToImport
from data.pixels import UnreadableImage
from data.tables import Row, Table, open_table

_ENTRIES: Final = "Data_Entry_2017*.csv"
_BOXES: Final = "BBox_List_2017.csv"
_TRAIN_AND_VALIDATION: Final = "train_val_list.txt"
_TEST: Final = "test_list.txt"
_VALIDATES: Final = 10
"""Of the patients whom the makers left to divide, one in so many validates."""

_FINDINGS: Final = tuple(map(finding_of, CHESTXRAY14))
_NAME: Final = re.compile(r"(\d{8})_\d{3}\.png", re.ASCII)
_ENDINGS: Final = (".png", ".jpg", ".jpeg")
_WIDEST_MM: Final = 10.0
_HEIGHT: Final = ("height]", "originalimageheight")
_SPACING: Final = ("y]", "originalimagepixelspacing_y")


@dataclass(frozen=True)
class _Entry:
    """A row that names a film."""

    row: Row
    item: str
    age: int | None

    @property
    def film(self) -> str:
        return self.row["image index"]

    @property
    def patient(self) -> str:
        return self.row["patient id"]


@dataclass(frozen=True)
class _Release:
    """All but the films, which are still on disk."""

    table: Table
    folders: tuple[Path, ...]
    splits: GivenSplits
    boxes: Mapping[str, tuple[Box, ...]]
    ages: Ages

    def stream(self, skipped: list[Skipped], warnings: list[str], workers: int) -> Iterator[IncomingStudy | Skipped]:
        yield from skipped
        yield from self.splits.refused()
        for made in films.ahead(self._made, self._entries(), workers):
            yield from made
        warnings += self.ages.told()

    def _entries(self) -> Iterator[_Entry | Skipped]:
        """Each film once, and again where a later row says something else of it."""
        said: dict[str, tuple[str, str]] = {}
        for row in _rows(self.table):
            if isinstance(row, Skipped):
                yield row
                continue
            if self.splits.refuses(row["patient id"]):
                continue
            item, film = f"{self.table.name} line {row.line}", row["image index"]
            patient, findings = sys.intern(row["patient id"]), sys.intern(row["finding labels"])
            before = said.get(film)
            said.setdefault(film, (patient, findings))
            if before and before[0] != patient:
                yield Skipped(item, f"{film} is a film of patient {before[0]} on an earlier line, here of {patient}")
            elif before and before[1] == findings:
                yield Skipped(item, f"{film} is on an earlier line already, which says the same")
            else:
                yield _Entry(row, item, self.ages.read(row["patient age"]))

    def _made(self, entry: _Entry | Skipped) -> list[IncomingStudy | Skipped]:
        if isinstance(entry, Skipped):
            return [entry]
        path = self._path(entry.film)
        if path is None:
            return [Skipped(entry.item, f"the image {entry.film} is missing")]
        row, key = entry.row, Path(entry.film).stem
        view = View.parse(row["view position"])
        try:
            image = films.film(path, key, view if view.is_frontal else View.FRONTAL)
        except UnreadableImage as error:
            return [Skipped(entry.film, str(error))]
        facts = replace(image.facts, spacing_mm=_spacing(row, image.facts))
        regions = tuple(box.on(facts) for box in self.boxes.get(entry.film, ()))
        labels, why = _labels(row["finding labels"])
        follow_up = row["follow-up #"]
        study = IncomingStudy(
            patient=entry.patient,
            key=key,
            images=(replace(image, facts=facts, regions=regions),),
            age=entry.age,
            sex=films.sex_letter(row["patient gender"]),
            split=self.splits.of(entry.patient),
            labels=labels,
            order=int(follow_up) if follow_up.isdecimal() else 0,
        )
        return [*([Skipped(entry.item, why)] if why else []), study]

    def _path(self, film: str) -> Path | None:
        if Path(film).name != film:
            return None
        names = dict.fromkeys((film, *(Path(film).with_suffix(ending).name for ending in _ENDINGS)))
        places = (folder / name for name in names for folder in self.folders)
        return next((place for place in places if place.is_file()), None)


@dataclass(frozen=True)
class _Lists:
    """The films that the makers' lists name."""

    test: frozenset[str]
    other: frozenset[str]

    @classmethod
    def of(cls, folder: Path) -> "_Lists":
        test, other = (folder / name for name in (_TEST, _TRAIN_AND_VALIDATION))
        return cls(*(frozenset(_words(place)) for place in (test, other)))

    def splits(self, film: str, patient: str) -> Iterator[Split]:
        """Those that a film puts its patient into: none, one, or by mistake two."""
        if film in self.test:
            yield Split.TEST
        if film in self.other:
            validates = fold_of("chestxray14", patient, _VALIDATES) == 0
            yield Split.VALIDATION if validates else Split.TRAIN


def _words(place: Path) -> list[str]:
    return place.read_text(encoding="utf-8-sig", errors="replace").split() if place.is_file() else []


def plan(path: Path, options: ImportOptions) -> ImportPlan:
    """`path` is the folder of the release or its table. Raises NothingToImport and MissingColumns."""
    table = open_table(path if path.is_file() else _table(path))
    table.require("image index", "finding labels", "patient id")
    folder = table.path.parent
    folders = _image_folders(folder)
    warnings = [*([table.note] if table.note else []), *new_findings(table.name, _FINDINGS)]
    lists, splits, names = _Lists.of(folder), GivenSplits(), set[str]()
    for row in _rows(table):
        if isinstance(row, Row):
            names.add(row["image index"])
            for split in lists.splits(row["image index"], row["patient id"]):
                splits.saw(row["patient id"], split)
    skipped: list[Skipped] = []
    boxes = read_boxes(open_table(folder / _BOXES), names, skipped) if (folder / _BOXES).is_file() else {}
    release = _Release(table, folders, splits, boxes, Ages(table.name))
    return ImportPlan(len(names), release.stream(skipped, warnings, options.workers), warnings)


def _table(folder: Path) -> Path:
    found = [*sorted(folder.glob(_ENTRIES)), *sorted(folder.glob(f"*/{_ENTRIES}"))]
    if not found:
        raise NothingToImport(f"No Data_Entry_2017.csv is in {folder}. Name the folder of ChestX-ray14 that holds it.")
    return found[0]


def _image_folders(folder: Path) -> tuple[Path, ...]:
    candidates = (folder / "images", *sorted(folder.glob("images_*/images")), *sorted(folder.glob("images_*")))
    found = tuple(each for each in candidates if each.is_dir())
    if not found:
        raise NothingToImport(f"Neither images nor images_001 is in {folder}. Unpack the films of ChestX-ray14 there.")
    return found


def _rows(table: Table) -> Iterator[Row | Skipped]:
    """The rows that say which film and whose."""
    for row in table.rows():
        if isinstance(row, Skipped):
            yield row
            continue
        film, patient = row["image index"], row["patient id"]
        named = _NAME.fullmatch(film)
        if not film or not patient:
            yield Skipped(f"{table.name} line {row.line}", "the row names no film or no patient")
        elif named and patient.isdecimal() and int(named.group(1)) != int(patient):
            reason = f"by its name {film} is a film of patient {int(named.group(1))}, by its row of {patient}"
            yield Skipped(f"{table.name} line {row.line}", reason)
        else:
            yield row


def _labels(cell: str) -> tuple[tuple[IncomingLabel, ...], str]:
    """What the labels say of all fourteen findings, and what is amiss, in a sentence."""
    named = {finding_of(name): name.strip() for name in cell.split("|") if name.strip()}
    unknown = sorted(name for key, name in named.items() if key not in (*_FINDINGS, NO_FINDING))
    present = [key for key in named if key in _FINDINGS]
    if NO_FINDING in named and len(named) > 1:
        return (), f'"{cell}" says that there is no finding and names some; none of it was taken'
    labels = [IncomingLabel(key, State.PRESENT) for key in present]
    if unknown:
        return tuple(labels), f"{', '.join(unknown)}: none of the collection's findings"
    if not named:
        return (), "it says neither a finding nor that there is none"
    labels += [IncomingLabel(key, State.ABSENT) for key in _FINDINGS if key not in present]
    return (*labels, IncomingLabel(NO_FINDING, State.ABSENT if present else State.PRESENT)), ""


def _spacing(row: Row, facts: PixelFacts) -> float | None:
    """Of the film's rows as it is here, from that of the original; None where the table does not tell."""
    height, spacing = (next((row[name] for name in names if row[name]), "") for names in (_HEIGHT, _SPACING))
    try:
        scaled = float(spacing) * float(height) / facts.height
    except ValueError:
        return facts.spacing_mm
    return scaled if 0 < scaled < _WIDEST_MM else facts.spacing_mm
