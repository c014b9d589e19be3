"""Tokens, addresses and origins: a website open in another tab gets nowhere."""

import stat
import threading
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.security import BadToken, Bearer, Gatekeeper, allowed_hosts, issue_token, read_token, workspace_secret
from core.workspace import Workspace

PORT = 8501


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> TestClient:
    async def answer(request: Request) -> Response:
        return PlainTextResponse("in")

    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    pages = [Route("/", answer), Route("/rr/thing", answer, methods=["GET", "POST"]), WebSocketRoute("/stream", talk)]
    monkeypatch.setenv("READING_ROOM_ALLOWED_HOSTS", "reading.hospital.org, 10.0.0.7:8501")
    app = Starlette(routes=pages, middleware=[Middleware(Gatekeeper, further=allowed_hosts())])
    return TestClient(app, base_url=f"http://localhost:{PORT}")


@pytest.mark.parametrize(
    "host", ["localhost:8501", "127.0.0.1:8501", "[::1]:8501", "LocalHost:8501", "reading.hospital.org"]
)
def test_our_own_addresses_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example:8501", "localhost", "localhost:80", "127.0.0.1.evil.example:8501", "", "10.0.0.7"]
)
@pytest.mark.parametrize("path", ["/", "/rr/thing"])
def test_a_name_that_was_bound_to_this_machine_by_others_is_refused(client: TestClient, path: str, host: str) -> None:
    refused = client.get(path, headers={"Host": host})
    assert refused.status_code == 403
    assert "READING_ROOM_ALLOWED_HOSTS" in refused.json()["error"]


@pytest.mark.parametrize("origin", ["http://localhost:8501", "http://127.0.0.1:8501", "https://reading.hospital.org"])
def test_a_page_of_ours_may_post(client: TestClient, origin: str) -> None:
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    assert client.post("/rr/thing", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8501@evil.example"},
        {"Origin": "http://localhost:8501", "Sec-Fetch-Site": "cross-site"},
        {},
    ],
    ids=["another site", "another port", "a sandboxed page", "a trick", "the browser says so", "unnamed"],
)
def test_a_page_of_another_site_may_not_post(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/rr/thing", headers=headers).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_site_may_not_even_look(client: TestClient, site: str) -> None:
    assert client.get("/rr/thing", headers={"Sec-Fetch-Site": site}).status_code == 403
    assert client.get("/rr/thing", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert client.get("/rr/thing", headers={"Sec-Fetch-Site": "none"}).status_code == 200


def test_a_link_from_another_site_opens_the_page(client: TestClient) -> None:
    assert client.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_a_websocket_from_another_site_is_refused(client: TestClient) -> None:
    with client.websocket_connect(
        f"ws://localhost:{PORT}/stream", headers={"Host": "localhost:8501", "Origin": "http://localhost:8501"}
    ):
        pass
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example:8501"}):
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect(f"ws://localhost:{PORT}/stream", headers={"Host": "localhost:8501"} | headers),
        ):
            pass


def test_a_token_names_its_reader_and_session(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    assert read_token(place, issue_token(place, "Dr. Añez", "s-1")) == Bearer("Dr. Añez", "s-1")


def test_a_token_whose_reader_was_changed_is_refused(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    ana, ben = issue_token(place, "ana", "s"), issue_token(place, "ben", "s")
    forged = ".".join([ben.split(".")[0], *ana.split(".")[1:]])
    with pytest.raises(BadToken):
        read_token(place, forged)


def test_the_secret_is_its_owners_alone_and_stays(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    first = workspace_secret(place)
    assert len(first) == 32
    assert stat.S_IMODE(place.secret.stat().st_mode) == 0o600
    assert workspace_secret(place) == first
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_processes_that_start_together_agree_on_the_secret(tmp_path: Path) -> None:
    place, seen, gate = Workspace(tmp_path), [], threading.Barrier(8)

    def look() -> None:
        gate.wait()
        seen.append(workspace_secret(place))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 1
