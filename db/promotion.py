"""Which model answers the readers: the rule on record, putting a model in use, and taking that back."""

from sqlalchemy.orm import Session

from core.errors import ReadingRoomError
from core.jobs import JobKind, JobRequest
from core.registry import (
    LABELLING_FAMILY,
    SEARCHING_FAMILY,
    SILENT_FAMILIES,
    ModelState,
    ModelVersion,
    Verdict,
    judge,
    require_promotable,
)
from core.studies import Split
from db import jobs, models, standing


class NotMeasuredAlike(ReadingRoomError):
    def __init__(self, champion: str, candidate: ModelVersion) -> None:
        super().__init__(
            f"{champion} and {candidate.name} were not measured on the same validation studies. Run "
            f"`evaluate {champion} --snapshot {candidate.snapshot} --split validation`, and the same for "
            f"{candidate.name}, then try again."
        )


class NotBetter(ReadingRoomError):
    """The rule looked and did not promote."""


def verdict(session: Session, name: str) -> Verdict:
    """What the promotion rule says of a model: candidate and champion on the validation split of the candidate's own
    snapshot. Raises NotFound, NotPromotable, NotMeasuredAlike."""
    candidate = models.get_model(session, name)
    require_promotable(candidate)
    champion = models.champion(session, candidate.family)
    ours = models.item_scores(session, candidate.name, candidate.snapshot or "", Split.VALIDATION)
    if champion is None or champion.id == candidate.id:
        return judge(ours or (), None, candidate.headline)
    theirs = models.item_scores(session, champion.name, candidate.snapshot or "", Split.VALIDATION)
    if ours is None or theirs is None:
        raise NotMeasuredAlike(champion.name, candidate)
    return judge(ours, theirs, candidate.headline)


def promote_by_rule(session: Session, name: str, by: str) -> ModelVersion:
    """Put a model in use if it is better beyond chance. Raises NotBetter, and what `verdict` raises."""
    ruling = verdict(session, name)
    if not ruling.promote:
        raise NotBetter(f"{name} was not promoted. {ruling.reason}")
    return put_in_use(session, name, f"By the rule: {ruling.reason}", by)


def put_in_use(session: Session, name: str, reason: str, by: str) -> ModelVersion:
    """Make a model the one that answers; its suggestions for all studies not yet reviewed are queued, or the index by
    which it will find them, if its family makes any.

    Raises NotFound, NotPromotable, ReasonNeeded.
    """
    promoted = models.promote(session, name, reason, by)
    _settle(session, promoted)
    _queue_predictions(session, promoted, by)
    return promoted


def take_back(session: Session, family: str, reason: str, by: str) -> ModelVersion:
    """Take the last promotion back. Raises NothingToRollBackTo, ReasonNeeded."""
    restored = models.roll_back(session, family, reason, by)
    _settle(session, restored)
    _queue_predictions(session, restored, by)
    return restored


def suggest_for(session: Session, dataset: str, by: str) -> None:
    """Queue what the models in use suggest for a dataset's studies not yet reviewed."""
    for model in models.models(session):
        if model.state is ModelState.CHAMPION:
            _queue_predictions(session, model, by, dataset)


def _settle(session: Session, model: ModelVersion) -> None:
    if model.family == LABELLING_FAMILY:
        standing.settle_after_models(session)


def _queue_predictions(session: Session, model: ModelVersion, by: str, dataset: str | None = None) -> None:
    if model.family == SEARCHING_FAMILY:
        # Studies that come in are embedded as they come; a change of the model asks for all of them.
        if dataset is None:
            jobs.enqueue(session, JobRequest(JobKind.INDEX, {"model": model.name}, model.family), by)
        return
    parameters = {"model": model.name, "dataset": dataset, "unreviewed": True, "findings": None}
    if model.family not in SILENT_FAMILIES:
        jobs.enqueue(session, JobRequest(JobKind.PREDICT, parameters, model.family), by)
