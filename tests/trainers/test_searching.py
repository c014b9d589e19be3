"""Searching with a trained model: every study is found, new ones within moments, by one model at a time."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from core.annotations import AskState
from core.jobs import JobCancelled, JobKind, JobState
from core.search import Asked, NewSearch, NothingLeft, Search, SearchFilter
from core.studies import Split, View
from core.tries import new_place
from core.workspace import HOME_VARIABLE, Workspace
from data.passing import Passing
from data.png import grey
from db import embeddings, people, searches, studies
from db.embeddings import Rows
from db.schema import migrate
from db.work import work_once
from tests.trainers.conftest import BY, House
from tests.trainers.reported import add_reported, drawn, learn, put_in_use
from trainers.contract import Silent
from trainers.handlers import handlers
from trainers.inference import Answerer
from trainers.retrieval.family import Retrieval
from trainers.searching.answering import MAP_SIDE, coarse
from trainers.searching.embedding import AT_ONCE, embed_all
from trainers.searching.holdings import Holdings

STUDIES = 24


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose studies a small model learned from; it is on record, and not yet in use."""
    home = tmp_path_factory.mktemp("trained")
    place = Workspace(home)
    house = House(place, migrate(place))
    add_reported(house, "drawn", STUDIES)
    learn(house, house.freeze("drawn-1", "drawn"), "first")
    shutil.copytree(place.models / "first", place.models / "second")
    house.database.close()
    return home


@pytest.fixture
def house(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    shutil.copytree(trained, tmp_path / "workspace")
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "workspace"))
    place = Workspace(tmp_path / "workspace")
    opened = House(place, migrate(place))
    yield opened
    opened.database.close()


def indexed(house: House) -> None:
    """Do the job that came with the promotion."""
    job = work_once(house.database, handlers(house.workspace, threading.Event()), "worker")
    assert job is not None and job.kind is JobKind.INDEX and job.state is JobState.SUCCEEDED, job


def asked(house: House, answerer: Answerer, new: NewSearch) -> Search:
    with house.database.writing() as session:
        number = searches.ask(session, new, people.ensure_reader(session, BY))
    assert answerer.answer_waiting() == 1
    with house.database.reading() as session:
        return searches.get_search(session, number)


def words(text: str, limit: int = 12, **among: object) -> NewSearch:
    return NewSearch(Asked.TEXT, SearchFilter(**among), limit, text=text)  # type: ignore[arg-type]


