"""What the browser is given of a film that is tried: only to whom knows its place, and never to keep."""

import io
from collections.abc import Iterator

import PIL.Image
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app.house import House
from app.routes import routes
from app.security import Gatekeeper
from app.services import trying
from core.tries import Try
from tests.app.answering import answer_all, put_classifier
from tests.app.test_screens_try import png


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    app = Starlette(routes=routes(house), middleware=[Middleware(Gatekeeper)])
    yield TestClient(app, base_url="http://localhost:8501", raise_server_exceptions=False)


@pytest.fixture
def tried(house: House) -> Try:
    """An answered film, with a context in three scripts."""
    model = put_classifier(house)
    film = trying.drop(house, png())
    number = trying.ask(house, film, trying.heed("Cough. Кашель. Βήχας.").context, model, "ana")
    answer_all(house)
    return trying.look_up(house, number)


def size(body: bytes) -> tuple[int, int]:
    with PIL.Image.open(io.BytesIO(body)) as image:
        return image.size


def test_the_film_and_the_map_are_shown_and_no_browser_may_keep_them(client: TestClient, tried: Try) -> None:
    film = client.get(f"/rr/tries/{tried.place}/film/{tried.sha}")
    heat = client.get(f"/rr/tries/{tried.place}/map/{tried.opinions[0].map}")
    assert size(film.content) == (224, 256)
    assert size(heat.content) == (56, 64)
    for answer in (film, heat):
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
    assert (film.headers["Content-Type"], heat.headers["Content-Type"]) == ("image/jpeg", "image/png")


@pytest.mark.parametrize("finding", ["cardiomegaly", "nodule"])
def test_the_picture_is_taken_away_with_or_without_a_map(client: TestClient, tried: Try, finding: str) -> None:
    answer = client.get(f"/rr/tries/{tried.place}/{tried.id}/{finding}.png")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    width, height = size(answer.content)
    # A film without a map stands alone.
    assert (width > 1500) == (finding == "cardiomegaly")
    assert height > 600


@pytest.mark.parametrize(
    "address",
    [
        "{other}/film/{sha}",
        "{place}/film/" + "0" * 64,
        "..%2F..%2Fstore/film/{sha}",
        "{place}/map/..%2F..%2Freading-room.db",
        "{other}/{id}/cardiomegaly.png",
        "{place}/99/cardiomegaly.png",
        "{place}/{id}/heart.png",
    ],
)
def test_whoever_does_not_know_the_place_gets_nothing(client: TestClient, tried: Try, address: str) -> None:
    other = f"{tried.place[:-1]}{'0' if tried.place[-1] != '0' else '1'}"
    asked = address.format(place=tried.place, other=other, sha=tried.sha, id=tried.id)
    answer = client.get(f"/rr/tries/{asked}")
    assert answer.status_code == 404


def test_a_film_that_was_forgotten_is_gone_from_its_address(client: TestClient, house: House, tried: Try) -> None:
    trying.forget(house, tried.place, "ana")
    answer = client.get(f"/rr/tries/{tried.place}/film/{tried.sha}")
    assert answer.status_code == 404
    assert "was forgotten" in answer.json()["error"]
