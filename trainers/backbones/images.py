"""Image encoders: from one grey channel to a pyramid of five feature maps at strides 2 to 32, or to one of patches."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from core.errors import ReadingRoomError
from trainers.backbones.lite0 import LITE0_BLOCKS_TO_STRIDE_16, EfficientNetLite0
from trainers.backbones.openclip import load_biomedclip
from trainers.backbones.origins import IMAGE_ENCODER, UnexpectedWeights, WeightOrigin, random_origin
from trainers.backbones.pyramids import DenseNet121, MobileVitS, ResNet
from trainers.backbones.vit import VitB16

STRIDES = (2, 4, 8, 16, 32)


class UnknownEncoder(ReadingRoomError):
    """A recipe names an encoder that is not built here."""


class ImageEncoder(Protocol):
    """Called with (B, 1, H, W) floats it gives one map per entry of `channels`, shallow to deep: at `STRIDES` of the
    input where it is convolutional, as a U-Net needs them; a transformer has one map alone, of its patches."""

    channels: tuple[int, ...]
    origin: WeightOrigin

    def __call__(self, images: Tensor) -> list[Tensor]: ...

    def parameters(self) -> Iterator[nn.Parameter]: ...

    def stages_up_to(self, count: int) -> list[nn.Module]:
        """The modules of the first `count` of five stages, for freezing them; a stage makes a map where there are
        five."""


class TinyEncoder(nn.Module):
    """Five strided convolutions with random weights: for tests and the `smoke` recipe, where seconds count."""

    def __init__(self, channels: tuple[int, ...] = (8, 12, 16, 24, 32)) -> None:
        super().__init__()
        self.channels = channels
        self.origin = random_origin(IMAGE_ENCODER)
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

    Raises WeightsNotFound when they are nowhere, UnknownEncoder for a name that is not built here, UnexpectedWeights
    where weights are asked of an encoder that has none or a file holds another network, and PickledModel or NotWeights
    for a file that cannot be read.
    """
    if weights == "package" and name in ("resnet18", "resnet34", "densenet121", "mobilevit_s", "vit_b16", "biomedclip"):
        raise UnexpectedWeights(f'No package has weights for the encoder "{name}". Choose weights "local" or "random".')
    match name:
        case "efficientnet_lite0":
            return EfficientNetLite0(weights, places)
        case "resnet18" | "resnet34":
            return ResNet(name, weights, places)
        case "densenet121":
            return DenseNet121(weights, places)
        case "mobilevit_s":
            return MobileVitS(weights, places)
        case "vit_b16":
            return VitB16(weights, places)
        case "biomedclip":
            return VitB16(weights, places, load_biomedclip)
        case "tiny":
            if weights != "random":
                raise UnexpectedWeights('There are no weights for the encoder "tiny". Choose weights "random".')
            return TinyEncoder()
    raise UnknownEncoder(
        f'There is no image encoder "{name}". Choose "efficientnet_lite0", "resnet18", "resnet34", "densenet121", '
        '"mobilevit_s", "vit_b16", "biomedclip" or "tiny".'
    )


def cut_at_stride_16(encoder: ImageEncoder) -> int:
    """Take off what an encoder does beyond its map at stride 16, in place; gives the channels of that map, its last.

    Raises UnknownEncoder for one that cannot be cut.
    """
    match encoder:
        case EfficientNetLite0():
            body: Any = encoder.body
            body.blocks = body.blocks[:LITE0_BLOCKS_TO_STRIDE_16]
        case TinyEncoder():
            encoder.stages = encoder.stages[: STRIDES.index(16) + 1]
        case _:
            raise UnknownEncoder(f"The encoder {type(encoder).__name__} cannot be cut at stride 16.")
    encoder.channels = encoder.channels[: STRIDES.index(16) + 1]
    return encoder.channels[-1]
