"""The Indiana University chest X-rays (OpenI) in the parquet files of Hugging Face's hub.

A row is a study with `img_frontal` and `img_lateral`, or a film with `image`, each either bytes or a record of `bytes`
and `path`; `images` may hold several. `uid` joins the rows of a study, and since the collection says no more it is the
patient, too. The report stands in `indication`, `comparison`, `findings` and `impression`, or whole in `report` or
`text`. `image` as text names the examination. `MeSH` and `Problems` are not used.

Shards are called `train-00000-of-00002.parquet` or lie in a folder `train`; where all are of one split, that is but the
hub's name for having none. Files are read a few rows at a time.

Demner-Fushman et al. 2016, "Preparing a collection of radiology examinations for distribution and retrieval".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from core.reports import Report, parse_sections
from core.studies import IncomingImage, IncomingStudy, Skipped, Split, View
from data.importers import films
from data.importers.given import GivenSplits
from data.importers.plan import VIEW_ASSUMED, ImportOptions, ImportPlan, NothingToImport
from data.pixels import UnreadableImage
from data.tables import MissingColumns

_STUDY: Final = ("uid", "study_id", "iuxrid", "pmcid", "id")
_VIEW: Final = ("projection", "view", "view_position", "viewposition")
_FILE: Final = ("filename", "file_name", "image_path")
_WHOLE: Final = ("report", "text", "caption")
_SECTIONS: Final = ("indication", "comparison", "findings", "impression")
_PICTURES: Final[Mapping[str, View | None]] = {
    "img_frontal": View.FRONTAL,
    "image_frontal": View.FRONTAL,
    "frontal": View.FRONTAL,
    "img_lateral": View.LATERAL,
    "image_lateral": View.LATERAL,
    "lateral": View.LATERAL,
    "image": None,
    "img": None,
    "images": None,
}
"""Columns that hold films, and the view of those whose name tells it."""

_ROWS: Final = 8
_BUFFER: Final = 1 << 20
"""Rows and bytes that are read at a time."""


@dataclass(frozen=True)
class _Columns:
    """The columns of a file by what they mean, as the file spells them; None where it has none."""

    pictures: Mapping[str, View | None]
    study: str | None
    view: str | None
    file: str | None
    whole: str | None
    sections: Mapping[str, str]

    @classmethod
    def of(cls, name: str, schema: pa.Schema) -> "_Columns":
        """Raises MissingColumns."""
        spelled = {str(each).lower(): str(each) for each in schema.names}
        held = {key for key in _PICTURES if key in spelled and _holds_bytes(schema.field(spelled[key]).type)}

        def first(names: Sequence[str]) -> str | None:
            return next((spelled[each] for each in names if each in spelled), None)

        sections: dict[str, str] = {each: spelled[each] for each in _SECTIONS if each in spelled}
        if "image" in spelled and "image" not in held:
            sections["technique"] = spelled["image"]
        whole = first(_WHOLE)
        missing = [] if held else ["img_frontal or image (with the bytes of films)"]
        if whole is None and not sections.keys() & {"findings", "impression"}:
            missing.append("findings, impression, report or text")
        if missing:
            raise MissingColumns(name, tuple(missing), tuple(schema.names))
        pictures = {spelled[key]: view for key, view in _PICTURES.items() if key in held}
        return cls(pictures, first(_STUDY), first(_VIEW), first(_FILE), whole, sections)

    @property
    def read(self) -> list[str]:
        named = (self.study, self.view, self.file, self.whole, *self.sections.values())
        return [*self.pictures, *(name for name in named if name)]

    def report(self, cells: Mapping[str, Any]) -> Report | None:
        sections = {section: _text(cells[name]) for section, name in self.sections.items()}
        whole = _text(cells[self.whole]) if self.whole else ""
        report = Report(**sections) if any(sections.get(each) for each in _SECTIONS) else parse_sections(whole)
        return None if report.is_empty else report


@dataclass(frozen=True)
class _File:
    path: Path
    columns: _Columns

    @property
    def split(self) -> Split | None:
        return films.split_named(self.path.stem.split("-")[0]) or films.split_named(self.path.parent.name)

    def rows(self, columns: list[str]) -> Iterator["_Row | Skipped"]:
        """Row by row; what comes after damage is told and left."""
        number = 0
        try:
            with pq.ParquetFile(self.path, buffer_size=_BUFFER) as opened:
                for group in range(opened.num_row_groups):
                    # Asked for together, all groups of the file are held until the last of them is read.
                    for batch in opened.iter_batches(_ROWS, row_groups=[group], columns=columns):
                        for cells in batch.to_pylist():
                            number += 1
                            yield _Row(self, number, cells)
        except (pa.ArrowException, OSError) as error:
            yield Skipped(
                f"{self.path.name} from row {number + 1}", f"the file is damaged there ({error}); copy it again"
            )


@dataclass(frozen=True)
class _Row:
    """A row and its number, from 1."""

    file: _File
    number: int
    cells: Mapping[str, Any]

    @property
    def item(self) -> str:
        return f"{self.file.path.name} row {self.number}"

    @property
    def key(self) -> str:
        """The study's; a row without one is a study of its own."""
        name = self.file.columns.study
        return (_text(self.cells[name]) if name else "") or f"{self.file.path.stem}-{self.number}"

    def pictures(self) -> Iterator[tuple[str, View | None, bytes]]:
        """The name of each film, its view where its column tells it, and its bytes."""
        file = self.file.columns.file
        for column, view in self.file.columns.pictures.items():
            held = self.cells[column]
            several = held if isinstance(held, list) else [held]
            for place, each in enumerate(several):
                body, path = (each.get("bytes"), each.get("path")) if isinstance(each, dict) else (each, None)
                if body:
                    plain = view.value if view else f"{self.file.path.stem}-{self.number}"
                    name = Path(_text(path) or (_text(self.cells[file]) if file else "")).stem or plain
                    yield f"{name}-{place + 1}" if place and not path else name, view, bytes(body)


