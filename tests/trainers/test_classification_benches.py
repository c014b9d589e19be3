"""The commands that make the classifier's figures of docs/results.md, gone through with drawn films and few steps."""

import json
from typing import Any

import pytest

from core.metrics import ItemScore
from db import jobs, models
from tests.benchmarks import classification_folds, leakage
from tests.benchmarks.columns import Pool, weigh
from tests.trainers.conftest import House
from tests.trainers.labelled import OTHER, SEEN, add_labelled

QUICK = ["--preset", "smoke", "--set", "minimum_steps=20", "--set", "epochs=1", "--set", "batch_size=8", "--json"]


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    (line,) = capsys.readouterr().out.strip().splitlines()
    return json.loads(line)


def asked_for(house: House) -> int:
    with house.database.reading() as session:
        return len(jobs.jobs(session, 1000))


def test_every_study_is_answered_for_once_over_the_folds_and_a_second_run_trains_nothing(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    add_labelled(house, "drawn", 60, splits=(None,))
    words = ["drawn", "--folds", "2", "--findings", SEEN, "--beside", f"{OTHER},no_finding", *QUICK]
    classification_folds.main(words)
    first, trained = told(capsys), asked_for(house)

    assert first["studies"] == first["patients"] == 60
    assert len(first["models"]) == 2
    mean, *each = first["findings"]
    assert mean["name"] == "mean" and {one["name"] for one in each} == {SEEN, OTHER, "no_finding"}
    seen = next(one for one in each if one["name"] == SEEN)
    assert mean["auroc"]["image"]["value"] == pytest.approx(seen["auroc"]["image"]["value"])
    assert mean["compared"]["fused-image"]["value"] == pytest.approx(
        mean["auroc"]["fused"]["value"] - mean["auroc"]["image"]["value"]
    )
    assert (seen["n"], seen["positives"]) == (60, 32)

    classification_folds.main(words)
    assert told(capsys) == first
    assert asked_for(house) == trained

    classification_folds.main([*words, "--only", "1", "--apart"])
    part = told(capsys)
    assert part["folds"] == ["drawn-fold1"] and 0 < part["studies"] < 60
    assert set(part["findings"][0]["auroc"]) == {
        "image", "text_only", "fused", "shuffled", "apart_image_image", "apart_text_text_only", "apart_text_shuffled",
    }  # fmt: skip
    assert len(part["models"]) == 3
    assert asked_for(house) == trained + 4
    with house.database.reading() as session:
        assert not any(model.promotable for model in models.models(session))


def test_a_leak_is_shown_beside_notes_that_name_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    add_labelled(house, "drawn", 80)
    leakage.main(["drawn", *QUICK, "--set", "minimum_steps=120"])
    found = told(capsys)
    leak, honest = (found["modes"][mode][0]["auroc"] for mode in ("labels", "symptoms"))
    assert leak["text_only"]["value"] > 0.9 > honest["text_only"]["value"]
    assert leak["shuffled"]["value"] < leak["fused"]["value"]
    with house.database.reading() as session:
        assert [model.promotable for model in models.models(session)] == [False, True]


def test_answers_of_two_models_are_paired_item_by_item() -> None:
    def said(sign: float) -> list[ItemScore]:
        return [
            ItemScore(f"i{n}", f"p{n}", SEEN, {"present": float(n % 2), "image": 0.5 + sign * (n % 2 - 0.5) / 4})
            for n in range(20)
        ]

    pool = Pool.of({"": said(1), "apart_": said(-1)})
    mean, one = weigh(pool, [SEEN], [("image", "apart_image")])
    assert pool.columns == ["image", "apart_image"]
    assert (mean.auroc["image"].value, mean.auroc["apart_image"].value) == (1.0, 0.0)
    assert mean.compared["image-apart_image"].low == 1.0
    assert (one.n, one.positives) == (20, 10)
