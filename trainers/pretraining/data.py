"""A snapshot as pretraining sees it: films, and nothing that anybody said of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from core.snapshots import Manifest
from core.studies import Split, View
from trainers.datasets import FilmCache


@dataclass(frozen=True)
class Film:
    """`item` names the film in scores; `patient` groups films that are no independent trials."""

    sha: str
    item: str
    patient: str
    study: str


class FilmBatch(NamedTuple):
    """`images` (B, 1, H, W) uint8."""

    images: Tensor


@dataclass(frozen=True)
class PretrainingData:
    """The films of training and validation patients; those of test patients are never read."""

    training: tuple[Film, ...]
    validation: tuple[Film, ...]
    films: FilmCache
    weights: tuple[Path, ...] = ()


def films_of(manifest: Manifest, split: Split | None, views: str) -> tuple[Film, ...]:
    """The films of a split (None: of all), each content once; with `views` "frontal" those that are not lateral."""
    films: dict[str, Film] = {}
    for study in manifest.studies if split is None else manifest.of(split):
        where = f"{study.dataset}/{study.key}"
        for image in study.images:
            if views == "all" or image.view is not View.LATERAL:
                film = Film(image.sha, f"{where}/{image.name}", f"{study.dataset}/{study.patient}", where)
                films.setdefault(image.sha, film)
    return tuple(films.values())


class Collate:
    """Films to a batch: their pixels."""

    def __init__(self, films: FilmCache) -> None:
        self._films = films

    def __call__(self, films: Sequence[Film], chance: np.random.Generator) -> FilmBatch:
        return FilmBatch(torch.from_numpy(np.stack([self._films.film(film.sha) for film in films]))[:, None])
