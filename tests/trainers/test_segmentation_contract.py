from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.findings import UnknownFinding
from core.recipes import BadRecipe, SegmentationRecipe, preset
from core.snapshots import Manifest
from core.studies import Split, View
from tests.trainers.conftest import House
from tests.trainers.family_contract import FamilyContract
from trainers.backbones import EmptyText
from trainers.contract import NothingToLearn, Silent, ViewNotRead
from trainers.segmentation.data import films_of, learnable_findings, truth_of
from trainers.segmentation.family import Segmentation
from trainers.segmentation.model import SegmentationModel


def smoke(**changes: object) -> SegmentationRecipe:
    recipe = preset("segmentation", "smoke")
    assert isinstance(recipe, SegmentationRecipe)
    return replace(recipe, **changes)  # type: ignore[arg-type]


class TestSegmentation(FamilyContract):
    family = Segmentation()
    recipe = smoke(batch_size=4)
    fits_to = 0.8
    finding = "left_lung"

    def fill(self, house: House) -> Manifest:
        house.add("drawn", 12)
        return house.freeze("drawn-1", "drawn")

    def nothing_to_learn(self, manifest: Manifest) -> list[Manifest]:
        bare = tuple(
            replace(study, images=tuple(replace(image, masks=()) for image in study.images))
            for study in manifest.studies
        )
        return [*super().nothing_to_learn(manifest), replace(manifest, studies=bare)]

    def test_shuffled_prompts_change_the_masks_and_ruin_the_score(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.train(house, manifest, tmp_path / "run").module.publishable()
        assert isinstance(model, SegmentationModel)
        honest = self.headline(house, manifest, model, Split.TRAIN)
        left, right = model.text(["left lung", "right lung"])
        model.text._known.update({"left lung": right, "right lung": left})  # type: ignore[attr-defined]
        assert self.headline(house, manifest, model, Split.TRAIN) < honest - 0.4

    def test_the_patients_left_is_found_on_the_right_of_the_image(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.train(house, manifest, tmp_path / "run").module.publishable()
        (found,) = self.family.predict(model, self.some_cases(house)[:1], {"left_lung": None}, house.shelf)
        assert found.stats is not None and found.stats.box is not None
        assert found.stats.box.left + found.stats.box.right > found.stats.width

    def test_a_suggestion_is_a_mask_of_the_films_own_size_in_the_store(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.train(house, manifest, tmp_path / "run").module.publishable()
        house.add("small-and-large", 1, first_seed=70, side=64)
        house.add("small-and-large", 1, first_seed=71, side=1500)
        cases = self.cases_of(house)[-2:]
        found = self.family.predict(model, cases, {"right_lung": None}, house.shelf)
        assert [(f.stats.height, f.stats.width) for f in found if f.stats] == [(64, 64), (1500, 1500)]
        assert all(f.sha is not None and house.store.has(f.sha) for f in found)
        assert all(0.5 < (f.confidence or 0) <= 1 for f in found)

    def test_a_finding_made_of_parts_can_be_learned_and_measured_where_only_the_parts_are_drawn(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        trained = self.train(house, manifest, tmp_path / "run", findings=("lungs",))
        model = trained.module.publishable()
        assert [finding.key for finding in model.findings] == ["lungs"]
        assert self.headline(house, manifest, model, Split.TRAIN) > 0.8

    def test_a_lateral_film_gets_no_suggestion_and_a_question_about_it_is_refused(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.train(house, manifest, tmp_path / "run", minimum_steps=4).module.publishable()
        house.add("side-views", 1, first_seed=90, view=View.LATERAL)
        lateral = self.cases_of(house)[-1:]
        assert self.family.predict(model, lateral, None, house.shelf) == []
        with pytest.raises(ViewNotRead, match="frontal"):
            self.family.predict(model, lateral, {"left_lung": "left lung"}, house.shelf)

    def test_an_empty_prompt_is_refused_and_a_strange_one_is_answered(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.train(house, manifest, tmp_path / "run", minimum_steps=4).module.publishable()
        case = self.some_cases(house)[:1]
        with pytest.raises(EmptyText, match="prompt is empty"):
            self.family.predict(model, case, {"left_lung": "  "}, house.shelf)
        (found,) = self.family.predict(model, case, {"left_lung": "quetzalcoatl"}, house.shelf)
        assert found.prompt == "quetzalcoatl"

    @pytest.mark.parametrize("drawn", ["empty", "full"])
    def test_masks_that_are_all_empty_or_all_full_do_not_stop_a_training(
        self, house: House, tmp_path: Path, drawn: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if drawn == "full":
            monkeypatch.setattr("tests.trainers.conftest.drawn_film", _full)
            house.add("odd", 8, findings=("heart",))
        else:
            house.add("odd", 4, findings=("heart",))
            house.add("odd", 4, findings=(), absent=("heart",), first_seed=20)
        manifest = house.freeze("odd-1", "odd")
        trained = self.train(house, manifest, tmp_path / "run", minimum_steps=8)
        measured = self.family.evaluate(
            trained.module.publishable(), manifest, None, house.shelf, tmp_path / "figures", Silent()
        )
        assert measured.n == 8
        absent = [score for score in measured.scores if score.values["dice"] is None]
        assert len(absent) == (4 if drawn == "empty" else 0)
        assert all(score.values["false_positive"] in (0.0, 1.0) for score in absent)

    def test_a_finding_unknown_or_unmarked_cannot_be_asked_for_in_a_recipe(
        self, house: House, manifest: Manifest
    ) -> None:
        with pytest.raises(UnknownFinding, match="gallstone"):
            self.family.prepare(smoke(findings=("gallstone",)), manifest, house.shelf, Silent())
        with pytest.raises(NothingToLearn, match="pneumothorax"):
            self.family.prepare(smoke(findings=("pneumothorax",)), manifest, house.shelf, Silent())

    def test_a_recipe_that_contradicts_itself_is_refused(self) -> None:
        with pytest.raises(BadRecipe):
            smoke(weights="package")
        with pytest.raises(BadRecipe):
            smoke(dice_weight=0.0, bce_weight=0.0)

    def test_bf16_and_padding_and_paraphrases_train_too(self, house: House, manifest: Manifest, tmp_path: Path) -> None:
        trained = self.train(
            house, manifest, tmp_path / "run", minimum_steps=8, precision="bf16", fit="pad", paraphrases=True,
            negated_share=0.2, text_noise=0.3, averaging=0.9, focal_weight=1.0, tversky_weight=1.0,
            augment="strong", normalise="minmax", accumulate=2,
        )  # fmt: skip
        assert all(torch.isfinite(value).all() for value in self.weights(trained).values())


def test_truths_are_own_masks_then_parts_then_statements_of_absence(house: House) -> None:
    house.add("parts", 2, findings=("left_lung", "right_lung"), absent=("heart",))
    manifest = house.freeze("parts-1", "parts")
    known = {finding.key: finding for finding in manifest.vocabulary}
    image = manifest.studies[0].images[0]
    assert len(truth_of(image, known["lungs"]) or ()) == 2
    assert len(truth_of(image, known["left_lung"]) or ()) == 1
    assert truth_of(image, known["heart"]) == ()
    assert truth_of(image, known["pneumothorax"]) is None
    half = replace(image, masks=tuple(mask for mask in image.masks if mask.finding != "left_lung"))
    assert truth_of(half, known["lungs"]) is None


def test_all_findings_with_masks_are_learned_and_composites_only_when_named(house: House) -> None:
    house.add("drawn", 4, findings=("left_lung", "right_lung", "heart"))
    manifest = house.freeze("drawn-1", "drawn")
    assert [f.key for f in learnable_findings(manifest, ())] == ["left_lung", "right_lung", "heart"]
    assert [f.key for f in learnable_findings(manifest, ("lungs",))] == ["lungs"]
    assert len(films_of(manifest, None, learnable_findings(manifest, ()))) == 4


def _full(seed: int, side: int = 96) -> tuple[object, dict[str, object]]:
    import numpy as np

    film = np.random.default_rng(seed).integers(0, 255, (side, side)).astype(np.uint8)
    return film, {"heart": np.ones((side, side), np.bool_)}
