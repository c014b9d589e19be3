"""Labels: what each source says of a study's findings. Every version is immutable, with its parent, author and time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, joinedload

from core.errors import NotFound, ReadingRoomError
from core.findings import Side, State
from core.labels import LabelVersion, NewLabel, Source, Statement, Zone, contradict, standing
from core.studies import Skipped, torn_labels
from db.findings import ensure_findings
from db.people import ensure_reader
from db.standing import in_batches, settle
from db.tables import LabelRow, StudyRow, now

LABELER = "labeler"
"""Who is on the audit trail for findings that only a report's labeler knows."""


class NoLabel(ReadingRoomError):
    """A model's word offered as a label."""

    def __init__(self) -> None:
        super().__init__(
            "What a model says stays with its predictions and is never a label. A reader may say the same."
        )


def add_version(
    session: Session,
    new: NewLabel,
    source: Source,
    *,
    reader_id: int | None = None,
    parent_id: int | None = None,
    evidence: str = "",
    suggested: bool = False,
) -> LabelVersion:
    """Put what a person says on record. It counts as suggested when it or any ancestor was said in sight of a model.

    Raises NotFound, NoLabel.
    """
    study = session.get(StudyRow, new.study_id)
    if study is None:
        raise NotFound(f"There is no study number {new.study_id}. Choose one from the worklist.")
    parent = session.get(LabelRow, parent_id) if parent_id is not None else None
    said = Statement(new.finding, new.state, source, new.side, new.zone, evidence=evidence)
    informed = suggested or bool(parent and parent.suggested)
    session.add(LabelRow(**_columns(new.study_id, said, reader_id, parent_id, informed)))
    study.changed_at = now()
    session.flush()
    settle(session, [new.study_id])
    return versions(session, new.study_id, new.finding)[0]


def versions(session: Session, study_id: int, finding: str | None = None) -> tuple[LabelVersion, ...]:
    """The history of a study's labels by all sources, newest first."""
    query = select(LabelRow).where(LabelRow.study_id == study_id)
    if finding is not None:
        query = query.where(LabelRow.finding == finding)
    rows = session.scalars(query.options(joinedload(LabelRow.reader)).order_by(LabelRow.id))
    made = [to_version(row) for row in rows]
    heads = {version.id for version in standing(made)}
    torn = conflicting_ids(made)
    return tuple(replace(v, is_current=v.id in heads, in_conflict=v.id in torn) for v in reversed(made))


def get_version(session: Session, version_id: int) -> LabelVersion:
    """Raises NotFound."""
    row = session.get(LabelRow, version_id)
    if row is None:
        raise NotFound(f"There is no version {version_id} of a label.")
    return to_version(row)


def keep_labeler_statements(session: Session, study_id: int, statements: Iterable[Statement]) -> int:
    """Put what the labeler says of a study's report on record where it differs from what it said last.

    What it no longer says is taken back. Gives the number of versions added.
    """
    return keep_all_labeler_statements(session, {study_id: tuple(statements)})


def keep_all_labeler_statements(session: Session, said: Mapping[int, Sequence[Statement]]) -> int:
    """The same for many studies at once."""
    ensure_findings(session, {each.finding for statements in said.values() for each in statements}, LABELER)
    before = _last_of_labeler(session, said)
    added: list[dict[str, Any]] = []
    for study_id, statements in said.items():
        words = {
            each.finding: Statement(each.finding, each.state, Source.LABELER, each.side, each.zone, None, each.evidence)
            for each in statements
            if each.state is not State.UNASSESSED
        }
        for finding in dict.fromkeys((*words, *before[study_id])):
            taken_back = Statement(finding, State.UNASSESSED, Source.LABELER)
            number, earlier = before[study_id].get(finding, (None, taken_back))
            statement = words.get(finding, taken_back)
            if statement != earlier:
                added.append(_columns(study_id, statement, None, number))
    if added:
        session.execute(insert(LabelRow), added)
        settle(session, sorted({columns["study_id"] for columns in added}))
    return len(added)


