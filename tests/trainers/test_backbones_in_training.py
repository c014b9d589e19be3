"""Encoders where they are used: frozen stages, weights from local folders, text encoders that are not the model's."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import torchvision
from safetensors.torch import load_file, save_file

from core.recipes import SegmentationRecipe, preset
from core.snapshots import Manifest
from tests.trainers.conftest import House
from tests.trainers.tiny_clip import save_tiny_clip
from trainers.backbones import OtherTextEncoder, WeightsNotFound
from trainers.checkpoints import sha256_of
from trainers.contract import Shelf, Silent
from trainers.folders import DESCRIPTION
from trainers.loop import Trained, train
from trainers.segmentation import model as models
from trainers.segmentation.family import Segmentation
from trainers.segmentation.model import SegmentationModel
from trainers.segmentation.module import SegmentationModule
from trainers.segmentation.network import TextWidthMismatch

FAMILY = Segmentation()


@pytest.fixture
def manifest(house: House) -> Manifest:
    house.add("drawn", 4)
    return house.freeze("drawn-1", "drawn")


def recipe_of(name: str, **changes: Any) -> SegmentationRecipe:
    recipe = preset("segmentation", name)
    assert isinstance(recipe, SegmentationRecipe)
    return replace(recipe, **changes)


def two_steps(house: House, manifest: Manifest, folder: Path, recipe: SegmentationRecipe) -> Trained:
    shelf = Shelf(house.store, house.workspace.cache, (house.workspace.weights,))
    short = replace(recipe, epochs=1, minimum_steps=2, batch_size=2, augment="none", averaging=0.0)
    data = FAMILY.prepare(short, manifest, shelf, Silent())
    return train(lambda wanted: FAMILY.module(wanted, data), short, "dice", True, folder, Silent())


def saved(trained: Trained, folder: Path) -> Path:
    folder.mkdir()
    FAMILY.save(trained.module.publishable(), folder)
    return folder


def encoder_values(module: SegmentationModule, stages: slice) -> Iterator[tuple[str, torch.Tensor]]:
    for stage in list(module.network.encoder.stages_up_to(5))[stages]:
        yield from ((name, value.clone()) for name, value in stage.state_dict().items())


def test_frozen_stages_keep_weights_and_statistics_in_a_training_and_the_others_learn(
    house: House, manifest: Manifest, tmp_path: Path
) -> None:
    recipe = recipe_of("smoke", frozen_stages=2)
    shelf = Shelf(house.store, house.workspace.cache)
    before = FAMILY.module(recipe, FAMILY.prepare(recipe, manifest, shelf, Silent()))
    after = two_steps(house, manifest, tmp_path / "run", recipe).module
    assert isinstance(after, SegmentationModule)
    for (name, was), (_, became) in zip(
        encoder_values(before, slice(0, 2)), encoder_values(after, slice(0, 2)), strict=True
    ):
        assert torch.equal(was, became), name
    for (name, was), (_, became) in zip(
        encoder_values(before, slice(2, 5)), encoder_values(after, slice(2, 5)), strict=True
    ):
        assert not torch.equal(was, became), name


def test_the_clip_recipe_trains_from_local_folders_and_says_so(
    house: House, manifest: Manifest, tmp_path: Path
) -> None:
    weights = house.workspace.weights
    (weights / "resnet34").mkdir(parents=True)
    save_file(torchvision.models.resnet34().state_dict(), weights / "resnet34" / "model.safetensors")
    save_tiny_clip(weights / "clip-vit-base-patch32", width=12)
    trained = two_steps(house, manifest, tmp_path / "run", recipe_of("clip", image_size=64))
    model = trained.module.publishable()
    assert trained.steps == 2
    assert model.network.text_dimension == 12
    told = [str(origin) for origin in FAMILY.facts(model).origins]
    for line, part, file in zip(
        told,
        ("image encoder", "text encoder"),
        (weights / "resnet34" / "model.safetensors", weights / "clip-vit-base-patch32" / "model.safetensors"),
        strict=True,
    ):
        assert line.startswith(f"{part}: local folder {file.parent}")
        assert line.endswith(f"sha256 {sha256_of(file)}")
    loaded = FAMILY.load(saved(trained, tmp_path / "model"))
    # The workspace's folder is looked into for words never read in training too.
    assert torch.equal(loaded.text(["cardiac silhouette"]), model.text(["cardiac silhouette"]))


def test_the_edge_recipe_trains_from_the_folder_that_it_names(house: House, manifest: Manifest, tmp_path: Path) -> None:
    save_file(timm.create_model("mobilevit_s").state_dict(), tmp_path / "mobilevit_s.safetensors")
    recipe = recipe_of("edge", image_size=64, text_encoder="hash", weights_folder=str(tmp_path))
    model = two_steps(house, manifest, tmp_path / "run", recipe).module.publishable()
    assert f"local folder {tmp_path}, mobilevit_s.safetensors" in str(model.origins[0])


def test_a_recipe_whose_weights_are_nowhere_says_where_they_were_looked_for(
    house: House, manifest: Manifest, tmp_path: Path
) -> None:
    recipe = recipe_of("clip", image_size=64, text_encoder="hash", weights_folder=str(tmp_path / "mine"))
    with pytest.raises(WeightsNotFound, match=r"image encoder") as refused:
        two_steps(house, manifest, tmp_path / "run", recipe)
    assert str(tmp_path / "mine") in str(refused.value)
    assert str(house.workspace.weights) in str(refused.value)


def test_another_text_encoder_than_the_models_is_refused_by_name(
    house: House, manifest: Manifest, tmp_path: Path
) -> None:
    folder = saved(two_steps(house, manifest, tmp_path / "run", recipe_of("smoke")), tmp_path / "model")
    save_tiny_clip(house.workspace.weights / "clip-vit-base-patch32")
    description = json.loads((folder / DESCRIPTION).read_text())
    description["recipe"]["text_encoder"] = "clip"
    (folder / DESCRIPTION).write_text(json.dumps(description))
    model = FAMILY.load(folder)
    assert model.text(description["texts"]).shape[-1] == 64
    with pytest.raises(OtherTextEncoder, match=r"12 numbers, and the model knows 64.*model card"):
        FAMILY.warm(model)


def test_text_features_of_another_width_than_the_networks_are_refused(
    house: House, manifest: Manifest, tmp_path: Path
) -> None:
    folder = saved(two_steps(house, manifest, tmp_path / "run", recipe_of("smoke")), tmp_path / "model")
    narrower = {row: value[:32].contiguous() for row, value in load_file(folder / models.TEXT).items()}
    save_file(narrower, folder / models.TEXT)
    model = FAMILY.load(folder)
    assert isinstance(model, SegmentationModel)
    with pytest.raises(TextWidthMismatch, match="64 numbers, and the text encoder gives 32"):
        FAMILY.warm(model)
