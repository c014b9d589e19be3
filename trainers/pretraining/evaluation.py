"""How well films are restored: squared error, PSNR and SSIM, with 95 % bootstrap intervals by patient.

Films are shown undisturbed and compared at the network's own resolution, as grey values in [0, 1]. Beside the PSNR
stands its floor, `psnr_floor`: that of the mean of the other films measured, given each film's own brightness and
contrast, which the network is given too.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from core.metrics import ItemScore
from trainers.augmentation import as_floats, levels
from trainers.datasets import FilmCache, Square
from trainers.pretraining.data import Film
from trainers.pretraining.model import PretrainingModel

METRICS = ("psnr", "ssim", "mse", "psnr_floor")
HIGHEST_PSNR = 100.0
FILMS_AT_ONCE = 16


@dataclass(frozen=True)
class Seen:
    """One film, what it scored, and its square as it was kept."""

    film: Film
    square: Square
    score: ItemScore


def measure(
    model: PretrainingModel, films: Sequence[Film], cache: FilmCache, each: Callable[[int], None]
) -> Iterator[Seen]:
    """Score every film; `each` hears how many are done."""
    total = sum_of_films(films, cache, model.recipe.normalise)
    for start in range(0, len(films), FILMS_AT_ONCE):
        group = films[start : start + FILMS_AT_ONCE]
        squares = [cache.film(film.sha) for film in group]
        shown = model.restore(squares)
        middle, reach = levels(shown.films, model.recipe.normalise)
        others = total.to(shown.films.device) - (shown.films - middle) / reach
        floor = (others / max(1, len(films) - 1) * reach + middle).clamp(0, 1)
        values = {
            "psnr": psnr(shown.restored, shown.films),
            "ssim": ssim(shown.restored, shown.films),
            "mse": (shown.restored - shown.films).square().mean(dim=(1, 2, 3)),
            "psnr_floor": psnr(floor, shown.films),
        }
        for row, (film, square) in enumerate(zip(group, squares, strict=True)):
            score = ItemScore(film.item, film.patient, "", {name: float(value[row]) for name, value in values.items()})
            yield Seen(film, square, score)
        each(min(start + FILMS_AT_ONCE, len(films)))


def sum_of_films(films: Sequence[Film], cache: FilmCache, normalise: str) -> Tensor:
    """(1, 1, side, side): the normalised films added up."""
    total = torch.zeros(1, 1, cache.side, cache.side)
    for film in films:
        square = as_floats(torch.from_numpy(cache.film(film.sha)))[None, None]
        middle, reach = levels(square, normalise)
        total += (square - middle) / reach
    return total


def psnr(restored: Tensor, films: Tensor) -> Tensor:
    """(B,) peak signal-to-noise ratio in decibels of grey values in [0, 1]: -10 log10 of the mean squared error. 100
    stands for all that is higher, a film restored exactly among it."""
    value: Tensor = peak_signal_noise_ratio(restored, films, data_range=1.0, reduction="none", dim=(1, 2, 3))
    return value.clamp(max=HIGHEST_PSNR)


def ssim(restored: Tensor, films: Tensor) -> Tensor:
    """(B,) structural similarity (Wang et al. 2004) of grey values in [0, 1], 1 for equal films."""
    value = structural_similarity_index_measure(restored, films, data_range=1.0, reduction="none")
    assert isinstance(value, Tensor)
    return value
