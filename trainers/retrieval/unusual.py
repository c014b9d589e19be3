"""Whether a film is like those that a model learned from: a hand, a photograph or noise has a vector like any film.

Films are told by the means of the image encoder's deepest map. Of each pose these are taken for one cloud, and how far
a film is from the nearer of the two is its Mahalanobis distance (Lee et al. 2018), told in units of the distance that
all but one in a hundred of the validation films stay within.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from trainers.datasets import FilmCache, Square, chunks
from trainers.retrieval.data import Pair, Pose

USUAL = "usual.safetensors"
WITHIN = 0.99
SHRINKAGE = 0.1
ENOUGH = 1000
"""Films from which a cloud is made."""
FILMS_AT_ONCE = 32


class Looking(Protocol):
    def looks(self, squares: Sequence[Square]) -> Tensor:
        """(N, C): how films look."""


@dataclass(frozen=True)
class Usual:
    """`middles` (P, C) and `whitenings` (P, C, C) of the clouds, and the distance `limit` () within which films are
    usual."""

    middles: Tensor
    whitenings: Tensor
    limit: Tensor

    @classmethod
    def unknown(cls) -> "Usual":
        return cls(torch.zeros(1, 1), torch.zeros(1, 1, 1), torch.ones(()))

    @classmethod
    def of(cls, learned: Sequence[Tensor], judging: Tensor) -> "Usual":
        """From the looks (N, C) of training films of each pose, and of the films (M, C) that set the limit."""
        clouds = [looks.double() for looks in learned if len(looks)]
        middles = torch.stack([looks.mean(dim=0) for looks in clouds])
        whitenings = torch.stack([_whitening(looks) for looks in clouds])
        unlimited = cls(middles.float(), whitenings.float(), torch.ones(()))
        limit = torch.quantile(unlimited.strangeness(judging), WITHIN).clamp(min=1e-6)
        return cls(unlimited.middles, unlimited.whitenings, limit)

    def strangeness(self, looks: Tensor) -> Tensor:
        """(N,): 0 in the middle of a cloud, up to 1 what is usual, beyond it what the model has not learned from."""
        apart = looks.float()[None] - self.middles[:, None]
        distances: Tensor = (apart @ self.whitenings).norm(dim=-1)
        return distances.amin(dim=0) / self.limit

    def save(self, folder: Path) -> None:
        save_file({"middles": self.middles, "whitenings": self.whitenings, "limit": self.limit}, folder / USUAL)

    @classmethod
    def load(cls, folder: Path) -> "Usual":
        """Raises OSError, KeyError, SafetensorError."""
        kept = load_file(folder / USUAL)
        return cls(kept["middles"], kept["whitenings"], kept["limit"])


def usual_films(model: Looking, training: Sequence[Pair], judging: Sequence[Pair], films: FilmCache) -> Usual:
    """What is usual to a model that learned from the training studies; studies that it has not seen set the limit,
    where there are any."""

    def looks(shas: Sequence[str]) -> Tensor:
        parts = [model.looks([films.film(sha) for sha in some]) for some in chunks(shas, FILMS_AT_ONCE)]
        return torch.cat(parts) if parts else torch.zeros(0, 1)

    learned = [looks(some_films(training, pose)) for pose in Pose]
    judged = [sha for pose in Pose for sha in some_films(judging, pose)]
    return Usual.of(learned, looks(judged) if judged else torch.cat([one for one in learned if len(one)]))


def some_films(pairs: Sequence[Pair], pose: Pose) -> list[str]:
    """The films of a pose by their SHA-256, evenly spread where there are more than enough."""
    every = [pair.films[pose] for pair in pairs if pose in pair.films]
    step = max(1, -(-len(every) // ENOUGH))
    return every[::step]


def _whitening(looks: Tensor) -> Tensor:
    """(C, C): the inverse root of the covariance, drawn towards that of a ball (Ledoit & Wolf 2004)."""
    apart = looks - looks.mean(dim=0)
    covariance = apart.T @ apart / max(1, len(looks) - 1)
    ball = covariance.diagonal().mean().clamp(min=1e-8) * torch.eye(len(covariance), dtype=covariance.dtype)
    values, vectors = torch.linalg.eigh((1 - SHRINKAGE) * covariance + SHRINKAGE * ball)
    whitening: Tensor = vectors * values.clamp(min=1e-12).rsqrt()
    return whitening
