"""The floor: what a mask that is the same on every film scores."""

import numpy as np
import pytest

from core.studies import Split
from tests.trainers.conftest import House
from trainers.datasets import FilmCache
from trainers.segmentation.data import films_of, learnable_findings
from trainers.segmentation.floors import floor_metric, mean_masks


@pytest.fixture
def cache(house: House) -> FilmCache:
    return FilmCache(house.workspace.cache, house.store, 32, "resize")


def test_a_mean_mask_is_marked_where_at_least_half_of_the_masks_are(house: House, cache: FilmCache) -> None:
    house.add("drawn", 8, findings=("heart",))
    manifest = house.freeze("drawn-1", "drawn")
    films = films_of(manifest, Split.TRAIN, learnable_findings(manifest, ()))
    masks = np.stack([cache.mask(film.truths["heart"]) for film in films])
    np.testing.assert_array_equal(mean_masks(films, cache)["heart"], masks.mean(axis=0) >= 0.5)


def test_the_floor_comes_from_training_films_and_is_measured_on_the_others(house: House, cache: FilmCache) -> None:
    house.add("drawn", 12)
    manifest = house.freeze("drawn-1", "drawn")
    findings = learnable_findings(manifest, ())
    judged = films_of(manifest, Split.TEST, findings)
    floor = floor_metric(manifest, judged, findings, cache)
    assert floor.overall.n == 2 * len(judged)
    assert floor.overall.value is not None and 0.6 < floor.overall.value < 0.98


def test_a_finding_that_no_training_film_bears_has_no_floor(house: House, cache: FilmCache) -> None:
    house.add("drawn", 4, splits=(Split.TEST,))
    house.add("other", 4, findings=("heart",), first_seed=20)
    manifest = house.freeze("both", "drawn", "other")
    known = {finding.key: finding for finding in manifest.vocabulary}
    lungs = [known["left_lung"], known["right_lung"]]
    floor = floor_metric(manifest, films_of(manifest, Split.TEST, lungs), lungs, cache)
    assert (floor.overall.value, floor.overall.n) == (None, 0)
