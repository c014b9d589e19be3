"""The jobs that need models: train, evaluate, predict. Each is done at a desk and gives the job's result."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from core.jobs import JobKind
from core.registry import WRITING_FAMILY, ModelVersion, worth_suggesting
from core.workspace import Workspace
from db import models, predictions, studies, worklist
from db.work import Handler, Ticket
from trainers.contract import Case
from trainers.desk import Desk, GoingHome, logging_to
from trainers.drafting import draft_all
from trainers.families import family_of
from trainers.making import evaluate_job, train_job
from trainers.searching.embedding import embed_all, lists_at

PREDICTED_AT_ONCE = 8


def handlers(workspace: Workspace, going_home: threading.Event) -> Mapping[JobKind, Handler]:
    """What the trainers' worker can do, for db.work. Once `going_home` is set, a running job is given back."""

    def at_a_desk(work: Callable[[Desk], Mapping[str, Any]]) -> Handler:
        def handle(ticket: Ticket) -> Mapping[str, Any]:
            with logging_to(workspace.job_log(ticket.job.id)):
                try:
                    return work(Desk(workspace, ticket, going_home))
                except GoingHome:
                    raise KeyboardInterrupt from None

        return handle

    return {
        JobKind.TRAIN: at_a_desk(train_job),
        JobKind.EVALUATE: at_a_desk(evaluate_job),
        JobKind.PREDICT: at_a_desk(predict_job),
        JobKind.INDEX: at_a_desk(index_job),
    }


def predict_job(desk: Desk) -> Mapping[str, Any]:
    """Suggestions of one model for the films of a dataset, or of all.

    Films it has already answered for are passed over, so a job that was broken off goes on where it was. With
    `unreviewed` the films come in the worklist's order, and no blind study is among them.
    """
    parameters = desk.job.parameters
    with desk.database.reading() as session:
        version = models.get_model(session, parameters["model"])
        done = predictions.predicted_images(session, version.id)
    family = family_of(version.family)
    model = family.load(desk.workspace.models / version.folder)
    if version.family == WRITING_FAMILY:
        return _draft_job(desk, version, model)
    wanted = parameters.get("findings") or worth_suggesting(version)
    prompts = dict.fromkeys(wanted) if version.findings else None
    pending = _pending(desk, parameters.get("dataset"), bool(parameters.get("unreviewed")), done)
    began, made = time.monotonic(), 0
    for start in range(0, len(pending), PREDICTED_AT_ONCE):
        chunk = pending[start : start + PREDICTED_AT_ONCE]
        found = family.predict(model, chunk, prompts, desk.shelf)
        with desk.database.writing() as session:
            predictions.add_predictions(session, version.id, found)
        made += len(found)
        desk.report(start + len(chunk), len(pending), f"{version.name} looks at the films")
    return {
        "model": version.name,
        "dataset": parameters.get("dataset"),
        "images": sum(len(case.images) for case in pending),
        "predictions": made,
        "seconds": round(time.monotonic() - began, 3),
    }


def _draft_job(desk: Desk, version: ModelVersion, model: Any) -> Mapping[str, Any]:
    """Reports instead of suggestions, on those of the same studies on which this model has written none."""
    parameters = desk.job.parameters
    chosen = [
        case.study for case in _pending(desk, parameters.get("dataset"), bool(parameters.get("unreviewed")), set())
    ]
    began = time.monotonic()
    written = draft_all(desk.database, version, model, desk.shelf, chosen, desk)
    return {
        "model": version.name,
        "dataset": parameters.get("dataset"),
        "images": sum(len(study.images) for study in chosen),
        "predictions": written,
        "seconds": round(time.monotonic() - began, 3),
    }


def index_job(desk: Desk) -> Mapping[str, Any]:
    """Let a retrieval model look at every study, and find them from then on. Raises NotFound, CorruptModel."""
    with desk.database.reading() as session:
        version = models.get_model(session, desk.job.parameters["model"])
    began = time.monotonic()
    model = family_of(version.family).load(desk.workspace.models / version.folder)
    done = embed_all(desk.database, version, model, desk.shelf, desk, lists_at(desk.workspace, version.name))
    return {"model": version.name, "studies": done, "seconds": round(time.monotonic() - began, 1)}


def _pending(desk: Desk, dataset: str | None, unreviewed: bool, done: set[tuple[int, str]]) -> list[Case]:
    with desk.database.reading() as session:
        if unreviewed:
            waiting = (studies.get_study(session, number) for number in worklist.queue(session, dataset))
            chosen = [study for study in waiting if not study.blind]
        else:
            chosen = [studies.get_study(session, number) for number in studies.study_numbers(session, dataset)]
    cases = (
        Case(study, tuple(image for image in study.images if (image.id, image.sha) not in done)) for study in chosen
    )
    return [case for case in cases if case.images]
