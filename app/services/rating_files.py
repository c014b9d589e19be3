"""Handing the readers' judgements of reports out, and taking them in again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.house import House
from core.errors import ReadingRoomError
from data.ratings import MalformedRating, read, written_as
from db import audit, rating_records


class FileThere(ReadingRoomError):
    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is there already. Name another file; nothing is written over.")


@dataclass(frozen=True)
class TakenIn:
    """What became of a file's ratings: new here, here already, and left out, each with its reason."""

    added: int
    known: int
    left_out: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"added": self.added, "known": self.known, "skipped": list(self.left_out)}


def hand_out(house: House, path: Path, actor: str, dataset: str | None = None) -> int:
    """Write the judgements that count and the blind pairs, of a dataset or of all, oldest first; gives how many.

    Raises UnknownRatings, FileThere."""
    write = written_as(path.name)
    if path.exists():
        raise FileThere(path)
    with house.database.reading() as session:
        records = [each for each in rating_records.records(session) if dataset in (None, each.dataset)]
    path.write_text(write(records), encoding="utf-8", newline="")
    with house.database.writing() as session:
        audit.record(session, actor, "export ratings", dataset or "all datasets", f"{len(records)}")
    return len(records)


def take_in(house: House, path: Path, actor: str) -> TakenIn:
    """Put the ratings of a file on record, each for the reader who gave it. What is here already adds nothing; one that
    contradicts what stands here, or is of a report that is not here, is left out and listed.

    Raises UnknownRatings."""
    added, known, left_out = 0, 0, []
    text = path.read_text(encoding="utf-8", errors="replace")
    with house.database.writing() as session:
        for record in read(path.name, text):
            if isinstance(record, MalformedRating):
                left_out.append(str(record))
                continue
            try:
                is_new = rating_records.keep(session, record)
            except ReadingRoomError as refusal:
                left_out.append(f"{record.dataset}/{record.study}, {record.reader}: {refusal}")
                continue
            added, known = added + is_new, known + (not is_new)
        audit.record(
            session, actor, "import ratings", path.name, f"{added} new, {known} known, {len(left_out)} left out"
        )
    return TakenIn(added, known, tuple(left_out))
