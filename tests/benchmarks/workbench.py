"""What the long benchmarks do as a person would: train, measure, wait. Each is done once, however often asked.

A benchmark that was broken off is started again with the same words. What it had trained and measured is on record and
is taken from there; a training in the middle goes on from its last checkpoint.
"""

import argparse
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

from app.cli.output import progress, say
from app.house import House, local_reader
from app.services import models, training
from core.errors import ReadingRoomError
from core.jobs import Job, JobKind, JobState
from core.metrics import Estimate, ItemScore
from core.recipes import Recipe, parse_settings
from core.registry import ModelVersion
from core.studies import Split
from db import models as registry
from db.work import work_forever
from trainers.handlers import handlers
from trainers.memory import keep_freed_memory
from trainers.worker import ROLE

POLL_SECONDS = 0.1
ALL_JOBS = 100_000


class JobFailed(ReadingRoomError):
    def __init__(self, job: Job) -> None:
        super().__init__(f"Job {job.id} ({job.kind}) is {job.state}: {job.error or 'nobody said why'}.")


class Workbench:
    """A workspace with a trainers' worker in this process. What the worker has in hand when the bench is left goes
    back in the queue."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._going_home = threading.Event()
        self._worker = threading.Thread(target=self._work, name=ROLE)

    def __enter__(self) -> "Workbench":
        keep_freed_memory()
        self._worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._going_home.set()
        self._worker.join()

    def trained(self, recipe: Recipe, snapshot: str, promote: Literal["never", "rule"] = "never") -> ModelVersion:
        """The model that this recipe makes of this snapshot: the one on record, or else a new one. Raises JobFailed."""
        wanted = {"recipe": recipe.to_mapping(), "promote": promote}
        job = self._asked(JobKind.TRAIN, snapshot, wanted)
        if job is None:
            say(f"Training on {snapshot}.")
            job = training.train(self.house, recipe, snapshot, local_reader(), promote)
        done = self.wait(job)
        return next(model for model in models.all_models(self.house, recipe.family) if model.job == done.id)

    def measured(self, model: ModelVersion, snapshot: str, split: Split = Split.TEST) -> tuple[ItemScore, ...]:
        """What a model scored on each film of a split, by every metric there is. Raises JobFailed."""
        known = self._scores(model, snapshot, split)
        if known is None:
            say(f"Measuring {model.name} on {snapshot}, {split}.")
            self.wait(training.evaluate(self.house, model.name, snapshot, split, local_reader()))
            known = self._scores(model, snapshot, split)
        assert known is not None
        return known

    def catch_up(self) -> None:
        """Wait until nothing is left to do for the worker, such as the suggestions of a model just put in use."""
        for job in training.recent_jobs(self.house, ALL_JOBS):
            if job.kind.needs_models and not job.state.is_over:
                self.wait(job)

    def wait(self, job: Job) -> Job:
        """Raises JobFailed. Left by Ctrl-C, the job stays in the queue."""
        with progress(f"{job.kind} (job {job.id})") as report:
            while not job.state.is_over:
                time.sleep(POLL_SECONDS)
                job = training.job(self.house, job.id)
                report(job.progress.done, job.progress.total, job.progress.message)
        if job.state is not JobState.SUCCEEDED:
            raise JobFailed(job)
        return job

    def _asked(self, kind: JobKind, snapshot: str, parameters: Mapping[str, Any]) -> Job | None:
        """The newest job of these very words that has not failed."""
        for job in training.recent_jobs(self.house, ALL_JOBS):
            alike = job.kind is kind and job.snapshot == snapshot and dict(job.parameters) == parameters
            if alike and job.state not in (JobState.FAILED, JobState.CANCELLED, JobState.CANCELLING):
                return job
        return None

    def _scores(self, model: ModelVersion, snapshot: str, split: Split) -> tuple[ItemScore, ...] | None:
        with self.house.database.reading() as session:
            return registry.item_scores(session, model.name, snapshot, split)

    def _work(self) -> None:
        with suppress(KeyboardInterrupt):
            able = handlers(self.house.workspace, self._going_home)
            work_forever(self.house.database, able, ROLE, self._going_home)


def add_recipe(parser: argparse.ArgumentParser, family: str = "segmentation") -> None:
    parser.set_defaults(family=family)
    parser.add_argument("--preset", default="cpu", help="the recipe to start from")
    parser.add_argument("--set", dest="settings", action="append", default=[], help="one recipe field: epochs=3")


def recipe_of(wanted: argparse.Namespace, **settings: Any) -> Recipe:
    """The recipe that the command's words and `settings` make. Raises UnknownPreset, BadRecipe."""
    return training.recipe_for(wanted.family, wanted.preset, {}, parse_settings(wanted.settings) | settings)


def shown(estimate: Estimate, signed: bool = False) -> str:
    """ "0.953 (0.941 to 0.962), N 25"."""
    if estimate.value is None:
        return "-"
    value, low, high = (f"{number:{'+' if signed else ''}.3f}" for number in _numbers(estimate))
    return f"{value} ({low} to {high}), N {estimate.n}"


def _numbers(estimate: Estimate) -> Sequence[float]:
    return [number for number in (estimate.value, estimate.low, estimate.high) if number is not None]
