"""CheXpert: `train.csv`, `valid.csv` or both, beside the tree of films that they name, at full or at small size.

A row is a film: `Path` (`CheXpert-v1.0-small/valid/patient64541/study1/view1_frontal.jpg`; its last three parts say
patient, study and view), `Sex`, `Age`, `Frontal/Lateral`, `AP/PA`, and the fourteen findings as 1, 0, -1 for uncertain,
or blank where the report does not speak of it. Labels are the study's: rows of one study that contradict each other are
all kept, and whoever takes them in tells of it.

The makers' word for the split is the table's name: rows of train.csv train, and rows of valid.csv validate, which is
what their makers used them for (a test.csv tests). A patient in two tables is refused. The tables are read twice, first
to know who and how many is in them, and never held: rows of a study that do not stand together come in one after the
other.

Irvin et al. 2019, "CheXpert: a large chest radiograph dataset with uncertainty labels and expert comparison".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from core.studies import IncomingImage, IncomingLabel, IncomingStudy, Skipped, Split, View
from data.importers import films
from data.importers.ages import Ages
from data.importers.chexpert_tree import FilmName, film_name, place_of, trees
from data.importers.given import GivenSplits
from data.importers.labels import LabelColumns
from data.importers.plan import ImportOptions, ImportPlan, NothingToImport
from data.pixels import UnreadableImage
from data.tables import Row, Table, open_table

_TABLES: Final = ("train.csv", "valid.csv", "test.csv")
_FACTS: Final = ("path", "sex", "age", "frontal/lateral", "ap/pa")


@dataclass(frozen=True)
class _Film:
    """A row that names a film. `folder` is the one above the patient's in its path, "" where there is none."""

    name: FilmName
    folder: str
    row: Row

    @property
    def view(self) -> View:
        """As the table says, else as the file's name does."""
        side = self.row["frontal/lateral"].lower()
        if side == "lateral" or (side != "frontal" and self.name.is_lateral):
            return View.LATERAL
        view = View.parse(self.row["ap/pa"])
        return view if view.is_frontal else View.FRONTAL


@dataclass(frozen=True)
class _Part:
    """A table of the collection."""

    table: Table
    labels: LabelColumns
    ages: Ages

    @classmethod
    def of(cls, path: Path, warnings: list[str]) -> "_Part":
        """Raises MissingColumns."""
        table = open_table(path)
        table.require("path")
        return cls(table, LabelColumns.of_chexpert(table, _FACTS, warnings), Ages(table.name))

    def films(self) -> Iterator[_Film | Skipped]:
        """The rows, one after the other."""
        for row in self.table.rows():
            if isinstance(row, Skipped):
                yield row
                continue
            *folders, file = row["path"].replace("\\", "/").split("/")
            name = film_name("/".join((*folders[-2:], file.rpartition(".")[0])), between="/")
            if name is None:
                reason = f'"{row["path"]}" is no path such as train/patient1/study1/view1_frontal.jpg'
                yield Skipped(f"{self.table.name} line {row.line}", reason)
            else:
                yield _Film(name, folders[-3] if len(folders) > 2 else "", row)

    def split(self, film: _Film) -> Split | None:
        """By the table's name (`train.csv`, `valid_labels.csv`), else by the folder in the film's path."""
        return films.split_named(self.table.path.stem.split("_")[0]) or films.split_named(film.folder)


@dataclass(frozen=True)
class _Study:
    """The rows of one study that stand together in a table."""

    part: _Part
    films: list[_Film]
    age: int | None


