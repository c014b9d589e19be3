"""Pretraining as a family: image autoencoding, whose encoder other families start from. It answers readers nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core.annotations import NewPrediction
from core.metrics import summarise
from core.recipes import PretrainingRecipe, Recipe
from core.snapshots import Manifest
from core.studies import Split
from trainers.contract import Case, Measured, ModelFacts, NothingToLearn, NothingToMeasure, Shelf, Watch, recipe_of
from trainers.pretraining import model as models
from trainers.pretraining.data import PretrainingData, films_of
from trainers.pretraining.evaluation import METRICS, measure
from trainers.pretraining.figures import Samples
from trainers.pretraining.model import PretrainingModel
from trainers.pretraining.module import PretrainingModule

PURPOSE = (
    "It restores films and answers no question about them. Its encoder, `encoder.safetensors`, is what other trainings "
    "start from (`start_from`). It saw films of the training patients alone, without any mask, label or report."
)


class Pretraining:
    """The autoencoder of films, through the family contract."""

    name = "pretraining"
    headline = "psnr"
    higher_is_better = True

    def prepare(self, recipe: Recipe, manifest: Manifest, shelf: Shelf, watch: Watch) -> PretrainingData:
        ours = recipe_of(PretrainingRecipe, recipe)
        data = PretrainingData(
            training=films_of(manifest, Split.TRAIN, ours.views),
            validation=films_of(manifest, Split.VALIDATION, ours.views),
            films=shelf.films(ours),
            weights=shelf.weights,
        )
        if not data.training:
            raise NothingToLearn(
                "The snapshot's training patients have no film of the views asked for. Import some films, or set "
                "views=all."
            )
        films = data.training + data.validation
        data.films.warm([film.sha for film in films], (), lambda n: watch.report(n, len(films), "Reading films"))
        return data

    def module(self, recipe: Recipe, data: PretrainingData) -> PretrainingModule:
        return PretrainingModule(recipe_of(PretrainingRecipe, recipe), data)

    def save(self, model: PretrainingModel, folder: Path) -> None:
        models.save(model, folder)

    def load(self, folder: Path) -> PretrainingModel:
        return models.load(folder)

    def warm(self, model: PretrainingModel) -> None:
        model.restore([np.zeros((model.recipe.image_size,) * 2, np.uint8)])

    def facts(self, model: PretrainingModel) -> ModelFacts:
        parameters = sum(parameter.numel() for parameter in model.network.parameters())
        return ModelFacts((), model.origins, parameters, (PURPOSE,))

    def evaluate(
        self,
        model: PretrainingModel,
        manifest: Manifest,
        split: Split | None,
        shelf: Shelf,
        figures: Path | None,
        watch: Watch,
    ) -> Measured:
        films = films_of(manifest, split, model.recipe.views)
        if not films:
            raise NothingToMeasure(f"{f'The {split} split' if split else 'The snapshot'} holds no film for this model.")
        scores, samples = [], Samples()
        for seen in measure(
            model, films, shelf.films(model.recipe), lambda n: watch.report(n, len(films), "Measuring")
        ):
            scores.append(seen.score)
            samples.add(seen)
        if figures is not None:
            samples.draw(figures, model)
        return Measured(tuple(scores), summarise(scores, METRICS), len(films))

    def predict(
        self,
        model: PretrainingModel,
        cases: Sequence[Case],
        prompts: Mapping[str, str | None] | None,
        shelf: Shelf,
    ) -> list[NewPrediction]:
        """Nothing, whatever is asked."""
        return []
