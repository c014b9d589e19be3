"""What the network reads, and the proof that it listens: films on which only the report tells what is meant."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.findings import by_key
from core.masks import Mask, stats
from core.recipes import SegmentationRecipe, preset
from core.reports import Report
from core.snapshots import Manifest
from core.studies import IncomingImage, IncomingMask, IncomingStudy, Split, View
from data.images import from_pixels, mask_png
from db import intake
from db.intake import StoredImage
from tests.trainers.conftest import BY, House
from trainers.backbones import TextFeatures
from trainers.contract import Silent
from trainers.datasets import FilmCache
from trainers.loop import train
from trainers.segmentation.data import films_of
from trainers.segmentation.evaluation import outline
from trainers.segmentation.family import Segmentation
from trainers.segmentation.model import SegmentationModel
from trainers.segmentation.network import ReportReader
from trainers.segmentation.prompts import Mode, Words, features_of, words_on

NODULE, HEART = by_key()["nodule"], by_key()["heart"]
REPORT = Report(
    findings="The heart is normal in size. There is a nodule on the left.", impression="Nodules. Normal heart."
)
SIDE = 64
texts = st.lists(st.sampled_from(["Left", "right", "lung", "RIGHT", "the", "left-sided", "no"]), max_size=6).map(
    " ".join
)


def test_a_prompt_reads_nothing_of_the_report() -> None:
    assert words_on(NODULE, REPORT, "prompt") == Words("nodule")
    assert words_on(NODULE, REPORT, "prompt", "find the nodule") == Words("find the nodule")


def test_the_reports_sentences_on_the_finding_take_the_prompts_place() -> None:
    assert words_on(NODULE, REPORT, "sentences") == Words("There is a nodule on the left. Nodules.")
    assert words_on(HEART, REPORT, "sentences", "the heart") == Words("The heart is normal in size. Normal heart.")


def test_the_whole_report_is_read_beside_the_prompt() -> None:
    assert words_on(NODULE, REPORT, "report") == Words("nodule", REPORT.findings, REPORT.impression)
    assert words_on(NODULE, REPORT, "report", "lung nodule").prompt == "lung nodule"


def test_a_report_without_sections_is_read_as_findings() -> None:
    assert words_on(NODULE, Report(text="A nodule."), "report") == Words("nodule", findings="A nodule.")
    assert words_on(NODULE, Report(impression="A nodule."), "report") == Words("nodule", impression="A nodule.")


@pytest.mark.parametrize("mode", ["sentences", "report"])
def test_without_a_word_on_it_a_finding_is_asked_for_by_its_phrase(mode: Mode) -> None:
    assert words_on(NODULE, None, mode) == Words("nodule")
    assert words_on(NODULE, Report(indication="Nodule?"), mode, "the nodule") == Words("the nodule")
    if mode == "sentences":
        assert words_on(NODULE, Report(findings="Heart is normal."), mode, "the nodule") == Words("the nodule")


@given(st.builds(Words, texts, texts, texts))
def test_words_mirrored_twice_are_the_words(words: Words) -> None:
    assert words.mirrored.mirrored == words


def test_sides_change_in_the_report_as_in_the_prompt() -> None:
    words = Words("left lung", "A nodule on the left, none on the right.", "Left nodule.")
    assert words.mirrored == Words("right lung", "A nodule on the right, none on the left.", "Right nodule.")


def test_features_have_a_row_for_the_prompt_and_one_for_each_section_that_is_read() -> None:
    text = TextFeatures("hash")
    words = [Words("nodule", "A nodule.", "Clear."), Words("heart", impression="Clear."), Words("lung")]
    alone, beside = features_of(words, text, 0), features_of(words, text, 2)
    assert alone.shape == (3, 1, 64) and beside.shape == (3, 3, 64)
    torch.testing.assert_close(beside[:, :1], alone)
    torch.testing.assert_close(beside[0, 2], beside[1, 2])
    written = beside.abs().sum(dim=-1) > 0
    assert written.tolist() == [[True, True, True], [True, False, True], [True, False, False]]


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=6), st.integers(0, 99))
def test_attention_is_shared_among_the_sections_that_were_written(written: list[tuple[bool, bool]], seed: int) -> None:
    chance = torch.Generator().manual_seed(seed)
    reader = ReportReader(8, 4)
    there = torch.tensor(written)
    sections = torch.randn(len(written), 2, 8, generator=chance) * there[:, :, None]
    weights = reader.weights(torch.randn(len(written), 4, generator=chance), sections)
    assert (weights[~there] == 0).all()
    assert (weights[there] > 0).all()
    torch.testing.assert_close(weights.sum(dim=1), there.any(dim=1).float())


def test_a_report_of_which_nothing_is_written_adds_nothing() -> None:
    reader = ReportReader(8, 4)
    assert (reader(torch.randn(2, 4), torch.zeros(2, 2, 8)) == 0).all()


class Listening(NamedTuple):
    """Mean Dice over the test films: in their own words, these exchanged for another patient's, and none."""

    own: float
    shuffled: float
    dropped: float


