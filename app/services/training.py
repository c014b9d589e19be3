"""Asking for long work of the models, and watching it."""

from collections.abc import Mapping
from typing import Any, Literal

from app.house import House
from core.jobs import CurvePoint, Job, JobKind, JobRequest
from core.recipes import Recipe, changed, from_mapping, preset
from core.studies import Split
from db import jobs, models, snapshots

LOG_TAIL = 8_000


def recipe_for(family: str, preset_name: str, stated: Mapping[str, Any], settings: Mapping[str, Any]) -> Recipe:
    """The recipe that a preset, a recipe file and single settings make, the later ones winning.

    Raises UnknownPreset, BadRecipe.
    """
    start = from_mapping(family, {"preset": preset_name} | dict(stated)) if stated else preset(family, preset_name)
    return changed(start, settings)


def train(house: House, recipe: Recipe, snapshot: str, by: str, promote: Literal["never", "rule"] = "never") -> Job:
    """Queue a training. Raises NotFound, for the model that the recipe starts from too."""
    if start := recipe.to_mapping().get("start_from"):
        with house.database.reading() as session:
            recipe = changed(recipe, {"start_from": models.get_model(session, start).name})
    parameters = {"recipe": recipe.to_mapping(), "promote": promote}
    return _enqueue(house, JobRequest(JobKind.TRAIN, parameters, recipe.family, snapshot), by)


def evaluate(house: House, model: str, snapshot: str, split: Split | Literal["all"], by: str) -> Job:
    """Queue a measurement of a model on one split of a snapshot. Raises NotFound."""
    with house.database.reading() as session:
        version = models.get_model(session, model)
    request = JobRequest(JobKind.EVALUATE, {"model": version.name, "split": str(split)}, version.family, snapshot)
    return _enqueue(house, request, by)


def predict(house: House, model: str, dataset: str | None, by: str, unreviewed: bool = False) -> Job:
    """Queue a model's suggestions for a dataset, or for all studies. Raises NotFound."""
    with house.database.reading() as session:
        version = models.get_model(session, model)
    parameters = {"model": version.name, "dataset": dataset, "unreviewed": unreviewed, "findings": None}
    return _enqueue(house, JobRequest(JobKind.PREDICT, parameters, version.family), by)


def cancel(house: House, job_id: int, by: str) -> Job:
    """Raises NotFound, IllegalJobMove."""
    with house.database.writing() as session:
        return jobs.cancel(session, job_id, by)


def retry(house: House, job_id: int, by: str) -> Job:
    """Raises NotFound, IllegalJobMove."""
    with house.database.writing() as session:
        return jobs.retry(session, job_id, by)


def job(house: House, job_id: int) -> Job:
    """Raises NotFound."""
    with house.database.reading() as session:
        return jobs.get_job(session, job_id)


def recent_jobs(house: House, limit: int = 50) -> tuple[Job, ...]:
    with house.database.reading() as session:
        return jobs.jobs(session, limit)


def curve(house: House, job_id: int) -> tuple[CurvePoint, ...]:
    with house.database.reading() as session:
        return jobs.curve(session, job_id)


def log_tail(house: House, job_id: int) -> str:
    """The last lines that a job wrote down; empty when it has written none on this machine."""
    log = house.workspace.job_log(job_id)
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_TAIL))
        return file.read().decode(errors="replace")


def _enqueue(house: House, request: JobRequest, by: str) -> Job:
    with house.database.writing() as session:
        if request.snapshot is not None:
            snapshots.get_snapshot(session, request.snapshot)
        return jobs.enqueue(session, request, by)
