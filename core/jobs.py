"""Long work: what a job is, the states it moves through, and what it reports on the way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.errors import ReadingRoomError

Report = Callable[[int, int, str], None]
"""How long work says how far it is: done, total, and what it is doing. It may raise, to stop the work."""


class JobKind(StrEnum):
    TRAIN = "train"
    EVALUATE = "evaluate"
    PREDICT = "predict"
    IMPORT = "import"
    EXPORT = "export"
    INDEX = "index"

    @property
    def needs_models(self) -> bool:
        """Whether a trainer's worker does it; the rest is done by the app's own clerk."""
        return self in (JobKind.TRAIN, JobKind.EVALUATE, JobKind.PREDICT, JobKind.INDEX)


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    FAILED = "failed"
    SUCCEEDED = "succeeded"

    @property
    def is_over(self) -> bool:
        return self in (JobState.CANCELLED, JobState.FAILED, JobState.SUCCEEDED)


UNFINISHED = tuple(state for state in JobState if not state.is_over)


class IllegalJobMove(ReadingRoomError):
    def __init__(self, origin: JobState, target: JobState) -> None:
        super().__init__(f"A job that is {origin} cannot become {target}.")


class ClaimLost(ReadingRoomError):
    """The worker no longer holds the job: another took it over after this one fell silent."""

    def __init__(self, job: int) -> None:
        super().__init__(f"Job {job} was taken over by another worker; what this one did since is not kept.")


class JobCancelled(ReadingRoomError):
    """The person asked the job to stop. Raised inside the work so that it unwinds."""

    def __init__(self) -> None:
        super().__init__("Cancelled.")


class JobMadeNothing(ReadingRoomError):
    """A training that ended without a model."""

    def __init__(self) -> None:
        super().__init__("The training ended without a model. Look at its log for the reason and start it again.")


_MOVES: Mapping[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED}),
    JobState.RUNNING: frozenset(
        {JobState.RUNNING, JobState.QUEUED, JobState.CANCELLING, JobState.FAILED, JobState.SUCCEEDED}
    ),
    JobState.CANCELLING: frozenset({JobState.CANCELLED, JobState.FAILED, JobState.SUCCEEDED}),
    JobState.CANCELLED: frozenset(),
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.SUCCEEDED: frozenset(),
}


def require_move(origin: JobState, target: JobState) -> None:
    """Raises IllegalJobMove unless a job may go from `origin` to `target`."""
    if target not in _MOVES[origin]:
        raise IllegalJobMove(origin, target)


def may_move(origin: JobState, target: JobState) -> bool:
    return target in _MOVES[origin]


@dataclass(frozen=True)
class Progress:
    """How far a job is: `done` of `total` steps, what it is doing, and seconds still to go when known."""

    done: int
    total: int
    message: str = ""
    seconds_left: float | None = None

    @property
    def share(self) -> float:
        return min(1.0, self.done / self.total) if self.total else 0.0


@dataclass(frozen=True)
class JobRequest:
    """What is asked for. `parameters` are plain JSON values; a train job's hold the recipe."""

    kind: JobKind
    parameters: Mapping[str, Any]
    family: str | None = None
    snapshot: str | None = None


@dataclass(frozen=True)
class Job:
    id: int
    kind: JobKind
    state: JobState
    parameters: Mapping[str, Any]
    family: str | None
    snapshot: str | None
    requested_by: str
    requested_at: datetime
    progress: Progress
    attempts: int = 0
    worker: str | None = None
    claim: str | None = None
    heartbeat_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None
    traceback: str | None = None
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CurvePoint:
    """A value of a training curve: "train_loss" at step 120."""

    name: str
    step: int
    value: float
