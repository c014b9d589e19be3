"""Model versions: what was learned from what, which one answers, and the rule by which a better one takes over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.errors import ReadingRoomError
from core.metrics import Estimate, ItemScore, Metric, paired, paired_difference

RESEARCH_ONLY = "For research, not for clinical decisions."
SILENT_FAMILIES = frozenset({"pretraining"})
"""Families whose models tell readers nothing: they are what other trainings start from."""
MARKING_FAMILY = "segmentation"
"""The family whose predictions are masks that a reader accepts, corrects or rejects."""
LABELLING_FAMILY = "classification"
"""The family whose predictions say how probable a finding is."""
SEARCHING_FAMILY = "retrieval"
"""The family by whose models studies are found; they suggest nothing of themselves."""
WRITING_FAMILY = "generation"
"""The family whose models draft reports on whole studies."""
LEAST_PATIENTS = 5
"""Fewer validation patients than these promote nothing by the rule."""
HOPELESS = 0.2
"""A model whose headline on a finding lies below this, interval and all, does not suggest it unasked."""


class ModelState(StrEnum):
    CANDIDATE = "candidate"
    CHAMPION = "champion"
    ARCHIVED = "archived"


class NotPromotable(ReadingRoomError):
    """A model that may never answer readers, such as one trained on an evaluation fold."""


class ReasonNeeded(ReadingRoomError):
    """A promotion or rollback by hand without a reason."""

    def __init__(self) -> None:
        super().__init__("Say why: a promotion by hand is kept with its reason.")


class NothingToRollBackTo(ReadingRoomError):
    def __init__(self, family: str) -> None:
        super().__init__(f"No earlier {family} model has been in use, so there is none to go back to.")


@dataclass(frozen=True)
class ModelVersion:
    """A trained model on record. Its folder in the workspace holds weights, recipe, metrics, figures and card."""

    id: int
    family: str
    number: int
    state: ModelState
    folder: str
    recipe: Mapping[str, Any]
    snapshot: str | None
    findings: tuple[str, ...]
    headline: str
    metrics: Mapping[str, Metric]
    created_at: datetime
    created_by: str
    promotable: bool = True
    reason: str | None = None
    job: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return model_name(self.family, self.number)


def model_name(family: str, number: int) -> str:
    return f"{family}-v{number}"


@dataclass(frozen=True)
class Verdict:
    """Whether the rule promotes, the paired difference it looked at, and the reason in a sentence."""

    promote: bool
    difference: Estimate
    reason: str


def judge(
    candidate: Sequence[ItemScore], champion: Sequence[ItemScore] | None, headline: str, higher_is_better: bool = True
) -> Verdict:
    """The promotion rule: better than the champion on the same frozen items, by more than chance explains.

    The items are those of one snapshot's validation split; the difference is paired by item and resampled by patient;
    the whole 95 % interval has to lie on the better side of zero, and it has to come from LEAST_PATIENTS at the least:
    resampling a handful says nothing about the next. Without a champion the first model is promoted.
    """
    if champion is None:
        alone = paired_difference(candidate, candidate, headline)
        return Verdict(True, alone, "There was no model in use yet.")
    difference = paired_difference(candidate, champion, headline)
    if difference.value is None or difference.low is None or difference.high is None:
        return Verdict(False, difference, "The two models have no scored item in common, so they cannot be compared.")
    patients = len(set(paired(candidate, champion, headline)[1]))
    if patients < LEAST_PATIENTS:
        words = f"Only {patients} validation patients could be compared; the rule asks for {LEAST_PATIENTS}."
        return Verdict(False, difference, words)
    edge = difference.low if higher_is_better else -difference.high
    figures = f"{difference.value:+.3f} {headline} ({difference.low:+.3f} to {difference.high:+.3f}, N {difference.n})"
    if edge > 0:
        return Verdict(True, difference, f"Better than the model in use by {figures}.")
    return Verdict(False, difference, f"Not better than the model in use beyond chance: {figures}.")


def worth_suggesting(model: ModelVersion) -> tuple[str, ...]:
    """The findings that a model suggests unasked: not those on which its validation was hopeless. A finding that nobody
    could validate is suggested; asked for by name, all are."""
    metric = model.metrics.get(model.headline)
    known = metric.per_finding if metric else {}
    highest = {finding: estimate.high for finding, estimate in known.items()}
    return tuple(key for key in model.findings if (high := highest.get(key)) is None or high >= HOPELESS)


def require_promotable(model: ModelVersion) -> None:
    """Raises NotPromotable for models of evaluation folds and the like."""
    if not model.promotable:
        raise NotPromotable(
            f"{model.name} was trained for evaluation only (a cross-validation fold, or to show what a leak looks "
            "like) and cannot be put in use. Train on a whole snapshot and promote that model."
        )
