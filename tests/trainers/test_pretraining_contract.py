from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core.recipes import BadRecipe, PretrainingRecipe, preset
from core.snapshots import Manifest
from core.studies import Split, View
from tests.trainers.conftest import House
from tests.trainers.family_contract import FamilyContract
from trainers.checkpoints import read_state
from trainers.contract import NothingToLearn, Silent
from trainers.folders import ENCODER, WEIGHTS
from trainers.pretraining.data import films_of
from trainers.pretraining.family import Pretraining


def smoke(**changes: Any) -> PretrainingRecipe:
    recipe = preset("pretraining", "smoke")
    assert isinstance(recipe, PretrainingRecipe)
    return replace(recipe, **changes)


class TestPretraining(FamilyContract):
    family = Pretraining()
    recipe = smoke(batch_size=4)
    fits_to = 22.0
    finding = None

    def fill(self, house: House) -> Manifest:
        house.add("drawn", 12, findings=())
        return house.freeze("drawn-1", "drawn")

    def test_it_restores_films_far_better_than_their_mean(self, house: House, tmp_path: Path) -> None:
        house.add("drawn", 12, findings=())
        house.add("more", 28, findings=(), first_seed=40)
        manifest = house.freeze("all", "drawn", "more")
        model = self.train(house, manifest, tmp_path / "run", masked_share=0.0).module.publishable()
        measured = self.family.evaluate(model, manifest, Split.VALIDATION, house.shelf, None, Silent())
        restored, floor = (measured.metrics[name].overall for name in ("psnr", "psnr_floor"))
        assert restored.value is not None and floor.value is not None
        assert restored.value > floor.value + 1

    @pytest.mark.parametrize("share", [0.0, 0.5])
    def test_it_trains_with_and_without_hidden_patches(
        self, house: House, manifest: Manifest, tmp_path: Path, share: float
    ) -> None:
        trained = self.train(house, manifest, tmp_path / "run", minimum_steps=60, masked_share=share)
        assert self.headline(house, manifest, trained.module.publishable(), Split.TRAIN) > 18

    def test_the_encoder_on_its_own_is_that_of_the_whole_model(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.train(house, manifest, tmp_path / "run", minimum_steps=8).module.publishable()
        self.family.save(model, tmp_path)
        whole, alone = read_state(tmp_path / WEIGHTS), read_state(tmp_path / ENCODER)
        assert alone.keys() == model.network.encoder.state_dict().keys()
        assert {f"encoder.{name}" for name in alone} == {name for name in whole if name.startswith("encoder.")}
        for name, value in alone.items():
            assert torch.equal(value, whole[f"encoder.{name}"])

    def test_films_of_test_patients_are_not_read(self, house: House, manifest: Manifest) -> None:
        data = self.family.prepare(self.recipe, manifest, house.shelf, Silent())
        judged = {image.sha for study in manifest.of(Split.TEST) for image in study.images}
        known = {film.sha for film in data.training + data.validation}
        assert judged and not judged & known
        read = {path.stem for path in (house.workspace.cache / "squares").rglob("*.film")}
        assert read == known

    def test_side_views_are_learned_from_unless_only_frontal_ones_are_wanted(self, house: House) -> None:
        house.add("frontal", 4, findings=())
        house.add("lateral", 4, findings=(), view=View.LATERAL, first_seed=20)
        manifest = house.freeze("both", "frontal", "lateral")
        assert len(films_of(manifest, None, "all")) == 8
        assert len(films_of(manifest, None, "frontal")) == 4
        only_lateral = replace(manifest, studies=tuple(s for s in manifest.studies if s.dataset == "lateral"))
        with pytest.raises(NothingToLearn, match="views=all"):
            self.family.prepare(smoke(views="frontal"), only_lateral, house.shelf, Silent())

    def test_bf16_padding_the_ssim_term_and_averaging_train_too(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        trained = self.train(
            house, manifest, tmp_path / "run", minimum_steps=8, precision="bf16", fit="pad", ssim_weight=0.5,
            averaging=0.9, augment="strong", normalise="minmax", accumulate=2,
        )  # fmt: skip
        assert all(torch.isfinite(value).all() for value in self.weights(trained).values())

    def test_a_recipe_that_contradicts_itself_is_refused(self) -> None:
        for contradiction in ({"weights": "package"}, {"weights": "local"}, {"patch": 24}, {"decoder_channels": ()}):
            with pytest.raises(BadRecipe):
                smoke(**contradiction)
