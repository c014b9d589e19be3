"""A rating that stands for itself: what a reader said of a written report, and which report that was."""

from dataclasses import dataclass
from datetime import datetime

from core.errors import ReadingRoomError
from core.judgements import Said
from core.ratings import Author, Preference


@dataclass(frozen=True)
class Compared:
    """A blind pair that was judged."""

    order: tuple[Author, Author]
    preference: Preference


@dataclass(frozen=True)
class RatingRecord:
    """What a reader said of one written report, and of which: the study by dataset and key, the model by name, and the
    sections as it wrote them. `at` is when."""

    dataset: str
    study: str
    model: str
    written: tuple[tuple[str, str], ...]
    reader: str
    at: datetime
    word: Said | Compared


class NoSuchReport(ReadingRoomError):
    """A rating of a report that is not on record here."""

    def __init__(self, record: RatingRecord) -> None:
        super().__init__(f"{record.model} wrote no such report about {record.dataset}/{record.study} here.")
