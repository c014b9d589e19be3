"""Frontal films cropped to the lungs that the segmentation model in use finds; simulated radiographs, the starter."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from core.crops import Crop
from core.metrics import Estimate, Metric
from core.snapshots import Manifest
from core.studies import IncomingStudy, Split, View
from core.writing import Decoding
from data import starters
from data.images import from_pixels
from data.phantom import simulate
from db import studies as on_record
from tests.trainers.conftest import House
from tests.trainers.labelled import film_of, put
from tests.trainers.test_generation_contract import smoke
from trainers.checkpoints import CorruptModel
from trainers.contract import InUse, Shelf, Silent
from trainers.datasets import read_film, to_square
from trainers.generation.cropping import FOLDER, LungFinder, Views
from trainers.generation.family import Generation
from trainers.generation.model import GenerationModel
from trainers.loop import train
from trainers.retrieval.data import Pose

SIDE, STUDIES = 128, 12
FAMILY = Generation()


@pytest.fixture(scope="module")
def finder() -> LungFinder:
    return LungFinder.of("segmentation-v1", starters.FOLDER, 0.1)


def put_radiographs(house: House) -> Manifest:
    told = []
    for number in range(STUDIES):
        made = simulate(number, size=SIDE)
        films = tuple(film_of((one.pixels >> 4).astype(np.uint8), one.view, one.view.name) for one in made.images)
        split = (Split.TRAIN, Split.TRAIN, Split.VALIDATION, Split.TEST)[number % 4]
        told.append(
            IncomingStudy(f"patient-{number}", f"study-{number}", films, made.report, split=split, order=number)
        )
    put(house, "simulated", told)
    return house.freeze("simulated-1", "simulated")


def measured(low: float | None, *findings: str) -> dict[str, Metric]:
    estimate = Estimate(0.95, low, 0.99, 20)
    return {"dice": Metric(estimate, dict.fromkeys(findings, estimate))}


def shelf_with(house: House, metrics: dict[str, Metric] | None) -> Shelf:
    champion = InUse("segmentation-v1", starters.FOLDER, metrics) if metrics is not None else None
    return replace(house.shelf, in_use=lambda family: champion if family == "segmentation" else None)


def trained(house: House, manifest: Manifest, shelf: Shelf) -> GenerationModel:
    recipe = smoke(crop="lungs", epochs=1, minimum_steps=2)
    data = FAMILY.prepare(recipe, manifest, shelf, Silent())
    folder = house.workspace.home / "run"
    done = train(lambda wanted: FAMILY.module(wanted, data), recipe, FAMILY.headline, True, folder, Silent())
    model = done.module.publishable()
    assert isinstance(model, GenerationModel)
    return model


def test_the_window_holds_the_lungs_and_leaves_out_what_lies_far_from_them(finder: LungFinder) -> None:
    shares = []
    for number in range(STUDIES):
        film = next(one for one in simulate(number, size=SIDE).images if one.view is not View.LATERAL)
        window = finder.window((film.pixels >> 4).astype(np.uint8))
        assert window is not None
        lungs = film.masks["left_lung"] | film.masks["right_lung"]
        shares.append(window.cut(lungs).sum() / lungs.sum())
        assert window.share_of(SIDE, SIDE) < 0.95
    assert np.mean(shares) > 0.97


@pytest.mark.parametrize("film", [np.full((64, 64), 9), np.tile(np.arange(64), (64, 1)) * 4], ids=["grey", "a ramp"])
def test_where_no_lungs_are_found_all_of_the_film_is_read(
    finder: LungFinder, film: NDArray[np.int64], house: House
) -> None:
    pixels = film.astype(np.uint8)
    assert finder.window(pixels) is None
    sha = house.store.put(from_pixels(pixels, 8).payload)
    views = Views(house.shelf.films(smoke()), finder)
    np.testing.assert_array_equal(
        views.film(sha, Pose.FRONTAL), Views(house.shelf.films(smoke()), None).film(sha, Pose.FRONTAL)
    )


@pytest.mark.parametrize(
    ("metrics", "why"),
    [
        (None, "no segmentation model is in use"),
        ({}, "was not measured on lungs"),
        (measured(0.95, "heart"), "was not measured on lungs"),
        (measured(0.95, "left_lung"), "was not measured on lungs"),
        (measured(0.85, "lungs"), r"lower bound is 0\.850, where 0\.9 is asked for"),
        (measured(None, "left_lung", "right_lung"), "lower bound is unknown"),
    ],
)
def test_nothing_is_cropped_where_no_model_is_good_enough_and_the_card_says_why(
    house: House, metrics: dict[str, Metric] | None, why: str
) -> None:
    manifest = put_radiographs(house)
    data = FAMILY.prepare(smoke(crop="lungs"), manifest, shelf_with(house, metrics), Silent())
    assert data.lungs is None
    model = FAMILY.module(smoke(crop="lungs"), data).publishable()
    card = " ".join(FAMILY.facts(model).notes)
    assert re.search(rf"not cropped to the lungs: .*{why}", card)


def test_a_model_reads_the_lungs_alone_and_says_which_part_of_the_film_that_was(
    house: House, finder: LungFinder
) -> None:
    manifest = put_radiographs(house)
    model = trained(house, manifest, shelf_with(house, measured(0.95, "lungs")))
    assert "the lungs that segmentation-v1 finds" in " ".join(FAMILY.facts(model).notes)
    folder = house.workspace.models / "generation"
    folder.mkdir(parents=True)
    FAMILY.save(model, folder)
    loaded = FAMILY.load(folder)

    with house.database.reading() as session:
        study = on_record.get_study(session, 1)
    frontal = next(image for image in study.images if image.view is not View.LATERAL)
    lateral = next(image for image in study.images if image.view is View.LATERAL)
    pixels = read_film(house.store.get(frontal.sha))
    window = finder.window(pixels)
    assert window is not None
    views = loaded.views(house.shelf)
    assert views.window(frontal.sha, Pose.FRONTAL) == window and views.window(lateral.sha, Pose.LATERAL) is None
    np.testing.assert_array_equal(views.film(frontal.sha, Pose.FRONTAL), to_square(window.cut(pixels), 32, "resize"))

    (writing,) = FAMILY.write(loaded, [study], Decoding(most_tokens=12), house.shelf)
    rows = f"rows {window.top + 1} to {window.top + window.height} of {SIDE}"
    assert any(rows in remark for remark in writing.remarks)
    outside = [
        value
        for sentence in writing.sentences
        for gaze in sentence.gaze
        if gaze.image == frontal.id
        for row, values in enumerate(gaze.map)
        for value in values
        if (row + 2) * SIDE / len(gaze.map) < window.top
    ]
    assert not any(outside), "it never looked there"
    result = FAMILY.evaluate(loaded, manifest, Split.TEST, house.shelf, None, Silent())
    assert result.details["cropped"] + result.details["not_cropped"] == 3


def test_a_window_once_found_is_kept_on_record_and_found_again_where_that_is_lost(
    house: House, finder: LungFinder
) -> None:
    pixels = (simulate(0, size=SIDE).images[0].pixels >> 4).astype(np.uint8)
    sha = house.store.put(from_pixels(pixels, 8).payload)
    views = Views(house.shelf.films(smoke()), finder)
    views.film(sha, Pose.FRONTAL)
    (kept,) = house.workspace.cache.rglob(f"{sha}.json")
    assert Crop(**json.loads(kept.read_text())) == finder.window(pixels)
    kept.write_text("{")
    assert views.window(sha, Pose.FRONTAL) == finder.window(pixels)
    assert Crop(**json.loads(kept.read_text())) == finder.window(pixels)


def test_a_model_whose_finder_of_lungs_is_lost_is_not_loaded(house: House) -> None:
    model = trained(house, put_radiographs(house), shelf_with(house, measured(0.95, "lungs")))
    folder = house.workspace.models / "generation"
    folder.mkdir(parents=True)
    FAMILY.save(model, folder)
    (folder / FOLDER / "weights.safetensors").unlink()
    with pytest.raises(CorruptModel):
        FAMILY.load(folder)
