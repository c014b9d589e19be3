"""Ratings and corrections of reports as files: JSON lines and CSV, either of which reads back to what was written."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from core.errors import ReadingRoomError
from core.judgements import Said, plain, said_of
from core.rating_records import Compared, RatingRecord
from core.ratings import Author, Preference
from core.writing import SECTIONS
from data.csvsafe import harmless, restored

COLUMNS: Final = (
    "dataset", "study", "model", "written", "reader", "at", "overall", "would_sign", "errors", "corrected",
    "groundings", "order", "preference",
)  # fmt: skip
"""Of the CSV: `written`, `errors`, `corrected`, `groundings` and `order` are JSON. A row is a judgement or a pair."""


class UnknownRatings(ReadingRoomError):
    """A file whose name says neither of the two forms."""

    def __init__(self, name: str) -> None:
        super().__init__(f'Ratings are files that end in .jsonl or .csv; "{name}" does not.')


class MalformedRating(ReadingRoomError):
    """A line that is no rating of ours; the message says which and why."""


def written_as(name: str) -> Callable[[Iterable[RatingRecord]], str]:
    """How a file of this name is written. Raises UnknownRatings."""
    for ending, write in ((".jsonl", _to_lines), (".csv", _to_csv)):
        if name.lower().endswith(ending):
            return write
    raise UnknownRatings(name)


def read(name: str, text: str) -> Iterator[RatingRecord | MalformedRating]:
    """The ratings of a file, line by line; one that cannot be read comes as what is wrong with it.

    Raises UnknownRatings."""
    written_as(name)
    is_csv = name.lower().endswith(".csv")
    rows: Iterable[Any] = csv.DictReader(io.StringIO(text, newline="")) if is_csv else text.split("\n")
    for number, row in enumerate(rows, 2 if is_csv else 1):
        if not is_csv and not row.strip():
            continue
        try:
            yield _record(_from_row(row) if is_csv else json.loads(row))
        except ReadingRoomError as error:
            yield MalformedRating(f"Line {number}: {error}")
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
            yield MalformedRating(f"Line {number} is no rating that Reading Room wrote.")


def _to_lines(records: Iterable[RatingRecord]) -> str:
    return "".join(json.dumps(_plain(each), ensure_ascii=False) + "\n" for each in records)


def _to_csv(records: Iterable[RatingRecord]) -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for each in records:
        told = _plain(each)
        said = told.pop("said", {})
        quality = said.get("quality") or {}
        row = {**told, "overall": quality.get("overall", ""), "would_sign": quality.get("would_sign", "")}
        row |= {name: said[name] for name in ("errors", "corrected", "groundings") if name in said}
        writer.writerow({name: _cell(row.get(name, "")) for name in COLUMNS})
    return out.getvalue()


def _cell(value: Any) -> str:
    return harmless(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _from_row(row: Mapping[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {name: restored(row[name]) for name in ("dataset", "study", "model", "reader", "at")}
    told["written"] = json.loads(row["written"])
    if row["preference"]:
        return told | {"order": json.loads(row["order"]), "preference": row["preference"]}
    quality = None
    if row["overall"]:
        quality = {"overall": int(row["overall"]), "would_sign": int(row["would_sign"])}
    said = {"errors": json.loads(row["errors"]), "corrected": json.loads(row["corrected"]), "quality": quality}
    said["groundings"] = json.loads(row["groundings"])
    return told | {"said": said}


def _plain(record: RatingRecord) -> dict[str, Any]:
    told: dict[str, Any] = {
        "dataset": record.dataset,
        "study": record.study,
        "model": record.model,
        "written": dict(record.written),
        "reader": record.reader,
        "at": record.at.isoformat(),
    }
    if isinstance(record.word, Said):
        return told | {"said": plain(record.word)}
    return told | {"order": list(record.word.order), "preference": record.word.preference}


def _record(told: Mapping[str, Any]) -> RatingRecord:
    word: Said | Compared
    if "said" in told:
        word = said_of(told["said"])
    else:
        first, second = (Author(each) for each in told["order"])
        word = Compared((first, second), Preference(told["preference"]))
    names = {name: told[name] for name in ("dataset", "study", "model", "reader")}
    if not all(isinstance(name, str) and name for name in names.values()):
        raise ValueError
    sections = tuple((name, str(told["written"][name])) for name in SECTIONS if name in told["written"])
    at = datetime.fromisoformat(told["at"])
    if at.tzinfo is None:
        raise ValueError
    return RatingRecord(written=sections, at=at, word=word, **names)
