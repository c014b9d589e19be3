"""What a measurement and a training leave to be looked at."""

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.jobs import JobCancelled, JobKind, JobState
from core.recipes import SegmentationRecipe, preset
from core.registry import ModelVersion
from core.snapshots import Manifest
from core.studies import Split
from db import jobs, models
from db.work import work_once
from tests.trainers.conftest import House
from tests.trainers.family_contract import StopsAt, at_every_batch
from trainers.contract import FRAMES, Silent
from trainers.handlers import handlers
from trainers.loop import train
from trainers.pictures import SIDE, STRIP
from trainers.publishing import ANIMATED_FRAMES, animate
from trainers.segmentation.data import films_of
from trainers.segmentation.family import Segmentation
from trainers.segmentation.figures import SHARED_FILMS, SHARED_SIDE, choose, shared_films, where_it_looked
from trainers.segmentation.model import SegmentationModel

FAMILY = Segmentation()
FINDINGS = ("left_lung", "right_lung")
SMOKE = {"preset": "smoke", "batch_size": 4, "minimum_steps": 60}

answers = st.dictionaries(
    st.tuples(st.text("abcdef", min_size=1), st.sampled_from(FINDINGS)), st.floats(0, 1), max_size=40
)


def run(house: House, kind: JobKind, snapshot: str, **parameters: Any) -> ModelVersion:
    job = house.ask(kind, snapshot, **parameters)
    done = work_once(house.database, handlers(house.workspace, threading.Event()), "tester", job.id)
    assert done is not None and done.state is JobState.SUCCEEDED, done
    with house.database.reading() as session:
        return models.get_model(session, "segmentation-v1")


def size_of(place: Path) -> tuple[int, int]:
    with Image.open(place) as picture:
        picture.load()
        return picture.size


def fit(house: House, manifest: Manifest, folder: Path, watch: Any = None, **changes: Any) -> SegmentationModel:
    recipe = preset("segmentation", "smoke")
    assert isinstance(recipe, SegmentationRecipe)
    recipe = replace(recipe, batch_size=4, **changes)
    data = FAMILY.prepare(recipe, manifest, house.shelf, Silent())
    trained = train(lambda wanted: FAMILY.module(wanted, data), recipe, "dice", True, folder, watch or Silent())
    model = trained.module.publishable()
    assert isinstance(model, SegmentationModel)
    return model


def test_a_training_and_a_later_measurement_leave_every_figure(house: House) -> None:
    house.add("drawn", 20)
    house.freeze("first", "drawn")
    model = run(house, JobKind.TRAIN, "first", recipe=SMOKE)
    run(house, JobKind.EVALUATE, "first", model="segmentation-v1", split="test")
    folder = house.workspace.models / model.folder
    for place in (folder / "figures", folder / "evaluations" / "first-test"):
        for finding in FINDINGS:
            for name in ("worst-1", "worst-2", "worst-3", "median-1", "best-1"):
                assert size_of(place / f"{finding}-{name}.png") == (3 * SIDE, SIDE + STRIP)
            for n in range(1, 6):
                assert size_of(place / f"overlay-{finding}-{n}.png") == (SIDE, SIDE + 2 * STRIP)
            for n in range(1, 4):
                assert size_of(place / f"gradcam-{finding}-{n}.png") == (SIDE, SIDE + STRIP)
        kept = json.loads((place / "pictures.json").read_text(encoding="utf-8"))
        assert kept["left_lung-worst-1.png"] == kept["overlay-left_lung-1.png"] <= kept["left_lung-best-1.png"]
        assert size_of(place / "reliability.png") > (100, 100)
        assert size_of(place / "prompts.png") > (100, 100)
        rows = json.loads((place / "films" / "films.json").read_text(encoding="utf-8"))
        assert {row["finding"] for row in rows} == set(FINDINGS)
        assert len(rows) == 2 * 5
        assert all(size_of(place / "films" / row["picture"]) == (SHARED_SIDE, SHARED_SIDE) for row in rows)

    with house.database.reading() as session:
        validations = [point for point in jobs.curve(session, model.job or 0) if point.name == "validation_dice"]
    with Image.open(folder / "figures" / "training.gif") as film:
        assert getattr(film, "n_frames", 1) == len(validations) > 1
        assert film.size == (4 * 192, 192 + STRIP)
    card = (folder / "model_card.md").read_text(encoding="utf-8")
    assert "random weights for the image encoder" in card or "Nothing was pretrained" in card
    assert "probabilities are off by 0." in card
    assert "as asked" in card and "without words" in card and "when it is denied" in card
    assert "dice_negated" not in card


def test_a_training_without_validation_films_leaves_no_film_of_itself(house: House, tmp_path: Path) -> None:
    house.add("drawn", 4, splits=(Split.TRAIN,))
    fit(house, house.freeze("first", "drawn"), tmp_path, minimum_steps=4)
    assert not (tmp_path / FRAMES).exists()
    animate(tmp_path, tmp_path)
    assert not (tmp_path / "figures").exists()


