"""Predictions: what models marked and readers decided on it, and how probable models find what is on a film."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from core.annotations import Decision, NewPrediction, Prediction, SuggestionAlreadyDecided
from core.errors import NotFound
from core.registry import LABELLING_FAMILY, MARKING_FAMILY, ModelState, model_name
from core.studies import Study
from db import audit, reviews
from db.masks import stats_columns, to_stats
from db.standing import settle
from db.tables import ImageRow, ModelVersionRow, PredictionRow, ReaderRow, StudyRow, now


def add_predictions(session: Session, model_id: int, predictions: Iterable[NewPrediction]) -> list[int]:
    """Put suggestions on record; gives their numbers in order."""
    model = session.get_one(ModelVersionRow, model_id)
    rows: list[PredictionRow] = []
    for new in predictions:
        empty = {"height": None, "width": None, "area": None, "box": None}
        row = PredictionRow(
            model_id=model_id,
            image_id=new.image_id,
            image_sha=new.image_sha,
            finding=new.finding,
            prompt=new.prompt,
            sha=new.sha,
            confidence=new.confidence,
            payload=dict(new.payload),
            **(stats_columns(new.stats) if new.stats else empty),
        )
        session.add(row)
        rows.append(row)
        if model.family == MARKING_FAMILY and new.sha is not None:
            image = session.get_one(ImageRow, new.image_id)
            session.get_one(StudyRow, image.study_id).has_suggestion = True
    session.flush()
    if model.family == LABELLING_FAMILY:
        looked_at = select(ImageRow.study_id).where(ImageRow.id.in_({row.image_id for row in rows}))
        settle(session, sorted(set(session.scalars(looked_at))))
    return [row.id for row in rows]


def open_suggestions(session: Session, image_ids: list[int]) -> tuple[Prediction, ...]:
    """For each image and finding the newest undecided mask of the model in use, made on the film as it lies now."""
    newest = _newest(session, image_ids, MARKING_FAMILY)
    return tuple(to_prediction(row) for row in newest if row.decision is None and row.sha is not None)


def probabilities(session: Session, image_ids: list[int]) -> tuple[Prediction, ...]:
    """For each image and finding what the classification model in use says last of the film as it lies now.

    Whoever shows them asks first whether the study is read blind.
    """
    return tuple(to_prediction(row) for row in _newest(session, image_ids, LABELLING_FAMILY))


def in_sight(session: Session, study: Study, finding: str, reader_id: int) -> bool:
    """Whether a reader of a study has a model's word in sight: how probable it finds this, or the cases that it found
    to be like it, which a reader may ask for even where a study is read blind."""
    if reviews.saw_similar(session, study.id, reader_id):
        return True
    if study.blind:
        return False
    shown = probabilities(session, [image.id for image in study.images])
    return any(each.finding == finding for each in shown)


def get_prediction(session: Session, prediction_id: int) -> Prediction:
    """Raises NotFound."""
    row = session.get(PredictionRow, prediction_id)
    if row is None:
        raise NotFound(f"There is no suggestion number {prediction_id}.")
    return to_prediction(row)


def predicted_images(session: Session, model_id: int) -> set[tuple[int, str]]:
    """Image number and content hash of all that a model has gone through; single questions do not count."""
    query = select(PredictionRow.image_id, PredictionRow.image_sha).where(
        PredictionRow.model_id == model_id, PredictionRow.prompt.is_(None)
    )
    return set(session.execute(query.distinct()).tuples())


def decide(
    session: Session,
    prediction_id: int,
    decision: Decision,
    reader_id: int,
    reason: str | None = None,
    edit_dice: float | None = None,
) -> None:
    """Keep what a reader decided on a suggestion. An acceptance may still turn into a correction.

    Raises NotFound, SuggestionAlreadyDecided.
    """
    row = session.get(PredictionRow, prediction_id)
    if row is None:
        raise NotFound(f"There is no suggestion number {prediction_id}.")
    if row.decision is not None and Decision.REJECTED in (row.decision, decision):
        raise SuggestionAlreadyDecided(Decision(row.decision))
    row.decision, row.decided_by_id, row.decided_at = decision, reader_id, now()
    row.reason, row.edit_dice = reason, edit_dice
    reader = session.get_one(ReaderRow, reader_id).name
    audit.record(session, reader, f"suggestion {decision}", f"prediction {prediction_id}", reason or "")


def _newest(session: Session, image_ids: list[int], family: str) -> list[PredictionRow]:
    query = (
        select(PredictionRow)
        .join(ModelVersionRow, PredictionRow.model_id == ModelVersionRow.id)
        .join(ImageRow, PredictionRow.image_id == ImageRow.id)
        .where(
            PredictionRow.image_id.in_(image_ids),
            ModelVersionRow.family == family,
            ModelVersionRow.state == ModelState.CHAMPION,
            PredictionRow.image_sha == ImageRow.sha,
        )
        .options(joinedload(PredictionRow.model), joinedload(PredictionRow.decided_by))
        .order_by(PredictionRow.id)
    )
    return list({(row.image_id, row.finding): row for row in session.scalars(query)}.values())


def to_prediction(row: PredictionRow) -> Prediction:
    area = row.area
    return Prediction(
        id=row.id,
        image_id=row.image_id,
        image_sha=row.image_sha,
        finding=row.finding,
        model=model_name(row.model.family, row.model.number),
        sha=row.sha,
        stats=to_stats(row.height or 0, row.width or 0, area, row.box) if area is not None else None,
        confidence=row.confidence,
        created_at=row.created_at,
        decision=Decision(row.decision) if row.decision else None,
        reason=row.reason,
        decided_by=row.decided_by.name if row.decided_by else None,
        edit_dice=row.edit_dice,
        prompt=row.prompt,
        payload=row.payload,
    )
