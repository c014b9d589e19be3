"""The hub, played by a server on this machine that speaks as much of its protocol as a download needs."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants

from trainers.backbones.places import NotFromHub, Repository, hub_file, hub_origin

REPOSITORY = Repository("somebody/a-model", licence="mit")
COMMIT = "c" * 40


@dataclass
class Hub:
    """`files` by name; `asked` is every request so far; `broken` makes it answer that it is out of order."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    broken: bool = False


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    hub = Hub()

    class Answers(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            name = self.path.rpartition("/")[2]
            hub.asked.append(f"{self.command} {name}")
            body = b"" if hub.broken else hub.files.get(name, b"")
            self.send_response(503 if hub.broken else 200 if body else 404)
            if not body and not hub.broken:
                self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{name}-etag"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_GET = do_HEAD

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield hub
    server.shutdown()
    server.server_close()


def test_a_file_is_fetched_once_and_then_lies_in_the_cache(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.files["model.safetensors"] = b"weights"
    path = hub_file(REPOSITORY, "model.safetensors")
    assert path.read_bytes() == b"weights"
    assert str(hub_origin("image encoder", REPOSITORY, path)).startswith(
        f"image encoder: somebody/a-model on the Hugging Face hub {COMMIT}, licence mit, sha256 "
    )
    asked = list(hub.asked)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert hub_file(REPOSITORY, "model.safetensors") == path
    assert hub.asked == asked


def test_the_next_name_is_tried_where_the_hub_lacks_the_first(hub: Hub) -> None:
    hub.files["pytorch_model.bin"] = b"older"
    assert hub_file(REPOSITORY, "model.safetensors", "pytorch_model.bin").read_bytes() == b"older"
    with pytest.raises(NotFromHub, match="has no such file"):
        hub_file(REPOSITORY, "model.safetensors")


def test_a_hub_out_of_order_is_asked_once_and_not_again(hub: Hub) -> None:
    hub.broken = True
    with pytest.raises(NotFromHub, match=r"somebody/a-model.*did not give it \(Server error .503"):
        hub_file(REPOSITORY, "model.safetensors", "pytorch_model.bin")
    assert hub.asked == ["HEAD model.safetensors"]


def test_offline_the_hub_is_not_asked_at_all(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(NotFromHub, match="HF_HUB_OFFLINE is set"):
        hub_file(REPOSITORY, "model.safetensors")
    assert hub.asked == []
