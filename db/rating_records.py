"""Ratings as records that stand for themselves, for files to be made of and read from."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from core.errors import NotFound
from core.judgements import AlreadyPreferred, Said
from core.rating_records import Compared, NoSuchReport, RatingRecord
from db import judgements, people, studies, writings


def records(session: Session) -> Iterator[RatingRecord]:
    """The judgements that count, then the blind pairs, each oldest first."""
    for each in judgements.submitted(session):
        yield _record(session, each.writing, each.reader, each.saved_at, each.said)
    for pair in judgements.pairs(session):
        yield _record(session, pair.writing, pair.reader, pair.judged_at, Compared(pair.order, pair.preference))


def _record(session: Session, number: int, reader: str, at: datetime, word: Said | Compared) -> RatingRecord:
    writing = writings.get_writing(session, number)
    study = studies.get_study(session, writing.study)
    return RatingRecord(study.dataset, study.key, writing.model, writing.sections, reader, at, word)


def keep(session: Session, record: RatingRecord) -> bool:
    """Put a rating on record for the reader who gave it; gives whether it was new here.

    Raises NoSuchReport, BadRating, NotRated; JudgedOtherwise or AlreadyPreferred where this reader said otherwise."""
    try:
        study = studies.number_of(session, record.dataset, record.study)
        written = writings.of_study(session, study, record.model)
    except NotFound:
        raise NoSuchReport(record) from None
    writing = next((each for each in written if each.sections == record.written), None)
    if writing is None:
        raise NoSuchReport(record)
    reader = people.ensure_reader(session, record.reader)
    if isinstance(record.word, Said):
        return judgements.restore(session, reader, writing.id, record.word, record.at)
    known = judgements.pair(session, reader, writing.id)
    if known is None:
        judgements.prefer(session, reader, writing.id, record.word.order, record.word.preference, record.at)
        return True
    if (known.order, known.preference) != (record.word.order, record.word.preference):
        raise AlreadyPreferred
    return False
