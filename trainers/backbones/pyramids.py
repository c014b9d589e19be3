"""ResNets and MobileViT as feature pyramids, whose weights come from a local folder or the hub."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import timm
from segmentation_models_pytorch.encoders import encoders, get_encoder  # type: ignore[import-untyped]
from torch import Tensor, nn

from trainers.backbones.convolutions import keep_depthwise_in_float32, one_channel_stem
from trainers.backbones.origins import IMAGE_ENCODER, random_origin
from trainers.backbones.places import Repository
from trainers.backbones.published import Published, load_published


class ResNet(nn.Module):
    """ResNet-18 or -34 (He et al. 2016), the encoder of segmentation_models_pytorch, on one grey channel."""

    def __init__(self, name: str, weights: str, places: Sequence[Path] = ()) -> None:
        """Raises WeightsNotFound, UnexpectedWeights, PickledModel, NotWeights."""
        super().__init__()
        body: Any = get_encoder(name, weights=None)
        self.channels = tuple(int(c) for c in body.out_channels[1:])
        self.origin = random_origin(IMAGE_ENCODER)
        if weights == "local":
            self.origin = load_published(body, _published_resnet(name), places)
        body.conv1 = one_channel_stem(body.conv1)
        self.body: nn.Module = body

    def forward(self, images: Tensor) -> list[Tensor]:
        features: list[Tensor] = self.body(images)
        return features[1:]

    def stages_up_to(self, count: int) -> list[nn.Module]:
        body: Any = self.body
        stages = ([body.conv1, body.bn1], [body.layer1], [body.layer2], [body.layer3], [body.layer4])
        return [module for stage in stages[:count] for module in stage]


class MobileVitS(nn.Module):
    """MobileViT-S (Mehta & Rastegari 2022), timm's, on one grey channel."""

    def __init__(self, weights: str, places: Sequence[Path] = ()) -> None:
        """Raises WeightsNotFound, UnexpectedWeights, PickledModel, NotWeights."""
        super().__init__()
        body: Any = timm.create_model("mobilevit_s", features_only=True, pretrained=False)
        self.channels = tuple(int(c) for c in body.feature_info.channels())
        self.origin = load_published(body, MOBILEVIT_S, places) if weights == "local" else random_origin(IMAGE_ENCODER)
        body["stem"].conv = one_channel_stem(body["stem"].conv)
        keep_depthwise_in_float32(body)
        self.body: nn.Module = body

    def forward(self, images: Tensor) -> list[Tensor]:
        features: list[Tensor] = self.body(images)
        return features

    def stages_up_to(self, count: int) -> list[nn.Module]:
        stages = (["stem", "stages_0"], ["stages_1"], ["stages_2"], ["stages_3"], ["stages_4", "final_conv"])
        body: Any = self.body
        return [body[name] for stage in stages[:count] for name in stage]


class DenseNet121(nn.Module):
    """DenseNet-121 (Huang et al. 2017), as CheXNet has it (Rajpurkar et al. 2017), on one grey channel. Its fifth stage
    is what fine-tuned CheXNets leave open: the last ten convolutions, and the norm behind them."""

    def __init__(self, weights: str, places: Sequence[Path] = ()) -> None:
        """Raises WeightsNotFound, UnexpectedWeights, PickledModel, NotWeights."""
        super().__init__()
        body: Any = get_encoder("densenet121", weights=None)
        self.channels = tuple(int(c) for c in body.out_channels[1:])
        self.origin = load_published(body, DENSENET121, places) if weights == "local" else random_origin(IMAGE_ENCODER)
        body.features.conv0 = one_channel_stem(body.features.conv0)
        self.body: nn.Module = body

    def forward(self, images: Tensor) -> list[Tensor]:
        features: list[Tensor] = self.body(images)
        return features[1:]

    def stages_up_to(self, count: int) -> list[nn.Module]:
        parts: Any = self.body.features
        last = list(parts.denseblock4.children())
        stages = (
            [parts.conv0, parts.norm0],
            [parts.denseblock1, parts.transition1],
            [parts.denseblock2, parts.transition2],
            [parts.denseblock3, parts.transition3, *last[:-5]],
            [*last[-5:], parts.norm5],
        )
        return [module for stage in stages[:count] for module in stage]


def _with_torchvisions_names(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """CheXNet's files are from before torchvision named "norm1" what had been "norm.1", and call the network by its
    name; torchxrayvision's see one channel already."""
    named = {
        re.sub(r"\.(norm|relu|conv)\.(\d)\.", r".\1\2.", re.sub(r"(^|\.)densenet121\.", r"\1", name)): value
        for name, value in state.items()
    }
    return {
        name: value.repeat(1, 3, 1, 1) / 3 if name.endswith("features.conv0.weight") and value.shape[1] == 1 else value
        for name, value in named.items()
    }


def _with_flat_stages(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """timm's classifier numbers its stages "stages.0", its feature pyramid "stages_0"."""
    return {re.sub(r"(^|\.)stages\.(\d)\.", r"\1stages_\2.", name): value for name, value in state.items()}


def _published_resnet(name: str) -> Published:
    known = encoders[name]["pretrained_settings"]["imagenet"]
    return Published(name, Repository(known["repo_id"], known["revision"]), stem="conv1.weight", head=("fc.",))


MOBILEVIT_S = Published(
    name="mobilevit_s",
    repository=Repository("timm/mobilevit_s.cvnets_in1k", licence="cvnets-license"),
    stem="stem.conv.weight",
    head=("head.",),
    renamed=_with_flat_stages,
)

DENSENET121 = Published(
    name="densenet121",
    repository=Repository("timm/densenet121.tv_in1k", licence="apache-2.0"),
    stem="features.conv0.weight",
    head=("classifier.", "op_threshs"),
    renamed=_with_torchvisions_names,
)
