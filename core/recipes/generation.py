"""The generation family's recipe and its named starting points."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from core.labels import EFFECTIVE_ORDER
from core.recipes.base import BadRecipe, option
from core.recipes.films import FilmRecipe


@dataclass(frozen=True)
class GenerationRecipe(FilmRecipe):
    """A study's films into the words of its report, with the films drawn again and normal told from abnormal beside."""

    family: ClassVar[str] = "generation"

    reads: Literal["films", "indication"] = option(
        "films",
        "What the report is written from: the films; or the indication alone, the floor of a model that never looks.",
        basic=True,
    )
    encoder: Literal["efficientnet_lite0", "resnet18", "resnet34", "densenet121", "tiny"] = option(
        "efficientnet_lite0", "Image encoder, one for both views.", basic=True
    )
    crop: Literal["none", "lungs"] = option(
        "none",
        "Whether frontal films are cropped to the lungs, found by the segmentation model in use; all of each is read "
        "where none is good enough, and the model says so.",
        basic=True,
    )
    crop_margin: float = option(
        0.1, "What is left around the lungs, as a share of the longer side of their box.", low=0, high=1
    )
    start_from: str = option(
        "", "Model whose weights training goes on from, such as generation-v1 or classification-v2.", basic=True
    )
    target: Literal["findings", "impression", "both"] = option(
        "both", "Which sections are written. Studies without them are left out, and counted.", basic=True
    )
    conditioning: Literal["additive", "cross", "prefix"] = option(
        "cross",
        "How the films reach the words: their latent added at every layer; attention to their places at every layer; "
        "or their latent as tokens before the first.",
        basic=True,
    )
    decoder: Literal["new", "gpt2"] = option(
        "new",
        "Decoder of the words: one that begins here, with pieces learned from the training reports; or GPT-2 with its "
        "own, from a local folder or else the hub.",
        basic=True,
    )
    vocabulary: int = option(2000, "Pieces of words that are learned from the training reports.", low=300, high=60_000)
    decoder_layers: int = option(4, "Layers of the words' decoder.", low=1, high=48, basic=True)
    decoder_width: int = option(256, "Width of the words' decoder.", low=8, high=8192)
    decoder_heads: int = option(4, "Heads of its attention.", low=1, high=128)
    decoder_dropout: float = option(0.1, "Dropout in the words' decoder.", low=0, high=0.9)
    prefix_tokens: int = option(4, "Tokens that the latent becomes with conditioning=prefix.", low=1, high=64)
    most_tokens: int = option(160, "Pieces of a report that are learned and at most written.", low=8, high=1000)
    words_hidden: float = option(
        0.2,
        "Share of the words before, hidden in learning: who cannot lean on them has to look at the films.",
        low=0,
        high=0.9,
    )
    latent_width: int = option(256, "Numbers in the latent of one view.", low=8, high=4096)
    view_dropout: float = option(
        0.1, "How often one of two views is hidden in learning, so that either can be missing.", low=0, high=0.9
    )
    skips: bool = option(
        True, "Whether films are drawn again with the encoder's fine maps at hand, or from the latent's map alone."
    )
    language_weight: float = option(1.0, "Weight of the loss of the words.", low=0)
    frontal_weight: float = option(0.1, "Weight of the loss of the frontal film drawn again.", low=0)
    lateral_weight: float = option(0.1, "Weight of the loss of the lateral film drawn again.", low=0)
    normal_weight: float = option(0.3, "Weight of the loss of normal told from abnormal.", low=0)
    corrected_weight: float = option(
        3.0,
        "How much a report that a reader corrected counts in learning, an original one counting 1.",
        low=0.01,
        high=100,
    )
    signed_weight: float = option(
        1.0, "How much a draft that a reader would sign counts, where there is no other report.", low=0.01, high=100
    )
    dropout: float = option(0.2, "Dropout in telling normal from abnormal.", low=0, high=0.9)
    temperature: float = option(
        0.0, "Temperature of the words written in measuring; 0 takes the likeliest.", low=0, high=5
    )
    top_k: int = option(0, "Likeliest pieces among which is drawn; 0 lets all in.", low=0)
    beams: int = option(1, "Beginnings that are followed at once.", low=1, high=16)
    nearest_by: str = option(
        "", "Retrieval model by which the floor of the nearest report is found; this model's own latent when left out."
    )
    text_only_by: str = option(
        "", "Generation model that reads no film, of the preset transformer, to be measured beside as a floor."
    )
    label_sources: tuple[str, ...] = option(
        tuple(str(source) for source in EFFECTIVE_ORDER),
        "Whose labels say which studies are normal. A model's word never does.",
    )

    def check(self) -> None:
        super().check()
        if self.decoder_width % self.decoder_heads or self.decoder_width % 2:
            raise BadRecipe(f"decoder_width is even and a multiple of decoder_heads; {self.decoder_width} is not.")
        if not self.language_weight:
            raise BadRecipe("A model that writes has to learn words. Set language_weight above 0.")
        if self.reads == "indication" and self.conditioning != "cross":
            raise BadRecipe(
                "With reads=indication the words attend to those of the indication. Set conditioning=cross."
            )
        if self.decoder == "gpt2" and self.reads == "indication":
            raise BadRecipe("GPT-2 attends to no indication. Set decoder=new, or reads=films.")
        known = [str(source) for source in EFFECTIVE_ORDER]
        if set(self.label_sources) - set(known):
            raise BadRecipe(f"label_sources takes some of {', '.join(known)}; not {', '.join(self.label_sources)}.")


