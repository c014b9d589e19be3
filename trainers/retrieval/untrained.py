"""A model of open_clip measured as this family's own are: what is there before anything was learned here."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.recipes import RetrievalRecipe
from core.snapshots import Manifest
from core.studies import Split
from trainers.backbones import OpenClip
from trainers.contract import NothingToMeasure, Shelf, Watch
from trainers.datasets import Square
from trainers.retrieval.data import Pose, findings_of, pairs_of
from trainers.retrieval.embedding import embed, showing
from trainers.retrieval.evaluation import Judged, judge
from trainers.retrieval.model import Vectors
from trainers.retrieval.prompting import suite, zero_shot


class Untrained:
    """Knows no poses: each film is seen alike, and a study is the middle of what its films say."""

    def __init__(self, model: OpenClip) -> None:
        self._model = model

    def films(self, squares: Sequence[Square], poses: Sequence[Pose]) -> Vectors:
        return self._model.films(squares)

    def studies(self, films: NDArray[np.float32], seen: NDArray[np.bool_]) -> Vectors:
        together = (films * seen[:, :, None]).sum(axis=1)
        middle: Vectors = together / np.linalg.norm(together, axis=1, keepdims=True).clip(min=1e-12)
        return middle

    def texts(self, texts: Sequence[Sequence[str]]) -> Vectors:
        return self._model.texts([" ".join(sentences) for sentences in texts])


def measure(
    model: OpenClip, recipe: RetrievalRecipe, manifest: Manifest, split: Split | None, shelf: Shelf, watch: Watch
) -> Judged:
    """On the pairs that a model of this recipe would be measured on, whose films are of `model`'s size.

    Raises NothingToMeasure.
    """
    films, untrained, findings = shelf.films(recipe), Untrained(model), findings_of(manifest)
    pairs = showing(pairs_of(manifest, split, recipe), films)
    if len(pairs) < 2:
        raise NothingToMeasure("Fewer than two studies have a film and a report, and one cannot be told from others.")
    embedded = embed(untrained, pairs, films, lambda n: watch.report(n, len(pairs), "Measuring"))
    return judge(
        pairs, findings, embedded, zero_shot(untrained, findings, embedded.studies), suite(untrained, embedded.studies)
    )
