"""Image and text encoders, and where their weights come from: installed packages, local folders, or else the hub."""

from trainers.backbones.bert import BertTokens, TopLayers, top_layers
from trainers.backbones.clip import ClipText
from trainers.backbones.images import (
    STRIDES,
    ImageEncoder,
    TinyEncoder,
    UnknownEncoder,
    build_image_encoder,
    cut_at_stride_16,
)
from trainers.backbones.lite0 import EfficientNetLite0, lite0_state_for_timm, packaged_lite0_state
from trainers.backbones.minilm import MiniLm
from trainers.backbones.openclip import OpenClip
from trainers.backbones.origins import UnexpectedWeights, WeightOrigin, WeightsNotFound, random_origin
from trainers.backbones.places import own_place_first
from trainers.backbones.pyramids import MobileVitS, ResNet
from trainers.backbones.texts import (
    HashedWords,
    OtherTextEncoder,
    TextEncoder,
    TextFeatures,
    UnknownTextEncoder,
    build_text_encoder,
)
from trainers.backbones.tokens import TextTokens, TokenEncoder, build_token_encoder, padded
from trainers.backbones.vit import VitB16
from trainers.backbones.words import EmptyText, Read

__all__ = [
    "STRIDES",
    "BertTokens",
    "ClipText",
    "EfficientNetLite0",
    "EmptyText",
    "HashedWords",
    "ImageEncoder",
    "MiniLm",
    "MobileVitS",
    "OpenClip",
    "OtherTextEncoder",
    "Read",
    "ResNet",
    "TextEncoder",
    "TextFeatures",
    "TextTokens",
    "TinyEncoder",
    "TokenEncoder",
    "TopLayers",
    "UnexpectedWeights",
    "UnknownEncoder",
    "UnknownTextEncoder",
    "VitB16",
    "WeightOrigin",
    "WeightsNotFound",
    "build_image_encoder",
    "build_text_encoder",
    "build_token_encoder",
    "cut_at_stride_16",
    "lite0_state_for_timm",
    "own_place_first",
    "packaged_lite0_state",
    "padded",
    "random_origin",
    "top_layers",
]
