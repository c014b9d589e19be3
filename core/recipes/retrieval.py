"""The retrieval family's recipe and its named starting points."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from core.labels import EFFECTIVE_ORDER
from core.recipes.base import BadRecipe, option
from core.recipes.films import FilmRecipe


@dataclass(frozen=True)
class RetrievalRecipe(FilmRecipe):
    """Films and reports in one space, in which what belongs together is near (Radford et al. 2021)."""

    family: ClassVar[str] = "retrieval"

    encoder: Literal["efficientnet_lite0", "resnet18", "resnet34", "vit_b16", "tiny"] = option(
        "efficientnet_lite0", "Image encoder.", basic=True
    )
    text_encoder: Literal["minilm", "distilbert", "bioclinical", "hash"] = option(
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

    def check(self) -> None:
        super().check()
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


def presets() -> Mapping[str, RetrievalRecipe]:
    """`cpu` needs no accelerator and no hub; `resnet18` and `distilbert` start from weights in a local folder or on the
    hub; `smoke` trains in seconds, for tests."""
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
        "smoke": RetrievalRecipe(
            preset="smoke", encoder="tiny", text_encoder="hash", weights="random", image_size=64, epochs=4,
            minimum_steps=150, batch_size=16, learning_rate=5e-3, encoder_learning_rate=5e-3, dropout=0.0,
            dimension=32, augment="none", precision="32", sentence_share=1.0,
        ),
    }  # fmt: skip
