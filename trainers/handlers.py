"""The jobs that need models: train, evaluate, predict. Each is done at a desk and gives the job's result."""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import NotFound
from core.jobs import CurvePoint, Job, JobCancelled, JobKind, JobMadeNothing
from core.manifests import from_bytes
from core.metrics import Evaluation, ItemScore
from core.recipes import from_mapping
from core.registry import WRITING_FAMILY, ModelVersion, Verdict, judge, worth_suggesting
from core.snapshots import Manifest, Snapshot, require_unseen
from core.studies import Split
from core.workspace import Workspace
from data.store import Store
from db import jobs, models, predictions, promotion, snapshots, studies, worklist
from db.engine import Database
from db.models import NewModel
from db.work import Handler, Ticket
from trainers import publishing
from trainers.contract import Case, Family, InUse, Measured, ModelFacts, NothingToMeasure, Shelf
from trainers.drafting import draft_all
from trainers.families import family_of
from trainers.loop import train
from trainers.searching.embedding import embed_all, lists_at

logger = logging.getLogger(__name__)

PREDICTED_AT_ONCE = 8
EVERYTHING = "all"


class GoingHome(BaseException):
    """The worker was told to stop; its job goes back in the queue. No Exception: nothing on the way may swallow it."""


@dataclass(frozen=True)
class Desk:
    """All that a job's handler works with. It is also the job's watch: it reports, and stops when it has to."""

    workspace: Workspace
    ticket: Ticket
    going_home: threading.Event

    @property
    def job(self) -> Job:
        return self.ticket.job

    @property
    def database(self) -> Database:
        return self.ticket.database

    @property
    def shelf(self) -> Shelf:
        return Shelf(
            Store(self.workspace.store_url), self.workspace.cache, (self.workspace.weights,), self._model_folder,
            self._in_use,
        )  # fmt: skip

    def _in_use(self, family: str) -> InUse | None:
        with self.database.reading() as session:
            champion = models.champion(session, family)
        if champion is None:
            return None
        return InUse(champion.name, self.workspace.models / champion.folder, champion.metrics)

    def _model_folder(self, name: str) -> Path:
        """Of a model to start from. Raises NotFound, LearnedFromJudges."""
        _, judging = _snapshot_of(self)
        with self.database.reading() as session:
            line = models.lineage(session, name)
            learned = {
                model.name: snapshots.get_snapshot(session, model.snapshot).sha for model in line if model.snapshot
            }
        for model, sha in learned.items():
            require_unseen(model, from_bytes(self.shelf.store.get(sha)), judging)
        return self.workspace.models / line[0].folder

    def report(self, done: int, total: int, message: str = "") -> None:
        self.check()
        self.ticket.report(done, total, message)

    def points(self, points: Iterable[CurvePoint]) -> None:
        self.ticket.points(points)

    def check(self) -> None:
        if self.going_home.is_set():
            raise GoingHome
        self.ticket.check()


def handlers(workspace: Workspace, going_home: threading.Event) -> Mapping[JobKind, Handler]:
    """What the trainers' worker can do, for db.work. Once `going_home` is set, a running job is given back."""

    def at_a_desk(work: Callable[[Desk], Mapping[str, Any]]) -> Handler:
        def handle(ticket: Ticket) -> Mapping[str, Any]:
            with _logging_to(workspace.job_log(ticket.job.id)):
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


def train_job(desk: Desk) -> Mapping[str, Any]:
    """Train, measure, put on record; promote when the rule was asked to judge. Gives the model's evaluation.

    Raises what prepare, train and evaluate of the family raise, and JobMadeNothing.
    """
    job = desk.job
    family = family_of(job.family)
    recipe = from_mapping(family.name, job.parameters["recipe"])
    snapshot, manifest = _snapshot_of(desk)
    data = family.prepare(recipe, manifest, desk.shelf, desk)
    working = _working_folder(desk.workspace, job.id)
    working.mkdir(parents=True, exist_ok=True)
    try:
        trained = train(
            lambda wanted: family.module(wanted, data), recipe, family.headline, family.higher_is_better, working, desk
        )
    except JobCancelled:
        shutil.rmtree(working, ignore_errors=True)
        raise

    model = trained.module.publishable()
    split = Split.VALIDATION if manifest.of(Split.VALIDATION) else Split.TEST
    making = desk.workspace.models / f".making-job{job.id}"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    try:
        measured = family.evaluate(model, manifest, split, desk.shelf, making / "figures", desk)
    except NothingToMeasure as nothing:
        logger.warning("%s", nothing)
        measured = Measured((), {}, 0)
    facts = family.facts(model)
    run = publishing.Run(
        family.name, job.id, trained.recipe, snapshot, trained.steps, trained.best_epoch, trained.seconds
    )
    family.save(model, making)
    publishing.write_run(making, run, facts)
    publishing.keep_logs(working, making)
    publishing.animate(working, making)
    with desk.database.reading() as session:
        curve = jobs.curve(session, job.id)
    publishing.draw_curves(making / "training_curves.png", curve)
    folder = desk.workspace.models / f"{family.name}-job{job.id}"
    shutil.rmtree(folder, ignore_errors=True)
    making.replace(folder)

    verdict = _verdict(desk, family, manifest, snapshot, split, measured.scores)
    version = _register(desk, family, run, facts, folder.name, measured, verdict, manifest)
    evaluation = Evaluation(
        version.name, snapshot.name, split, measured.n, trained.seconds, measured.metrics, measured.scores
    )
    publishing.write_metrics(folder, evaluation)
    publishing.write_details(folder, measured.details)
    publishing.write_card(
        folder, version.name, run, facts, evaluation, manifest, measured.notes, measured.aside
    )  # fmt: skip
    with desk.database.writing() as session:
        models.record_evaluation(session, evaluation, job.requested_by)
    if job.parameters.get("promote") == "rule" and verdict.promote and version.promotable:
        _promote(desk, version, verdict)
    shutil.rmtree(working, ignore_errors=True)
    return evaluation.to_json()