def take_in(session: Session, study: StudyRow, labels: Sequence[Statement]) -> tuple[Skipped, ...]:
    """Put the statements that came with an import on record; gives what was left out, or needs a person, and why.

    Imported statements that contradict each other are kept apart. Of anyone else the word on record stays. What is on
    record already adds nothing.
    """
    if not labels:
        return ()
    known = [to_version(row).statement for row in study.labels]
    mentioned = {label.finding for label in labels}
    relevant = [each for each in known if each.finding in mentioned]
    told = list(torn_labels(study.key, (*relevant, *labels)))
    new: list[Statement] = []
    for label in (Statement(**vars(each)) for each in labels):
        spoken = [each for each in (*known, *new) if (each.finding, each.source) == (label.finding, label.source)]
        if label.source is Source.READER:
            spoken = [each for each in spoken if each.reader == label.reader]
        if label.source is Source.MODEL:
            told.append(Skipped(f"{study.key} {label.finding}", str(NoLabel())))
        elif label not in spoken and spoken and label.source is not Source.IMPORTED:
            words = f"the {label.source} has said {spoken[-1].state} here already; that word was kept"
            told.append(Skipped(f"{study.key} {label.finding}", words))
        elif label not in spoken and label.state is not State.UNASSESSED:
            new.append(label)
    for label in new:
        reader_id = ensure_reader(session, label.reader) if label.reader else None
        study.labels.append(LabelRow(**_columns(study.id, label, reader_id, None, label.suggested)))
    if new:
        session.flush()
        settle(session, [study.id])
    return tuple(told)


def conflicting_ids(versions: Sequence[LabelVersion]) -> set[int]:
    """Of versions given oldest first, those that contradict each other until a person settles it: current words of
    different readers, words that one reader submitted from two tabs, and imports."""
    heads = standing(versions)
    settled = {each.finding for each in heads if each.source is Source.ADJUDICATED}
    parents = {each.parent_id for each in versions}
    tips: dict[tuple[str, str | None, int | None], list[LabelVersion]] = {}
    for each in versions:
        if each.source is Source.READER and each.id not in parents:
            tips.setdefault((each.finding, each.reader, each.parent_id), []).append(each)
    forked = {each for line in tips.values() if len(line) > 1 for each in line}
    words: dict[tuple[str, Source], list[LabelVersion]] = {}
    for each in versions:
        if each.finding not in settled and (each in heads or each in forked):
            words.setdefault((each.finding, each.source), []).append(each)
    pairs = (pair for group in words.values() for pair in combinations(group, 2))
    return {each.id for pair in pairs if contradict(*pair) for each in pair}


def to_version(row: LabelRow) -> LabelVersion:
    return LabelVersion(
        id=row.id,
        study_id=row.study_id,
        finding=row.finding,
        state=State(row.state),
        source=Source(row.source),
        created_at=row.created_at,
        side=Side(row.side) if row.side else None,
        zone=Zone(row.zone) if row.zone else None,
        reader=row.reader.name if row.reader else None,
        evidence=row.evidence,
        suggested=row.suggested,
        parent_id=row.parent_id,
    )


def _last_of_labeler(session: Session, studies: Iterable[int]) -> dict[int, dict[str, tuple[int, Statement]]]:
    """For each study and finding the number of the labeler's newest version and what it says."""
    last: dict[int, dict[str, tuple[int, Statement]]] = {}
    row = LabelRow
    columns = (row.id, row.study_id, row.finding, row.state, row.side, row.zone, row.evidence)
    for some in in_batches(studies):
        last |= {study_id: {} for study_id in some}
        query = select(*columns).where(row.study_id.in_(some), row.source == Source.LABELER).order_by(row.id)
        for number, study_id, finding, state, side, zone, evidence in session.execute(query):
            where = Side(side) if side else None, Zone(zone) if zone else None
            said = Statement(finding, State(state), Source.LABELER, *where, evidence=evidence)
            last[study_id][finding] = number, said
    return last


def _columns(
    study_id: int, said: Statement, reader_id: int | None, parent_id: int | None, suggested: bool = False
) -> dict[str, Any]:
    if said.source is Source.MODEL:
        raise NoLabel
    return {
        "study_id": study_id,
        "finding": said.finding,
        "state": said.state,
        "source": said.source,
        "side": said.side,
        "zone": said.zone,
        "evidence": said.evidence,
        "suggested": suggested,
        "reader_id": reader_id,
        "parent_id": parent_id,
    }
