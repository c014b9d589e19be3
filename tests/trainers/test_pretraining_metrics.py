import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import trainers  # noqa: F401 - before anything that imports torchvision
from trainers.augmentation import levels, normalise
from trainers.backbones import TinyEncoder
from trainers.pretraining.evaluation import psnr, ssim
from trainers.pretraining.network import Autoencoder, hide_patches


def grey(value: float, side: int = 32) -> torch.Tensor:
    return torch.full((1, 1, side, side), value)


def test_a_tenth_of_the_grey_range_off_everywhere_is_twenty_decibels() -> None:
    assert psnr(grey(0.6), grey(0.5)).item() == pytest.approx(20.0, abs=1e-4)
    assert psnr(grey(0.51), grey(0.5)).item() == pytest.approx(40.0, abs=1e-3)


def test_half_the_pixels_off_by_half_is_nine_decibels() -> None:
    film = grey(0.5)
    film[..., :16] = 1.0
    assert psnr(film, grey(0.5)).item() == pytest.approx(-10 * math.log10(0.5 * 0.25), abs=1e-4)


def test_a_film_restored_exactly_has_the_highest_psnr_and_not_infinity() -> None:
    film = torch.rand(2, 1, 32, 32)
    assert psnr(film, film).tolist() == [100.0, 100.0]
    assert ssim(film, film).tolist() == pytest.approx([1.0, 1.0])


def test_of_two_flat_films_the_ssim_is_that_of_their_brightness() -> None:
    # Without any structure only the luminance term of Wang et al. (2004) is left.
    expected = (2 * 0.6 * 0.4 + 0.01**2) / (0.6**2 + 0.4**2 + 0.01**2)
    assert ssim(grey(0.6), grey(0.4)).item() == pytest.approx(expected, abs=1e-3)


def test_films_are_scored_one_by_one() -> None:
    films = torch.cat([grey(0.5), grey(0.5)])
    restored = torch.cat([grey(0.6), grey(0.51)])
    assert psnr(restored, films).tolist() == pytest.approx([20.0, 40.0], abs=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=4), st.sampled_from([8, 16, 32]))
def test_of_each_film_the_share_that_was_asked_for_is_hidden_in_whole_patches(shares: list[float], patch: int) -> None:
    films = torch.ones(len(shares), 1, 64, 64)
    hidden = hide_patches(films, patch, torch.tensor(shares)) == 0
    blocks = hidden.unfold(2, patch, patch).unfold(3, patch, patch).flatten(4)
    assert torch.equal(blocks.all(dim=-1), blocks.any(dim=-1))
    count = (64 // patch) ** 2
    expected = (torch.tensor(shares) * count).round()
    assert torch.equal(blocks.all(dim=-1).sum(dim=(1, 2, 3)).float(), expected)


@pytest.mark.parametrize("how", ["zscore", "minmax"])
def test_the_levels_of_a_film_undo_its_normalisation(how: str) -> None:
    films = torch.rand(3, 1, 32, 32) * 0.4 + 0.1
    middle, reach = levels(films, how)
    torch.testing.assert_close(normalise(films, how) * reach + middle, films)


@pytest.mark.parametrize("channels", [(8,), (16, 12, 8), (16, 12, 8, 8, 4)])
def test_a_film_comes_back_in_its_own_size_and_by_way_of_the_deepest_map_alone(channels: tuple[int, ...]) -> None:
    network = Autoencoder(TinyEncoder(), channels).eval()
    films = torch.rand(2, 1, 96, 64)
    restored = network(films)
    assert restored.shape == films.shape
    last = network.encoder.stages[-1][0]
    torch.nn.init.zeros_(last.weight)
    blind = network(films)
    torch.testing.assert_close(blind[0], blind[1])
