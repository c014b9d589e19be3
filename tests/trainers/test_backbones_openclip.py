"""Models of open_clip: whole, as a baseline; and BiomedCLIP's towers, as encoders of the bottleneck."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from core.recipes import RetrievalRecipe, preset
from tests.trainers.hub import COMMIT, a_hub
from tests.trainers.tiny_openclip import DIMENSION, MIDDLE, REACH, describe, save_tiny_biomedclip, save_tiny_clip
from trainers.backbones import (
    EmptyText,
    OpenClip,
    UnexpectedWeights,
    VitB16,
    WeightsNotFound,
    build_image_encoder,
    build_token_encoder,
)
from trainers.backbones.openclip import BIOMEDCLIP_NAME
from trainers.checkpoints import PickledModel
from trainers.folders import WEIGHTS
from trainers.retrieval.eyes import PatchEye
from trainers.retrieval.model import start_network, text_of

TEXTS = ["chest pain", "coughing, chest pain. heart"]
IDS = [[2, 7, 8, 3], [2, 9, 10, 11, 7, 8, 12, 5, 3]]
BY_CHANNEL = (1, 3, 1, 1)


def films(side: int, count: int = 2) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    return list(np.random.default_rng(0).integers(0, 256, (count, side, side), np.uint8))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """ViT-B/16 with narrower blocks, as the small model has them."""
    monkeypatch.setattr("trainers.backbones.vit.SHAPE", {"embed_dim": 192, "depth": 12, "num_heads": 3})


@pytest.mark.parametrize("with_shape", [True, False], ids=["its shape beside it", "its shape by its weights"])
def test_a_whole_model_answers_as_open_clip_has_it_answer(tmp_path: Path, with_shape: bool) -> None:
    theirs = save_tiny_biomedclip(tmp_path, with_shape)
    model, squares = OpenClip(tmp_path), films(224)
    grey = torch.from_numpy(np.stack(squares))[:, None].expand(-1, 3, -1, -1) / 255
    ready = (grey - torch.tensor(MIDDLE).view(BY_CHANNEL)) / torch.tensor(REACH).view(BY_CHANNEL)
    ids = torch.tensor([row + [0] * (12 - len(row)) for row in IDS])
    with torch.inference_mode():
        seen = functional.normalize(theirs.encode_image(ready), dim=-1)
        read = functional.normalize(theirs.encode_text(ids), dim=-1)
    np.testing.assert_allclose(model.films(squares), seen, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(model.texts(TEXTS), read, rtol=1e-3, atol=1e-4)
    assert (model.side, model.dimension) == (224, DIMENSION)
    assert f"local folder {tmp_path}, open_clip_pytorch_model.bin" in str(model.origin)


def test_the_classic_kind_answers_too(tmp_path: Path) -> None:
    save_tiny_clip(tmp_path)
    model = OpenClip(tmp_path)
    told = (model.films(films(32)), model.texts(["a film of the chest", "an enlarged heart"]))
    for rows in told:
        assert rows.shape == (2, DIMENSION)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)
        assert not np.allclose(rows[0], rows[1])
    with pytest.raises(EmptyText):
        model.texts(["heart", " ."])


def test_a_folder_without_a_model_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFound, match=r"open_clip_config\.json"):
        OpenClip(tmp_path)
    describe(tmp_path, {"hf_model_name": "some/where"}, {"image_size": 32})
    with pytest.raises(UnexpectedWeights, match=r"no weights beside"):
        OpenClip(tmp_path)


@pytest.mark.parametrize(
    "told",
    ["{", "[]", '{"model_cfg": {"text_cfg": 3}}', '{"model_cfg": {"text_cfg": {}, "vision_cfg": {"layers": 0}}}'],
)
def test_a_configuration_of_something_else_is_refused(tmp_path: Path, told: str) -> None:
    save_tiny_clip(tmp_path)
    (tmp_path / "open_clip_config.json").write_text(told)
    with pytest.raises(UnexpectedWeights, match=r"describes no model of open_clip"):
        OpenClip(tmp_path)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    save_tiny_clip(tmp_path)
    path = tmp_path / "open_clip_pytorch_model.bin"
    state = torch.load(path, weights_only=True)
    torch.save({name: value for name, value in state.items() if "ln_final" not in name}, path)
    with pytest.raises(UnexpectedWeights, match=r"does not fit its open_clip_config\.json.*ln_final"):
        OpenClip(tmp_path)


def test_a_pickle_that_could_run_code_is_not_opened(tmp_path: Path) -> None:
    save_tiny_clip(tmp_path)
    (tmp_path / "open_clip_pytorch_model.bin").write_bytes(pickle.dumps(Path("anything")))
    with pytest.raises(PickledModel):
        OpenClip(tmp_path)


def test_biomedclips_towers_are_found_in_a_folder_of_its_name(tmp_path: Path, small: None) -> None:
    theirs = save_tiny_biomedclip(tmp_path / BIOMEDCLIP_NAME)
    encoder = build_image_encoder("biomedclip", "local", [tmp_path])
    assert isinstance(encoder, VitB16)
    film = torch.rand(1, 1, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = theirs.visual.trunk.forward_features(film.expand(-1, 3, -1, -1))[:, 1:]
        torch.testing.assert_close(encoder.eval()(film)[0].flatten(2).transpose(1, 2), expected, rtol=1e-3, atol=1e-3)
    reader = build_token_encoder("biomedclip", 0, 12, [tmp_path])
    for read, ids in zip(reader.read(TEXTS), IDS, strict=True):
        with torch.inference_mode():
            states = theirs.text.transformer(input_ids=torch.tensor([ids])).last_hidden_state
        torch.testing.assert_close(read.states[None], states, rtol=1e-3, atol=1e-4)


def test_biomedclip_comes_from_the_hub_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: None
) -> None:
    save_tiny_biomedclip(tmp_path / "made")
    with a_hub(monkeypatch, tmp_path / "cache") as hub:
        hub.hold(tmp_path / "made")
        reader = build_token_encoder("biomedclip", 0, 12, [tmp_path / "empty"])
    assert f"microsoft/{BIOMEDCLIP_NAME} on the Hugging Face hub {COMMIT}, licence mit" in str(reader.origin)


def test_biomedclip_that_is_nowhere_names_every_place(tmp_path: Path) -> None:
    for build in (lambda: build_image_encoder("biomedclip", "local", [tmp_path]),
                  lambda: build_token_encoder("biomedclip", 0, 12, [tmp_path])):  # fmt: skip
        with pytest.raises(WeightsNotFound, match=rf"{BIOMEDCLIP_NAME}/open_clip_config\.json.*HF_HUB_OFFLINE=0"):
            build()


def biomedclip_recipe(**changes: Any) -> RetrievalRecipe:
    recipe = preset("retrieval", "biomedclip")
    assert isinstance(recipe, RetrievalRecipe)
    return replace(recipe, text_tokens=12, variant="E", **changes)


def test_the_bottleneck_is_made_of_biomedclips_own_last_layers(tmp_path: Path, small: None) -> None:
    theirs = save_tiny_biomedclip(tmp_path)
    recipe = biomedclip_recipe(patch_layers=4, salient_after=1)
    network, origins = start_network(recipe, text_of(recipe, [tmp_path]), None, [tmp_path])
    eye, trunk = network.eye.eval(), theirs.visual.trunk
    assert isinstance(eye, PatchEye) and eye.embed is None
    assert [len(network.encoder.body.blocks), len(eye.before), len(eye.after)] == [8, 1, 3]
    torch.testing.assert_close(eye.after[2].mlp.fc2.weight, trunk.blocks[11].mlp.fc2.weight)
    torch.testing.assert_close(eye.norm.weight, trunk.norm.weight)
    film = torch.rand(2, 1, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        glimpse = network.look(network.eval().encode(film))
    assert glimpse.patches is not None and glimpse.patches.shape == (2, 98, 192), "half of 196 come through"
    assert all("local folder" in str(origin) for origin in origins)


def test_going_on_from_a_whole_transformer_fills_the_layers_that_the_eye_took(tmp_path: Path, small: None) -> None:
    """Such as a classifier's, whose encoder still has all its layers."""
    save_tiny_biomedclip(tmp_path)
    torch.manual_seed(9)
    whole = VitB16("random")
    start = tmp_path / "classification-v1"
    start.mkdir()
    state = {f"encoder.{name}": value.contiguous() for name, value in whole.state_dict().items()}
    save_file(state, start / WEIGHTS)
    recipe = biomedclip_recipe(patch_layers=4, start_from="classification-v1")
    network, _ = start_network(recipe, text_of(recipe, [tmp_path]), start, [tmp_path])
    eye = network.eye
    assert isinstance(eye, PatchEye)
    torch.testing.assert_close(eye.before[0].attn.qkv.weight, whole.body.blocks[8].attn.qkv.weight)
    torch.testing.assert_close(eye.after[2].mlp.fc1.weight, whole.body.blocks[11].mlp.fc1.weight)
    torch.testing.assert_close(eye.norm.bias, whole.body.norm.bias)


def test_an_encoder_cannot_give_all_its_layers(tmp_path: Path, small: None) -> None:
    save_tiny_biomedclip(tmp_path)
    recipe = biomedclip_recipe(patch_layers=12)
    with pytest.raises(UnexpectedWeights, match="has 12 layers, so it cannot give 12"):
        start_network(recipe, text_of(recipe, [tmp_path]), None, [tmp_path])
