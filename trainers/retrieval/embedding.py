"""Embeddings of many studies at once: what their films, their views together and their texts say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainers.datasets import FilmCache, Square, chunks, shows_something
from trainers.retrieval.data import Pair, Pose
from trainers.retrieval.model import Vectors

FILMS_AT_ONCE = 32
TEXTS_AT_ONCE = 64


class Embedder(Protocol):
    """What has films and texts in one space, as `RetrievalModel` does."""

    def films(self, squares: Sequence[Square], poses: Sequence[Pose]) -> Vectors: ...

    def studies(self, films: NDArray[np.float32], seen: NDArray[np.bool_]) -> Vectors: ...

    def texts(self, texts: Sequence[Sequence[str]]) -> Vectors: ...


@dataclass(frozen=True)
class Embedded:
    """N pairs as a model has them. `films` (N, 2, D) are single films by pose, 0 where a study has none; `seen` (N, 2)
    says where it has; `studies` (N, D) are of all its films, `texts` (N, D) of its text."""

    films: NDArray[np.float32]
    seen: NDArray[np.bool_]
    studies: Vectors
    texts: Vectors


def showing(pairs: Sequence[Pair], films: FilmCache) -> tuple[Pair, ...]:
    """The pairs without such films as show nothing but one even grey; those go of which none is left."""
    kept = (
        replace(pair, films={pose: sha for pose, sha in pair.films.items() if shows_something(films.film(sha))})
        for pair in pairs
    )
    return tuple(pair for pair in kept if pair.films)


def embed(model: Embedder, pairs: Sequence[Pair], films: FilmCache, each: Callable[[int], None]) -> Embedded:
    """`each` hears how many studies are done."""
    said, seen, texts = [], [], []
    for group in chunks(pairs, FILMS_AT_ONCE // len(Pose)):
        read = [(row, pose, sha) for row, pair in enumerate(group) for pose, sha in pair.films.items()]
        told, there = said_by_pose(model, read, len(group), films)
        said.append(told)
        seen.append(there)
        texts.append(model.texts([pair.sentences for pair in group]))
        each(sum(map(len, said)))
    together, there = np.concatenate(said), np.concatenate(seen)
    return Embedded(together, there, model.studies(together, there), np.concatenate(texts))


def said_by_pose(
    model: Embedder, read: Sequence[tuple[int, Pose, str]], studies: int, films: FilmCache
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """What films say by pose (studies, 2, D), 0 where there is none, and where there is one (studies, 2). Each film is
    given as its study's row, its pose and its SHA-256."""
    said = model.films([films.film(sha) for _, _, sha in read], [pose for _, pose, _ in read])
    told = np.zeros((studies, len(Pose), said.shape[1]), np.float32)
    seen = np.zeros((studies, len(Pose)), np.bool_)
    for (row, pose, _), vector in zip(read, said, strict=True):
        told[row, pose], seen[row, pose] = vector, True
    return told, seen
