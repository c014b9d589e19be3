"""What readers say of written reports: judgements, the versions that their corrections make, and blind pairs.

Every save is a row, a child of the save before. When two tabs go on from the same judgement, both are kept and the
second one is told.
"""

from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.judgements import (
    AlreadyPreferred,
    Curated,
    JudgedOtherwise,
    Judgement,
    NotRated,
    NotYourJudgement,
    Pair,
    Revision,
    Said,
    SavedJudgement,
    curated,
    plain,
    require_within,
    said_of,
)
from core.ratings import Author, Preference
from core.writing import SECTIONS, Writing
from db import writings
from db.tables import JudgementRow, ReportPairRow, ReportRow, RevisionRow, StudyRow, WritingRow, now


def save(session: Session, reader_id: int, writing_id: int, said: Said, parent_id: int | None) -> SavedJudgement:
    """Keep what a reader says; `parent_id` is the judgement that the tab went on from, if any.

    What is said twice is kept once. Raises NotFound, NotYourJudgement, BadRating.
    """
    writing = writings.get_writing(session, writing_id)
    require_within(said, writing)
    newest = _newest(session, reader_id, writing_id)
    parent = _parent(session, reader_id, writing_id, parent_id)
    if newest is not None and said_of(newest.said) == said:
        return SavedJudgement(_judgement(newest))
    conflict = None
    if newest is not None and (parent is None or parent.id != newest.id):
        conflict = "This report is also being judged in another tab. Both judgements are kept; this one is the newest."
    row = JudgementRow(
        study_id=writing.study,
        writing_id=writing_id,
        reader_id=reader_id,
        parent_id=parent.id if parent else None,
        said=plain(said),
    )
    session.add(row)
    session.flush()
    session.refresh(row, ["reader"])
    return SavedJudgement(_judgement(row), conflict)


def submit(session: Session, reader_id: int, judgement_id: int) -> Judgement:
    """Let a judgement count; a corrected report becomes a version. Submitting twice does it once.

    Raises NotFound, NotYourJudgement, NotRated."""
    row = _mine(session, reader_id, judgement_id)
    said = said_of(row.said)
    if said.quality is None:
        raise NotRated
    if not row.submitted:
        row.submitted = True
        _revise(session, row, said, writings.get_writing(session, row.writing_id))
    session.flush()
    return _judgement(row)


def restore(session: Session, reader_id: int, writing_id: int, said: Said, at: datetime) -> bool:
    """Put a judgement that counted elsewhere on record, as of then; gives whether it was new here.

    Raises NotFound, BadRating, NotRated, and JudgedOtherwise where this reader said something else here."""
    writing = writings.get_writing(session, writing_id)
    require_within(said, writing)
    if said.quality is None:
        raise NotRated
    known = _newest(session, reader_id, writing_id)
    if known is not None:
        if not (known.submitted and said_of(known.said) == said):
            raise JudgedOtherwise
        return False
    row = JudgementRow(
        study_id=writing.study,
        writing_id=writing_id,
        reader_id=reader_id,
        said=plain(said),
        submitted=True,
        saved_at=at,
    )
    session.add(row)
    session.flush()
    _revise(session, row, said, writing)
    return True


def newest(session: Session, reader_id: int, writing_id: int) -> Judgement | None:
    """What a reader said last of a report, submitted or not."""
    row = _newest(session, reader_id, writing_id)
    return _judgement(row) if row is not None else None


def submitted(session: Session, study: int | None = None) -> tuple[Judgement, ...]:
    """The judgement that counts of each reader and report, oldest first."""
    query = select(JudgementRow)
    return _counting(session, query if study is None else query.where(JudgementRow.study_id == study))


def revisions(session: Session, study: int | None = None) -> tuple[Revision, ...]:
    """The versions of a study's report, or of all, that readers made, newest first."""
    query = select(RevisionRow).order_by(RevisionRow.id.desc())
    if study is not None:
        query = query.where(RevisionRow.study_id == study)
    return tuple(_revision(row) for row in session.scalars(query))


def curated_reports(session: Session, dataset_id: int) -> dict[int, Curated]:
    """Of each study of a dataset, the report that counts by its readers' word, where there is one."""
    ours = select(StudyRow.id).where(StudyRow.dataset_id == dataset_id)
    revised: dict[int, list[Revision]] = {}
    for made in session.scalars(select(RevisionRow).where(RevisionRow.study_id.in_(ours)).order_by(RevisionRow.id)):
        revised.setdefault(made.study_id, []).append(_revision(made))
    judged: dict[int, list[tuple[Judgement, Writing]]] = {}
    for each in _counting(session, select(JudgementRow).where(JudgementRow.study_id.in_(ours))):
        judged.setdefault(each.study, []).append((each, writings.get_writing(session, each.writing)))
    reported = set(session.scalars(select(ReportRow.study_id).where(ReportRow.study_id.in_(ours))))
    found = {
        study: curated(revised.get(study, ()), judged.get(study, ()), study in reported)
        for study in {*revised, *judged}
    }
    return {study: report for study, report in found.items() if report is not None}