def test_a_training_broken_off_and_resumed_leaves_the_frames_of_an_unbroken_one(house: House, tmp_path: Path) -> None:
    house.add("drawn", 8)
    manifest = house.freeze("first", "drawn")
    changes: dict[str, Any] = {"minimum_steps": 16, "epochs": 4, "precision": "32"}
    fit(house, manifest, tmp_path / "unbroken", **changes)
    with at_every_batch():
        with pytest.raises(JobCancelled):
            fit(house, manifest, tmp_path / "broken", StopsAt(10), **changes)
        fit(house, manifest, tmp_path / "broken", **changes)
    ours, theirs = (
        {frame.name: np.asarray(Image.open(frame)) for frame in (tmp_path / how / FRAMES).iterdir()}
        for how in ("broken", "unbroken")
    )
    assert ours.keys() == theirs.keys()
    assert len(ours) == 4
    for name, frame in ours.items():
        np.testing.assert_array_equal(frame, theirs[name])


def test_of_many_frames_some_are_shown_and_the_last_is_held(tmp_path: Path) -> None:
    (tmp_path / FRAMES).mkdir()
    for step in range(100):
        Image.new("RGB", (8, 8), (step, 2 * step, 0)).save(tmp_path / FRAMES / f"step-{step:09d}.png")
    animate(tmp_path, tmp_path)
    with Image.open(tmp_path / "figures" / "training.gif") as film:
        assert getattr(film, "n_frames", 1) == ANIMATED_FRAMES
        first, usual = film.convert("RGB").getpixel((0, 0)), film.info["duration"]
        film.seek(ANIMATED_FRAMES - 1)
        assert film.info["duration"] > 5 * usual
        assert (first, film.convert("RGB").getpixel((0, 0))) == ((0, 0, 0), (99, 198, 0))


def test_where_it_looked_is_as_large_as_the_film_is_in_its_square(house: House, tmp_path: Path) -> None:
    house.add("drawn", 8)
    manifest = house.freeze("first", "drawn")
    model = fit(house, manifest, tmp_path, fit="pad")
    (film,) = films_of(manifest, Split.TEST, model.findings)[:1]
    cache = FAMILY.prepare(model.recipe, manifest, house.shelf, Silent()).films
    heat = where_it_looked(model, film, "left_lung", cache)
    assert heat is not None
    assert heat.shape == (model.recipe.image_size, model.recipe.image_size)
    assert heat.min() >= 0
    assert 0 < heat.max() <= 1
    wide = where_it_looked(model, replace(film, height=film.height // 2), "left_lung", cache)
    assert wide is not None
    assert wide.shape == (model.recipe.image_size // 2, model.recipe.image_size)


def test_a_film_on_which_nothing_is_marked_has_no_place_it_looked_at(house: House, tmp_path: Path) -> None:
    house.add("drawn", 8)
    manifest = house.freeze("first", "drawn")
    model = fit(house, manifest, tmp_path, minimum_steps=4)
    for parameter in model.network.head.parameters():
        parameter.data.fill_(-1.0 if parameter.ndim == 1 else 0.0)
    (film,) = films_of(manifest, Split.TEST, model.findings)[:1]
    cache = FAMILY.prepare(model.recipe, manifest, house.shelf, Silent()).films
    assert where_it_looked(model, film, "left_lung", cache) is None
    measured = FAMILY.evaluate(model, manifest, Split.TEST, house.shelf, tmp_path / "figures", Silent())
    assert measured.n == 2
    assert not list((tmp_path / "figures").glob("gradcam-*"))
    assert list((tmp_path / "figures").glob("*-worst-1.png"))


def test_failures_come_first_then_the_usual_then_the_best() -> None:
    dice = {(f"film-{i}", "heart"): i / 10 for i in range(9)}
    assert [(one.item, one.group, one.rank) for one in choose(dice)] == [
        ("film-0", "worst", 1), ("film-1", "worst", 2), ("film-2", "worst", 3),
        ("film-4", "median", 1), ("film-3", "median", 2),
        ("film-8", "best", 1), ("film-7", "best", 2),
    ]  # fmt: skip


@given(answers)
def test_no_answer_is_chosen_twice_and_none_is_worse_than_the_worst(dice: dict[tuple[str, str], float]) -> None:
    chosen = choose(dice)
    assert len({(one.item, one.finding) for one in chosen}) == len(chosen)
    for finding in {finding for _, finding in dice}:
        ours = [one for one in chosen if one.finding == finding]
        assert ours[0].group == "worst"
        assert ours[0].dice == min(value for (_, of), value in dice.items() if of == finding)
        by_group = {group: [one.dice for one in ours if one.group == group] for group in ("worst", "median", "best")}
        assert max(by_group["worst"]) <= min(by_group["median"] + by_group["best"], default=1.0)
        assert max(by_group["median"], default=0.0) <= min(by_group["best"], default=1.0)


@given(answers, st.floats(0, 1))
def test_two_models_show_the_same_films_whatever_they_scored(dice: dict[tuple[str, str], float], other: float) -> None:
    shared = shared_films(dice)
    assert shared == shared_films(dict.fromkeys(reversed(dice), other))
    for finding in FINDINGS:
        count = sum(of == finding for _, of in dice)
        assert sum(of == finding for _, of in shared) == min(count, SHARED_FILMS)