@pytest.fixture
def told_apart_by_words_alone(house: House) -> tuple[House, Manifest]:
    """Films with a blob on either side; the report says which of the two is the nodule. Neighbours differ."""
    for number in range(40):
        film, blobs = two_blobs(number)
        side = ("left", "right")[(number // 4) % 2]
        report = Report(
            findings=f"The heart is normal in size. There is a nodule on the {side}.", impression="Solitary lesion."
        )
        add(house, number, film, blobs[side], report)
    return house, house.freeze("blobs-1", "blobs")


def two_blobs(seed: int) -> tuple[NDArray[np.uint8], dict[str, Mask]]:
    chance = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    blobs: dict[str, Mask] = {}
    # The patient's left lies on the right of the image.
    for side, middle in (("right", 18), ("left", 46)):
        down, across = chance.uniform(20, 44), middle + chance.uniform(-4, 4)
        blobs[side] = (rows - down) ** 2 + (columns - across) ** 2 < chance.uniform(7, 9) ** 2
    film = np.where(blobs["left"] | blobs["right"], 200.0, 90.0) + chance.normal(0, 8, (SIDE, SIDE))
    return film.clip(0, 255).astype(np.uint8), blobs


def add(house: House, number: int, film: NDArray[np.uint8], nodule: Mask, report: Report) -> None:
    kept = from_pixels(film, 8)
    mask = IncomingMask("nodule", mask_png(nodule), stats(nodule))
    image = IncomingImage("pa", View.PA, kept.facts, kept.payload, kept.media_type, (mask,))
    split = (Split.TRAIN, Split.TRAIN, Split.VALIDATION, Split.TEST)[number % 4]
    study = IncomingStudy(f"p{number:02}", f"s{number:02}", (image,), report, split=split, order=number)
    stored = StoredImage(house.store.put(image.payload), (house.store.put(mask.png),))
    with house.database.writing() as session:
        intake.add_study(session, "blobs", study, [stored], BY)


def trained(house: House, manifest: Manifest, folder: Path, mode: Mode) -> SegmentationModel:
    smoke = preset("segmentation", "smoke")
    assert isinstance(smoke, SegmentationRecipe)
    recipe = replace(smoke, text=mode, batch_size=8)
    family = Segmentation()
    data = family.prepare(recipe, manifest, house.shelf, Silent())
    module = train(lambda _: family.module(recipe, data), recipe, "dice", True, folder, Silent()).module
    model = module.publishable()
    assert isinstance(model, SegmentationModel)
    return model


def listening(house: House, manifest: Manifest, model: SegmentationModel) -> Listening:
    films = films_of(manifest, Split.TEST, model.findings)
    cache = FilmCache(house.shelf.cache, house.store, SIDE, "resize")
    scores = [each.score.values for each in outline(model, films, cache, lambda _: None, stressed=True)]
    assert len(scores) == 10
    return Listening(*(float(np.mean([s[name] for s in scores])) for name in ("dice", "dice_shuffled", "dice_dropped")))


@pytest.mark.parametrize("mode", ["sentences", "report"])
def test_a_network_that_reads_reports_marks_what_the_report_says(
    told_apart_by_words_alone: tuple[House, Manifest], tmp_path: Path, mode: Mode
) -> None:
    house, manifest = told_apart_by_words_alone
    heard = listening(house, manifest, trained(house, manifest, tmp_path / "run", mode))
    assert heard.own > 0.85
    assert heard.shuffled < 0.15


def test_a_network_that_reads_prompts_alone_cannot_know_which_is_meant(
    told_apart_by_words_alone: tuple[House, Manifest], tmp_path: Path
) -> None:
    house, manifest = told_apart_by_words_alone
    heard = listening(house, manifest, trained(house, manifest, tmp_path / "run", "prompt"))
    assert heard.own < 0.8
