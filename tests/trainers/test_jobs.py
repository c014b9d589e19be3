"""Train, evaluate and predict as jobs: what they leave in the database and in the model's folder."""

import json
import threading

from core.jobs import JobKind, JobState
from core.registry import ModelState
from db import jobs, models
from db.work import work_once
from tests.trainers.conftest import House
from trainers.handlers import handlers

SMOKE = {"preset": "smoke", "batch_size": 4}


def run(house: House, number: int) -> dict[str, object]:
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
