from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.tries import new_place
from core.workspace import Workspace
from data.passing import Forgotten, Passing
from data.store import Store

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.fixture
def passing(place: Workspace) -> Passing:
    return Passing.of(place)


def test_what_lies_in_a_place_is_gone_once_it_is_forgotten(passing: Passing) -> None:
    kept, forgotten = new_place(NOW), new_place(NOW)
    sha = passing.store(forgotten).put(b"a film")
    passing.store(kept).put(b"a film")
    (passing.cache(forgotten) / "squares").mkdir(parents=True)
    passing.forget(forgotten)
    assert not passing.store(forgotten).has(sha)
    assert not passing.cache(forgotten).exists()
    assert passing.store(kept).get(sha) == b"a film"
    assert list(passing.places()) == [kept]


def test_forgetting_twice_is_forgetting(passing: Passing) -> None:
    place = new_place(NOW)
    passing.store(place).put(b"a film")
    passing.forget(place)
    passing.forget(place)
    assert list(passing.places()) == []


def test_places_are_listed_oldest_first_with_those_left_in_the_cache_alone(passing: Passing) -> None:
    late, early = new_place(NOW + timedelta(hours=1)), new_place(NOW)
    passing.store(late).put(b"a film")
    passing.cache(early).mkdir(parents=True)
    (passing.scratch / "not-ours").mkdir()
    assert list(passing.places()) == [early, late]


@pytest.mark.parametrize("name", ["", "..", "../..", "20261125120000-../../../etc", "x" * 47])
def test_a_name_that_is_none_leads_nowhere(passing: Passing, name: str) -> None:
    for way in (passing.store, passing.cache, passing.forget):
        with pytest.raises(Forgotten, match="Drop it again"):
            way(name)


def test_what_is_tried_is_not_in_the_store_that_is_backed_up(place: Workspace) -> None:
    Passing.of(place).store(new_place(NOW)).put(b"a film")
    assert list(Store(place.store_url).iterate()) == []


def test_other_file_systems_forget_too(tmp_path: Path) -> None:
    passing = Passing("memory://passing/tries", tmp_path)
    place = new_place(NOW)
    sha = passing.store(place).put(b"a film")
    assert passing.store(place).get(sha) == b"a film"
    assert list(passing.places()) == [place]
    passing.forget(place)
    assert not passing.store(place).has(sha)
    assert list(passing.places()) == []
