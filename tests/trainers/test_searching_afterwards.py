"""What happens to an index after it was made: films are turned, models change, much comes in, files are lost."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from core.errors import NotFound
from core.jobs import JobKind
from core.masks import MaskStats
from core.studies import Split, Turn
from core.tries import KEPT_FOR
from data import images, nearest
from data.nearest import ListsIndex
from db import embeddings, jobs, orientation, searches, studies
from db.tables import SearchRow
from tests.trainers.conftest import BY, House
from tests.trainers.reported import add_reported, put_in_use
from tests.trainers.test_searching import STUDIES, answerer, asked, house, indexed, trained, words
from trainers.inference import Answerer

__all__ = ["answerer", "house", "trained"]


def turn(house: House, study: int) -> None:
    """Upside down, both films."""
    with house.database.reading() as session:
        films = studies.get_study(session, study).images
    for film in films:
        pixels = images.turned(images.read(house.store.get(film.sha)), Turn.ROTATE_180)
        kept = images.from_pixels(pixels, 8)
        sha = house.store.put(kept.payload)
        none: dict[str, tuple[str, MaskStats]] = {}
        with house.database.writing() as session:
            orientation.turn_image(
                session, film.id, sha, kept.media_type, pixels.shape, Turn.ROTATE_180, none, BY
            )  # fmt: skip


@pytest.mark.parametrize("study", [1, STUDIES])
def test_a_film_that_was_turned_is_searched_as_it_lies_now(house: House, answerer: Answerer, study: int) -> None:
    put_in_use(house, "first")
    indexed(house)
    before = {hit.study: hit.similarity for hit in asked(house, answerer, words("a square", limit=60)).hits}
    assert answerer.searcher.keep_up() == 0
    turn(house, study)
    assert answerer.searcher.keep_up() == 1
    assert answerer.searcher.keep_up() == 0
    after = {hit.study: hit.similarity for hit in asked(house, answerer, words("a square", limit=60)).hits}
    assert after.keys() == before.keys()
    assert after.pop(study) != before.pop(study)
    assert after == before


def found(house: House, answerer: Answerer, **among: object) -> list[tuple[int, float]]:
    return [(hit.study, hit.similarity) for hit in asked(house, answerer, words("a square", limit=60, **among)).hits]


def waiting(house: House) -> list[JobKind]:
    with house.database.reading() as session:
        return [job.kind for job in jobs.jobs(session) if not job.state.is_over]


def test_a_study_that_comes_in_while_another_index_is_made_is_found_by_the_one_that_answers(
    house: House, answerer: Answerer
) -> None:
    first = put_in_use(house, "first")
    indexed(house)
    second = put_in_use(house, "second")
    add_reported(house, "late", 1, first=200)
    assert answerer.searcher.keep_up() == 1
    told = asked(house, answerer, words("a square", limit=60))
    assert (told.model, told.searched) == (first.name, STUDIES + 1)
    indexed(house)
    told = asked(house, answerer, words("a square", limit=60))
    assert (told.model, told.searched) == (second.name, STUDIES + 1)


def test_the_model_that_answers_stays_in_memory_until_the_next_one_does(house: House, answerer: Answerer) -> None:
    first = put_in_use(house, "first")
    indexed(house)
    answerer.refresh()
    kept = answerer.awake.in_use("retrieval")
    second = put_in_use(house, "second")
    answerer.refresh()
    assert answerer.awake.in_use("retrieval") is kept and answerer.awake.called(first.name) is kept
    indexed(house)
    answerer.refresh()
    assert answerer.awake.in_use("retrieval").version.name == second.name


@pytest.fixture
def listed(house: House, answerer: Answerer, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, float]]:
    """So many studies that lists are made of them; what is found when all are compared one by one."""
    put_in_use(house, "first")
    indexed(house)
    exactly = found(house, answerer)
    monkeypatch.setattr(nearest, "EXACT_UP_TO", STUDIES // 2)
    monkeypatch.setattr("trainers.searching.holdings.MOST_FRESH", 3)
    with house.database.writing() as session:
        version = embeddings.wanted(session)
        assert version is not None
        embeddings.lists_wanted(session, version, BY)
    indexed(house)
    monkeypatch.setattr(ListsIndex, "over", None)
    return exactly


def test_beyond_what_is_compared_one_by_one_the_job_makes_lists_and_the_answer_is_the_same(
    house: House, answerer: Answerer, listed: list[tuple[int, float]]
) -> None:
    assert found(house, answerer)[:10] == listed[:10]
    with house.database.reading() as session:
        tested = {number for number, _ in listed if studies.get_study(session, number).split is Split.TEST}
    assert found(house, answerer, split=Split.TEST) == [each for each in listed if each[0] in tested]
    assert waiting(house) == []


def test_lists_hold_when_films_were_turned_and_the_process_starts_anew(
    house: House, answerer: Answerer, listed: list[tuple[int, float]]
) -> None:
    found(house, answerer)
    turn(house, 1)
    turn(house, STUDIES)
    while answerer.searcher.keep_up():
        pass
    live = found(house, answerer)
    anew = found(house, Answerer(house.workspace, house.database))
    assert anew == live and len(live) == STUDIES
    unchanged = [each for each in live if each[0] not in (1, STUDIES)]
    assert unchanged == [each for each in listed if each[0] not in (1, STUDIES)]
    assert waiting(house) == []


@pytest.mark.parametrize("harm", ["cut", "other", "gone"])
def test_with_lists_that_cannot_be_used_all_is_compared_and_a_job_makes_them_anew(
    house: House, answerer: Answerer, listed: list[tuple[int, float]], harm: str
) -> None:
    place = house.workspace.cache / "search" / "retrieval-v1.faiss"
    page = place.with_suffix(".json")
    if harm == "cut":
        place.write_bytes(place.read_bytes()[:100])
    elif harm == "other":
        page.write_text(page.read_text().replace("retrieval-v1", "retrieval-v2"))
    else:
        place.unlink()
    assert found(house, answerer) == listed
    assert found(house, answerer) == listed
    assert waiting(house) == [JobKind.INDEX], "asked for once"


def test_what_was_searched_for_is_forgotten_after_some_hours(house: House, answerer: Answerer) -> None:
    put_in_use(house, "first")
    indexed(house)
    old, new = (asked(house, answerer, words("a pasted report of a square")) for _ in range(2))
    with house.database.writing() as session:
        long_ago = datetime.now(UTC) - KEPT_FOR - timedelta(minutes=1)
        session.execute(update(SearchRow).where(SearchRow.id == old.id).values(asked_at=long_ago))
    answerer.sweep()
    with house.database.reading() as session:
        assert searches.get_search(session, new.id).asked.text
        with pytest.raises(NotFound, match="may have been forgotten"):
            searches.get_search(session, old.id)