def film(house: House, pixels: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> NewSearch:
    place = new_place(datetime.now(UTC))
    sha = Passing.of(house.workspace).store(place).put(grey(pixels))
    return NewSearch(Asked.FILM, place=place, sha=sha)


@pytest.fixture
def answerer(house: House) -> Answerer:
    return Answerer(house.workspace, house.database)


def test_before_a_model_is_in_use_the_answer_says_what_to_do(house: House, answerer: Answerer) -> None:
    told = asked(house, answerer, words("a large square"))
    assert told.state is AskState.REFUSED and "Put a retrieval model in use" in (told.answer or "")


def test_words_find_films_with_their_maps_and_the_sentence_that_matches(house: House, answerer: Answerer) -> None:
    version = put_in_use(house, "first")
    indexed(house)
    told = asked(house, answerer, words("There is a huge square. It lies upper left.", limit=5))
    assert (told.model, told.searched, len(told.hits)) == (version.name, STUDIES, 5)
    cosines = [hit.similarity for hit in told.hits]
    assert cosines == sorted(cosines, reverse=True)
    assert len({hit.study for hit in told.hits}) == 5
    for hit in told.hits:
        assert len(hit.map) == MAP_SIDE and all(0 <= value <= 255 for row in hit.map for value in row)
        assert hit.sentence.startswith(("There is a", "It lies", "The heart"))


def test_a_study_finds_others_and_never_its_own_patient(house: House, answerer: Answerer) -> None:
    put_in_use(house, "first")
    indexed(house)
    told = asked(house, answerer, NewSearch(Asked.STUDY, limit=STUDIES, study=3))
    assert told.searched == STUDIES - 1
    assert 3 not in {hit.study for hit in told.hits}


def test_filters_come_before_the_ranking(house: House, answerer: Answerer) -> None:
    add_reported(house, "other", 4, first=100, views=(View.LATERAL,))
    put_in_use(house, "first")
    indexed(house)
    from_other = asked(house, answerer, words("a square", limit=3, dataset="other"))
    assert from_other.searched == 4 and {hit.study for hit in from_other.hits} <= set(range(25, 29))
    lateral = asked(house, answerer, words("a square", limit=40, view=View.LATERAL))
    assert lateral.searched == STUDIES + 4 and len(lateral.hits) == STUDIES + 4
    tested = asked(house, answerer, words("a square", limit=40, split=Split.TEST))
    assert tested.searched == STUDIES // 4 + 1
    enlarged = asked(house, answerer, words("a square", limit=40, finding="cardiomegaly"))
    assert enlarged.searched == STUDIES, "the hearts of the other dataset are normal"


def test_a_filter_that_leaves_nothing_says_so(house: House, answerer: Answerer) -> None:
    put_in_use(house, "first")
    indexed(house)
    for among in ({"dataset": "nowhere"}, {"finding": "pneumothorax"}, {"view": View.AP}):
        told = asked(house, answerer, words("a square", **among))
        assert (told.state, told.answer) == (AskState.REFUSED, str(NothingLeft()))


def test_a_study_that_comes_in_is_found_within_moments(house: House, answerer: Answerer) -> None:
    put_in_use(house, "first")
    indexed(house)
    assert asked(house, answerer, words("a square", limit=60)).searched == STUDIES
    assert answerer.searcher.keep_up() == 0
    add_reported(house, "late", 2, first=200)
    assert answerer.searcher.keep_up() == 2
    assert answerer.searcher.keep_up() == 0
    told = asked(house, answerer, words("a square", limit=60))
    assert told.searched == STUDIES + 2 and {25, 26} <= {hit.study for hit in told.hits}


def test_a_film_that_cannot_be_read_is_left_out_and_not_tried_for_ever(house: House, answerer: Answerer) -> None:
    put_in_use(house, "first")
    indexed(house)
    add_reported(house, "torn", 2, first=300)
    with house.database.reading() as session:
        torn = studies.get_study(session, 25)
    for image in torn.images:
        place = house.store.path(image.sha)
        assert place is not None
        place.unlink()
    assert answerer.searcher.keep_up() == 2
    assert answerer.searcher.keep_up() == 0
    told = asked(house, answerer, words("a square", limit=60))
    assert told.searched == STUDIES + 1


def test_the_model_before_answers_until_the_new_index_is_whole(house: House, answerer: Answerer) -> None:
    first = put_in_use(house, "first")
    indexed(house)
    second = put_in_use(house, "second")
    assert asked(house, answerer, words("a square")).model == first.name
    assert answerer.searcher.keep_up() == 0
    indexed(house)
    told = asked(house, answerer, words("a square", limit=60))
    assert (told.model, told.searched) == (second.name, STUDIES)
    with house.database.reading() as session:
        assert embeddings.last_number(session, first.id) == 0


def test_an_index_that_was_cancelled_goes_on_where_it_was(house: House) -> None:
    version = put_in_use(house, "first")

    class Impatient(Silent):
        def report(self, done: int, total: int, message: str = "") -> None:
            if done:
                raise JobCancelled

    model = Retrieval().load(house.workspace.models / version.folder)
    with pytest.raises(JobCancelled):
        embed_all(house.database, version, model, house.shelf, Impatient())
    with house.database.reading() as session:
        assert embeddings.answering(session) is None
        assert embeddings.count_pending(session, version.id) == STUDIES - AT_ONCE
    assert embed_all(house.database, version, model, house.shelf, Silent()) == STUDIES - AT_ONCE


def test_a_dropped_film_finds_the_study_that_it_is_of(house: House, answerer: Answerer) -> None:
    put_in_use(house, "first")
    indexed(house)
    told = asked(house, answerer, film(house, drawn(4, View.PA)))
    assert told.hits[0].similarity > 0.9
    assert told.hits[0].study == 5 or told.hits[0].similarity - told.hits[-1].similarity < 0.05


def test_what_is_no_radiograph_is_answered_with_a_caution(house: House, answerer: Answerer) -> None:
    put_in_use(house, "first")
    indexed(house)
    checks = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    for odd in (checks, np.full((64, 64), 90, np.uint8)):
        told = asked(house, answerer, film(house, odd))
        assert told.state is AskState.ANSWERED and told.hits
        assert "unlike those that the model learned from" in told.remarks[0]


def test_a_film_that_was_forgotten_is_not_searched_for(house: House, answerer: Answerer) -> None:
    put_in_use(house, "first")
    indexed(house)
    new = film(house, drawn(4, View.PA))
    Passing.of(house.workspace).forget(new.place)
    told = asked(house, answerer, new)
    assert told.state is AskState.REFUSED and "forgotten" in (told.answer or "")


def test_ten_thousand_words_are_searched_for_by_their_beginning(house: House, answerer: Answerer) -> None:
    put_in_use(house, "first")
    indexed(house)
    told = asked(house, answerer, words("There is a huge square. " * 2500, limit=3))
    assert len(told.hits) == 3


def test_what_was_embedded_again_is_found_by_its_newest_rows_alone() -> None:
    chance = np.random.default_rng(0)

    def rows(first: int, studies: list[int]) -> Rows:
        vectors = chance.standard_normal((len(studies), 8)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        numbers = np.arange(first, first + len(studies))
        return Rows(numbers, np.array(studies), np.zeros(len(studies), np.int64), vectors)

    old, new = rows(1, [1, 2, 3]), rows(4, [2, 4])
    held = Holdings(old)
    held.add(new)
    found, searched = held.nearest(new.vectors[0], 4, np.array([1, 2, 3, 4]))
    assert searched == 4 and found[0][0] == 2 and found[0][2] == pytest.approx(1, abs=1e-5)
    assert sorted(study for study, _, _ in found) == [1, 2, 3, 4]
    kept = held.vector_of(2)
    assert kept is not None and np.array_equal(kept, new.vectors[0])
    again = Holdings(replace(old))
    assert again.vector_of(9) is None


def test_a_map_is_told_coarsely_and_keeps_its_shape() -> None:
    heat = np.zeros((64, 32), np.float32)
    heat[:4, :4] = 1
    told = coarse(heat)
    assert (len(told), len(told[0])) == (16, 8)
    assert told[0][0] == 255 and told[8][4] == 0
