"""Classification as a family: the chapter's table of contents, in the order in which a model lives."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core.annotations import NewPrediction
from core.recipes import ClassificationRecipe, Recipe
from core.snapshots import Manifest
from core.studies import Split
from trainers.classification import model as models
from trainers.classification.answering import answer_all
from trainers.classification.columns import reads_films, reads_words
from trainers.classification.data import (
    ClassificationData,
    Exam,
    exams_of,
    film_of,
    known_exams,
    learnable_findings,
    taught_exams,
)
from trainers.classification.evaluation import details_of, judge, metrics_of, scores_of
from trainers.classification.figures import draw_figures
from trainers.classification.model import ClassificationModel, parameters_of
from trainers.classification.module import ClassificationModule
from trainers.classification.opinions import Question, opinions
from trainers.classification.telling import ASIDE, notes_of, origin_notes
from trainers.contract import (
    Case,
    FindingNotLearned,
    Measured,
    ModelFacts,
    NothingToMeasure,
    Shelf,
    ViewNotRead,
    Watch,
    recipe_of,
)
from trainers.datasets import FilmCache, shows_something

WARM_CONTEXT = "cough and fever"


class Classification:
    """The network of a film and its context, through the family contract."""

    name = "classification"
    headline = "auroc"
    higher_is_better = True

    def prepare(self, recipe: Recipe, manifest: Manifest, shelf: Shelf, watch: Watch) -> ClassificationData:
        ours = recipe_of(ClassificationRecipe, recipe)
        films = shelf.films(ours)
        training, validation = (exams_of(manifest, split, ours) for split in (Split.TRAIN, Split.VALIDATION))
        findings, left_out = learnable_findings(manifest, training, ours.findings)
        exams = [*training, *validation]
        films.warm([exam.sha for exam in exams], (), lambda n: watch.report(n, len(exams), "Reading films"))
        return ClassificationData(
            findings=findings,
            training=_seen(taught_exams(training, findings, ours.uncertain), films),
            validation=_seen(known_exams(validation, findings), films),
            films=films,
            left_out=left_out,
            start=shelf.start(ours.start_from),
            weights=shelf.weights,
        )

    def module(self, recipe: Recipe, data: ClassificationData) -> ClassificationModule:
        return ClassificationModule(recipe_of(ClassificationRecipe, recipe), data)

    def save(self, model: ClassificationModel, folder: Path) -> None:
        models.save(model, folder)

    def load(self, folder: Path) -> ClassificationModel:
        return models.load(folder)

    def warm(self, model: ClassificationModel) -> None:
        square = np.zeros((model.recipe.image_size,) * 2, np.uint8)
        patches = model.patches(model.encode([square])) if reads_films(model.recipe) else None
        model.answer(patches, model.words([WARM_CONTEXT]) if reads_words(model.recipe) else None)

    def facts(self, model: ClassificationModel) -> ModelFacts:
        return ModelFacts(
            findings=model.findings,
            origins=model.origins,
            parameters=parameters_of([model.network]) + model.frozen,
            notes=origin_notes(model),
            for_readers=reads_films(model.recipe) and not model.recipe.leak,
        )

    def evaluate(
        self,
        model: ClassificationModel,
        manifest: Manifest,
        split: Split | None,
        shelf: Shelf,
        figures: Path | None,
        watch: Watch,
    ) -> Measured:
        films = shelf.films(model.recipe)
        exams = _seen(known_exams(exams_of(manifest, split, model.recipe), model.findings), films)
        if not exams:
            raise NothingToMeasure(
                f"No study of {f'the {split} split' if split else 'the snapshot'} has a frontal film and a label for "
                f"{', '.join(model.keys)}, which is what this model answers for."
            )
        logits = answer_all(model, exams, films, lambda n: watch.report(n, len(exams), "Measuring"))
        judged = judge(model, exams, logits)
        metrics, details = metrics_of(judged, model.left_out), details_of(judged, model)
        if figures is not None:
            draw_figures(figures, metrics, details)
        return Measured(scores_of(judged), metrics, len(exams), details, notes_of(judged, metrics, details), ASIDE)

    def predict(
        self,
        model: ClassificationModel,
        cases: Sequence[Case],
        prompts: Mapping[str, str | None] | None,
        shelf: Shelf,
    ) -> list[NewPrediction]:
        """What is said of a study is said of its first frontal film, where that is asked about."""
        asked = list(prompts) if prompts is not None else list(model.keys)
        for key in asked:
            if key not in model.keys:
                raise FindingNotLearned("This model", key, model.keys)
        in_words = prompts is not None and any(phrase is not None for phrase in prompts.values())
        films, found = shelf.films(model.recipe), []
        for case in cases:
            film = film_of(case.study.images)
            if film is None and in_words:
                raise ViewNotRead(self.name)
            if film is None or film.id not in {image.id for image in case.images}:
                continue
            square = films.film(film.sha)
            if not shows_something(square):
                continue
            question = Question.about(case.study, film, square, model.recipe)
            payloads = opinions(model, question, asked, shelf.store)
            found += [
                NewPrediction(film.id, film.sha, finding, None, None, payload["probability"], None, payload)
                for finding, payload in payloads
            ]
        if model.text is not None:
            model.text.forget()
        return found


def _seen(exams: Sequence[Exam], films: FilmCache) -> tuple[Exam, ...]:
    """Those whose film shows something: of one even grey nothing can be learned or said."""
    return tuple(exam for exam in exams if shows_something(films.film(exam.sha)))