def evaluate_job(desk: Desk) -> Mapping[str, Any]:
    """Measure any model on any snapshot. `split` "all" takes every study, whatever its split."""
    job = desk.job
    with desk.database.reading() as session:
        version = models.get_model(session, job.parameters["model"])
    family = family_of(version.family)
    snapshot, manifest = _snapshot_of(desk)
    asked = str(job.parameters.get("split", Split.TEST))
    split = None if asked == EVERYTHING else Split(asked)
    folder = desk.workspace.models / version.folder
    began = time.monotonic()
    here = folder / "evaluations" / f"{snapshot.name}-{asked}"
    measured = family.evaluate(family.load(folder), manifest, split, desk.shelf, here, desk)
    evaluation = Evaluation(
        version.name, snapshot.name, asked, measured.n, time.monotonic() - began, measured.metrics, measured.scores
    )
    publishing.write_metrics(here, evaluation)
    publishing.write_details(here, measured.details)
    with desk.database.writing() as session:
        models.record_evaluation(session, evaluation, job.requested_by)
    return evaluation.to_json()


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


def _snapshot_of(desk: Desk) -> tuple[Snapshot, Manifest]:
    name = desk.job.snapshot
    if name is None:
        raise NotFound("The job names no snapshot. Choose one, or make one on the Data screen.")
    with desk.database.reading() as session:
        snapshot = snapshots.get_snapshot(session, name)
    return snapshot, from_bytes(desk.shelf.store.get(snapshot.sha))


def _working_folder(workspace: Workspace, job: int) -> Path:
    return workspace.home / "work" / f"job-{job}"


def _verdict(
    desk: Desk,
    family: Family[Any],
    manifest: Manifest,
    snapshot: Snapshot,
    split: Split,
    scores: tuple[ItemScore, ...],
) -> Verdict:
    """The promotion rule's word on the new model, the model in use measured on the same films."""
    with desk.database.reading() as session:
        champion = models.champion(session, family.name)
    if split is not Split.VALIDATION:
        words = "The snapshot has no validation patients, and promotion never looks at the test split."
        return replace(judge(scores, (), family.headline), promote=False, reason=words)
    if champion is None:
        return judge(scores, None, family.headline, family.higher_is_better)
    return judge(
        scores, _champion_scores(desk, family, champion, manifest, snapshot, split), family.headline,
        family.higher_is_better,
    )  # fmt: skip


def _champion_scores(
    desk: Desk, family: Family[Any], champion: ModelVersion, manifest: Manifest, snapshot: Snapshot, split: Split
) -> tuple[ItemScore, ...]:
    with desk.database.reading() as session:
        known = models.item_scores(session, champion.name, snapshot.name, split)
    if known is not None:
        return known
    began = time.monotonic()
    try:
        model = family.load(desk.workspace.models / champion.folder)
        measured = family.evaluate(model, manifest, split, desk.shelf, None, desk)
    except NothingToMeasure:
        return ()
    evaluation = Evaluation(
        champion.name, snapshot.name, split, measured.n, time.monotonic() - began, measured.metrics, measured.scores
    )
    with desk.database.writing() as session:
        models.record_evaluation(session, evaluation, desk.job.requested_by)
    return measured.scores


def _register(
    desk: Desk,
    family: Family[Any],
    run: publishing.Run,
    facts: ModelFacts,
    folder: str,
    measured: Measured,
    verdict: Verdict,
    manifest: Manifest,
) -> ModelVersion:
    kept = {
        "seconds": round(run.seconds, 1),
        "steps": run.steps,
        "snapshot_sha": run.snapshot.sha,
        "verdict": asdict(verdict),
    }
    if not (desk.workspace.models / folder).is_dir():
        raise JobMadeNothing
    new = NewModel(
        family=family.name,
        folder=folder,
        recipe=run.recipe.to_mapping(),
        findings=tuple(finding.key for finding in facts.findings),
        headline=family.headline,
        metrics=measured.metrics,
        snapshot=run.snapshot.name,
        job=desk.job.id,
        promotable=manifest.fold is None and facts.for_readers,
        facts=kept,
    )
    with desk.database.writing() as session:
        return models.register(session, new, desk.job.requested_by)


def _promote(desk: Desk, version: ModelVersion, verdict: Verdict) -> None:
    with desk.database.writing() as session:
        promotion.put_in_use(session, version.name, verdict.reason, desk.job.requested_by)
    logger.info("%s is now in use: %s", version.name, verdict.reason)


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


@contextmanager
def _logging_to(place: Path) -> Iterator[None]:
    """Everything logged meanwhile also goes to the job's own file."""
    place.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(place, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    logging.getLogger("trainers").setLevel(logging.INFO)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()
