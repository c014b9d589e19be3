"""A starter model of a kind, made in seconds as `make starter` makes the real one: import, freeze, train, measure."""

import threading
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from app.house import House
from app.services import importing, snapshots, training
from core.jobs import Job, JobState
from core.recipes import changed, preset
from core.studies import Split
from core.workspace import Workspace
from data.store import Store
from db.schema import migrate
from db.work import work_once
from tests.making import BY
from tests.trainers.conftest import drawn_film
from trainers import starter
from trainers.handlers import handlers

FILMS = 30
MODEL = "segmentation-v1"


def folder_of_films(place: Path, count: int = FILMS, first: int = 0) -> Path:
    """A folder as it lies on a disk: images/ and masks/lungs/, one drawn film a patient."""
    (place / "images").mkdir(parents=True)
    (place / "masks" / "lungs").mkdir(parents=True)
    for number in range(first, first + count):
        film, masks = drawn_film(number)
        lungs = masks["left_lung"] | masks["right_lung"]
        PillowImage.fromarray(film).save(place / "images" / f"film{number:02d}.png")
        PillowImage.fromarray(lungs.astype(np.uint8) * 255).save(place / "masks" / "lungs" / f"film{number:02d}.png")
    return place


def open_at(place: Path) -> House:
    """A house in a folder of its own. Close its database."""
    workspace = Workspace(place).prepare()
    return House(workspace, migrate(workspace), Store(workspace.store_url))


def bring_in_films(house: House, films: Path, dataset: str) -> None:
    importing.bring_in(house, "folder", films, dataset, BY, lambda *_: None)


def do(house: House, job: Job) -> Job:
    """Do a job here and now."""
    done = work_once(house.database, handlers(house.workspace, threading.Event()), "tester", job.id)
    assert done is not None
    assert done.state is JobState.SUCCEEDED, done.error
    return done


def trained(place: Path, dataset: str = starter.DATASET) -> House:
    """A house whose MODEL was trained on drawn films and measured on their test split."""
    house = open_at(place / "workspace")
    bring_in_films(house, folder_of_films(place / "films"), dataset)
    snapshots.freeze(house, "starter", [dataset], BY)
    recipe = changed(preset("segmentation", "smoke"), {"batch_size": "4"})
    do(house, training.train(house, recipe, "starter", BY))
    do(house, training.evaluate(house, MODEL, "starter", Split.TEST, BY))
    return house


def made(place: Path) -> Path:
    """The folder of a starter model that was just made."""
    house = trained(place)
    try:
        return starter.make(house.workspace, house.database, MODEL, place / "starter").folder
    finally:
        house.database.close()
