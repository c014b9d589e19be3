"""Films, masks, words and weights that nobody should hand in, and somebody will."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import NotFound
from core.masks import Mask, stats
from core.recipes import SegmentationRecipe, preset
from core.snapshots import Manifest
from core.studies import IncomingImage, IncomingMask, IncomingStudy, Split, View
from data.images import from_pixels, mask_png
from db import intake, studies
from db.intake import StoredImage
from tests.trainers.conftest import BY, House, drawn_film
from trainers.backbones import EmptyText, WeightsNotFound
from trainers.contract import Case, FindingNotLearned, Measured, NothingToLearn, NothingToMeasure, Silent
from trainers.segmentation.family import Segmentation
from trainers.segmentation.model import SegmentationModel

FAMILY = Segmentation()


def smoke(**changes: object) -> SegmentationRecipe:
    recipe = preset("segmentation", "smoke")
    assert isinstance(recipe, SegmentationRecipe)
    return replace(recipe, **changes)  # type: ignore[arg-type]


@pytest.fixture
def model(house: House) -> SegmentationModel:
    """One that has learned nothing: what it marks does not matter here."""
    house.add("drawn", 4)
    return untrained(house, house.freeze("drawn-1", "drawn"))


def untrained(house: House, manifest: Manifest, **changes: object) -> SegmentationModel:
    recipe = smoke(**changes)
    return FAMILY.module(recipe, FAMILY.prepare(recipe, manifest, house.shelf, Silent())).publishable()


def put(house: House, key: str, side: int, masks: dict[str, Mask] | None = None, split: Split = Split.TEST) -> None:
    """A film of `side` pixels, a small drawing enlarged; its masks are those drawn, or those given."""
    film, drawn = drawn_film(1)
    pixels = np.asarray(Image.fromarray(film).resize((side, side), Image.Resampling.NEAREST))
    kept = from_pixels(pixels, 8)
    known = masks or {
        name: np.asarray(Image.fromarray(drawn[name]).resize((side, side))) for name in ("left_lung", "right_lung")
    }
    incoming = tuple(IncomingMask(name, mask_png(mask), stats(mask)) for name, mask in known.items())
    image = IncomingImage("pa", View.PA, kept.facts, kept.payload, kept.media_type, incoming)
    stored = StoredImage(house.store.put(image.payload), tuple(house.store.put(mask.png) for mask in incoming))
    with house.database.writing() as session:
        intake.add_study(session, "odd", IncomingStudy(key, key, (image,), split=split), [stored], BY)


def odd_cases(house: House) -> list[Case]:
    with house.database.reading() as session:
        found = [studies.get_study(session, number) for number in studies.study_numbers(session, "odd")]
    return [Case(study, study.images) for study in found]


def measure(house: House, model: SegmentationModel, figures: Path | None = None) -> Measured:
    return FAMILY.evaluate(model, house.freeze("odd-1", "odd"), Split.TEST, house.shelf, figures, Silent())


@pytest.mark.parametrize(("side", "fit"), [(64, "resize"), (64, "pad"), (6000, "pad")])
def test_a_film_of_any_size_is_measured_and_answered_at_its_own(house: House, side: int, fit: str) -> None:
    house.add("drawn", 4)
    model = untrained(house, house.freeze("drawn-1", "drawn"), fit=fit)
    put(house, "odd-size", side)
    measured = measure(house, model)
    assert measured.n == 1
    assert {score.finding for score in measured.scores} == {"left_lung", "right_lung"}
    answers = FAMILY.predict(model, odd_cases(house), {"left_lung": None, "right_lung": "right lung"}, house.shelf)
    assert len(answers) == 2
    assert all((each.stats.height, each.stats.width) == (side, side) for each in answers if each.stats)


def test_masks_all_empty_and_all_full_are_measured_by_the_conventions(
    house: House, model: SegmentationModel, tmp_path: Path
) -> None:
    full = np.ones((64, 64), np.bool_)
    put(house, "odd", 64, {"left_lung": full, "right_lung": ~full})
    scores = {score.finding: score.values for score in measure(house, model, tmp_path / "figures").scores}
    assert scores["left_lung"]["dice"] is not None and scores["left_lung"]["false_positive"] is None
    assert scores["left_lung"]["dice_dropped"] is not None
    assert scores["right_lung"]["dice"] is None and scores["right_lung"]["false_positive"] in (0.0, 1.0)
    assert scores["right_lung"]["false_positive_dropped"] in (0.0, 1.0)


def test_where_every_mask_is_empty_there_is_nothing_to_learn(house: House) -> None:
    empty = np.zeros((64, 64), np.bool_)
    put(house, "odd", 64, {"heart": empty}, Split.TRAIN)
    with pytest.raises(NothingToLearn, match="no mask"):
        FAMILY.prepare(smoke(), house.freeze("odd-1", "odd"), house.shelf, Silent())


@pytest.mark.parametrize("prompt", ["", " \n", "?!"])
def test_a_prompt_without_a_word_is_refused(house: House, model: SegmentationModel, prompt: str) -> None:
    put(house, "odd", 64)
    with pytest.raises(EmptyText, match="prompt is empty"):
        FAMILY.predict(model, odd_cases(house), {"left_lung": prompt}, house.shelf)


@pytest.mark.parametrize("prompt", ["quetzalcoatl", "сердце", "♥ heart", "left " * 500])
def test_a_prompt_in_no_vocabulary_is_answered(house: House, model: SegmentationModel, prompt: str) -> None:
    put(house, "odd", 64)
    (answer,) = FAMILY.predict(model, odd_cases(house), {"left_lung": prompt}, house.shelf)
    assert answer.prompt == prompt


@pytest.mark.parametrize("finding", ["pneumothorax", "gallstone"])
def test_a_finding_never_trained_is_refused_even_in_words(house: House, model: SegmentationModel, finding: str) -> None:
    put(house, "odd", 64)
    for phrase in (None, "left lung"):
        with pytest.raises(FindingNotLearned, match=f"{finding}.*left_lung, right_lung"):
            FAMILY.predict(model, odd_cases(house), {finding: phrase}, house.shelf)


def test_films_on_which_only_other_findings_are_known_cannot_measure_a_model(
    house: House, model: SegmentationModel
) -> None:
    put(house, "odd", 64, {"pneumothorax": np.ones((64, 64), np.bool_)})
    with pytest.raises(NothingToMeasure, match="left_lung, right_lung"):
        measure(house, model)


def test_weights_that_are_nowhere_are_told_with_the_places_looked_in(house: House, tmp_path: Path) -> None:
    house.add("drawn", 4)
    manifest, nowhere = house.freeze("drawn-1", "drawn"), tmp_path / "no" / "weights"
    with pytest.raises(WeightsNotFound, match=str(nowhere)):
        untrained(house, manifest, encoder="resnet34", weights="local", weights_folder=str(nowhere))
    with pytest.raises(NotFound, match="segmentation-v9"):
        untrained(house, manifest, start_from="segmentation-v9")
