"""Generation as a family: the chapter's table of contents, in the order in which a model lives.

Its models suggest nothing film by film: `write` gives whole reports on studies.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core.annotations import NewPrediction
from core.crops import Crop
from core.recipes import GenerationRecipe, Recipe
from core.reports import Report
from core.snapshots import Manifest
from core.studies import Split, Study
from core.writing import Decoding, NewWriting
from trainers.contract import Case, Measured, ModelFacts, NothingToLearn, NothingToMeasure, Shelf, Watch, recipe_of
from trainers.datasets import chunks
from trainers.generation import model as models
from trainers.generation.cropping import Views, lungs_for
from trainers.generation.data import GenerationData, Reading, readings_of
from trainers.generation.evaluation import (
    AT_ONCE,
    NEAREST,
    TEXT_ONLY,
    Answers,
    answer,
    decoding_of,
    glances,
    measure,
    nearest_reports,
)
from trainers.generation.explanation import looks_of
from trainers.generation.figures import draw_figures
from trainers.generation.model import GenerationModel
from trainers.generation.module import GenerationModule
from trainers.generation.scoring import HEADLINE
from trainers.generation.telling import ASIDE, facts_of, notes_of
from trainers.generation.writing import CUT, LookedAt, spans_of, written_sentence
from trainers.retrieval.data import Pose, films_by_pose
from trainers.retrieval.family import Retrieval

_MISSING = {
    Pose.FRONTAL: "There is no frontal film; this was written from the lateral one alone.",
    Pose.LATERAL: "There is no lateral film; this was written from the frontal one alone.",
}
_FLOOR = "Measuring the floors"
_BLIND = "This was written from the indication alone; no film was looked at."


class Generation:
    """Films into reports, through the family contract."""

    name = "generation"
    headline = HEADLINE
    higher_is_better = True

    def prepare(self, recipe: Recipe, manifest: Manifest, shelf: Shelf, watch: Watch) -> GenerationData:
        ours = recipe_of(GenerationRecipe, recipe)
        lungs, uncropped = lungs_for(ours, shelf)
        films = Views(shelf.films(ours), lungs)
        training, left_out = readings_of(manifest, Split.TRAIN, ours)
        validation, _ = readings_of(manifest, Split.VALIDATION, ours)
        if len({one.text for one in training}) < 2:
            raise NothingToLearn(
                "Fewer than two training studies have a film and a report that differ, so there is nothing to learn "
                "to write. Import studies with their reports, and freeze a new snapshot."
            )
        wanted = [(sha, pose) for one in (*training, *validation) for pose, sha in one.films.items()]
        if ours.reads == "films":
            films.warm(wanted, lambda n: watch.report(n, len(wanted), "Reading films"))
        return GenerationData(
            training, validation, films, left_out, shelf.start(ours.start_from), shelf.weights, lungs, uncropped
        )

    def module(self, recipe: Recipe, data: GenerationData) -> GenerationModule:
        return GenerationModule(recipe_of(GenerationRecipe, recipe), data)

    def save(self, model: GenerationModel, folder: Path) -> None:
        models.save(model, folder)

    def load(self, folder: Path) -> GenerationModel:
        return models.load(folder)

    def warm(self, model: GenerationModel) -> None:
        return

    def facts(self, model: GenerationModel) -> ModelFacts:
        parameters = sum(parameter.numel() for parameter in model.network.parameters())
        return ModelFacts((), model.origins, parameters, facts_of(model))

    def evaluate(
        self,
        model: GenerationModel,
        manifest: Manifest,
        split: Split | None,
        shelf: Shelf,
        figures: Path | None,
        watch: Watch,
    ) -> Measured:
        films = model.views(shelf)
        readings, left_out = readings_of(manifest, split, model.recipe)
        if not readings:
            raise NothingToMeasure(
                f"{f'The {split} split' if split else 'The snapshot'} has no study with a film and a report."
            )
        training, _ = readings_of(manifest, Split.TRAIN, model.recipe)
        answers = answer(model, readings, films, lambda n: watch.report(n, len(readings), "Measuring"))
        others: dict[str, Sequence[Report]] = {}
        if training and split is not Split.TRAIN:
            others[NEAREST] = self._nearest(model, manifest, readings, training, answers, shelf, watch)
        if (folder := shelf.start(model.recipe.text_only_by)) is not None:
            blind = self.load(folder)
            told = answer(blind, readings, blind.views(shelf), lambda n: watch.report(n, len(readings), _FLOOR))
            others[TEXT_ONLY] = told.reports
        scores, metrics = measure(model, readings, training, answers, others)
        if figures is not None:
            draw_figures(figures, model, readings, answers, films)
        windows = [films.window(one.films[Pose.FRONTAL], Pose.FRONTAL) for one in readings if Pose.FRONTAL in one.films]
        cropped = sum(window is not None for window in windows)
        details = {
            "left_out": dict(left_out),
            "cropped": cropped,
            "not_cropped": len(windows) - cropped,
            "cut": answers.cut,
            "floor": model.floor.narrative,
        }
        notes = notes_of(metrics, len(readings), answers.cut)
        return Measured(scores, metrics, len(readings), details, notes, ASIDE)

    def predict(
        self,
        model: GenerationModel,
        cases: Sequence[Case],
        prompts: Mapping[str, str | None] | None,
        shelf: Shelf,
    ) -> list[NewPrediction]:
        """Nothing, whatever is asked: reports are written about studies, by `write`."""
        return []

    def write(
        self, model: GenerationModel, studies: Sequence[Study], how: Decoding | None, shelf: Shelf
    ) -> list[NewWriting]:
        """A report on each study that has a film. Raises what the store and the image readers raise."""
        films, chosen = model.views(shelf), how or decoding_of(model)
        return [one for group in chunks(studies, AT_ONCE) for one in self._write_some(model, group, chosen, films)]

    def _nearest(
        self,
        model: GenerationModel,
        manifest: Manifest,
        readings: Sequence[Reading],
        training: Sequence[Reading],
        answers: Answers,
        shelf: Shelf,
        watch: Watch,
    ) -> list[Report]:
        """The report of the training study that looks most alike: to a retrieval model where one is named, else to this
        model itself."""
        folder = shelf.start(model.recipe.nearest_by)
        if folder is None:
            films = model.views(shelf)
            theirs = glances(model, training, films, lambda n: watch.report(n, len(training), _FLOOR))
            return nearest_reports(answers.latent, theirs, training)
        searching = Retrieval()
        searcher, studies = searching.load(folder), {f"{one.dataset}/{one.key}": one for one in manifest.studies}
        found = [
            np.stack(
                [
                    np.zeros(searching.dimension(searcher), np.float32) if one is None else one.fused
                    for one in searching.embed_studies(searcher, [studies[each.item] for each in some], shelf)
                ]
            )
            for some in (readings, training)
        ]
        return nearest_reports(found[0], found[1], training)

    def _write_some(
        self, model: GenerationModel, studies: Sequence[Study], how: Decoding, films: Views
    ) -> list[NewWriting]:
        by_study = [(study, films_by_pose(study.images)) for study in studies]
        read = [(study, own) for study, own in by_study if own]
        if not read:
            return []
        squares = [{pose: films.film(sha, pose) for pose, sha in own.items()} for _, own in read]
        indications = [study.report.indication if study.report is not None else "" for study, _ in read]
        written = model.write(model.see(squares, indications), how)
        found = []
        reads_films = model.recipe.reads == "films"
        for (study, own), seen, one in zip(read, squares, written, strict=True):
            films_of = {pose: _looked_at(study, sha, films.window(sha, pose)) for pose, sha in own.items()}
            spans = spans_of(model.pieces, one.pieces)
            told = tuple(
                written_sentence(span, looks, films_of, films.side, model.recipe.fit)
                for span, looks in zip(spans, looks_of(model, seen, one, spans), strict=True)
            )
            missing = [words for pose, words in _MISSING.items() if pose not in own] if reads_films else [_BLIND]
            cut = (CUT,) if one.is_cut else ()
            remarks = (*missing, *_cropped(model, films_of.get(Pose.FRONTAL)), *cut)
            found.append(NewWriting(study.id, told, how, remarks))
        return found


def _looked_at(study: Study, sha: str, window: Crop | None) -> LookedAt:
    image = next(image for image in study.images if image.sha == sha)
    return LookedAt(image.id, image.facts.height, image.facts.width, window)


def _cropped(model: GenerationModel, film: LookedAt | None) -> Sequence[str]:
    """What is said of a frontal film that was to be cropped."""
    if model.lungs is None or film is None:
        return ()
    if (window := film.window) is None:
        return (f"{model.lungs.name} found no lungs to crop the frontal film to, so all of it was read.",)
    return (
        f"Of the frontal film the lungs were read, as {model.lungs.name} finds them: rows {window.top + 1} to "
        f"{window.top + window.height} of {film.height}, columns {window.left + 1} to {window.left + window.width} of "
        f"{film.width}.",
    )