@dataclass(frozen=True)
class _Collection:
    files: list[_File]
    splits: GivenSplits
    view: View | None
    warnings: list[str]

    def stream(self, skipped: list[Skipped], workers: int) -> Iterator[IncomingStudy | Skipped]:
        yield from skipped
        yield from self.splits.refused()
        for made in films.ahead(self._made, self._studies(), workers):
            yield from made

    def _studies(self) -> Iterator[list[_Row] | Skipped]:
        """Rows of a study that do not stand together come in one after the other."""
        rows = (row for file in self.files for row in file.rows(file.columns.read))
        for key, group in groupby(rows, _key):
            if isinstance(key, Skipped):
                yield key
            elif not self.splits.refuses(key):
                yield [row for row in group if isinstance(row, _Row)]

    def _made(self, rows: list[_Row] | Skipped) -> list[IncomingStudy | Skipped]:
        if isinstance(rows, Skipped):
            return [rows]
        made: list[IncomingStudy | Skipped] = []
        images: dict[str, IncomingImage] = {}
        for row in rows:
            before = len(images) + len(made)
            for name, told, body in row.pictures():
                if name in images:
                    made.append(Skipped(row.item, f"a film {name} is on an earlier row of the study; it was kept"))
                    continue
                try:
                    images[name] = films.film_of(body, name, told or self._view(row))
                except UnreadableImage as error:
                    made.append(Skipped(f"{row.item}, {name}", str(error)))
            if len(images) + len(made) == before:
                made.append(Skipped(row.item, "the row holds no film"))
        if not images:
            return made
        key = rows[0].key
        told_of = (report for row in rows if (report := row.file.columns.report(row.cells)) is not None)
        study = IncomingStudy(key, key, tuple(images.values()), next(told_of, None), split=self.splits.of(key))
        return [*made, study]

    def _view(self, row: _Row) -> View:
        name = row.file.columns.view
        view = View.parse(_text(row.cells[name])) if name else View.UNKNOWN
        if view is not View.UNKNOWN:
            return view
        if self.view is None and VIEW_ASSUMED not in self.warnings:
            self.warnings.append(VIEW_ASSUMED)
        return self.view or View.FRONTAL


def plan(path: Path, options: ImportOptions) -> ImportPlan:
    """`path` is a parquet file or a folder with some below it. Raises NothingToImport and MissingColumns."""
    found = [path] if path.is_file() else sorted(path.rglob("*.parquet"))
    if not found:
        raise NothingToImport(f"No parquet file is in {path}. Name the folder into which OpenI was downloaded.")
    files: list[_File] = []
    skipped: list[Skipped] = []
    for each in found:
        try:
            files.append(_File(each, _Columns.of(each.name, pq.read_schema(each))))
        except (pa.ArrowException, OSError) as error:
            skipped.append(Skipped(each.name, f"it is no parquet file that can be read ({error}); copy it again"))
    if not files:
        raise NothingToImport(f"None of the parquet files in {path} can be read. {skipped[0].reason.capitalize()}.")
    splits, keys = GivenSplits(), set[str]()
    is_split = len({file.split for file in files}) > 1
    for file in files:
        for row in file.rows([file.columns.study] if file.columns.study else []):
            if isinstance(row, _Row):
                keys.add(row.key)
                splits.saw(row.key, file.split if is_split else None)
    warnings: list[str] = []
    collection = _Collection(files, splits, options.view, warnings)
    return ImportPlan(len(keys), collection.stream(skipped, options.workers), warnings)


def _key(row: _Row | Skipped) -> str | Skipped:
    return row if isinstance(row, Skipped) else row.key


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _holds_bytes(kind.value_type)
    if pa.types.is_struct(kind):
        return any(kind.field(n).name == "bytes" and _holds_bytes(kind.field(n).type) for n in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _text(cell: object) -> str:
    """What a cell says; numbers that came through a column with gaps lose the ".0" they got there."""
    if cell is None or cell != cell:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
