"""Drafts of labels: each acknowledged word of a reader is a row, a child of the word before. Nothing is overwritten.

When two tabs go on from the same word, the second one forks: it gets a branch of its own and is told.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased, joinedload

from core.errors import NotFound, ReadingRoomError
from core.findings import Side, State
from core.labels import LabelDraft, LabelVersion, NewLabel, SavedLabel, Source, Statement, Zone, contradict
from db.findings import require_finding
from db.labels import add_version, versions
from db.tables import LabelDraftRow, LabelRow, ReaderRow, StudyRow


class NotYourWord(ReadingRoomError):
    def __init__(self) -> None:
        super().__init__("This finding was set by another reader. Reload the study to set it yourself.")


def save_draft(
    session: Session,
    reader_id: int,
    new: NewLabel,
    *,
    parent_id: int | None = None,
    base_version_id: int | None = None,
    suggested: bool = False,
) -> SavedLabel:
    """Keep what a reader says of a finding. `parent_id` is the draft that the tab went on from, `base_version_id` the
    newest version of the finding that it knew, `suggested` whether a model's probability was in sight.

    A word sent twice is kept once. Raises NotYourWord, NotFound, UnknownFinding.
    """
    if session.get(StudyRow, new.study_id) is None:
        raise NotFound(f"There is no study number {new.study_id}. Choose one from the worklist.")
    require_finding(session, new.finding)
    _require_version(session, new, base_version_id)
    parent = _parent(session, reader_id, new, parent_id)
    tips = [head for head in _heads(session, reader_id, new.study_id) if head.finding == new.finding]
    siblings = tips if parent is None else _children(session, parent)
    for sibling in siblings:
        # Not where somebody has gone on from it: states are few, and this may be another tab's own word.
        if _new(sibling) == new and sibling in tips:
            return SavedLabel(to_draft(sibling))
    conflict = _conflict(session, reader_id, new, parent, siblings, base_version_id)
    forks = bool(siblings) or parent is None or parent.closed_by is not None or parent.discarded
    row = LabelDraftRow(
        study_id=new.study_id,
        finding=new.finding,
        reader_id=reader_id,
        branch=_next_branch(session, reader_id, new) if forks or parent is None else parent.branch,
        parent_id=parent.id if parent else None,
        base_version_id=base_version_id if parent is None else parent.closed_by or parent.base_version_id,
        state=new.state,
        side=new.side,
        zone=new.zone,
        suggested=suggested or bool(parent and parent.suggested),
    )
    session.add(row)
    session.flush()
    session.refresh(row, ["reader"])
    return SavedLabel(to_draft(row), conflict)


def open_drafts(session: Session, reader_id: int, study_id: int) -> tuple[LabelDraft, ...]:
    """The newest word of every line not yet submitted or discarded, newest first."""
    return tuple(to_draft(row) for row in _heads(session, reader_id, study_id))


def get_draft(session: Session, draft_id: int) -> LabelDraft:
    """Raises NotFound."""
    return to_draft(_draft(session, draft_id))


def submit_drafts(session: Session, reader_id: int, study_id: int) -> tuple[LabelVersion, ...]:
    """Make an immutable version of every open line, the newest line last so that it is the one that counts."""
    made = []
    for head in reversed(_heads(session, reader_id, study_id)):
        version = add_version(
            session,
            _new(head),
            Source.READER,
            reader_id=reader_id,
            parent_id=head.base_version_id,
            suggested=head.suggested,
        )
        for row in _line(session, head):
            row.closed_by = version.id
        made.append(version)
    return tuple(made)


def discard_draft(session: Session, reader_id: int, draft_id: int) -> None:
    """Put a line aside; its words stay on record. Raises NotFound, NotYourWord."""
    row = _draft(session, draft_id)
    if row.reader_id != reader_id:
        raise NotYourWord
    for word in _line(session, row):
        word.discarded = True


def to_draft(row: LabelDraftRow) -> LabelDraft:
    return LabelDraft(
        id=row.id,
        study_id=row.study_id,
        finding=row.finding,
        reader=row.reader.name,
        branch=row.branch,
        state=State(row.state),
        saved_at=row.saved_at,
        side=Side(row.side) if row.side else None,
        zone=Zone(row.zone) if row.zone else None,
        parent_id=row.parent_id,
        base_version_id=row.base_version_id,
    )


def _new(row: LabelDraftRow) -> NewLabel:
    draft = to_draft(row)
    return NewLabel(draft.study_id, draft.finding, draft.state, draft.side, draft.zone)


def _draft(session: Session, draft_id: int) -> LabelDraftRow:
    row = session.get(LabelDraftRow, draft_id)
    if row is None:
        raise NotFound(f"There is no draft {draft_id} of a label.")
    return row


def _require_version(session: Session, new: NewLabel, version_id: int | None) -> None:
    if version_id is None:
        return
    row = session.get(LabelRow, version_id)
    if row is None or (row.study_id, row.finding) != (new.study_id, new.finding):
        raise NotFound("The version this was set on is not known here. Reload the study; what you set before is kept.")


def _parent(session: Session, reader_id: int, new: NewLabel, parent_id: int | None) -> LabelDraftRow | None:
    if parent_id is None:
        return None
    parent = session.get(LabelDraftRow, parent_id)
    if parent is None or (parent.study_id, parent.finding) != (new.study_id, new.finding):
        raise NotFound("The draft this goes on from is not known here. Reload the study; what you set before is kept.")
    if parent.reader_id != reader_id:
        raise NotYourWord
    return parent


def _children(session: Session, parent: LabelDraftRow) -> list[LabelDraftRow]:
    """The words that go on from one already; a discarded one is out of the way."""
    query = select(LabelDraftRow).where(LabelDraftRow.parent_id == parent.id, LabelDraftRow.discarded.is_(False))
    return list(session.scalars(query.options(joinedload(LabelDraftRow.reader))))


def _conflict(
    session: Session,
    reader_id: int,
    new: NewLabel,
    parent: LabelDraftRow | None,
    siblings: list[LabelDraftRow],
    base_version_id: int | None,
) -> str | None:
    if siblings:
        return "This finding is also being set in another tab. Both are kept; look under Versions."
    if parent is not None and parent.closed_by is not None:
        return "This finding was submitted from another tab. What you set now is kept as a new draft."
    base = base_version_id if parent is None else parent.base_version_id
    me = session.get_one(ReaderRow, reader_id).name
    word = Statement(new.finding, new.state, Source.READER, new.side, new.zone, me)
    for version in versions(session, new.study_id, new.finding):
        is_news = version.is_current and (base is None or version.id > base)
        if is_news and version.source in (Source.READER, Source.ADJUDICATED) and contradict(version, word):
            who = "You have" if version.reader == me else f"{version.reader} has"
            return f"{who} said {version.state} since this study was opened here. Both words are kept; see Versions."
    return None


def _heads(session: Session, reader_id: int, study_id: int) -> list[LabelDraftRow]:
    child = aliased(LabelDraftRow)
    later = select(child.id).where(child.parent_id == LabelDraftRow.id, child.branch == LabelDraftRow.branch).exists()
    query = select(LabelDraftRow).where(
        LabelDraftRow.reader_id == reader_id,
        LabelDraftRow.study_id == study_id,
        LabelDraftRow.closed_by.is_(None),
        LabelDraftRow.discarded.is_(False),
        ~later,
    )
    return list(session.scalars(query.options(joinedload(LabelDraftRow.reader)).order_by(LabelDraftRow.id.desc())))


def _line(session: Session, head: LabelDraftRow) -> list[LabelDraftRow]:
    query = select(LabelDraftRow).where(
        LabelDraftRow.reader_id == head.reader_id,
        LabelDraftRow.study_id == head.study_id,
        LabelDraftRow.finding == head.finding,
        LabelDraftRow.branch == head.branch,
        LabelDraftRow.closed_by.is_(None),
    )
    return list(session.scalars(query))


def _next_branch(session: Session, reader_id: int, new: NewLabel) -> int:
    query = select(func.max(LabelDraftRow.branch)).where(
        LabelDraftRow.reader_id == reader_id,
        LabelDraftRow.study_id == new.study_id,
        LabelDraftRow.finding == new.finding,
    )
    return (session.scalar(query) or 0) + 1
