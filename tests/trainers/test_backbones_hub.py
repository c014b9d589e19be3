from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from tests.trainers.hub import COMMIT, Hub, a_hub
from trainers.backbones.places import NotFromHub, Repository, hub_file, hub_origin

REPOSITORY = Repository("somebody/a-model", licence="mit")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    with a_hub(monkeypatch, tmp_path / "cache") as hub:
        yield hub


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
