"""What the labels of a study come to for the worklist: its findings, who contradicts whom, and its place in the queue.

It is written when a label, a prediction or the model in use changes, so that no page of the worklist has to think.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Select, delete, exists, insert, select, tuple_
from sqlalchemy.orm import Session, load_only

from core.annotations import Origin
from core.disagreements import Disagreement, Dispute, ModelWord, disagreements
from core.findings import Side, State
from core.labels import Source, Statement, Zone, effective
from core.registry import LABELLING_FAMILY, ModelState
from core.reviews import ReviewState
from core.studies import Split
from db.findings import vocabulary
from db.tables import (
    DatasetRow,
    DisagreementRow,
    ImageRow,
    LabelRow,
    MaskVersionRow,
    ModelVersionRow,
    PatientRow,
    PredictionRow,
    RegionRow,
    StudyFindingRow,
    StudyRow,
)

T = TypeVar("T")

ALREADY_MARKED = 1.0
"""The queue's rank of studies that came in with masks: those that nobody has marked are read before them."""
MARKED_REASON = "every study without a mask has been read"
DISPUTED, UTTERLY_DISPUTED = -0.5, -0.9
"""The queue's ranks of studies on which the model contradicts the report: before all others but those sent back, the
surer the model is the sooner."""
AT_ONCE = 500

_SAYS = PredictionRow.payload["says"].as_string()
_DECIDED = {str(state): state for state in (State.PRESENT, State.ABSENT)}


def in_batches(items: Iterable[T]) -> Iterator[list[T]]:
    """No more at a time than a database takes in one question."""
    left = iter(items)
    while batch := list(islice(left, AT_ONCE)):
        yield batch


def settle(session: Session, study_ids: Iterable[int]) -> None:
    """Write anew what the worklist shows of these studies' labels; for after every change to what it rests on."""
    for some in in_batches(study_ids):
        said, judged = _statements(session, some), _model_words(session, some)
        found = {each: disagreements(each, said.get(each, ()), judged.get(each, {})) for each in some}
        _note_findings(session, some, said)
        _note_disagreements(session, some, found)
        _place(session, some, found)


def settle_after_models(session: Session) -> None:
    """The same for all studies whose model's word is another now, or is no longer to be seen: after a change of the
    model in use, and after studies have become blind or ceased to be."""
    row = DisagreementRow
    word = _judged(PredictionRow.id).where(PredictionRow.finding == row.finding, ImageRow.study_id == row.study_id)
    heard = (row.model == _SAYS, row.probability == PredictionRow.confidence)
    passed = select(row.study_id).where(row.model.is_not(None), ~word.where(*heard).correlate(row).exists())
    known = select(row.study_id).where(row.study_id == ImageRow.study_id, row.finding == PredictionRow.finding, *heard)
    unheard = (
        _judged(ImageRow.study_id)
        .join(LabelRow, (LabelRow.study_id == ImageRow.study_id) & (LabelRow.finding == PredictionRow.finding))
        .where(LabelRow.state.in_(_DECIDED), _SAYS.in_(_DECIDED), LabelRow.state != _SAYS, ~known.exists())
    )
    settle(session, sorted({*session.scalars(passed.distinct()), *session.scalars(unheard.distinct())}))


def settle_patients(session: Session, patient_ids: Collection[int]) -> None:
    """The same for patients who may have come to judge models: what a model says of their films is not to be seen."""
    query = select(StudyRow.id).where(StudyRow.patient_id.in_(patient_ids), StudyRow.disagrees.is_(True))
    settle(session, session.scalars(query).all())


def disputed(
    session: Session, dataset: str | None = None, finding: str | None = None, limit: int | None = None
) -> tuple[Dispute, ...]:
    """The findings on which somebody contradicts somebody, in the order of the worklist."""
    query = (
        select(DisagreementRow, DatasetRow.name, StudyRow.key)
        .join(StudyRow, DisagreementRow.study_id == StudyRow.id)
        .join(DatasetRow, StudyRow.dataset_id == DatasetRow.id)
    )
    if dataset is not None:
        query = query.where(DatasetRow.name == dataset)
    if finding is not None:
        query = query.where(DisagreementRow.finding == finding)
    query = query.order_by(StudyRow.queue_rank, StudyRow.id, DisagreementRow.finding).limit(limit)
    return tuple(Dispute(name, key, _disagreement(row)) for row, name, key in session.execute(query))


def disputed_of(session: Session, study_id: int) -> tuple[Disagreement, ...]:
    query = select(DisagreementRow).where(DisagreementRow.study_id == study_id).order_by(DisagreementRow.finding)
    return tuple(_disagreement(row) for row in session.scalars(query))


def _statements(session: Session, some: list[int]) -> dict[int, list[Statement]]:
    row = LabelRow
    query = select(row.study_id, row.finding, row.state, row.source, row.side, row.zone, row.reader_id)
    said: dict[int, list[Statement]] = {}
    for study, finding, state, source, side, zone, reader in session.execute(
        query.where(row.study_id.in_(some)).order_by(row.id)
    ):
        statement = Statement(
            finding,
            State(state),
            Source(source),
            Side(side) if side else None,
            Zone(zone) if zone else None,
            str(reader) if reader else None,
        )
        said.setdefault(study, []).append(statement)
    return said


