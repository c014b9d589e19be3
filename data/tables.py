"""CSV tables from outside: any common encoding and separator, columns by name, rows one at a time."""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.errors import ReadingRoomError
from core.studies import Skipped

_LONGEST_CELL: Final = 16 * 1024 * 1024
_LINES_IN_A_ROW: Final = 1000
_CHUNK: Final = 1 << 20
_SEPARATORS: Final = (",", ";", "\t")

csv.field_size_limit(_LONGEST_CELL)


class MissingTable(ReadingRoomError):
    """A CSV that a layout cannot do without is not there."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(f"{name} is not in {folder}. Name the folder that holds it.")


class MissingColumns(ReadingRoomError):
    """A CSV without the columns that say which row is about what."""

    def __init__(self, table: str, missing: tuple[str, ...], present: tuple[str, ...]) -> None:
        wanted, found = ", ".join(missing), ", ".join(present) or "none"
        super().__init__(f"{table} lacks the column{'s' * (len(missing) > 1)} {wanted}. It has: {found}.")


class BrokenTable(ReadingRoomError):
    """A gzipped CSV that ends too early or whose bytes are damaged."""

    def __init__(self, name: str, error: Exception) -> None:
        super().__init__(f"{name} cannot be unpacked: it is cut off or damaged ({error}). Copy it again.")


@dataclass(frozen=True)
class Row:
    """One row: its line in the file, and its cells by lower-case column name."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True)
class Table:
    """A CSV (gzipped when its name ends in .gz) whose encoding, separator and columns are known; rows are streamed."""

    path: Path
    encoding: str
    separator: str
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def note(self) -> str | None:
        """A sentence for the quality report when the encoding was not UTF-8."""
        if self.encoding == "cp1252":
            return f"{self.name} is not UTF-8; it was read as Windows-1252. Check accented letters."
        return None

    def require(self, *columns: str) -> None:
        """Raises MissingColumns, naming every one that is not there."""
        missing = tuple(column for column in columns if column not in self.columns)
        if missing:
            raise MissingColumns(self.name, missing, self.columns)

    def rows(self, cell: Callable[[str], str] = str.strip) -> Iterator[Row | Skipped]:
        """Every row, each cell passed through `cell`; rows that cannot be told apart into cells as Skipped.

        Raises BrokenTable.
        """
        with _text(self.path, self.encoding) as lines:
            reader = csv.reader(lines, delimiter=self.separator)
            next(reader)
            before = reader.line_num
            for cells in reader:
                line, before = before + 1, reader.line_num
                if not any(cells):
                    continue
                if before - line >= _LINES_IN_A_ROW:
                    reason = f"the row runs over {before - line + 1} lines: a quotation mark in it is not closed"
                    yield Skipped(f"{self.name} line {line}", reason)
                elif len(cells) != len(self.columns):
                    reason = f"the row has {len(cells)} cells where the header has {len(self.columns)}"
                    yield Skipped(f"{self.name} line {line}", reason)
                else:
                    yield Row(line, dict(zip(self.columns, map(cell, cells), strict=True)))


def open_table(path: Path) -> Table:
    """Look at a CSV's encoding (UTF-8 with or without a mark, UTF-16 with one, else Windows-1252) and its header.

    Raises MissingTable when it is not there, and BrokenTable.
    """
    if not path.is_file():
        raise MissingTable(path.name, path.parent)
    encoding = _encoding(path)
    with _text(path, encoding) as lines:
        head = lines.readline()
        separator = max(_SEPARATORS, key=head.count)
        lines.seek(0)
        header = next(csv.reader(lines, delimiter=separator), [])
    return Table(path, encoding, separator, tuple(name.strip().lower() for name in header))


def _encoding(path: Path) -> str:
    with _bytes(path) as file:
        if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            return "utf-16"
    try:
        with _text(path, "utf-8-sig") as lines:
            while lines.read(_CHUNK):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


@contextmanager
def _text(path: Path, encoding: str) -> Iterator[io.TextIOWrapper]:
    """Windows-1252 leaves five bytes without a letter; those become the replacement mark."""
    with _bytes(path) as file:
        yield io.TextIOWrapper(
            file, encoding=encoding, newline="", errors="replace" if encoding == "cp1252" else "strict"
        )


@contextmanager
def _bytes(path: Path) -> Iterator[gzip.GzipFile | io.BufferedReader]:
    with gzip.GzipFile(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        try:
            yield file
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise BrokenTable(path.name, error) from error