@dataclass(frozen=True)
class _Release:
    """The tables whose films are here, the folders that hold patients, and who is refused."""

    parts: list[_Part]
    trees: tuple[Path, ...]
    splits: GivenSplits

    def stream(self, warnings: list[str], workers: int) -> Iterator[IncomingStudy | Skipped]:
        yield from self.splits.refused()
        for made in films.ahead(self._made, self._studies(), workers):
            yield from made
        for part in self.parts:
            warnings += part.ages.told()

    def _studies(self) -> Iterator[_Study | Skipped]:
        for part in self.parts:
            for film, group in groupby(part.films(), lambda row: row if isinstance(row, Skipped) else row.name.key):
                if isinstance(film, Skipped):
                    yield film
                    continue
                rows = [row for row in group if isinstance(row, _Film)]
                if not self.splits.refuses(rows[0].name.patient):
                    yield _Study(part, rows, part.ages.read(rows[0].row["age"]))

    def _made(self, study: _Study | Skipped) -> list[IncomingStudy | Skipped]:
        if isinstance(study, Skipped):
            return [study]
        skipped: list[Skipped] = []
        images: dict[str, IncomingImage] = {}
        labels: dict[IncomingLabel, None] = {}
        for film in sorted(study.films, key=lambda film: (film.name.is_lateral, film.name.view)):
            labels |= dict.fromkeys(study.part.labels.said(film.row, skipped))
            item = f"{study.part.table.name} line {film.row.line}"
            path = place_of(film.name, self._trees_of(film))
            if film.name.view in images:
                skipped.append(Skipped(item, f"{film.row['path']} is on an earlier line already; the first was kept"))
            elif path is None:
                skipped.append(Skipped(item, f"the image {film.row['path']} is missing"))
            else:
                try:
                    images[film.name.view] = films.film(path, film.name.view, film.view)
                except UnreadableImage as error:
                    skipped.append(Skipped(film.row["path"], str(error)))
        if not images:
            return [*skipped]
        first = study.films[0]
        return [
            *skipped,
            IncomingStudy(
                patient=first.name.patient,
                key=first.name.key,
                images=tuple(images.values()),
                age=study.age,
                sex=films.sex_letter(first.row["sex"]),
                split=study.part.split(first),
                labels=tuple(labels),
                order=first.name.order,
            ),
        ]

    def _trees_of(self, film: _Film) -> tuple[Path, ...]:
        """Those that the film's path names before the others."""
        return tuple(sorted(self.trees, key=lambda tree: tree.name != film.folder))


def plan(path: Path, options: ImportOptions) -> ImportPlan:
    """`path` is a table, the folder that holds one or more, or the folder of films beside them.

    Raises NothingToImport and MissingColumns.
    """
    tables = [path] if path.is_file() else _tables(path)
    warnings: list[str] = []
    within = trees(path if path.is_dir() else path.parent)
    parts: list[_Part] = []
    splits, total = GivenSplits(), 0
    for table in tables:
        part = _Part.of(table, warnings)
        studies, is_here = _survey(part, within, splits)
        if is_here:
            parts.append(part)
            total += studies
        else:
            warnings.append(f"No film that {table.name} names is here; it was left.")
    if not parts:
        names = ", ".join(table.name for table in tables)
        raise NothingToImport(f"None of the films that {names} names is in {', '.join(str(tree) for tree in within)}.")
    return ImportPlan(total, _Release(parts, within, splits).stream(warnings, options.workers), warnings)


def _tables(folder: Path) -> list[Path]:
    """In the folder, in those within it, or else beside it."""
    for place in (folder, folder.parent):
        found = [table for name in _TABLES for table in sorted((*place.glob(name), *place.glob(f"*/{name}")))]
        if found:
            return found
    raise NothingToImport(
        f"No train.csv or valid.csv is in {folder} or beside it. Name CheXpert's folder or its table."
    )


def _survey(part: _Part, within: tuple[Path, ...], splits: GivenSplits) -> tuple[int, bool]:
    """How many studies a table has, and whether the folder of any of its patients is here."""
    total, last, is_here = 0, "", False
    for film in part.films():
        if isinstance(film, Skipped) or film.name.key == last:
            continue
        total, last = total + 1, film.name.key
        is_here = is_here or any((tree / film.name.patient).is_dir() for tree in within)
        splits.saw(film.name.patient, part.split(film))
    return total, is_here