def next_to_judge(session: Session, reader_id: int, after: int = 0) -> int | None:
    """The next study, by number and round again, with a written report on which this reader has submitted nothing."""
    done = select(JudgementRow.study_id).where(JudgementRow.reader_id == reader_id, JudgementRow.submitted.is_(True))
    open_ones = select(WritingRow.study_id).where(WritingRow.study_id.not_in(done)).order_by(WritingRow.study_id)
    found = session.scalar(open_ones.where(WritingRow.study_id > after).limit(1))
    return found if found is not None else session.scalar(open_ones.where(WritingRow.study_id != after).limit(1))


def prefer(
    session: Session,
    reader_id: int,
    writing_id: int,
    order: tuple[Author, Author],
    preference: Preference,
    at: datetime | None = None,
) -> Pair:
    """Keep which of a blind pair was better, as of now unless told. Raises NotFound, AlreadyPreferred."""
    writing = writings.get_writing(session, writing_id)
    if pair(session, reader_id, writing_id) is not None:
        raise AlreadyPreferred
    row = ReportPairRow(
        study_id=writing.study,
        writing_id=writing_id,
        reader_id=reader_id,
        first=order[0],
        second=order[1],
        preference=preference,
        judged_at=at or now(),
    )
    session.add(row)
    session.flush()
    session.refresh(row, ["reader"])
    return _pair(row)


def pair(session: Session, reader_id: int, writing_id: int) -> Pair | None:
    """The pair as this reader judged it, if they have."""
    query = select(ReportPairRow).where(ReportPairRow.reader_id == reader_id, ReportPairRow.writing_id == writing_id)
    row = session.scalar(query)
    return _pair(row) if row is not None else None


def pairs(session: Session) -> tuple[Pair, ...]:
    """All pairs that were judged, oldest first."""
    return tuple(_pair(row) for row in session.scalars(select(ReportPairRow).order_by(ReportPairRow.id)))


def _revise(session: Session, row: JudgementRow, said: Said, writing: Writing) -> None:
    sections = [[name, said.text_of(name, writing)] for name in SECTIONS if said.text_of(name, writing)]
    query = select(RevisionRow).where(RevisionRow.writing_id == writing.id, RevisionRow.reader_id == row.reader_id)
    parent = session.scalar(query.order_by(RevisionRow.id.desc()).limit(1))
    before = parent.sections if parent else [list(section) for section in writing.sections]
    if sections == before:
        return
    session.add(
        RevisionRow(
            study_id=writing.study,
            writing_id=writing.id,
            judgement_id=row.id,
            parent_id=parent.id if parent else None,
            reader_id=row.reader_id,
            sections=sections,
        )
    )


def _counting(session: Session, chosen: Select[JudgementRow]) -> tuple[Judgement, ...]:
    """Of the chosen judgements the newest that was submitted of each reader and report, oldest first."""
    rows = session.scalars(chosen.where(JudgementRow.submitted.is_(True)).order_by(JudgementRow.id))
    counts = {(row.reader_id, row.writing_id): row for row in rows}
    return tuple(_judgement(row) for row in sorted(counts.values(), key=lambda row: row.id))


def _newest(session: Session, reader_id: int, writing_id: int) -> JudgementRow | None:
    query = select(JudgementRow).where(JudgementRow.reader_id == reader_id, JudgementRow.writing_id == writing_id)
    return session.scalar(query.order_by(JudgementRow.id.desc()).limit(1))


def _mine(session: Session, reader_id: int, number: int) -> JudgementRow:
    row = session.get(JudgementRow, number)
    if row is None:
        raise NotFound(f"There is no judgement number {number}. Reload the report.")
    if row.reader_id != reader_id:
        raise NotYourJudgement
    return row


def _parent(session: Session, reader_id: int, writing_id: int, number: int | None) -> JudgementRow | None:
    if number is None:
        return None
    row = _mine(session, reader_id, number)
    if row.writing_id != writing_id:
        raise NotFound("The judgement this goes on from is of another report. Reload; what you said before is kept.")
    return row


def _judgement(row: JudgementRow) -> Judgement:
    return Judgement(
        row.id,
        row.study_id,
        row.writing_id,
        row.reader.name,
        said_of(row.said),
        row.parent_id,
        row.submitted,
        row.saved_at,
    )


def _revision(row: RevisionRow) -> Revision:
    sections = tuple((str(name), str(text)) for name, text in row.sections)
    return Revision(
        row.id,
        row.study_id,
        row.writing_id,
        row.judgement_id,
        row.parent_id,
        row.reader.name,
        sections,
        row.created_at,
    )


def _pair(row: ReportPairRow) -> Pair:
    return Pair(
        row.study_id,
        row.writing_id,
        row.reader.name,
        (Author(row.first), Author(row.second)),
        Preference(row.preference),
        row.judged_at,
    )
