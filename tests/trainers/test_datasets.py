from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.studies import Window
from data.images import from_pixels, mask_png
from data.store import Store
from trainers.datasets import Batches, FilmCache, Placement, read_film, to_square


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def test_a_film_is_decoded_once_and_then_read_from_the_cache(tmp_path: Path, store: Store) -> None:
    film = np.random.default_rng(0).integers(0, 255, (50, 40)).astype(np.uint8)
    sha = store.put(from_pixels(film, 8).payload)
    cache = FilmCache(tmp_path / "cache", store, 32, "resize")
    first = cache.film(sha)
    assert first.shape == (32, 32) and first.dtype == np.uint8
    path = store.path(sha)
    assert path is not None
    path.unlink()
    assert np.array_equal(FilmCache(tmp_path / "cache", store, 32, "resize").film(sha), first)


def test_a_cached_film_cut_short_is_made_again(tmp_path: Path, store: Store) -> None:
    sha = store.put(from_pixels(np.full((40, 40), 99, np.uint8), 8).payload)
    cache = FilmCache(tmp_path / "cache", store, 32, "resize")
    cache.film(sha)
    (kept,) = (tmp_path / "cache").rglob("*.film")
    kept.write_bytes(b"\0" * 10)
    assert (cache.film(sha) == 99).all()


def test_masks_of_one_finding_are_joined_and_none_is_empty(tmp_path: Path, store: Store) -> None:
    left, right = np.zeros((64, 64), np.bool_), np.zeros((64, 64), np.bool_)
    left[:, :16], right[:, 48:] = True, True
    shas = store.put_many([mask_png(left), mask_png(right)])
    cache = FilmCache(tmp_path / "cache", store, 32, "resize")
    joined = cache.mask(shas)
    assert set(np.unique(joined)) == {0, 1}
    assert joined.mean() == pytest.approx(0.5)
    assert not cache.mask([]).any()
    assert np.array_equal(cache.native_mask(shas, 64, 64), left | right)


def test_a_deep_film_is_seen_through_its_window() -> None:
    values = np.array([[0, 1000], [2000, 4000]], np.uint16)
    film = read_film(from_pixels(values, 12, Window(1000, 2000)).payload)
    assert film[0, 0] == 0 and film[1, 0] == 255 and film[1, 1] == 255
    assert 120 <= film[0, 1] <= 135


@given(st.integers(1, 3000), st.integers(1, 3000), st.sampled_from([32, 256]))
def test_a_padded_film_keeps_its_shape_and_lies_within_its_square(height: int, width: int, side: int) -> None:
    place = Placement.of(height, width, side, "pad")
    assert 0 <= place.top <= place.top + place.tall <= side
    assert 0 <= place.left <= place.left + place.wide <= side
    assert max(place.tall, place.wide) == side
    assert abs(place.tall - height * side / max(height, width)) <= 1


def test_padding_is_black_and_squeezing_leaves_none() -> None:
    film = np.full((20, 40), 200, np.uint8)
    padded = to_square(film, 32, "pad")
    assert (padded[:8] == 0).all() and (padded[8:24] == 200).all() and (padded[24:] == 0).all()
    assert (to_square(film, 32, "resize") == 200).all()


def numbers(items: list[int], _: np.random.Generator) -> list[int]:
    return list(items)


@given(st.integers(1, 20), st.integers(1, 7), st.integers(1, 3), st.integers(0, 5))
def test_an_epoch_holds_every_item_as_often_as_it_repeats(count: int, size: int, repeats: int, epoch: int) -> None:
    loader = Batches(list(range(count)), numbers, size, seed=3, repeats=repeats)
    loader.start_epoch(epoch)
    batches = list(loader)
    assert len(batches) == len(loader)
    assert sorted(item for batch in batches for item in batch) == sorted(list(range(count)) * repeats)


@given(st.integers(2, 20), st.data())
def test_a_loader_restored_in_an_epoch_goes_on_with_the_same_batches(count: int, data: st.DataObject) -> None:
    whole = Batches(list(range(count)), numbers, 2, seed=1)
    whole.start_epoch(2)
    expected = list(whole)
    broken = Batches(list(range(count)), numbers, 2, seed=1)
    broken.start_epoch(2)
    at = data.draw(st.integers(1, len(expected)))
    running = iter(broken)
    seen = [next(running) for _ in range(at)]
    resumed = Batches(list(range(count)), numbers, 2, seed=1)
    resumed.load_state_dict(broken.state_dict())
    resumed.start_epoch(2)
    assert seen + (list(resumed) if at < len(expected) else []) == expected


def test_a_loader_that_is_not_read_to_its_end_still_begins_the_next_epoch_whole() -> None:
    loader = Batches(list(range(4)), numbers, 2, seed=1)
    for epoch in range(3):
        loader.start_epoch(epoch)
        running = iter(loader)
        assert sorted(next(running) + next(running)) == [0, 1, 2, 3]


def test_without_a_seed_items_come_in_their_order() -> None:
    loader = Batches([3, 1, 2], numbers, 2)
    assert list(loader) == [[3, 1], [2]]
    assert list(loader) == [[3, 1], [2]]