def presets() -> Mapping[str, GenerationRecipe]:
    """`cpu` needs no accelerator and no hub; `chexnet` and `gpt2` start from weights in a local folder or on the hub;
    `transformer` reads no film, the floor for those that do; `smoke` trains in seconds, for tests."""
    return {
        "cpu": GenerationRecipe(
            crop="lungs", epochs=12, batch_size=32, frozen_stages=4, averaging=0.99, augment="light", image_size=224,
            patience=0, flip_probability=0.0, learning_rate=1e-3,
        ),
        "chexnet": GenerationRecipe(
            preset="chexnet", crop="lungs", encoder="densenet121", weights="local", frozen_stages=4, epochs=12,
            batch_size=32, averaging=0.99, augment="light", image_size=224, patience=0, flip_probability=0.0,
        ),
        "gpt2": GenerationRecipe(
            preset="gpt2", crop="lungs", encoder="densenet121", weights="local", frozen_stages=4, decoder="gpt2",
            conditioning="additive", decoder_layers=12, decoder_width=768, decoder_heads=12, epochs=6, batch_size=16,
            learning_rate=3e-4, encoder_learning_rate=3e-5, augment="light", image_size=224, patience=0,
            flip_probability=0.0,
        ),
        "transformer": GenerationRecipe(
            preset="transformer", reads="indication", encoder="tiny", weights="random", image_size=32,
            decoder_layers=6, decoder_width=512, decoder_heads=8, epochs=20, batch_size=32, learning_rate=3e-4,
            warmup_fraction=0.2, flip_probability=0.0, augment="none", frontal_weight=0.0, lateral_weight=0.0,
            normal_weight=0.0, words_hidden=0.0, patience=0,
        ),
        "smoke": GenerationRecipe(
            preset="smoke", encoder="tiny", weights="random", image_size=32, epochs=3, minimum_steps=120, batch_size=8,
            learning_rate=5e-3, encoder_learning_rate=5e-3, vocabulary=400, decoder_layers=2, decoder_width=64,
            decoder_heads=2, decoder_dropout=0.0, latent_width=32, most_tokens=48, words_hidden=0.1, augment="none",
            flip_probability=0.0, precision="32", dropout=0.0,
        ),
    }  # fmt: skip
