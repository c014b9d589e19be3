"""Trainings that go on from a model on record, and those that must not."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from core.jobs import Job, JobKind, JobRequest, JobState
from core.manifests import to_bytes
from core.recipes import preset
from core.registry import ModelState
from core.snapshots import LearnedFromJudges, Manifest, require_unseen
from core.studies import Split
from db import jobs, models, predictions, promotion, snapshots
from db.work import work_once
from tests.trainers.conftest import BY, House
from trainers.handlers import handlers

SHORT = {"preset": "smoke", "batch_size": 4, "minimum_steps": 8, "epochs": 2}


def run(house: House, family: str, snapshot: str, **recipe: Any) -> Job:
    request = JobRequest(JobKind.TRAIN, {"recipe": SHORT | recipe, "promote": "rule"}, family, snapshot)
    with house.database.writing() as session:
        job = jobs.enqueue(session, request, BY)
    done = work_once(house.database, handlers(house.workspace, threading.Event()), "tester", job.id)
    assert done is not None
    return done


def freeze_as(house: House, name: str, manifest: Manifest) -> None:
    sha = house.store.put(to_bytes(manifest))
    with house.database.writing() as session:
        snapshots.record_snapshot(session, name, sha, manifest, BY)


def swapped(manifest: Manifest) -> Manifest:
    """The same studies, those that trained now judging and the other way round."""
    other = {Split.TRAIN: Split.TEST, Split.TEST: Split.TRAIN, Split.VALIDATION: Split.VALIDATION}
    return replace(manifest, studies=tuple(replace(study, split=other[study.split]) for study in manifest.studies))


def test_a_segmenter_starts_from_a_pretrained_encoder_and_says_so(house: House) -> None:
    house.add("drawn", 12)
    house.freeze("first", "drawn")
    pretrained = run(house, "pretraining", "first")
    assert pretrained.state is JobState.SUCCEEDED, f"{pretrained.error}\n{pretrained.traceback}"
    assert set(pretrained.result["metrics"]) == {"psnr", "ssim", "mse", "psnr_floor"}
    with house.database.reading() as session:
        model = models.get_model(session, "pretraining-v1")
        assert jobs.jobs(session, states=[JobState.QUEUED]) == ()
    assert model.state is ModelState.CHAMPION
    assert model.findings == ()
    folder = house.workspace.models / model.folder
    assert {"weights.safetensors", "encoder.safetensors", "model.json", "model_card.md", "training_curves.png"} <= {
        path.name for path in folder.iterdir()
    }
    assert "start from" in (folder / "model_card.md").read_text()
    assert list((folder / "figures").glob("restored-*.png"))

    segmenter = run(house, "segmentation", "first", start_from="pretraining-v1")
    assert segmenter.state is JobState.SUCCEEDED, f"{segmenter.error}\n{segmenter.traceback}"
    with house.database.reading() as session:
        folder = house.workspace.models / models.get_model(session, "segmentation-v1").folder
        line = [each.name for each in models.lineage(session, "segmentation-v1")]
    assert line == ["segmentation-v1", "pretraining-v1"]
    assert "pretraining-v1" in (folder / "model_card.md").read_text()

    freeze_as(house, "swapped", swapped(house.freeze("again", "drawn")))
    for start in ("pretraining-v1", "segmentation-v1"):
        refused = run(house, "segmentation", "swapped", start_from=start)
        assert refused.state is JobState.FAILED
        assert refused.error is not None and "could not be judged honestly" in refused.error

    other = run(house, "segmentation", "first", start_from="pretraining-v1", encoder="efficientnet_lite0")
    assert other.state is JobState.FAILED
    assert other.error is not None and "it has not the encoder efficientnet_lite0" in other.error


def test_putting_a_pretrained_model_in_use_queues_no_suggestions_and_asking_for_them_gives_none(house: House) -> None:
    house.add("drawn", 8)
    house.freeze("first", "drawn")
    run(house, "pretraining", "first")
    with house.database.writing() as session:
        promotion.put_in_use(session, "pretraining-v1", "the only one", BY)
        assert jobs.jobs(session, states=[JobState.QUEUED]) == ()
        version = models.get_model(session, "pretraining-v1")
    asked = house.ask(JobKind.PREDICT, model="pretraining-v1", dataset="drawn")
    done = work_once(house.database, handlers(house.workspace, threading.Event()), "tester", asked.id)
    assert done is not None and done.state is JobState.SUCCEEDED
    assert done.result["predictions"] == 0
    with house.database.reading() as session:
        assert predictions.predicted_images(session, version.id) == set()


def test_learning_from_a_patient_who_judges_elsewhere_is_told_by_patient_and_by_film(house: House) -> None:
    house.add("drawn", 8)
    manifest = house.freeze("first", "drawn")
    require_unseen("pretraining-v1", manifest, manifest)
    with pytest.raises(LearnedFromJudges, match=r"pretraining-v1 has learned from 4 patients"):
        require_unseen("pretraining-v1", manifest, swapped(manifest))
    renamed = tuple(
        replace(study, dataset="other", patient=f"p-{study.patient}") for study in swapped(manifest).studies
    )
    with pytest.raises(LearnedFromJudges, match="4 patients"):
        require_unseen("pretraining-v1", manifest, replace(manifest, studies=renamed))
    bare = tuple(replace(study, images=()) for study in renamed)
    require_unseen("pretraining-v1", manifest, replace(manifest, studies=bare))


def test_validating_on_a_patient_does_not_count_as_learning_from_them(house: House) -> None:
    house.add("drawn", 8)
    manifest = house.freeze("first", "drawn")
    judges = tuple(replace(s, split=Split.TEST) for s in manifest.studies if s.split is Split.VALIDATION)
    require_unseen("pretraining-v1", manifest, replace(manifest, studies=judges))


def test_every_preset_of_pretraining_reads_films_as_segmentation_does() -> None:
    ours, theirs = preset("pretraining", "cpu").to_mapping(), preset("segmentation", "cpu").to_mapping()
    for field in ("encoder", "weights", "image_size", "fit", "normalise"):
        assert ours[field] == theirs[field]
