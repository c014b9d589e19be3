"""The commands that make the figures of docs/results.md, gone through with drawn films and the smoke recipe."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.metrics import ItemScore
from core.studies import Split
from db import jobs, masks, models, studies
from tests.benchmarks import bench_paraphrases, cross_validation, loop_curve, pretraining_effect
from tests.benchmarks.__main__ import ALONE
from tests.trainers.conftest import House, drawn_film

QUICK = ["--preset", "smoke", "--set", "minimum_steps=30", "--set", "epochs=1", "--set", "batch_size=4", "--json"]
ALL = ("left_lung", "right_lung", "heart")


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    """The one JSON object that a command printed."""
    (line,) = capsys.readouterr().out.strip().splitlines()
    return json.loads(line)


def asked_for(house: House) -> int:
    with house.database.reading() as session:
        return len(jobs.jobs(session, 1000))


def test_every_film_is_tested_once_over_the_folds_and_a_second_run_trains_nothing(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.add("drawn", 9, ALL)
    house.add("drawn", 3, ("left_lung", "right_lung"), absent=("heart",), first_seed=50)
    words = ["drawn", "--folds", "2", *QUICK]
    cross_validation.main(words)
    first, trained = told(capsys), asked_for(house)

    assert first["films"] == first["patients"] == 12
    assert len(first["models"]) == 2
    heart = next(each for each in first["findings"] if each["finding"] == "heart")
    assert heart["dice"]["n"] == heart["floor"]["n"] == heart["above_floor"]["n"] == 9
    assert heart["false_positive"]["n"] == 3
    assert heart["above_floor"]["value"] == pytest.approx(heart["dice"]["value"] - heart["floor"]["value"])
    assert first["prompts"]["heart"]["heart"]["value"] == pytest.approx(heart["dice"]["value"])
    assert first["prompts"]["heart"]["left_lung"]["n"] == 12
    lead = first["own_prompt_lead"]["left_lung"]["heart"]
    assert lead["n"] == 9
    assert lead["value"] == pytest.approx(heart["dice"]["value"] - first["prompts"]["left_lung"]["heart"]["value"])

    cross_validation.main(words)
    assert told(capsys) == first
    assert asked_for(house) == trained


def test_the_floor_that_paints_the_lungs_is_right_where_lungs_are_asked_for_together() -> None:
    lungs = ItemScore("film", "patient", "heart", {"dice": 0.2})
    ours = ItemScore("film", "patient", "heart", {"dice": 0.9, "false_positive": None})
    elsewhere = replace(lungs, item="another film", values={"dice": 1.0})
    (heart,) = cross_validation.judge([ours], [lungs, elsewhere])
    assert heart.floor.value == 0.2
    assert heart.above_floor.value == pytest.approx(0.7)


def test_a_model_is_asked_in_words_that_it_never_read(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.add("drawn", 12, ALL)
    house.freeze("first", "drawn")
    pretraining_effect.main(["first", "--studies", "6", *QUICK])
    capsys.readouterr()
    bench_paraphrases.main(["segmentation-v1", "first", "--json"])
    found = told(capsys)
    assert {each["finding"] for each in found["findings"]} == set(ALL)
    for each in found["findings"]:
        assert len(each["paraphrases"]) == len(bench_paraphrases.UNSEEN[each["finding"]])
        assert each["name"]["difference"]["value"] == 0
        assert each["worst"]["dice"]["value"] <= each["median"]["dice"]["value"]
        assert each["median"]["phrase"] in bench_paraphrases.UNSEEN[each["finding"]]
        assert each["median"]["dice"]["n"] == found["films"]


def test_the_worth_of_other_weights_is_measured_on_few_studies_and_the_same_test_patients(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.add("drawn", 12, ("heart",))
    house.freeze("first", "drawn")
    pretraining_effect.main(["first", "--studies", "5", *QUICK])
    assert told(capsys)["studies"] == {"train": 4, "validation": 1, "test": 3}
    pretraining_effect.main(["first", "--studies", "5", "--start", "segmentation-v1", *QUICK])
    random, continued = told(capsys)["starts"]
    assert random["start"] == "random" and random["against"] == {}
    assert random["models"] == ["segmentation-v1"]
    assert continued["against"]["random"]["n"] == continued["dice"]["overall"]["n"] == 3
    with house.database.reading() as session:
        assert models.get_model(session, "segmentation-v2").recipe["start_from"] == "segmentation-v1"


def test_over_several_seeds_a_film_counts_once_with_its_mean() -> None:
    one = ItemScore("film", "patient", "heart", {"dice": 0.2})
    without = ItemScore("another film", "patient", "heart", {"dice": None})
    pooled = pretraining_effect.over_seeds([[one, without], [replace(one, values={"dice": 0.6}), without]])
    assert [(score.item, dict(score.values)) for score in pooled] == [("film", {"dice": pytest.approx(0.4)})]


def test_the_loop_is_gone_round_and_taken_up_again_where_it_was_broken_off(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, plot = tmp_path / "source", tmp_path / "loop.png"
    for number in range(26, 38):  # by their names two of them are for testing, one for validation
        film, outlines = drawn_film(number)
        places = {source / "images": film} | {source / "masks" / key: mask for key, mask in outlines.items()}
        for folder, pixels in places.items():
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / f"film{number:02}.png")
    words = ["folder", str(source), "--dataset", "loop", "--plot", str(plot), *QUICK, "--set", "minimum_steps=60"]
    loop_curve.main([*words, "--budgets", "4"])
    (first,) = told(capsys)["rounds"]
    assert first["suggestions"] == 0 and first["drawn"] == 4 * len(ALL)
    assert first["in_use"] == first["model"] == "segmentation-v1"

    loop_curve.main([*words, "--budgets", "4,9"])
    again, second = told(capsys)["rounds"]
    assert again == first
    assert second["corrected"] == 9 and second["model"] == "segmentation-v2"
    assert (second["suggestions"], second["drawn"]) == (4 * len(ALL), 5 * len(ALL)), "nobody helps on validation"
    assert second["suggestion_dice"]["n"] == second["suggestions"]
    assert 0.3 < second["suggestion_dice"]["value"] < 1
    assert first["dice"]["n"] == second["dice"]["n"] == 2 * len(ALL)
    assert Image.open(plot).size[0] > 500

    with house.database.reading() as session:
        taught = [studies.get_study(session, number) for number in studies.study_numbers(session, "loop")]
        for study in taught:
            made = masks.versions(session, study.images[0].id)
            authors = {version.author for version in made}
            assert authors == ({"annotator"} if study.split is Split.TEST else {"reader"} if made else set())
            assert study.split is Split.TRAIN or not any(version.suggested for version in made)


def test_what_needs_a_model_is_not_started_with_the_quick_ones() -> None:
    assert ALONE == ("bench_paraphrases",)
    for module in (cross_validation, loop_curve, pretraining_effect):
        assert not module.__name__.rpartition(".")[2].startswith("bench_")
