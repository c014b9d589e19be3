from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.recipes import RetrievalRecipe, preset
from core.snapshots import Manifest
from core.studies import Split, View
from tests.trainers.conftest import House
from tests.trainers.family_contract import FamilyContract
from tests.trainers.labelled import film_of, labelled_study, put
from tests.trainers.reported import add_reported, drawn
from trainers.backbones import EmptyText
from trainers.classification.family import Classification
from trainers.contract import Silent
from trainers.loop import train
from trainers.retrieval.family import Retrieval
from trainers.retrieval.model import RetrievalModel


def smoke(**changes: Any) -> RetrievalRecipe:
    recipe = preset("retrieval", "smoke")
    assert isinstance(recipe, RetrievalRecipe)
    return replace(recipe, **changes)


class TestRetrieval(FamilyContract):
    family = Retrieval()
    recipe = smoke()
    fits_to = 0.95
    finding = None
    more: tuple[str, ...] = ()
    """Figures besides those that every model has."""

    def fill(self, house: House) -> Manifest:
        add_reported(house, "drawn", 80)
        return house.freeze("drawn-1", "drawn")

    def nothing_to_learn(self, manifest: Manifest) -> Iterable[Manifest]:
        bare = tuple(replace(study, report=None) for study in manifest.studies)
        alike = tuple(replace(study, report=manifest.studies[0].report) for study in manifest.studies)
        return [*super().nothing_to_learn(manifest), *(replace(manifest, studies=some) for some in (bare, alike))]

    def trained(self, house: House, manifest: Manifest, folder: Path, **changes: Any) -> RetrievalModel:
        model = self.train(house, manifest, folder, **changes).module.publishable()
        assert isinstance(model, RetrievalModel)
        return model

    def test_what_it_has_learned_is_found_on_studies_it_never_saw(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=300)
        measured = self.family.evaluate(model, manifest, Split.TEST, house.shelf, tmp_path / "figures", Silent())
        recall, floor = (measured.metrics[f"i2t_recall@5{suffix}"].overall.value for suffix in ("", "_floor"))
        assert recall is not None and floor is not None and recall > 2 * floor
        drawn_figures = {path.name for path in (tmp_path / "figures").iterdir()}
        assert drawn_figures == {"grid-i2t.png", "grid-t2i.png", "found-on-film.png", "findings.png", *self.more}
        assert ("patches_kept" in measured.metrics) == (self.recipe.network == "bottleneck")
        pace = measured.metrics["images_per_second"].overall
        assert pace.low is not None and pace.value is not None and pace.high is not None
        assert 0 < pace.low <= pace.value <= pace.high

    def test_every_metric_stands_beside_what_a_random_order_gives(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=20)
        measured = self.family.evaluate(model, manifest, Split.TEST, house.shelf, None, Silent())
        for direction in ("i2t", "t2i"):
            for measure in ("recall@1", "recall@5", "recall@10", "median_rank", "ndcg@10", "graded_ndcg@10"):
                for protocol in ("", "_naive"):
                    assert {f"{direction}_{measure}{protocol}{end}" for end in ("", "_floor")} <= set(measured.metrics)
            assert measured.metrics[f"{direction}_recall@1_naive_ceiling"].overall.value == 1
        assert {"finding_precision@5", "finding_precision@5_floor", "zero_shot_auroc"} <= set(measured.metrics)
        assert set(measured.metrics["zero_shot_auroc"].per_finding) == {"cardiomegaly", "no_finding"}
        assert measured.details["texts"] == 20 and measured.details["studies"] == 20
        assert "recall@10/fused-frontal" in measured.details["compared"]
        assert any("distinct texts" in line for line in measured.notes)

    def test_a_study_has_one_vector_of_all_its_views_and_one_of_each(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=20)
        studies = [case.study for case in self.cases_of(house)][:3]
        found = self.family.embed_studies(model, studies, house.shelf)
        for study, embedding in zip(studies, found, strict=True):
            assert embedding is not None and set(embedding.single) == {image.sha for image in study.images}
            for vector in (embedding.fused, *embedding.single.values()):
                assert vector.dtype == np.float32 and vector.shape == (self.family.dimension(model),)
                assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
            together = sum(embedding.single.values())
            assert np.allclose(embedding.fused, together / np.linalg.norm(together), atol=1e-5)
        again = self.family.embed_studies(model, manifest.studies[:1], house.shelf)[0]
        alike = next(e for s, e in zip(studies, found, strict=True) if s.key == manifest.studies[0].key)
        assert again is not None and alike is not None and np.allclose(again.fused, alike.fused, atol=1e-5)

    def test_a_study_of_one_view_is_that_view_and_one_that_shows_nothing_has_no_vector(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=4)
        add_reported(house, "alone", 1, first=100, views=(View.LATERAL,))
        put(house, "alone", [labelled_study(101, (film_of(np.full((64, 64), 90, np.uint8)),), "", (), None)])
        lateral, empty = self.family.embed_studies(model, [c.study for c in self.cases_of(house)[-2:]], house.shelf)
        assert lateral is not None and np.allclose(lateral.fused, next(iter(lateral.single.values())), atol=1e-6)
        assert empty is None
        assert self.family.embed_studies(model, [], house.shelf) == []

    def test_a_film_alone_has_the_vector_that_it_has_in_its_study(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=4)
        study = self.cases_of(house)[0].study
        (whole,) = self.family.embed_studies(model, [study], house.shelf)
        assert whole is not None
        for image in study.images:
            alone = self.family.embed_film(model, drawn(0, image.view), image.view)
            assert np.allclose(alone, whole.single[image.sha], atol=1e-5)

    @pytest.mark.parametrize("text", ["", "  ", "...", "\n"])
    def test_a_query_without_a_word_is_refused(
        self, house: House, manifest: Manifest, tmp_path: Path, text: str
    ) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=4)
        with pytest.raises(EmptyText, match="empty"):
            self.family.embed_text(model, text)
        with pytest.raises(EmptyText):
            self.family.patch_map(model, drawn(0, View.PA), text)

    def test_of_ten_thousand_words_the_first_are_read(self, house: House, manifest: Manifest, tmp_path: Path) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=4)
        long = "There is a large square. " * 2000
        vector = self.family.embed_text(model, long)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
        assert np.allclose(vector, self.family.embed_text(model, long + "The heart is enlarged."))
        unbroken = self.family.embed_text(model, "square " * 10_000)
        assert np.linalg.norm(unbroken) == pytest.approx(1, abs=1e-5)

    def test_what_is_no_radiograph_has_a_vector_and_is_said_to_be_strange(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=20)
        stripes = np.tile(np.array([[0, 255]], np.uint8), (64, 32))
        noise = np.random.default_rng(0).integers(0, 255, (200, 90), np.uint8)
        for odd in (stripes, noise):
            assert np.linalg.norm(self.family.embed_film(model, odd)) == pytest.approx(1, abs=1e-5)
            assert self.family.strangeness(model, odd) > 1.5
        for number in range(200, 210):
            for view in (View.PA, View.LATERAL):
                assert self.family.strangeness(model, drawn(number, view)) < 1.5

    def test_a_map_shows_where_on_the_film_a_text_is_found(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.trained(house, manifest, tmp_path / "run")
        film = drawn(0, View.PA)
        heat = self.family.patch_map(model, film, "It lies upper left.", View.PA)
        assert heat.dtype == np.float32 and heat.ndim == 2 and heat.min() >= 0 and heat.max() <= 1
        wide = self.family.patch_map(model, np.tile(film, (1, 2)), "It lies upper left.", View.PA)
        assert wide.shape == heat.shape, "squeezed into the model's square"

    def test_all_its_choices_train(self, house: House, manifest: Manifest, tmp_path: Path) -> None:
        for number, changes in enumerate(
            [
                {"views": "single", "single_weight": 0.0, "augment": "strong", "fit": "pad"},
                {"soft_targets": 0.0, "sentence_share": 0.3, "precision": "bf16", "flip_probability": 0.0},
                {"frozen_stages": 5, "averaging": 0.9, "accumulate": 2, "normalise": "minmax"},
                {"label_sources": (), "soft_targets": 0.0, "dropout": 0.5},
            ]
        ):  # fmt: skip
            trained = self.train(house, manifest, tmp_path / f"run-{number}", minimum_steps=6, **changes)
            assert all(np.isfinite(value).all() for value in self.weights(trained).values())
            found = self.family.embed_studies(trained.module.publishable(), manifest.studies[:2], house.shelf)
            assert all(one is not None for one in found)

    def test_it_goes_on_from_a_classifier(self, house: House, manifest: Manifest, tmp_path: Path) -> None:
        classification = Classification()
        start = replace(preset("classification", "smoke"), minimum_steps=4)
        data = classification.prepare(start, manifest, house.shelf, Silent())
        before = train(
            lambda r: classification.module(r, data), start, "auroc", True, tmp_path / "run", Silent()
        ).module.publishable()
        (tmp_path / "model").mkdir()
        classification.save(before, tmp_path / "model")
        shelf = replace(house.shelf, model_folder=lambda _: tmp_path / "model")
        recipe = smoke(start_from="classification-v1")
        module = self.family.module(recipe, self.family.prepare(recipe, manifest, shelf, Silent()))
        ours, theirs = module.network.encoder.state_dict(), before.network.encoder.state_dict()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
        assert "classification-v1" in str(module.started[0])