def _model_words(session: Session, some: list[int]) -> dict[int, dict[str, ModelWord]]:
    words: dict[int, dict[str, ModelWord]] = {}
    query = _judged(ImageRow.study_id, PredictionRow.finding, _SAYS, PredictionRow.confidence)
    for study, finding, says, probability in session.execute(
        query.where(ImageRow.study_id.in_(some)).order_by(PredictionRow.id)
    ):
        if says in _DECIDED and probability is not None:
            words.setdefault(study, {})[finding] = ModelWord(_DECIDED[says], probability)
    return words


def _judged(*columns: Any) -> Select[*tuple[Any, ...]]:
    """What the model in use says of films as they lie now, on studies that are not read blind."""
    return (
        select(*columns)
        .select_from(PredictionRow)
        .join(ModelVersionRow, PredictionRow.model_id == ModelVersionRow.id)
        .join(ImageRow, PredictionRow.image_id == ImageRow.id)
        .join(StudyRow, ImageRow.study_id == StudyRow.id)
        .join(PatientRow, StudyRow.patient_id == PatientRow.id)
        .join(DatasetRow, StudyRow.dataset_id == DatasetRow.id)
        .where(
            ModelVersionRow.family == LABELLING_FAMILY,
            ModelVersionRow.state == ModelState.CHAMPION,
            PredictionRow.image_sha == ImageRow.sha,
            PatientRow.split == Split.TRAIN,
            DatasetRow.blind.is_(False),
        )
    )


def _note_findings(session: Session, some: list[int], said: Mapping[int, list[Statement]]) -> None:
    wanted = {
        (finding, study)
        for study, statements in said.items()
        for finding, counted in effective(statements).items()
        if counted.state is State.PRESENT
    }
    marked = select(MaskVersionRow.finding, ImageRow.study_id).join(ImageRow, MaskVersionRow.image_id == ImageRow.id)
    outlined = select(RegionRow.finding, ImageRow.study_id).join(ImageRow, RegionRow.image_id == ImageRow.id)
    for drawn in (marked, outlined.where(RegionRow.removed_at.is_(None))):
        wanted |= set(session.execute(drawn.where(ImageRow.study_id.in_(some)).distinct()).tuples())
    key = (StudyFindingRow.finding, StudyFindingRow.study_id)
    known = set(session.execute(select(*key).where(StudyFindingRow.study_id.in_(some))).tuples())
    if gone := known - wanted:
        session.execute(delete(StudyFindingRow).where(tuple_(*key).in_(sorted(gone))))
    if new := wanted - known:
        rows = [{"finding": finding, "study_id": study} for finding, study in sorted(new)]
        session.execute(insert(StudyFindingRow), rows)


def _note_disagreements(session: Session, some: list[int], found: Mapping[int, Sequence[Disagreement]]) -> None:
    rows = session.scalars(select(DisagreementRow).where(DisagreementRow.study_id.in_(some)))
    known = {(row.study_id, row.finding): row for row in rows}
    for each in (each for disputes in found.values() for each in disputes):
        row = known.pop((each.study_id, each.finding), None)
        if row is None:
            row = DisagreementRow(study_id=each.study_id, finding=each.finding)
            session.add(row)
        row.reader, row.imported = each.said.get(Source.READER), each.said.get(Source.IMPORTED)
        row.labeler, row.model = each.said.get(Source.LABELER), each.said.get(Source.MODEL)
        row.probability, row.readers_differ = each.probability, each.readers_differ
    for settled in known.values():
        session.delete(settled)


def _place(session: Session, some: list[int], found: Mapping[int, Sequence[Disagreement]]) -> None:
    """Put unread studies on which model and report contradict each other in front, and the others back."""
    names: dict[str, str] = {}
    places = load_only(StudyRow.state, StudyRow.disagrees, StudyRow.queue_rank, StudyRow.queue_reason)
    for study in session.scalars(select(StudyRow).where(StudyRow.id.in_(some)).options(places)):
        disputes = found[study.id]
        study.disagrees = bool(disputes)
        if study.state != ReviewState.UNREAD:
            continue
        strongest = max(disputes, key=lambda each: each.before_reading, default=None)
        if strongest is not None and strongest.before_reading > 0:
            names = names or {each.key: each.name for each in vocabulary(session, include_retired=True)}
            study.queue_rank = DISPUTED + (UTTERLY_DISPUTED - DISPUTED) * strongest.before_reading
            study.queue_reason = strongest.words(names[strongest.finding])
        elif UTTERLY_DISPUTED <= study.queue_rank <= DISPUTED:
            study.queue_rank, study.queue_reason = _place_without_dispute(session, study.id)
    session.flush()


def _place_without_dispute(session: Session, study_id: int) -> tuple[float, str]:
    came_marked = exists().where(
        MaskVersionRow.image_id == ImageRow.id,
        ImageRow.study_id == study_id,
        MaskVersionRow.origin == Origin.IMPORTED,
    )
    return (ALREADY_MARKED, MARKED_REASON) if session.scalar(select(came_marked)) else (0.0, "")


def _disagreement(row: DisagreementRow) -> Disagreement:
    said = {
        Source.READER: row.reader,
        Source.IMPORTED: row.imported,
        Source.LABELER: row.labeler,
        Source.MODEL: row.model,
    }
    states = {source: State(state) for source, state in said.items() if state}
    return Disagreement(row.study_id, row.finding, states, row.probability, row.readers_differ)
