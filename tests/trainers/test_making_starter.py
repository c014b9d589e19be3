"""The starter model as it is made: from a model on record to the folder that ships with the house."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from app.house import House
from app.services import snapshots, training
from core.manifests import from_bytes
from core.recipes import preset
from core.snapshots import Manifest
from core.studies import Split
from data import starters
from data.starters import StarterTooLarge
from db import models
from db import snapshots as frozen
from tests import starting
from tests.making import BY
from trainers import starter
from trainers.datasets import FilmCache
from trainers.segmentation import model as networks
from trainers.starter import Agreement, HalfDisagrees, NotAStarter, agree


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = starting.trained(tmp_path_factory.mktemp("starter"))
    yield opened
    opened.database.close()


@pytest.fixture
def folder(house: House, tmp_path: Path) -> Path:
    return starter.make(house.workspace, house.database, starting.MODEL, tmp_path / "starter").folder


def manifest_of(house: House) -> Manifest:
    with house.database.reading() as session:
        return from_bytes(house.store.get(frozen.get_snapshot(session, "starter").sha))


def test_it_holds_the_model_with_its_papers_the_terms_and_the_films_that_taught_it(house: House, folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        "weights.safetensors", "text.safetensors", "model.json", "recipe.json", "run.json", "metrics.json",
        "metrics.csv", "model_card.md", "TERMS.md", "training-images.txt", "starter.json",
    }  # fmt: skip
    read = starters.read(folder)
    assert read is not None
    taught = {image.sha for study in manifest_of(house).of(Split.TRAIN) for image in study.images}
    assert set(read.images) == taught
    assert 0 < len(taught) < starting.FILMS
    assert read.findings == ("lungs",)
    assert read.metrics["dice"].overall.value is not None
    assert json.loads((folder / "metrics.json").read_text())["split"] == "test"
    card = (folder / "model_card.md").read_text()
    assert "For research, not for clinical decisions." in card
    assert "half precision" in card
    assert "(test split" in card
    assert "National Library of Medicine" in (folder / "TERMS.md").read_text()


def test_nothing_in_it_tells_of_the_machine_it_was_made_on(house: House, folder: Path) -> None:
    for path in folder.iterdir():
        assert str(house.workspace.home).encode() not in path.read_bytes(), path.name


def test_its_weights_are_halves_and_mark_as_the_full_ones_do(house: House, folder: Path) -> None:
    state = load_file(folder / "weights.safetensors")
    assert {value.dtype for value in state.values() if value.is_floating_point()} == {torch.float16}
    with house.database.reading() as session:
        full = networks.load(house.workspace.models / models.get_model(session, starting.MODEL).folder)
    cache = FilmCache(house.workspace.cache, house.store, full.recipe.image_size, full.recipe.fit)
    found = agree(full, networks.load(folder), manifest_of(house), cache)
    assert found.mean >= starter.AGREEMENT
    assert found.films == len(manifest_of(house).of(Split.TEST))


def test_a_model_that_halves_spoil_is_refused(
    house: House, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = (folder / "starter.json").read_bytes()
    monkeypatch.setattr(starter, "AGREEMENT", 1.1)
    with pytest.raises(HalfDisagrees, match="half precision"):
        starter.make(house.workspace, house.database, starting.MODEL, folder)
    assert (folder / "starter.json").read_bytes() == before


def test_two_models_that_differ_are_seen_to_differ(house: House, folder: Path) -> None:
    one, other = networks.load(folder), networks.load(folder)
    with torch.no_grad():
        for parameter in other.network.parameters():
            parameter.zero_()
    cache = FilmCache(house.workspace.cache, house.store, one.recipe.image_size, one.recipe.fit)
    found = agree(one, other, manifest_of(house), cache)
    assert isinstance(found, Agreement)
    assert found.mean < 0.9


def test_one_that_is_too_large_is_refused_and_the_one_before_it_stays(
    house: House, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = starters.read(folder)
    monkeypatch.setattr(starters, "LIMIT", 10_000)
    with pytest.raises(StarterTooLarge, match="at most"):
        starter.make(house.workspace, house.database, starting.MODEL, folder)
    assert starters.read(folder) == before
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".making")] == []


def test_made_again_it_takes_the_place_of_the_one_before(house: House, folder: Path) -> None:
    (folder / "weights.safetensors").write_bytes(b"torn")
    starter.make(house.workspace, house.database, starting.MODEL, folder)
    assert starters.read(folder) is not None


def test_only_a_measured_model_of_the_lungs_on_that_dataset_alone_becomes_one(house: House, tmp_path: Path) -> None:
    starting.bring_in_films(house, starting.folder_of_films(tmp_path / "more", 6, first=50), "more")
    snapshots.freeze(house, "mixed", [starter.DATASET, "more"], BY)
    recipe = replace(preset("segmentation", "smoke"), minimum_steps=1, epochs=1)
    starting.do(house, training.train(house, recipe, "mixed", BY))
    starting.do(house, training.train(house, recipe, "starter", BY))
    starting.do(house, training.train(house, replace(recipe, start_from="segmentation-v2"), "starter", BY))
    for name, says in (("v2", "nothing else"), ("v3", "evaluate segmentation-v3"), ("v4", "started from weights")):
        with pytest.raises(NotAStarter, match=says):
            starter.make(house.workspace, house.database, f"segmentation-{name}", tmp_path / "starter")
    assert not (tmp_path / "starter").exists()


def test_the_command_says_what_it_wrote_or_why_it_did_not(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("READING_ROOM_HOME", str(house.workspace.home))
    assert starter.main([starting.MODEL, "--out", str(tmp_path / "starter")]) == 0
    assert "MB" in capsys.readouterr().out
    assert starter.main(["segmentation-v99", "--out", str(tmp_path / "other")]) == 1
    assert "no model" in capsys.readouterr().err
