"""What every family that looks at films shares: its encoder, where that starts from, and how a film comes to it."""

from dataclasses import dataclass
from typing import Literal

from core.recipes.base import BadRecipe, Recipe, option

PACKAGED = ("efficientnet_lite0",)
"""Image encoders whose weights lie in an installed package."""


@dataclass(frozen=True)
class FilmRecipe(Recipe):
    """A recipe of a family with an image encoder, of those that the family can build on."""

    encoder: str = option("efficientnet_lite0", "Image encoder.", basic=True)
    weights: Literal["package", "local", "random"] = option(
        "package",
        "Where the image encoder starts from: an installed package; a local folder or else the hub; or random.",
        basic=True,
    )
    weights_folder: str = option(
        "", "Folder of pretrained weights, looked into before the workspace's folder weights and the hub."
    )
    frozen_stages: int = option(0, "Encoder stages, from the first, that keep their weights.", low=0, high=5)
    encoder_learning_rate: float = option(3e-4, "Peak learning rate of the image encoder.", low=0, high=10)
    image_size: int = option(256, "Side of the square that the network sees, in pixels.", low=32, high=2048, basic=True)
    fit: Literal["resize", "pad"] = option("resize", "How a film becomes square: squeezed, or padded in black.")
    normalise: Literal["zscore", "minmax"] = option("zscore", "How brightness is normalised, film by film.")
    augment: Literal["none", "light", "strong"] = option("strong", "How much each film is varied.", basic=True)
    flip_probability: float = option(
        0.5, "How often a film is mirrored, and sides with it in masks and words.", low=0, high=1
    )

    def check(self) -> None:
        if self.image_size % 32:
            raise BadRecipe(f"image_size is a multiple of 32; {self.image_size} is not.")
        if self.weights == "package" and self.encoder not in PACKAGED:
            raise BadRecipe(
                f"No installed package has weights for the encoder {self.encoder}. Set weights=local or "
                f"weights=random, or encoder={PACKAGED[0]}."
            )
        if self.weights == "local" and self.encoder == "tiny":
            raise BadRecipe("Nobody has pretrained the tiny encoder. Set weights=random, or another encoder.")
