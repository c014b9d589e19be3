from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core.findings import NO_FINDING, State, UnknownFinding
from core.recipes import ClassificationRecipe, preset
from core.snapshots import Manifest
from core.studies import Split, View
from core.tries import opinion_of
from data import images
from tests.trainers.conftest import House
from tests.trainers.family_contract import FamilyContract
from tests.trainers.labelled import OTHER, SEEN, add_labelled, telling
from trainers.classification.columns import SUFFIXES
from trainers.classification.evaluation import METRICS
from trainers.classification.family import Classification
from trainers.classification.model import ClassificationModel
from trainers.contract import NothingToLearn, Silent, ViewNotRead
from trainers.gradcam import resized


def smoke(**changes: Any) -> ClassificationRecipe:
    recipe = preset("classification", "smoke")
    assert isinstance(recipe, ClassificationRecipe)
    return replace(recipe, **changes)


class TestClassification(FamilyContract):
    family = Classification()
    recipe = smoke(batch_size=8)
    fits_to = 0.95
    finding = SEEN

    def fill(self, house: House) -> Manifest:
        add_labelled(house, "drawn", 80)
        return house.freeze("drawn-1", "drawn")

    def nothing_to_learn(self, manifest: Manifest) -> Iterable[Manifest]:
        bare = tuple(replace(study, labels=()) for study in manifest.studies)
        return [*super().nothing_to_learn(manifest), replace(manifest, studies=bare)]

    def trained(self, house: House, manifest: Manifest, folder: Path, **changes: Any) -> ClassificationModel:
        model = self.train(house, manifest, folder, **changes).module.publishable()
        assert isinstance(model, ClassificationModel)
        return model

    def test_every_metric_is_told_in_every_column_and_by_finding(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.trained(house, manifest, tmp_path / "run")
        measured = self.family.evaluate(model, manifest, Split.TEST, house.shelf, tmp_path / "figures", Silent())
        assert set(measured.metrics) == {m + suffix for m in METRICS for suffix in SUFFIXES.values()} | {"auroc_floor"}
        assert set(measured.metrics["auroc"].per_finding) == {SEEN, OTHER, NO_FINDING}
        assert measured.details["averaged"] == [SEEN], "effusion is rarer than ten, and no finding is left out"
        overall, own = measured.metrics["auroc"].overall, measured.metrics["auroc"].per_finding[SEEN]
        assert overall.value == pytest.approx(own.value)
        of_scores = [score.values["auroc"] for score in measured.scores if score.values["auroc"] is not None]
        assert sum(of_scores) / len(of_scores) == pytest.approx(overall.value)
        drawn = {path.name for path in (tmp_path / "figures").iterdir()}
        assert drawn == {"roc.png", "pr.png", "calibration.png", "calibration-before.png", "columns.png"}

    def test_the_text_is_said_to_give_the_answer_away_where_it_does(self, house: House, tmp_path: Path) -> None:
        add_labelled(house, "told", 80, context=telling)
        manifest = house.freeze("told-1", "told")
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=40, learning_rate=2e-2)
        for parameter in model.network.encoder.parameters():  # type: ignore[union-attr]
            parameter.data.zero_()
        measured = self.family.evaluate(model, manifest, Split.TEST, house.shelf, None, Silent())
        assert measured.metrics["auroc_text_only"].overall.value == pytest.approx(1.0)
        # It sees nothing, so what it says of films differs by rounding alone, which falls otherwise on each machine.
        seen = measured.metrics["auroc"].overall.value
        assert seen is not None and seen < 0.8
        assert SEEN in measured.details["gives_away"] and measured.details["gives_away_overall"]
        assert any("giving the answer away" in line for line in measured.notes)
        shuffled = measured.metrics["auroc_shuffled"].overall.value
        assert shuffled is not None and shuffled < 0.8

    def test_a_prediction_tells_where_and_why(self, house: House, manifest: Manifest, tmp_path: Path) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=300)
        case = self.cases_of(house)[0]
        found = self.family.predict(model, [case], None, house.shelf)
        probabilities = [prediction.payload["probability"] for prediction in found]
        assert probabilities == sorted(probabilities, reverse=True)
        assert [prediction.payload["rank"] for prediction in found] == [1, 2, 3]
        heart = next(prediction for prediction in found if prediction.finding == SEEN)
        assert heart.sha is None and heart.stats is None and heart.prompt is None
        assert heart.confidence == heart.payload["probability"]
        opinion = opinion_of(SEEN, heart.payload)
        assert opinion.says is State.PRESENT and opinion.has_context and opinion.threshold is not None
        assert {word for word, _ in opinion.words} == {"cough", "and", "fever"}
        assert sum(weight for _, weight in opinion.words) == pytest.approx(1, abs=0.01)
        assert opinion.map is not None
        heat = images.read(house.store.get(opinion.map))
        assert heat.shape == (192, 192) and heat.max() == 255
        assert len(opinion.nearest) == 5
        assert [n.similarity for n in opinion.nearest] == sorted((n.similarity for n in opinion.nearest), reverse=True)
        assert all(n.state is State.PRESENT for n in opinion.nearest)
        assert "Cardiomegaly" in opinion.differential and "5 had it" in opinion.differential

    def test_it_looks_where_the_finding_is(self, house: House, manifest: Manifest, tmp_path: Path) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=300, flip_probability=0.0)
        cases = [case for case in self.cases_of(house) if _present(case, OTHER)][:4]
        found = self.family.predict(model, cases, {OTHER: None}, house.shelf)
        for prediction in found:
            heat = images.read(house.store.get(prediction.payload["map"])).astype("float32")
            quarters = resized(heat, (2, 2))
            assert quarters.argmax() == 3, "the patient's left base is below on the right"

    def test_a_study_is_answered_for_on_its_first_frontal_film_alone(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=4)
        add_labelled(house, "views", 1, first=200, views=(View.LATERAL, View.AP, View.PA))
        add_labelled(house, "views", 1, first=201, views=(View.LATERAL,))
        frontal, lateral = self.cases_of(house)[-2:]
        study = frontal.study
        for asked, answered in (
            (study.images, 3),
            (study.images[1:2], 3),
            (study.images[2:], 0),
            (study.images[:1], 0),
        ):
            found = self.family.predict(model, [replace(frontal, images=asked)], None, house.shelf)
            assert len(found) == answered
            assert {prediction.image_id for prediction in found} <= {study.images[1].id}
        assert self.family.predict(model, [lateral], None, house.shelf) == []
        with pytest.raises(ViewNotRead, match="frontal"):
            self.family.predict(model, [lateral], {SEEN: "an enlarged heart"}, house.shelf)

    @pytest.mark.parametrize("modality", ["image", "text"])
    def test_models_of_one_modality_are_trained_apart(
        self, house: House, manifest: Manifest, tmp_path: Path, modality: str
    ) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=10, modality=modality)
        measured = self.family.evaluate(model, manifest, Split.TEST, house.shelf, tmp_path / "figures", Silent())
        facts, found = self.family.facts(model), self.family.predict(model, self.some_cases(house), None, house.shelf)
        if modality == "image":
            assert measured.details["columns"] == ["image"]
            assert facts.for_readers and len(found) == 9
            assert all(each.payload["context"] == "none" and not each.payload["words"] for each in found)
        else:
            assert measured.details["columns"] == ["text_only", "shuffled"]
            assert measured.metrics["auroc"].overall.value is None
            assert measured.metrics["auroc_text_only"].overall.value is not None
            assert not facts.for_readers
            assert len(found) == 6, "the third has no context"
            assert all(each.payload["map"] is None for each in found)

    def test_what_is_missing_is_learned_and_no_empty_text(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=20)
        before = smoke()
        torch.manual_seed(before.seed)
        untrained = self.family.module(before, self.family.prepare(before, manifest, house.shelf, Silent()))
        for name in ("film", "context"):
            learned = getattr(model.network.missing, name)
            assert not torch.allclose(learned, getattr(untrained.network.missing, name))

    def test_all_its_choices_train(self, house: House, manifest: Manifest, tmp_path: Path) -> None:
        for number, changes in enumerate(
            [
                {"class_weighting": "balanced", "uncertain": "soft", "augment": "strong", "fit": "pad"},
                {"class_weighting": "root", "context": "symptoms", "modality_dropout": 1.0, "precision": "bf16"},
                {"context": "none", "frozen_stages": 5, "averaging": 0.9, "accumulate": 2, "normalise": "minmax"},
                {"context": "labels", "leak": True, "findings": (OTHER,), "neighbours": 0},
            ]
        ):  # fmt: skip
            trained = self.train(house, manifest, tmp_path / f"run-{number}", minimum_steps=6, **changes)
            assert all(torch.isfinite(value).all() for value in self.weights(trained).values())
            model = trained.module.publishable()
            assert self.family.predict(model, self.some_cases(house), None, house.shelf)

    def test_a_finding_unknown_or_unlabelled_cannot_be_asked_for_in_a_recipe(
        self, house: House, manifest: Manifest
    ) -> None:
        with pytest.raises(UnknownFinding, match="gallstone"):
            self.family.prepare(smoke(findings=("gallstone",)), manifest, house.shelf, Silent())
        with pytest.raises(NothingToLearn, match="Pneumothorax is labelled on no training study"):
            self.family.prepare(smoke(findings=("pneumothorax",)), manifest, house.shelf, Silent())


def _present(case: Any, finding: str) -> bool:
    return any(label.finding == finding and label.state is State.PRESENT for label in case.study.labels)
