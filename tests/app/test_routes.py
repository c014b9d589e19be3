"""The routes beside the pages: what the editor is given, what it may send, and who may ask."""

import errno
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from httpx import Response
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app.house import House
from app.routes import routes
from app.routes.cache import DiskCache
from app.security import Gatekeeper, issue_token
from app.services import reviewing
from core.masks import from_wire, to_wire
from data.images import read_mask
from db.engine import DatabaseBusy
from tests.making import HEIGHT, WIDTH, block, film, image, put, read_study, study

OURS = {"Origin": "http://localhost:8501"}


@pytest.fixture
def client(house: House) -> TestClient:
    app = Starlette(routes=routes(house), middleware=[Middleware(Gatekeeper)])
    return TestClient(app, base_url="http://localhost:8501", raise_server_exceptions=False)


def post(
    client: TestClient,
    house: House,
    body: bytes,
    reader: str = "ana",
    query: str = "",
    finding: str = "heart",
    number: int = 1,
) -> Response:
    token = issue_token(house.workspace, reader, "session-1")
    return client.post(
        f"/rr/drafts/{number}/{finding}?{query}", content=body, headers=OURS | {"X-Reading-Room-Token": token}
    )


def test_pixels_arrive_as_stored(client: TestClient, house: House) -> None:
    put(house, "d", study("a", [image(seed=3)]), study("b", [image(seed=4, bits=12)]))
    eight, twelve = (read_study(house, number).images[0].sha for number in (1, 2))
    shown = client.get(f"/rr/pixels/{eight}")
    assert shown.content == film(3).tobytes()
    assert (shown.headers["X-Width"], shown.headers["X-Height"]) == (str(WIDTH), str(HEIGHT))
    assert shown.headers["X-Bits-Stored"] == "8"
    deep = client.get(f"/rr/pixels/{twelve}")
    values = np.frombuffer(deep.content, "<u2").reshape(HEIGHT, WIDTH)
    np.testing.assert_array_equal(values, film(4, bits=12))
    assert (deep.headers["X-Bits-Stored"], deep.headers["X-Max"]) == ("12", str(values.max()))
    assert "immutable" in deep.headers["Cache-Control"]


def test_pixels_come_from_the_cache_the_second_time(client: TestClient, house: House) -> None:
    put(house, "d", study("a", [image(seed=3)]))
    sha = read_study(house).images[0].sha
    first = client.get(f"/rr/pixels/{sha}")
    path = house.store.path(sha)
    assert path is not None
    path.unlink()
    assert client.get(f"/rr/pixels/{sha}").content == first.content


@pytest.mark.parametrize("kind", ["preview", "card", "thumbnail"])
def test_a_film_of_few_bits_in_deep_pixels_is_shown_bright(client: TestClient, house: House, kind: str) -> None:
    put(house, "d", study("a", [image(seed=4, bits=12)]))
    shown = client.get(f"/rr/{kind}/{read_study(house).images[0].sha}")
    assert shown.headers["Content-Type"] == "image/jpeg"
    assert shown.content.startswith(b"\xff\xd8\xff")
    assert decoded(shown.content).max() > 200


def test_a_thumbnail_is_96_pixels_high(client: TestClient, house: House) -> None:
    wide = np.tile(np.arange(200, dtype=np.uint8), (120, 2))
    put(house, "d", study("a", [image(pixels=wide)]))
    assert decoded(client.get(f"/rr/thumbnail/{read_study(house).images[0].sha}").content).shape[0] == 96


def test_masks_arrive_as_run_lengths_of_their_films_size(client: TestClient, house: House) -> None:
    put(house, "d", study("a", [image(masks={"heart": block()})]))
    with house.database.reading() as session:
        sha = reviewing.masks.current(session, 1)["heart"].sha
    good = client.get(f"/rr/masks/{sha}?w={WIDTH}&h={HEIGHT}")
    np.testing.assert_array_equal(from_wire(good.content, HEIGHT, WIDTH), block())
    assert client.get(f"/rr/masks/{sha}?w=7&h=9").status_code == 400
    assert client.get(f"/rr/masks/{sha}?w=x").status_code == 400


