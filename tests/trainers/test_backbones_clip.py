import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, CLIPModel, CLIPTextModelWithProjection, CLIPTokenizer

from tests.trainers.tiny_clip import END, save_tiny_clip, vocabulary_of
from trainers.backbones import ClipText, EmptyText, UnexpectedWeights, WeightsNotFound, build_text_encoder
from trainers.backbones.clip import check_clip_vocabulary
from trainers.checkpoints import PickledModel, sha256_of

TEXTS = ["left lung", "heart", "Cardiac silhouette, enlarged?"]


@pytest.mark.parametrize("tokenizer_file", [True, False], ids=["tokenizer.json", "vocab.json and merges.txt"])
@pytest.mark.parametrize("inside", ["clip-vit-base-patch32", "."])
def test_a_local_clip_reads_as_transformers_own_does(tmp_path: Path, tokenizer_file: bool, inside: str) -> None:
    folder = tmp_path / inside
    save_tiny_clip(folder, tokenizer_file=tokenizer_file)
    encoder = build_text_encoder("clip", [tmp_path / "empty", tmp_path])
    model = CLIPTextModelWithProjection.from_pretrained(folder).eval()
    tokens = CLIPTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")
    with torch.inference_mode():
        expected = torch.nn.functional.normalize(model(**tokens).text_embeds, dim=-1)
    found = encoder.encode(TEXTS)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert (encoder.dimension, found.dtype) == (12, torch.float32)
    assert torch.allclose(found.norm(dim=-1), torch.ones(3), atol=1e-5)
    assert encoder.origin.sha256 == sha256_of(folder / "model.safetensors")
    assert encoder.origin.source == f"local folder {folder}, model.safetensors"


def test_the_text_tower_is_read_out_of_a_whole_clip_in_half_precision(tmp_path: Path) -> None:
    config = save_tiny_clip(tmp_path)
    vision = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**config.to_dict(), "projection_dim": 512}
    whole = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)).half()
    whole.config.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    # Checkpoints of older versions hold the positions too.
    state = {**whole.state_dict(), "text_model.embeddings.position_ids": torch.arange(77)[None]}
    torch.save(state, tmp_path / "pytorch_model.bin")
    encoder = build_text_encoder("clip", [tmp_path])
    assert encoder.dimension == 8
    assert encoder.encode(TEXTS).dtype is torch.float32
    assert torch.allclose(encoder.encode(TEXTS).norm(dim=-1), torch.ones(3), atol=1e-5)


def test_a_text_is_read_the_same_alone_and_beside_longer_ones_and_is_cut_at_77_tokens(tmp_path: Path) -> None:
    save_tiny_clip(tmp_path)
    encoder = ClipText([tmp_path])
    alone = encoder.encode(["left lung"])
    beside = encoder.encode(["the left lung is clear and the heart is of normal size", "left lung"])
    torch.testing.assert_close(alone[0], beside[1], rtol=1e-4, atol=1e-5)
    long = encoder.encode(["heart " * 75, "heart " * 75 + "lung", "heart " * 74 + "lung"])
    assert torch.allclose(long[0], long[1], atol=1e-5)
    assert not torch.allclose(long[0], long[2], atol=1e-4)


def test_a_text_without_a_word_is_refused(tmp_path: Path) -> None:
    save_tiny_clip(tmp_path)
    with pytest.raises(EmptyText, match="empty"):
        ClipText([tmp_path]).encode(["heart", " ... "])


def test_a_clip_that_is_nowhere_names_every_place_and_what_to_do(tmp_path: Path) -> None:
    other = tmp_path / "bert"
    other.mkdir()
    (other / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(WeightsNotFound) as refused:
        build_text_encoder("clip", [other])
    for told in (str(other), "clip-vit-base-patch32/config.json", "openai/clip-vit-base-patch32", "HF_HUB_OFFLINE=0"):
        assert told in str(refused.value)


@pytest.mark.parametrize("lost", ["tokenizer.json", "model.safetensors"])
def test_a_clip_that_is_not_whole_says_what_it_needs(tmp_path: Path, lost: str) -> None:
    save_tiny_clip(tmp_path)
    (tmp_path / lost).unlink()
    with pytest.raises(UnexpectedWeights, match=r"no whole CLIP.*model\.safetensors.*tokenizer\.json"):
        ClipText([tmp_path])


def test_weights_without_the_projection_are_refused_by_its_name(tmp_path: Path) -> None:
    save_tiny_clip(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    del state["text_projection.weight"]
    save_file(state, tmp_path / "model.safetensors")
    with pytest.raises(UnexpectedWeights, match=r"text_projection\.weight"):
        ClipText([tmp_path])


def test_a_pickled_clip_is_refused(tmp_path: Path) -> None:
    config = save_tiny_clip(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(CLIPTextModelWithProjection(config), tmp_path / "pytorch_model.bin")
    with pytest.raises(PickledModel, match="state_dict"):
        ClipText([tmp_path])


def test_a_vocabulary_that_would_silently_end_texts_early_is_refused(tmp_path: Path) -> None:
    config = save_tiny_clip(tmp_path)
    vocabulary, merges = vocabulary_of()
    with pytest.raises(UnexpectedWeights, match=r"it has \d words, and the weights \d+"):
        check_clip_vocabulary(CLIPTokenizer(), config, tmp_path)
    # The letter a at a word's end is gone: "aorta" would be read as nothing but its beginning.
    without = {("?" if token == "a</w>" else token): number for token, number in vocabulary.items()}
    without["a and more"] = vocabulary["?"]
    with pytest.raises(UnexpectedWeights, match="letters are lacking, the first is a</w>"):
        check_clip_vocabulary(CLIPTokenizer(vocab=without, merges=merges), config, tmp_path)
    shifted = {token: (number + 1) % len(vocabulary) for token, number in vocabulary.items()}
    assert shifted[END] == 0
    with pytest.raises(UnexpectedWeights, match='"heart" is read as'):
        check_clip_vocabulary(CLIPTokenizer(vocab=shifted, merges=merges), config, tmp_path)
