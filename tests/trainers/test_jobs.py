"""Train, evaluate and predict as jobs: what they leave in the database and in the model's folder."""

import errno
import json
import threading
from dataclasses import replace
from typing import Any

import pytest

from core.jobs import JobKind, JobState
from core.manifests import to_bytes
from core.registry import ModelState
from core.snapshots import Fold
from core.studies import Split
from db import jobs, models, predictions, snapshots, studies
from db.work import work_once
from tests.trainers.conftest import BY, House
from trainers.handlers import handlers

SMOKE = {"preset": "smoke", "batch_size": 4}


def run(house: House, number: int) -> dict[str, Any]:
    done = work_once(house.database, handlers(house.workspace, threading.Event()), "tester", number)
    assert done is not None
    assert done.state is JobState.SUCCEEDED, f"{done.error}\n{done.traceback}"
    return dict(done.result)


def test_a_training_leaves_a_model_with_everything_that_tells_where_it_came_from(house: House) -> None:
    house.add("drawn", 12)
    house.freeze("first", "drawn")
    job = house.ask(JobKind.TRAIN, "first", recipe=SMOKE, promote="rule")
    result = run(house, job.id)

    assert list(result) == ["model", "snapshot", "split", "n", "seconds", "metrics"]
    assert set(result["metrics"]) >= {"dice", "iou", "pixel_accuracy", "ece"}
    assert result["metrics"]["dice"]["overall"]["value"] > 0.7
    with house.database.reading() as session:
        model = models.get_model(session, "segmentation-v1")
    assert model.state is ModelState.CHAMPION
    assert model.findings == ("left_lung", "right_lung")
    folder = house.workspace.models / model.folder
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "weights.safetensors", "recipe.json", "run.json", "metrics.json", "metrics.csv", "training_curves.png",
        "figures", "model_card.md", "tensorboard",
    }  # fmt: skip
    assert json.loads((folder / "run.json").read_text())["snapshot"]["name"] == "first"
    assert "For research, not for clinical decisions." in (folder / "model_card.md").read_text()
    assert list((folder / "figures").glob("*.png"))
    with house.database.reading() as session:
        names = {point.name for point in jobs.curve(session, job.id)}
    assert {"train_loss", "validation_dice"} <= names
    assert house.workspace.job_log(job.id).read_text()


def test_a_second_training_is_judged_against_the_model_in_use_on_the_same_films(house: House) -> None:
    house.add("drawn", 12)
    house.freeze("first", "drawn")
    run(house, house.ask(JobKind.TRAIN, "first", recipe=SMOKE, promote="rule").id)
    run(house, house.ask(JobKind.TRAIN, "first", recipe=SMOKE | {"minimum_steps": 4}, promote="rule").id)
    with house.database.reading() as session:
        worse = models.get_model(session, "segmentation-v2")
        assert models.get_model(session, "segmentation").name == "segmentation-v1"
    assert worse.state is ModelState.CANDIDATE
    assert worse.facts["verdict"]["promote"] is False
    assert worse.facts["verdict"]["difference"]["value"] < 0


def test_a_promotion_by_the_rule_asks_for_suggestions_on_what_is_unread(house: House) -> None:
    house.add("drawn", 8)
    house.freeze("first", "drawn")
    run(house, house.ask(JobKind.TRAIN, "first", recipe=SMOKE, promote="rule").id)
    with house.database.reading() as session:
        (queued,) = jobs.jobs(session, states=[JobState.QUEUED])
    assert queued.kind is JobKind.PREDICT
    assert queued.parameters["model"] == "segmentation-v1"
    assert queued.parameters["dataset"] is None and queued.parameters["unreviewed"] is True
    result = run(house, queued.id)
    assert result["images"] == 4  # half of the patients train; the others are read without suggestions
    assert result["predictions"] == 8
    with house.database.reading() as session:
        seen = [studies.get_study(session, number) for number in studies.study_numbers(session)]
        suggested = {
            study.key for study in seen if predictions.open_suggestions(session, [image.id for image in study.images])
        }
    assert suggested <= {study.key for study in seen if not study.blind}