def test_a_map_of_where_a_model_looked_is_shown_and_kept_for_ever(client: TestClient, house: House) -> None:
    heat = grey_png(film(7, 20, 16))
    shown = client.get(f"/rr/maps/{house.store.put(heat)}")
    np.testing.assert_array_equal(decoded(shown.content), film(7, 20, 16))
    assert shown.headers["Content-Type"] == "image/png"
    assert "immutable" in shown.headers["Cache-Control"]


@pytest.mark.parametrize(
    "body",
    [b'{"studies": ["a patient"]}', b"\x89PNG\r\n\x1a\n torn", b"\xff\xd8\xff\xe0 a photograph"],
    ids=["a snapshot", "a torn picture", "another kind of picture"],
)
def test_nothing_but_a_whole_picture_is_shown_as_a_map(client: TestClient, house: House, body: bytes) -> None:
    refused = client.get(f"/rr/maps/{house.store.put(body)}")
    assert refused.status_code == 415
    assert "patient" not in refused.text


@pytest.mark.parametrize("kind", ["pixels", "preview", "card", "thumbnail", "masks", "maps"])
@pytest.mark.parametrize("sha", ["0" * 64, "nonsense", "..", "%2e%2e%2fsecret"])
def test_what_is_not_in_the_store_is_not_found(client: TestClient, kind: str, sha: str) -> None:
    assert client.get(f"/rr/{kind}/{sha}").status_code == 404


def test_a_snapshot_in_the_store_is_not_shown_as_a_film(client: TestClient, house: House) -> None:
    sha = house.store.put(b'{"studies": ["a patient"]}')
    refused = client.get(f"/rr/pixels/{sha}")
    assert refused.status_code == 415
    assert "patient" not in refused.text


def test_a_stroke_is_on_disk_and_on_record_when_it_is_acknowledged(client: TestClient, house: House) -> None:
    put(house, "d", study("a"))
    told = post(client, house, to_wire(block())).json()
    assert (told["area"], told["branch"], told["conflict"]) == (64, 1, None)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(told["saved_at"])).total_seconds()) < 60
    opened = reviewing.open_study(house, "ana", 1)
    draft = opened.draft(1, "heart")
    assert draft is not None
    assert draft.id == told["draft"]
    np.testing.assert_array_equal(read_mask(house.store.get(draft.sha)), block())


def test_a_stroke_goes_on_from_the_stroke_before(client: TestClient, house: House) -> None:
    put(house, "d", study("a"))
    first = post(client, house, to_wire(block())).json()["draft"]
    second = post(client, house, to_wire(block(10)), query=f"parent={first}&base=&suggestion=").json()
    assert (second["branch"], second["conflict"]) == (1, None)


def test_a_second_tab_is_told_and_both_drawings_are_kept(client: TestClient, house: House) -> None:
    put(house, "d", study("a"))
    first = post(client, house, to_wire(block())).json()["draft"]
    post(client, house, to_wire(block(10)), query=f"parent={first}")
    other = post(client, house, to_wire(block(20)), query=f"parent={first}").json()
    assert "another tab" in other["conflict"]
    assert len(reviewing.open_study(house, "ana", 1).drafts) == 2


@pytest.mark.parametrize(
    "body",
    [b"", b"\x01", b"\x05\0\0\0" * 3, to_wire(block(height=HEIGHT - 1)), b"\xff" * 8],
    ids=["empty", "cut off", "too few", "of another size", "far too many"],
)
def test_a_malformed_drawing_is_refused_and_nothing_is_kept(client: TestClient, house: House, body: bytes) -> None:
    put(house, "d", study("a"))
    refused = post(client, house, body)
    assert refused.status_code == 400
    assert refused.json()["error"].endswith((".", "sent again."))
    assert reviewing.open_study(house, "ana", 1).drafts == ()


def test_a_body_larger_than_any_mask_of_the_film_is_refused(client: TestClient, house: House) -> None:
    put(house, "d", study("a"))
    assert post(client, house, b"\0" * (4 * (HEIGHT * WIDTH + 2))).status_code == 413


@pytest.mark.parametrize("query", ["parent=x", "base=-1", "suggestion=1e3", "parent=" + "9" * 30])
def test_numbers_that_are_none_are_refused(client: TestClient, house: House, query: str) -> None:
    put(house, "d", study("a"))
    assert post(client, house, to_wire(block()), query=query).status_code == 400


