"""The segmentation family's recipe and its named starting points."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from core.recipes.base import BadRecipe, option
from core.recipes.films import FilmRecipe


@dataclass(frozen=True)
class SegmentationRecipe(FilmRecipe):
    """A U-Net told by text what to find."""

    family: ClassVar[str] = "segmentation"

    encoder: Literal["efficientnet_lite0", "resnet34", "mobilevit_s", "tiny"] = option(
        "efficientnet_lite0", "Image encoder.", basic=True
    )
    text_encoder: Literal["minilm", "clip", "hash"] = option("minilm", "Frozen encoder of the words.")
    start_from: str = option(
        "", "Model whose weights training goes on from, such as pretraining-v1 or segmentation-v2.", basic=True
    )
    decoder_channels: tuple[int, ...] = option(
        (128, 64, 32, 24), "Width of each decoder stage, deepest first; with four the head draws the last doubling."
    )
    text_width: int = option(128, "Width that the words are projected to before they join the image.", low=1, high=4096)
    text: Literal["prompt", "sentences", "report"] = option(
        "prompt",
        "What the network reads: a prompt for the finding, the report's sentences on it, or the prompt with the whole "
        "report.",
        basic=True,
    )
    paraphrases: bool = option(True, "Vary how a finding is asked for.")
    negated_share: float = option(
        0.05, "Share of prompts that deny the finding ('no effusion'), with an empty mask as the answer.", low=0, high=1
    )
    text_noise: float = option(
        0.3, "Length of the random step added to each text feature of length one.", low=0, high=2
    )
    prompts_per_image: int = option(4, "Prompts decoded for one image in one step.", low=1, high=64)
    absent_prompts: int = option(1, "How many of those are kept for findings known to be absent.", low=0, high=64)
    oversample: float = option(
        0.5,
        "How far films with rare findings are drawn more often: 0 not at all, 1 until all are equal.",
        low=0,
        high=1,
    )
    dice_weight: float = option(1.0, "Weight of the Dice loss (Milletari et al. 2016).", low=0)
    bce_weight: float = option(1.0, "Weight of the binary cross-entropy.", low=0)
    positive_weight: float = option(1.0, "How much more a marked pixel weighs in the cross-entropy.", low=0.001)
    focal_weight: float = option(0.0, "Weight of the focal loss (Lin et al. 2017).", low=0)
    focal_gamma: float = option(2.0, "How much the focal loss turns from easy pixels.", low=0, high=10)
    tversky_weight: float = option(0.0, "Weight of the Tversky loss (Salehi et al. 2017).", low=0)
    tversky_alpha: float = option(0.3, "What a falsely marked pixel costs in the Tversky loss.", low=0, high=1)
    tversky_beta: float = option(0.7, "What a missed pixel costs in the Tversky loss.", low=0, high=1)
    contrast_weight: float = option(
        0.0, "Weight of telling two prompts of one film apart where their masks differ: for look-alikes.", low=0
    )
    exclusive: tuple[str, ...] = option(
        (),
        "Look-alikes of which a pixel of the answer bears one at most. What two of them would mark, the one named "
        "first takes.",
    )
    calm_from: float = option(
        1.0, "From this share of the steps on films are varied lightly at most, to learn exact borders.", low=0, high=1
    )
    dropout: float = option(0.1, "Dropout before the decoder.", low=0, high=0.95)
    findings: tuple[str, ...] = option((), "Findings to learn; empty learns all that have masks.")

    def check(self) -> None:
        super().check()
        # Telling prompts apart says nothing of where either is, so it cannot teach alone.
        losses = (self.dice_weight, self.bce_weight, self.focal_weight, self.tversky_weight)
        if not any(losses):
            raise BadRecipe(
                "dice_weight, bce_weight, focal_weight and tversky_weight are all 0, so there is nothing to learn "
                "from. Raise one."
            )
        if self.absent_prompts >= self.prompts_per_image and self.prompts_per_image > 1:
            raise BadRecipe("absent_prompts is less than prompts_per_image, or nothing marked would be learned.")
        if len(set(self.exclusive)) == 1 or len(set(self.exclusive)) != len(self.exclusive):
            raise BadRecipe("exclusive names two findings or more, each once, or none.")
        if unknown := [key for key in self.exclusive if self.findings and key not in self.findings]:
            raise BadRecipe(f"exclusive names {', '.join(unknown)}, which findings leaves out. Add it there.")
        if len(self.decoder_channels) not in (4, 5) or min(self.decoder_channels) < 1:
            raise BadRecipe("decoder_channels takes four or five positive widths, from the deepest stage upwards.")


def presets() -> Mapping[str, SegmentationRecipe]:
    """`cpu` needs no accelerator and no hub, `clip` is the published architecture, `edge` a small encoder for small
    machines, `smoke` trains in seconds, for tests."""
    return {
        "cpu": SegmentationRecipe(epochs=24, minimum_steps=1500, averaging=0.995, calm_from=0.7, contrast_weight=0.5),
        "clip": SegmentationRecipe(
            preset="clip", encoder="resnet34", text_encoder="clip", weights="local", image_size=224, epochs=50,
            batch_size=16, decoder_channels=(256, 128, 64, 32, 16), text_width=256, learning_rate=1e-3,
        ),
        "edge": SegmentationRecipe(
            preset="edge", encoder="mobilevit_s", weights="local", epochs=30, minimum_steps=1200, averaging=0.995,
        ),
        "smoke": SegmentationRecipe(
            preset="smoke", encoder="tiny", text_encoder="hash", weights="random", image_size=64, epochs=4,
            minimum_steps=150, learning_rate=5e-3, encoder_learning_rate=5e-3, dropout=0.0,
            decoder_channels=(32, 24, 16, 12), text_width=32, augment="light", precision="32",
            negated_share=0.0, text_noise=0.0,
        ),
    }  # fmt: skip
