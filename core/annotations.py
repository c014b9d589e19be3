"""What readers and models mark: mask versions, drafts, suggestions, and what a reader decided on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.errors import ReadingRoomError
from core.masks import MaskStats


class Origin(StrEnum):
    """How a mask version came to be."""

    MANUAL = "manual"
    IMPORTED = "imported"
    ACCEPTED = "accepted suggestion"
    CORRECTED = "corrected suggestion"
    TURNED = "turned with the film"
    CHOSEN = "chosen from history"

    @property
    def is_suggested(self) -> bool:
        return self in (Origin.ACCEPTED, Origin.CORRECTED)


class Decision(StrEnum):
    ACCEPTED = "accepted"
    CORRECTED = "corrected"
    REJECTED = "rejected"


class SuggestionAlreadyDecided(ReadingRoomError):
    def __init__(self, decision: Decision) -> None:
        super().__init__(f"This suggestion was already {decision}. Reload the study to see where it stands.")


class BlindReading(ReadingRoomError):
    """A suggestion was asked for on a study of the validation or test split."""

    def __init__(self) -> None:
        super().__init__(
            "This study is read without suggestions: it belongs to the patients that judge the models. Draw it."
        )


@dataclass(frozen=True)
class MaskVersion:
    """An immutable version of one finding's mask on one image.

    `suggested` tells whether a model's suggestion is anywhere among its ancestors. `edit_dice` is the Dice between
    the suggestion it came from and itself. `image_sha` names the pixels it was drawn on.
    """

    id: int
    image_id: int
    image_sha: str
    finding: str
    sha: str
    stats: MaskStats
    origin: Origin
    author: str
    created_at: datetime
    parent_id: int | None = None
    prediction_id: int | None = None
    suggested: bool = False
    edit_dice: float | None = None
    is_current: bool = False
    in_conflict: bool = False


@dataclass(frozen=True)
class NewMask:
    """A mask already in the store that is about to be put on record."""

    image_id: int
    finding: str
    sha: str
    stats: MaskStats


@dataclass(frozen=True)
class Draft:
    """The latest saved stroke of one reader's drawing. Drafts of a finding form a tree; `branch` names the line."""

    id: int
    image_id: int
    finding: str
    reader: str
    branch: int
    sha: str
    stats: MaskStats
    saved_at: datetime
    parent_id: int | None = None
    base_version_id: int | None = None
    prediction_id: int | None = None


@dataclass(frozen=True)
class SavedDraft:
    """A draft on record. `conflict` says, in a sentence, that another line of the same drawing exists and is kept."""

    draft: Draft
    conflict: str | None = None


@dataclass(frozen=True)
class Prediction:
    """A model's suggestion for one finding on one image. `sha` is the mask in the store, None when it found nothing."""

    id: int
    image_id: int
    image_sha: str
    finding: str
    model: str
    sha: str | None
    stats: MaskStats | None
    confidence: float | None
    created_at: datetime
    decision: Decision | None = None
    reason: str | None = None
    decided_by: str | None = None
    edit_dice: float | None = None
    prompt: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NewPrediction:
    """What a predict job or the inference process hands over. `payload` holds, as plain JSON values, what a family
    says besides a mask: a probability with its evidence, a draft report."""

    image_id: int
    image_sha: str
    finding: str
    sha: str | None
    stats: MaskStats | None
    confidence: float | None = None
    prompt: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


class AskState(StrEnum):
    WAITING = "waiting"
    ANSWERED = "answered"
    REFUSED = "refused"


@dataclass(frozen=True)
class Ask:
    """A request to the warm inference process: this prompt on this image. Answered by a prediction or a sentence."""

    id: int
    image_id: int
    finding: str
    prompt: str
    state: AskState
    asked_at: datetime
    prediction_id: int | None = None
    answer: str | None = None


@dataclass(frozen=True)
class Region:
    """A vector region of a finding: a box or a polygon, points in image pixels."""

    id: int
    image_id: int
    finding: str
    shape: str
    points: tuple[tuple[float, float], ...]
    author: str
    created_at: datetime
    removed: bool = False


@dataclass(frozen=True)
class AuditEvent:
    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str
