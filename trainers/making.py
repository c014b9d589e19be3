"""A model made by a job: trained, measured, put on record, and in use where the rule says so; and measured again."""

import logging
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from core.jobs import JobCancelled, JobMadeNothing
from core.metrics import Evaluation, ItemScore
from core.recipes import from_mapping
from core.registry import ModelVersion, Verdict, judge
from core.snapshots import Manifest, Snapshot
from core.studies import Split
from core.workspace import Workspace
from db import jobs, models, promotion
from db.models import NewModel
from trainers import publishing
from trainers.contract import Family, Measured, ModelFacts, NothingToMeasure
from trainers.desk import Desk, snapshot_of
from trainers.families import family_of
from trainers.loop import train

logger = logging.getLogger(__name__)
EVERYTHING = "all"


def train_job(desk: Desk) -> Mapping[str, Any]:
    """Train, measure, put on record; promote when the rule was asked to judge. Gives the model's evaluation.

    Raises what prepare, train and evaluate of the family raise, and JobMadeNothing.
    """
    job = desk.job
    family = family_of(job.family)
    recipe = from_mapping(family.name, job.parameters["recipe"])
    snapshot, manifest = snapshot_of(desk)
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
    snapshot, manifest = snapshot_of(desk)
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