def test_what_is_not_on_record_is_not_found(client: TestClient, house: House) -> None:
    put(house, "d", study("a"))
    assert post(client, house, to_wire(block()), number=99).status_code == 404
    assert post(client, house, to_wire(block()), finding="unheard_of").status_code == 404
    assert post(client, house, to_wire(block()), query="parent=99").status_code == 404
    assert client.post("/rr/drafts/99999999999999999999/heart", headers=OURS).status_code in (400, 403)


def test_another_readers_token_cannot_go_on_with_a_drawing(client: TestClient, house: House) -> None:
    put(house, "d", study("a"))
    anas = post(client, house, to_wire(block())).json()["draft"]
    refused = post(client, house, to_wire(block(10)), reader="ben", query=f"parent={anas}")
    assert refused.status_code == 403
    assert "another reader" in refused.json()["error"]
    assert len(reviewing.open_study(house, "ana", 1).drafts) == 1


@pytest.mark.parametrize("token", ["", "nonsense", "W10.abc.def"])
def test_a_drawing_without_a_token_of_ours_is_refused(client: TestClient, house: House, token: str) -> None:
    put(house, "d", study("a"))
    refused = client.post(
        "/rr/drafts/1/heart", content=to_wire(block()), headers=OURS | {"X-Reading-Room-Token": token}
    )
    assert refused.status_code == 403
    assert "Reload" in refused.json()["error"]


def test_a_token_of_another_workspace_is_refused(client: TestClient, house: House, tmp_path: Path) -> None:
    put(house, "d", study("a"))
    from core.workspace import Workspace

    foreign = issue_token(Workspace(tmp_path / "elsewhere"), "ana", "session-1")
    headers = OURS | {"X-Reading-Room-Token": foreign}
    assert client.post("/rr/drafts/1/heart", content=to_wire(block()), headers=headers).status_code == 403


def test_a_token_ends_after_its_hours(client: TestClient, house: House) -> None:
    put(house, "d", study("a"))
    with patch("app.security.TOKEN_HOURS", -1):
        refused = post(client, house, to_wire(block()))
    assert refused.status_code == 403
    assert "Reload" in refused.json()["error"]


def test_a_full_disk_is_told_and_nothing_is_kept(client: TestClient, house: House) -> None:
    put(house, "d", study("a"))
    with patch("data.store.os.write", side_effect=OSError(errno.ENOSPC, "No space left on device")):
        refused = post(client, house, to_wire(block()))
    assert refused.status_code == 507
    assert "full" in refused.json()["error"]
    assert reviewing.open_study(house, "ana", 1).drafts == ()
    assert post(client, house, to_wire(block())).status_code == 200


def test_a_full_disk_under_the_database_is_told(client: TestClient, house: House) -> None:
    put(house, "d", study("a"))
    full = OperationalError("INSERT", {}, Exception("database or disk is full"))
    with patch("app.services.reviewing.drafts.save_draft", side_effect=full):
        assert post(client, house, to_wire(block())).status_code == 507


def test_a_busy_database_is_told(client: TestClient, house: House) -> None:
    put(house, "d", study("a"))
    with patch("app.services.reviewing.drafts.save_draft", side_effect=DatabaseBusy):
        assert post(client, house, to_wire(block())).status_code == 503


def test_a_full_disk_does_not_keep_a_film_from_being_shown(client: TestClient, house: House) -> None:
    put(house, "d", study("a"))
    with patch("app.routes.cache.Path.write_bytes", side_effect=OSError(errno.ENOSPC, "No space left on device")):
        assert client.get(f"/rr/pixels/{read_study(house).images[0].sha}").status_code == 200


def test_the_cache_forgets_what_was_unused_longest(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache", limit=1000)
    for number in range(40):
        cache.get_or_make(f"n{number}", lambda: bytes(100))
        cache.get_or_make("n0", lambda: bytes(100))
    kept = {place.name for place in (tmp_path / "cache").iterdir()}
    assert len(kept) <= 12
    assert {"n0", "n39"} <= kept


def grey_png(pixels: np.ndarray) -> bytes:
    import io

    import PIL.Image

    body = io.BytesIO()
    PIL.Image.fromarray(pixels).save(body, "PNG")
    return body.getvalue()


def decoded(payload: bytes) -> np.ndarray:
    import io

    import PIL.Image

    with PIL.Image.open(io.BytesIO(payload)) as opened:
        return np.asarray(opened)
