"""The pretraining family's recipe and its named starting points."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from core.recipes.base import BadRecipe, option
from core.recipes.films import FilmRecipe


@dataclass(frozen=True)
class PretrainingRecipe(FilmRecipe):
    """An autoencoder of films, whose encoder other families start from. It reads no mask, label or word."""

    family: ClassVar[str] = "pretraining"

    encoder: Literal["efficientnet_lite0", "resnet34", "mobilevit_s", "tiny"] = option(
        "efficientnet_lite0", "Image encoder.", basic=True
    )
    decoder_channels: tuple[int, ...] = option(
        (128, 64, 32), "Width of each decoder stage, deepest first; the head draws the doublings that are left."
    )
    views: Literal["all", "frontal"] = option("all", "Which films are learned from.", basic=True)
    masked_share: float = option(
        0.75,
        "Each film loses a share of its patches, drawn between 0 and this, and is to be restored whole (masked "
        "autoencoding, He et al. 2022); 0 is the plain autoencoder, which teaches little.",
        low=0,
        high=1,
        basic=True,
    )
    patch: int = option(32, "Side of the patches painted over, in pixels.", low=1, high=1024)
    ssim_weight: float = option(
        0.0, "Weight of 1 - SSIM (Wang et al. 2004) beside the squared error of the normalised film.", low=0
    )

    def check(self) -> None:
        super().check()
        if self.image_size % self.patch:
            raise BadRecipe(f"image_size is a multiple of patch; {self.image_size} is none of {self.patch}.")
        if not 1 <= len(self.decoder_channels) <= 5 or min(self.decoder_channels) < 1:
            raise BadRecipe("decoder_channels takes one to five positive widths, from the deepest stage upwards.")


def presets() -> Mapping[str, PretrainingRecipe]:
    """`cpu` needs no accelerator and no hub, `smoke` trains in seconds, for tests."""
    return {
        "cpu": PretrainingRecipe(epochs=4, batch_size=16, minimum_steps=300, augment="light"),
        "smoke": PretrainingRecipe(
            preset="smoke", encoder="tiny", weights="random", image_size=64, patch=16, epochs=4, minimum_steps=150,
            learning_rate=5e-3, encoder_learning_rate=5e-3, decoder_channels=(24, 16), augment="none", precision="32",
        ),
    }  # fmt: skip
