"""The registry: model versions on record, what they scored, which one answers, and how that came to be."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from core.errors import NotFound
from core.metrics import Evaluation, ItemScore, Metric, metric_from_json, metric_to_json
from core.registry import (
    ModelState,
    ModelVersion,
    NothingToRollBackTo,
    ReasonNeeded,
    model_name,
    require_promotable,
)
from core.studies import Split
from db import audit
from db.tables import EvaluationRow, ModelVersionRow, PromotionRow, SnapshotRow


@dataclass(frozen=True)
class NewModel:
    """A model about to be put on record. `folder` lies under the workspace's models folder."""

    family: str
    folder: str
    recipe: Mapping[str, Any]
    findings: tuple[str, ...]
    headline: str
    metrics: Mapping[str, Metric]
    snapshot: str | None = None
    job: int | None = None
    promotable: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict)


def register(session: Session, new: NewModel, by: str) -> ModelVersion:
    """Put a model on record as a candidate. A job registers one model however often it is asked to."""
    if new.job is not None:
        known = session.scalar(select(ModelVersionRow).where(ModelVersionRow.job_id == new.job))
        if known is not None:
            return to_model(known)
    snapshot_id = None
    if new.snapshot is not None:
        snapshot_id = session.scalars(select(SnapshotRow.id).where(SnapshotRow.name == new.snapshot)).one()
    row = ModelVersionRow(
        family=new.family,
        number=next_number(session, new.family),
        state=ModelState.CANDIDATE,
        folder=new.folder,
        recipe=dict(new.recipe),
        snapshot_id=snapshot_id,
        job_id=new.job,
        findings=list(new.findings),
        headline=new.headline,
        metrics={name: metric_to_json(metric) for name, metric in new.metrics.items()},
        facts=dict(new.facts),
        promotable=new.promotable,
        created_by=by,
    )
    session.add(row)
    session.flush()
    audit.record(session, by, "register model", model_name(row.family, row.number))
    return to_model(row)


def next_number(session: Session, family: str) -> int:
    query = select(func.max(ModelVersionRow.number)).where(ModelVersionRow.family == family)
    return (session.scalar(query) or 0) + 1


def get_model(session: Session, name: str) -> ModelVersion:
    """The model of a name such as "segmentation-v3", or a family's model in use by "segmentation". Raises NotFound."""
    return to_model(_row(session, name))


def lineage(session: Session, name: str) -> tuple[ModelVersion, ...]:
    """A model and those that its training went on from, the last one first. Raises NotFound."""
    line = [get_model(session, name)]
    while before := line[-1].recipe.get("start_from"):
        line.append(get_model(session, before))
    return tuple(line)


def models(session: Session, family: str | None = None) -> tuple[ModelVersion, ...]:
    """Model versions, newest first."""
    query = select(ModelVersionRow).options(joinedload(ModelVersionRow.snapshot)).order_by(ModelVersionRow.id.desc())
    if family is not None:
        query = query.where(ModelVersionRow.family == family)
    return tuple(to_model(row) for row in session.scalars(query))


def champion(session: Session, family: str) -> ModelVersion | None:
    row = _champion(session, family)
    return to_model(row) if row else None


def promote(session: Session, name: str, reason: str, by: str) -> ModelVersion:
    """Put a model in use in place of the one that was. Raises NotFound, NotPromotable, ReasonNeeded."""
    if not reason.strip():
        raise ReasonNeeded
    row = _row(session, name)
    require_promotable(to_model(row))
    previous = _champion(session, row.family)
    if previous is not None and previous.id == row.id:
        return to_model(row)
    if previous is not None:
        previous.state = ModelState.ARCHIVED
    row.state, row.reason = ModelState.CHAMPION, reason
    session.add(
        PromotionRow(
            family=row.family, model_id=row.id, previous_id=previous.id if previous else None, reason=reason, by=by
        )
    )
    audit.record(session, by, "promote model", name, reason)
    session.flush()
    return to_model(row)


