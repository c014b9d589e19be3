"""The retrieval family's recipe and its named starting points."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from core.labels import EFFECTIVE_ORDER
from core.recipes.base import BadRecipe, option
from core.recipes.films import FilmRecipe

VARIANTS: Final = ("A", "B", "C", "D", "E")
"""The steps of the bottleneck, each of which can go on from the one before."""
PATCHED = ("efficientnet_lite0", "vit_b16", "biomedclip", "tiny")
"""Image encoders whose places the bottleneck can look at."""


@dataclass(frozen=True)
class RetrievalRecipe(FilmRecipe):
    """Films and reports in one space, in which what belongs together is near (Radford et al. 2021)."""

    family: ClassVar[str] = "retrieval"

    network: Literal["compact", "bottleneck"] = option(
        "compact", "Whether films are looked at in one glance or patch by patch, through a bottleneck.", basic=True
    )
    variant: Literal["A", "B", "C", "D", "E"] = option(
        "A",
        "Steps of the bottleneck: patches (A), words drawn to patches (B), saliences as a bottleneck (C), the most "
        "salient alone (D), the others dropped (E). Each may go on from the one before.",
        basic=True,
    )
    encoder: Literal["efficientnet_lite0", "resnet18", "resnet34", "vit_b16", "biomedclip", "tiny"] = option(
        "efficientnet_lite0", "Image encoder.", basic=True
    )
    text_encoder: Literal["minilm", "distilbert", "bioclinical", "biomedclip", "hash"] = option(
        "minilm", "Encoder of the words.", basic=True
    )
    text_layers: int = option(
        0,
        "Layers of the text encoder, from the last, that learn too; with 0 it is frozen and each sentence read once.",
        low=0,
        high=24,
    )
    text_tokens: int = option(256, "Tokens of a text that are read; the rest is cut off.", low=8, high=512)
    start_from: str = option(
        "", "Model whose weights training goes on from, such as classification-v2 or retrieval-v1.", basic=True
    )
    dimension: int = option(256, "Numbers in an embedding.", low=8, high=4096)
    dropout: float = option(0.2, "Dropout before the projections.", low=0, high=0.95)
    temperature: float = option(0.07, "Temperature at the start; it is learned.", low=0.01, high=1)
    views: Literal["fused", "single"] = option(
        "fused",
        "What a study is: its frontal and its lateral film, where it has both; or one film, frontal if it has one.",
        basic=True,
    )
    single_weight: float = option(
        0.5, "Weight of the loss of the single films, beside that of studies of both views.", low=0
    )
    sentence_share: float = option(
        0.5,
        "In learning each text loses some of its sentences: a share of them stays, drawn between this and all.",
        low=0.05,
        high=1,
    )
    soft_targets: float = option(
        0.2,
        "Share of what is taught that goes to other studies' texts, by the findings that they share; 0 teaches the own "
        "text alone.",
        low=0,
        high=0.9,
        basic=True,
    )
    label_sources: tuple[str, ...] = option(
        tuple(str(source) for source in EFFECTIVE_ORDER), "Whose labels count. A model's word never does."
    )

    patch_width: int = option(
        192, "Width of the layers that look at patches; a transformer brings its own.", low=8, high=4096
    )
    patch_layers: int = option(
        4, "Layers that look at patches; of an encoder that is a transformer, its own last ones.", low=1, high=24
    )
    patch_heads: int = option(4, "Heads of their attention; a transformer brings its own.", low=1, high=64)
    salient_after: int = option(
        1, "Layers before the saliences are told; those behind never see what is dropped.", low=0
    )
    kept_share: float = option(
        0.5, "Share of the patches that come through in variants D and E.", low=0.01, high=1, basic=True
    )
    topk_softness: float = option(0.5, "How softly the most salient are told from the others.", low=1e-3, high=100)
    local_weight: float = option(0.3, "Weight of the loss that draws words to patches, from variant B on.", low=0)
    sparsity_weight: float = option(0.1, "Weight of the mean salience as a loss, from variant C on.", low=0)
    consistency_weight: float = option(
        0.3, "Weight of what the bottleneck changes in what a film says, from variant C on.", low=0
    )

    def check(self) -> None:
        super().check()
        if self.network == "compact":
            self._check_compact()
        else:
            self._check_bottleneck()
        if self.batch_size < 2:
            raise BadRecipe("Studies are told from each other within a batch, so batch_size is at least 2.")
        if self.text_encoder == "hash" and self.text_layers:
            raise BadRecipe("The text encoder hash has no layers that could learn. Set text_layers=0.")
        if self.views == "single" and self.single_weight:
            raise BadRecipe("With views=single there are single films alone. Set single_weight=0.")
        known = [str(source) for source in EFFECTIVE_ORDER]
        if set(self.label_sources) - set(known):
            raise BadRecipe(f"label_sources takes some of {', '.join(known)}; not {', '.join(self.label_sources)}.")
        if self.soft_targets and not self.label_sources:
            raise BadRecipe("soft_targets go by shared findings, and label_sources names none. Set soft_targets=0.")

    def _check_compact(self) -> None:
        if self.variant != "A":
            raise BadRecipe(f"Variant {self.variant} needs patches. Set network=bottleneck, or variant=A.")

    def _check_bottleneck(self) -> None:
        if self.encoder not in PATCHED:
            raise BadRecipe(f"network=bottleneck takes one of the encoders {', '.join(PATCHED)}; not {self.encoder}.")
        if self.patch_width % self.patch_heads or self.patch_width % 4:
            raise BadRecipe(f"patch_width is a multiple of 4 and of patch_heads; {self.patch_width} is not.")
        if self.salient_after >= self.patch_layers:
            raise BadRecipe(
                f"Saliences are told before the last of {self.patch_layers} layers, not after {self.salient_after}."
            )


def presets() -> Mapping[str, RetrievalRecipe]:
    """`cpu` and `bottleneck` need no accelerator and no hub; `resnet18`, `distilbert` and `biomedclip`, another
    bottleneck, start from weights in a local folder or on the hub; `smoke` trains in seconds, for tests."""
    return {
        "cpu": RetrievalRecipe(
            epochs=8, batch_size=64, frozen_stages=4, averaging=0.98, augment="light", image_size=256, patience=0,
        ),
        "resnet18": RetrievalRecipe(
            preset="resnet18", encoder="resnet18", weights="local", epochs=15, batch_size=128, frozen_stages=2,
            averaging=0.99, image_size=224,
        ),
        "distilbert": RetrievalRecipe(
            preset="distilbert", encoder="resnet18", weights="local", text_encoder="distilbert", text_layers=2,
            epochs=15, batch_size=128, averaging=0.99, image_size=224, learning_rate=3e-4, encoder_learning_rate=3e-5,
        ),
        "bottleneck": RetrievalRecipe(
            preset="bottleneck", network="bottleneck", epochs=8, batch_size=32, frozen_stages=3, averaging=0.98,
            augment="light", patience=0, learning_rate=5e-4,
        ),
        "biomedclip": RetrievalRecipe(
            preset="biomedclip", network="bottleneck", encoder="biomedclip", weights="local",
            text_encoder="biomedclip", text_layers=2, image_size=224, dimension=512, epochs=15, batch_size=64,
            frozen_stages=3, averaging=0.99, augment="light", learning_rate=3e-4, encoder_learning_rate=1e-5,
        ),
        "smoke": RetrievalRecipe(
            preset="smoke", encoder="tiny", text_encoder="hash", weights="random", image_size=64, epochs=4,
            minimum_steps=150, batch_size=16, learning_rate=5e-3, encoder_learning_rate=5e-3, dropout=0.0,
            dimension=32, augment="none", precision="32", sentence_share=1.0,
        ),
    }  # fmt: skip
