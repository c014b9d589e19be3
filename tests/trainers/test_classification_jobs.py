"""A classifier from the job to the shelf: what its folder holds, what it starts from, and which models may answer."""

import csv
import json
import threading
from typing import Any

import pytest

from core.jobs import Job, JobKind, JobRequest, JobState
from core.registry import ModelState, NotPromotable
from db import jobs, models, predictions, promotion, snapshots
from db.work import work_once
from tests.trainers.conftest import BY, House
from tests.trainers.labelled import OTHER, SEEN, add_labelled
from trainers.handlers import handlers

SHORT = {"preset": "smoke", "batch_size": 8, "minimum_steps": 16, "epochs": 2}


def run(house: House, kind: JobKind, family: str, snapshot: str | None = None, **parameters: Any) -> Job:
    with house.database.writing() as session:
        job = jobs.enqueue(session, JobRequest(kind, parameters, family, snapshot), BY)
    done = work_once(house.database, handlers(house.workspace, threading.Event()), "tester", job.id)
    assert done is not None
    return done


def train(house: House, family: str, **recipe: Any) -> Job:
    return run(house, JobKind.TRAIN, family, "first", recipe=SHORT | recipe, promote="rule")


def test_a_training_leaves_a_model_with_all_that_there_is_to_tell(house: House) -> None:
    add_labelled(house, "drawn", 80)
    house.freeze("first", "drawn")
    pretrained = train(house, "pretraining")
    assert pretrained.state is JobState.SUCCEEDED, f"{pretrained.error}\n{pretrained.traceback}"
    done = train(house, "classification", start_from="pretraining-v1")
    assert done.state is JobState.SUCCEEDED, f"{done.error}\n{done.traceback}"
    assert {"auroc", "auroc_text_only", "auroc_fused", "auroc_shuffled", "ece"} <= set(done.result["metrics"])
    with house.database.reading() as session:
        model = models.get_model(session, "classification-v1")
        curve = {point.name for point in jobs.curve(session, done.id)}
        line = [each.name for each in models.lineage(session, model.name)]
    assert model.state is ModelState.CHAMPION and model.findings == ("no_finding", SEEN, OTHER)
    assert line == ["classification-v1", "pretraining-v1"]
    assert {"train_loss", "validation_auroc", "validation_auroc_fused", f"validation_auroc/{SEEN}"} <= curve
    folder = house.workspace.models / model.folder
    assert {"roc.png", "pr.png", "calibration.png", "columns.png"} <= {p.name for p in (folder / "figures").iterdir()}
    assert (folder / "training_curves.png").is_file()
    details = json.loads((folder / "details.json").read_text())
    assert set(details["roc"]) == {"image", "text_only", "fused", "shuffled"}
    with (folder / "metrics.csv").open() as stream:
        names = {row["metric"] for row in csv.DictReader(stream)}
    assert names == set(done.result["metrics"])
    card = (folder / "model_card.md").read_text()
    assert "pretraining-v1" in card and "image only | text only | fused | fused, shuffled text" in card
    assert "| auroc_fused |" not in card, "the columns stand in a table of their own"

    told = run(house, JobKind.PREDICT, "classification", model="classification-v1", dataset="drawn", unreviewed=False)
    assert told.state is JobState.SUCCEEDED, f"{told.error}\n{told.traceback}"
    assert told.result["predictions"] == 80 * 3
    again = run(house, JobKind.PREDICT, "classification", model="classification-v1", dataset="drawn", unreviewed=False)
    assert again.result["predictions"] == 0
    with house.database.reading() as session:
        assert predictions.open_suggestions(session, list(range(1, 81))) == (), "a probability is no mask to decide on"


def test_a_model_that_shows_something_is_never_put_in_use(house: House) -> None:
    add_labelled(house, "drawn", 80)
    house.freeze("first", "drawn")
    assert train(house, "classification", modality="text").state is JobState.SUCCEEDED
    assert train(house, "classification", context="labels", leak=True).state is JobState.SUCCEEDED
    with house.database.writing() as session:
        for name in ("classification-v1", "classification-v2"):
            assert models.get_model(session, name).state is ModelState.CANDIDATE
            with pytest.raises(NotPromotable, match="leak"):
                promotion.put_in_use(session, name, "because", BY)
    refused = run(
        house, JobKind.TRAIN, "classification", "first", recipe=SHORT | {"context": "labels"}, promote="never"
    )
    assert refused.state is JobState.FAILED and refused.error is not None and "leak=true" in refused.error


def test_a_second_classifier_is_judged_finding_by_finding_on_the_same_studies(house: House) -> None:
    add_labelled(house, "drawn", 80)
    manifest = house.freeze("first", "drawn")
    train(house, "classification")
    second = train(house, "classification", seed=1)
    assert second.state is JobState.SUCCEEDED
    with house.database.reading() as session:
        verdict = models.get_model(session, "classification-v2").facts["verdict"]
        one, other = (models.get_model(session, f"classification-v{n}").metrics["auroc"].overall for n in (1, 2))
        assert snapshots.get_snapshot(session, "first").sha and manifest
    assert one.value is not None and other.value is not None
    assert verdict["difference"]["value"] == pytest.approx(other.value - one.value, abs=1e-6)