def roll_back(session: Session, family: str, reason: str, by: str) -> ModelVersion:
    """Take the last promotion back. Raises NothingToRollBackTo, ReasonNeeded."""
    if not reason.strip():
        raise ReasonNeeded
    query = select(PromotionRow).where(PromotionRow.family == family, PromotionRow.undone.is_(False))
    last = session.scalar(query.order_by(PromotionRow.id.desc()).limit(1))
    if last is None or last.previous_id is None:
        raise NothingToRollBackTo(family)
    last.undone = True
    session.get_one(ModelVersionRow, last.model_id).state = ModelState.ARCHIVED
    row = session.get_one(ModelVersionRow, last.previous_id)
    row.state, row.reason = ModelState.CHAMPION, reason
    audit.record(session, by, "roll back model", model_name(row.family, row.number), reason)
    session.flush()
    return to_model(row)


def record_evaluation(session: Session, evaluation: Evaluation, by: str) -> None:
    """Keep what a model scored. Each look at a test split is put on the audit trail."""
    model = _row(session, evaluation.model)
    snapshot_id = session.scalars(select(SnapshotRow.id).where(SnapshotRow.name == evaluation.snapshot)).one()
    session.add(
        EvaluationRow(
            model_id=model.id,
            snapshot_id=snapshot_id,
            split=evaluation.split,
            n=evaluation.n,
            seconds=evaluation.seconds,
            metrics={name: metric_to_json(metric) for name, metric in evaluation.metrics.items()},
            scores=[asdict(score) for score in evaluation.scores],
            created_by=by,
        )
    )
    if evaluation.split == Split.TEST:
        audit.record(session, by, "look at test split", evaluation.model, evaluation.snapshot)
    session.flush()


def evaluations(session: Session, model: str) -> tuple[Evaluation, ...]:
    """What a model scored, newest first, without the scores by item. Raises NotFound."""
    query = select(EvaluationRow).where(EvaluationRow.model_id == _row(session, model).id)
    return tuple(_evaluation(row, ()) for row in session.scalars(query.order_by(EvaluationRow.id.desc())))


def item_scores(session: Session, model: str, snapshot: str, split: str) -> tuple[ItemScore, ...] | None:
    """The latest scores by item on a split of a snapshot; None when the model was never measured there."""
    query = (
        select(EvaluationRow.scores)
        .join(SnapshotRow, EvaluationRow.snapshot_id == SnapshotRow.id)
        .where(
            EvaluationRow.model_id == _row(session, model).id,
            SnapshotRow.name == snapshot,
            EvaluationRow.split == split,
        )
        .order_by(EvaluationRow.id.desc())
        .limit(1)
    )
    found = session.scalar(query)
    return tuple(ItemScore(**score) for score in found) if found is not None else None


def to_model(row: ModelVersionRow) -> ModelVersion:
    return ModelVersion(
        id=row.id,
        family=row.family,
        number=row.number,
        state=ModelState(row.state),
        folder=row.folder,
        recipe=row.recipe,
        snapshot=row.snapshot.name if row.snapshot else None,
        findings=tuple(row.findings),
        headline=row.headline,
        metrics=_metrics(row.metrics),
        created_at=row.created_at,
        created_by=row.created_by,
        promotable=row.promotable,
        reason=row.reason,
        job=row.job_id,
        facts=row.facts,
    )


def _row(session: Session, name: str) -> ModelVersionRow:
    family, _, number = name.rpartition("-v")
    if number.isdigit():
        query = select(ModelVersionRow).where(ModelVersionRow.family == family, ModelVersionRow.number == int(number))
        row = session.scalar(query)
    else:
        row = _champion(session, name)
    if row is None:
        names = ", ".join(model.name for model in models(session)) or "none yet"
        raise NotFound(f'There is no model "{name}". There are: {names}.')
    return row


def _champion(session: Session, family: str) -> ModelVersionRow | None:
    query = select(ModelVersionRow).where(
        ModelVersionRow.family == family, ModelVersionRow.state == ModelState.CHAMPION
    )
    return session.scalar(query)


def _evaluation(row: EvaluationRow, scores: Sequence[ItemScore]) -> Evaluation:
    return Evaluation(
        model_name(row.model.family, row.model.number),
        row.snapshot.name,
        row.split,
        row.n,
        row.seconds,
        _metrics(row.metrics),
        tuple(scores),
    )


def _metrics(data: Mapping[str, Any]) -> dict[str, Metric]:
    return {name: metric_from_json(metric) for name, metric in data.items()}
