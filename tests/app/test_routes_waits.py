"""Whether an answer is there, as the browser asks it while a page waits."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.house import House
from app.routes import routes
from app.services import trying
from tests.app.answering import answer_all, put_classifier, say_that_it_lives
from tests.app.test_screens_try import png


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    yield TestClient(Starlette(routes=routes(house)), base_url="http://localhost:8501")


def asked(house: House) -> tuple[int, trying.Film]:
    model = put_classifier(house)
    film = trying.drop(house, png())
    return trying.ask(house, film, trying.heed("Cough.").context, model, "ana"), film


def test_a_question_waits_until_it_is_answered(client: TestClient, house: House) -> None:
    number, _ = asked(house)
    address = f"/rr/waits/try/{number}"
    assert client.get(address).json() == {"waits": True, "awake": False}
    say_that_it_lives(house)
    assert client.get(address).json() == {"waits": True, "awake": True}
    answer_all(house)
    answer = client.get(address)
    assert answer.json()["waits"] is False
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_question_that_was_forgotten_waits_no_longer(client: TestClient, house: House) -> None:
    number, film = asked(house)
    trying.forget(house, film.place, "ana")
    assert client.get(f"/rr/waits/try/{number}").json()["waits"] is False


@pytest.mark.parametrize("question", ["mask", "try", "search", "writing"])
def test_each_kind_of_question_has_its_own_numbers(client: TestClient, question: str) -> None:
    assert client.get(f"/rr/waits/{question}/7").json() == {"waits": False, "awake": False}


def test_what_nobody_asks_for_and_what_is_no_number_are_refused(client: TestClient) -> None:
    assert client.get("/rr/waits/lunch/7").status_code == 404
    assert client.get("/rr/waits/try/seven").status_code == 400
