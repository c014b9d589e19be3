"""Retrieval as a family: the chapter's table of contents, in the order in which a model lives.

What a search is made of are the methods at the end of `Retrieval`, plain NumPy in and out, all of one model:

    embed_studies(model, studies, shelf)      -> for each study a StudyEmbedding, or None where it has no film to read:
                                                 `fused` (D,) float32 of length one, of all its views, and `single`,
                                                 for each film's SHA-256 its own (D,)
    embed_text(model, text)                   -> (D,) of a report, a sentence or a few words; raises EmptyText
    embed_film(model, pixels, view)           -> (D,) of one film, (H, W) uint8
    patch_map(model, pixels, text, view)      -> (H', W') float32 in [0, 1]: where on the film the text is found
    strangeness(model, pixels)                -> how unlike the films it learned from a film is: up to 1 it is usual,
                                                 beyond that the search should say that what it finds means little
    dimension(model)                          -> D

Vectors of one model are compared by their dot product, in [-1, 1]; those of two models never. A film that is no
radiograph has a vector too, and may lie near some report by chance: its strangeness is what tells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.annotations import NewPrediction
from core.recipes import Recipe, RetrievalRecipe
from core.snapshots import Manifest, SnapshotStudy
from core.studies import Split, Study, View
from trainers.backbones import EmptyText
from trainers.contract import (
    Case,
    Measured,
    ModelFacts,
    NothingToLearn,
    NothingToMeasure,
    Shelf,
    Watch,
    recipe_of,
)
from trainers.datasets import FilmCache, chunks, shows_something, to_square
from trainers.gradcam import Heat
from trainers.retrieval import model as models
from trainers.retrieval.data import Pose, RetrievalData, films_by_pose, findings_of, pairs_of, split_text
from trainers.retrieval.embedding import embed, said_by_pose, showing
from trainers.retrieval.evaluation import details_of, judge, metrics_of, scores_of
from trainers.retrieval.explanation import text_heat
from trainers.retrieval.figures import draw_figures
from trainers.retrieval.model import RetrievalModel, Vector, Vectors
from trainers.retrieval.module import RetrievalModule
from trainers.retrieval.pace import pace_of
from trainers.retrieval.prompting import suite, zero_shot
from trainers.retrieval.telling import ASIDE, PURPOSE, notes_of

WARM_QUERY = "enlarged heart"
STUDIES_AT_ONCE = 16


@dataclass(frozen=True)
class StudyEmbedding:
    """`fused` is what a study's views say together, `single` what each says, by the film's SHA-256; they are equal
    where there is one view."""

    fused: Vector
    single: Mapping[str, Vector]


class Retrieval:
    """Films and reports in one space, through the family contract."""

    name = "retrieval"
    headline = "recall@10"
    higher_is_better = True

    def prepare(self, recipe: Recipe, manifest: Manifest, shelf: Shelf, watch: Watch) -> RetrievalData:
        ours = recipe_of(RetrievalRecipe, recipe)
        films = shelf.films(ours)
        training, validation = (pairs_of(manifest, split, ours) for split in (Split.TRAIN, Split.VALIDATION))
        if len({pair.wording for pair in training}) < 2:
            raise NothingToLearn(
                "Fewer than two training studies have a film and a report that differ, so there is nothing to tell "
                "apart. Import studies with their reports, and freeze a new snapshot."
            )
        wanted = [sha for pair in (*training, *validation) for sha in pair.films.values()]
        films.warm(wanted, (), lambda n: watch.report(n, len(wanted), "Reading films"))
        return RetrievalData(
            findings=findings_of(manifest),
            training=showing(training, films),
            validation=showing(validation, films),
            films=films,
            start=shelf.start(ours.start_from),
            weights=shelf.weights,
        )

    def module(self, recipe: Recipe, data: RetrievalData) -> RetrievalModule:
        return RetrievalModule(recipe_of(RetrievalRecipe, recipe), data)

    def save(self, model: RetrievalModel, folder: Path) -> None:
        models.save(model, folder)

    def load(self, folder: Path) -> RetrievalModel:
        return models.load(folder)

    def warm(self, model: RetrievalModel) -> None:
        square = np.zeros((model.recipe.image_size,) * 2, np.uint8)
        model.films([square], [Pose.FRONTAL])
        self.embed_text(model, WARM_QUERY)

    def facts(self, model: RetrievalModel) -> ModelFacts:
        parameters = sum(parameter.numel() for parameter in model.network.parameters())
        return ModelFacts((), model.origins, parameters + model.frozen, (PURPOSE,))

    def evaluate(
        self,
        model: RetrievalModel,
        manifest: Manifest,
        split: Split | None,
        shelf: Shelf,
        figures: Path | None,
        watch: Watch,
    ) -> Measured:
        films = shelf.films(model.recipe)
        pairs, findings = showing(pairs_of(manifest, split, model.recipe), films), findings_of(manifest)
        if len(pairs) < 2:
            raise NothingToMeasure(
                f"{f'The {split} split' if split else 'The snapshot'} has fewer than two studies with a film and a "
                "report, and one alone cannot be told from others."
            )
        embedded = embed(model, pairs, films, lambda n: watch.report(n, len(pairs), "Measuring"))
        judged = judge(
            pairs, findings, embedded, zero_shot(model, findings, embedded.studies), suite(model, embedded.studies)
        )
        metrics, details = metrics_of(judged) | pace_of(model, pairs, films), details_of(judged)
        if figures is not None:
            draw_figures(figures, model, judged, embedded, films, metrics)
        model.text.forget()
        return Measured(scores_of(judged), metrics, len(pairs), details, notes_of(judged, metrics, details), ASIDE)

    def predict(
        self,
        model: RetrievalModel,
        cases: Sequence[Case],
        prompts: Mapping[str, str | None] | None,
        shelf: Shelf,
    ) -> list[NewPrediction]:
        """Nothing, whatever is asked: studies are searched for, and suggest nothing of themselves."""
        return []

    def dimension(self, model: RetrievalModel) -> int:
        return model.recipe.dimension

    def embed_studies(
        self, model: RetrievalModel, studies: Sequence[Study | SnapshotStudy], shelf: Shelf
    ) -> list[StudyEmbedding | None]:
        """None where a study has no film that shows something. Raises what the store and the image readers raise."""
        films = shelf.films(model.recipe)
        return [one for group in chunks(studies, STUDIES_AT_ONCE) for one in self._embed_some(model, group, films)]

    def embed_text(self, model: RetrievalModel, text: str) -> Vector:
        """Of a long text the first `text_tokens` of the recipe are read. Raises EmptyText, WeightsNotFound."""
        told = split_text(text)
        if not told:
            raise EmptyText
        said = model.texts([told])
        model.text.forget()
        return _only(said)

    def embed_film(self, model: RetrievalModel, pixels: NDArray[np.uint8], view: View = View.UNKNOWN) -> Vector:
        said = model.films([_square(model, pixels)], [Pose.of(view)])
        return _only(said)

    def strangeness(self, model: RetrievalModel, pixels: NDArray[np.uint8]) -> float:
        return float(model.usual.strangeness(model.looks([_square(model, pixels)]))[0])

    def patch_map(self, model: RetrievalModel, pixels: NDArray[np.uint8], text: str, view: View = View.UNKNOWN) -> Heat:
        """Over the film alone, as large as it is in the model's square; all 0 where nothing on it speaks for the text.
        Raises EmptyText, WeightsNotFound."""
        told = split_text(text)
        if not told:
            raise EmptyText
        heat = text_heat(model, _square(model, pixels), Pose.of(view), told, *pixels.shape)
        model.text.forget()
        return heat

    def _embed_some(
        self, model: RetrievalModel, studies: Sequence[Study | SnapshotStudy], films: FilmCache
    ) -> list[StudyEmbedding | None]:
        chosen = [films_by_pose(study.images, model.recipe.views == "single") for study in studies]
        read = [(row, pose, sha) for row, own in enumerate(chosen) for pose, sha in own.items()]
        read = [one for one in read if shows_something(films.film(one[2]))]
        if not read:
            return [None] * len(studies)
        said, seen = said_by_pose(model, read, len(studies), films)
        fused = model.studies(said, seen)
        single: list[dict[str, Vector]] = [{} for _ in studies]
        for row, pose, sha in read:
            single[row][sha] = said[row, pose]
        return [StudyEmbedding(fused[row], own) if own else None for row, own in enumerate(single)]


def _only(vectors: Vectors) -> Vector:
    vector: Vector = vectors[0]
    return vector


def _square(model: RetrievalModel, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return to_square(pixels, model.recipe.image_size, model.recipe.fit)
