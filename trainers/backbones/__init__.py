"""Image and text encoders, and where their weights come from: installed packages, never a hub."""

from trainers.backbones.images import (
    STRIDES,
    EfficientNetLite0,
    ImageEncoder,
    TinyEncoder,
    UnknownEncoder,
    build_image_encoder,
    lite0_state_for_timm,
    packaged_lite0_state,
)
from trainers.backbones.origins import UnexpectedWeights, WeightOrigin, WeightsNotFound
from trainers.backbones.texts import (
    EmptyText,
    HashedWords,
    MiniLm,
    TextEncoder,
    TextFeatures,
    UnknownTextEncoder,
    build_text_encoder,
)

__all__ = [
    "STRIDES",
    "EfficientNetLite0",
    "EmptyText",
    "HashedWords",
    "ImageEncoder",
    "MiniLm",
    "TextEncoder",
    "TextFeatures",
    "TinyEncoder",
    "UnexpectedWeights",
    "UnknownEncoder",
    "UnknownTextEncoder",
    "WeightOrigin",
    "WeightsNotFound",
    "build_image_encoder",
    "build_text_encoder",
    "lite0_state_for_timm",
    "packaged_lite0_state",
]