def test_a_predict_job_passes_over_what_its_model_has_answered_for(house: House) -> None:
    house.add("drawn", 8)
    house.freeze("first", "drawn")
    run(house, house.ask(JobKind.TRAIN, "first", recipe=SMOKE | {"minimum_steps": 4}).id)
    first = run(house, house.ask(JobKind.PREDICT, model="segmentation-v1", dataset="drawn").id)
    house.add("more", 2, first_seed=40)
    second = run(house, house.ask(JobKind.PREDICT, model="segmentation-v1", dataset=None).id)
    assert (first["images"], second["images"]) == (8, 2)


def test_any_model_can_be_measured_on_any_snapshot(house: House) -> None:
    house.add("drawn", 8)
    house.freeze("first", "drawn")
    run(house, house.ask(JobKind.TRAIN, "first", recipe=SMOKE).id)
    house.add("elsewhere", 5, first_seed=60)
    house.freeze("foreign", "elsewhere")
    result = run(house, house.ask(JobKind.EVALUATE, "foreign", model="segmentation-v1", split="all").id)
    assert (result["model"], result["snapshot"], result["split"], result["n"]) == (
        "segmentation-v1", "foreign", "all", 5,
    )  # fmt: skip
    assert result["metrics"]["dice"]["overall"]["n"] == 10
    assert set(result["metrics"]["dice"]["per_finding"]) == {"left_lung", "right_lung"}
    test = run(house, house.ask(JobKind.EVALUATE, "foreign", model="segmentation-v1", split="test").id)
    assert test["n"] == 1


def test_a_model_of_an_evaluation_fold_is_never_promoted(house: House) -> None:
    house.add("drawn", 12)
    manifest = replace(house.freeze("first", "drawn"), fold=Fold(0, 5))
    sha = house.store.put(to_bytes(manifest))
    with house.database.writing() as session:
        snapshots.record_snapshot(session, "fold", sha, manifest, BY)
    run(house, house.ask(JobKind.TRAIN, "fold", recipe=SMOKE | {"minimum_steps": 4}, promote="rule").id)
    with house.database.reading() as session:
        model = models.get_model(session, "segmentation-v1")
    assert not model.promotable
    assert model.state is ModelState.CANDIDATE


def test_without_validation_patients_the_model_is_measured_on_test_and_not_promoted(house: House) -> None:
    house.add("drawn", 8, splits=(Split.TRAIN, Split.TEST))
    house.freeze("first", "drawn")
    result = run(house, house.ask(JobKind.TRAIN, "first", recipe=SMOKE | {"minimum_steps": 4}, promote="rule").id)
    assert result["split"] == "test"
    with house.database.reading() as session:
        model = models.get_model(session, "segmentation-v1")
    assert model.state is ModelState.CANDIDATE
    assert "never looks at the test split" in model.facts["verdict"]["reason"]


def test_a_training_on_which_the_disk_filled_fails_with_that_sentence(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.add("drawn", 8)
    house.freeze("first", "drawn")
    job = house.ask(JobKind.TRAIN, "first", recipe=SMOKE | {"checkpoint_minutes": 0.01})

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("trainers.loop.Checkpointing._age", lambda _: float("inf"))
    monkeypatch.setattr("lightning.Trainer.save_checkpoint", full)
    work_once(house.database, handlers(house.workspace, threading.Event()), "tester", job.id)
    failed = house.job(job.id)
    assert failed.state is JobState.FAILED
    assert failed.error is not None and failed.error.startswith("The disk is full, so writing a checkpoint")
    with house.database.reading() as session:
        assert models.models(session) == ()


def test_a_cancelled_training_leaves_no_model(house: House) -> None:
    house.add("drawn", 8)
    house.freeze("first", "drawn")
    job = house.ask(JobKind.TRAIN, "first", recipe=SMOKE | {"minimum_steps": 4000})

    def cancel() -> None:
        with house.database.writing() as session:
            jobs.cancel(session, job.id, BY)

    timer = threading.Timer(1.5, cancel)
    timer.start()
    done = work_once(house.database, handlers(house.workspace, threading.Event()), "tester", job.id)
    assert done is not None and done.state is JobState.CANCELLED
    with house.database.reading() as session:
        assert models.models(session) == ()
