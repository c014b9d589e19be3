from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.trainers.hub import COMMIT, a_hub
from trainers.backbones import UnexpectedWeights, VitB16, WeightsNotFound, build_image_encoder
from trainers.backbones.vit import VIT_B16

TINY = {"embed_dim": 24, "depth": 4, "num_heads": 2}
FILMS = torch.rand(2, 1, 224, 224, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same class with fewer and narrower blocks."""
    monkeypatch.setattr("trainers.backbones.vit.SHAPE", TINY)


def original() -> nn.Module:
    torch.manual_seed(3)
    network = timm.create_model("vit_base_patch16_224", pretrained=False, **TINY)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2)
    return network.eval()


def built(*places: Path) -> VitB16:
    encoder = build_image_encoder("vit_b16", "local", places)
    assert isinstance(encoder, VitB16)
    return encoder.eval()


def test_local_weights_give_what_timms_own_network_gives_on_grey_rgb(tmp_path: Path) -> None:
    network = original()
    save_file(network.state_dict(), tmp_path / "vit_b16.safetensors")
    encoder = built(tmp_path / "empty", tmp_path)
    with torch.inference_mode():
        (patches,) = encoder(FILMS)
        expected = network.forward_features(FILMS.expand(-1, 3, -1, -1))[:, 1:]  # type: ignore[operator]
    assert patches.shape == (2, 24, 14, 14)
    torch.testing.assert_close(patches.flatten(2).transpose(1, 2), expected, rtol=1e-3, atol=1e-4)
    assert encoder.channels == (24,)
    assert str(encoder.origin).startswith(f"image encoder: local folder {tmp_path}, vit_b16.safetensors")


def test_weights_come_from_the_hub_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_file(original().state_dict(), tmp_path / "model.safetensors")
    with a_hub(monkeypatch, tmp_path / "cache") as hub:
        hub.files["model.safetensors"] = (tmp_path / "model.safetensors").read_bytes()
        encoder = built(tmp_path / "empty")
    assert f"{VIT_B16.repository.name} on the Hugging Face hub {COMMIT}, licence apache-2.0" in str(encoder.origin)
    assert encoder.body.blocks[3].mlp.fc2.weight.std() > 0.1


def test_the_repository_is_the_one_that_timm_names() -> None:
    named = timm.get_pretrained_cfg("vit_base_patch16_224")
    assert named is not None
    assert (VIT_B16.repository.name, VIT_B16.repository.licence) == (named.hf_hub_id, named.license)


def test_weights_that_are_nowhere_or_of_another_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFound, match=r"vit_b16/model\.safetensors"):
        build_image_encoder("vit_b16", "local", [tmp_path])
    with pytest.raises(UnexpectedWeights, match="No package"):
        build_image_encoder("vit_b16", "package")
    state = original().state_dict()
    save_file({**state, "pos_embed": torch.zeros(1, 50, 24)}, tmp_path / "vit_b16.safetensors")
    with pytest.raises(UnexpectedWeights, match=r'"pos_embed" has the shape \(1, 50, 24\)'):
        build_image_encoder("vit_b16", "local", [tmp_path])


def test_other_sizes_are_read_too() -> None:
    (patches,) = build_image_encoder("vit_b16", "random")(torch.rand(1, 1, 256, 320))
    assert patches.shape == (1, 24, 16, 20)


def test_freezing_all_stages_freezes_everything_and_fewer_freeze_less() -> None:
    learning = []
    for count in range(6):
        encoder = build_image_encoder("vit_b16", "random")
        for stage in encoder.stages_up_to(count):
            stage.requires_grad_(False)
        learning.append(sum(parameter.numel() for parameter in encoder.parameters() if parameter.requires_grad))
    assert learning == sorted(learning, reverse=True)
    assert len(set(learning)) == 6 and learning[-1] == 0
    frozen_places = build_image_encoder("vit_b16", "random")
    for stage in frozen_places.stages_up_to(1):
        stage.requires_grad_(False)
    assert isinstance(frozen_places, VitB16)
    assert not frozen_places.body.pos_embed.requires_grad and not frozen_places.body.cls_token.requires_grad


def test_the_rollout_mixes_patches_by_what_they_attend_to() -> None:
    encoder = build_image_encoder("vit_b16", "random")
    assert isinstance(encoder, VitB16)
    mixed = encoder.eval().rollout(FILMS)
    assert mixed.shape == (2, 196, 196)
    assert (mixed >= 0).all()
    assert (mixed.sum(dim=-1) <= 1 + 1e-5).all(), "what is lacking went through the mark of the whole film"


def test_without_attention_each_patch_is_only_in_itself() -> None:
    encoder = build_image_encoder("vit_b16", "random")
    assert isinstance(encoder, VitB16)
    # All the attention goes to the mark of the whole film, so patches get nothing of each other.
    for block in encoder.body.blocks:
        block.norm1 = Marked()
        block.attn.qkv.weight.data.zero_()
        block.attn.qkv.bias.data.zero_()
        for head in range(2):
            block.attn.qkv.bias.data[head * 12] = 100.0
            block.attn.qkv.weight.data[24 + head * 12, 0] = 100.0
    mixed = encoder.rollout(FILMS[:1])[0]
    torch.testing.assert_close(mixed, torch.eye(196) * 0.5**4, rtol=1e-3, atol=1e-6)


class Marked(nn.Module):
    """Tokens that say only whether they are the first."""

    def forward(self, x: Tensor) -> Tensor:
        marks = torch.zeros_like(x)
        marks[:, 0, 0] = 1
        return marks
