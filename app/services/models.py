"""Comparing model versions, and deciding which one answers the readers."""

from dataclasses import dataclass

from app.house import House
from core.metrics import Estimate, Evaluation, ItemScore, paired_difference
from core.registry import ModelVersion, Verdict
from db import models, promotion


@dataclass(frozen=True)
class Comparison:
    """Two versions on the same items: what each scored, item by item, and the paired difference of the headline."""

    one: ModelVersion
    other: ModelVersion
    snapshot: str
    split: str
    difference: Estimate
    pairs: tuple[tuple[ItemScore, ItemScore], ...]


def all_models(house: House, family: str | None = None) -> tuple[ModelVersion, ...]:
    with house.database.reading() as session:
        return models.models(session, family)


def model(house: House, name: str) -> ModelVersion:
    """Raises NotFound."""
    with house.database.reading() as session:
        return models.get_model(session, name)


def evaluations(house: House, name: str) -> tuple[Evaluation, ...]:
    """Raises NotFound."""
    with house.database.reading() as session:
        return models.evaluations(session, name)


def compare(house: House, one: str, other: str, snapshot: str, split: str) -> Comparison | None:
    """Two models on the same split of a snapshot, or on "all" of it; None when one was not measured there.

    Raises NotFound.
    """
    with house.database.reading() as session:
        first, second = models.get_model(session, one), models.get_model(session, other)
        ours = models.item_scores(session, first.name, snapshot, split)
        theirs = models.item_scores(session, second.name, snapshot, split)
    if ours is None or theirs is None:
        return None
    by_item = {(score.item, score.finding): score for score in theirs}
    pairs = [(score, by_item[key]) for score in ours if (key := (score.item, score.finding)) in by_item]
    difference = paired_difference(ours, theirs, first.headline)
    return Comparison(first, second, snapshot, split, difference, tuple(pairs))


def verdict(house: House, name: str) -> Verdict:
    """What the promotion rule says of a model. Raises NotFound, NotPromotable, NotMeasuredAlike."""
    with house.database.reading() as session:
        return promotion.verdict(session, name)


def promote_by_rule(house: House, name: str, by: str) -> ModelVersion:
    """Put a model in use if it is better beyond chance. Raises NotBetter, and what `verdict` raises."""
    with house.database.writing() as session:
        return promotion.promote_by_rule(session, name, by)


def promote(house: House, name: str, reason: str, by: str) -> ModelVersion:
    """Put a model in use; its suggestions for all studies not yet reviewed are queued, in worklist order.

    Raises NotFound, NotPromotable, ReasonNeeded.
    """
    with house.database.writing() as session:
        return promotion.put_in_use(session, name, reason, by)


def roll_back(house: House, family: str, reason: str, by: str) -> ModelVersion:
    """Take the last promotion back. Raises NothingToRollBackTo, ReasonNeeded."""
    with house.database.writing() as session:
        return promotion.take_back(session, family, reason, by)
