"""The classification family's recipe, its named starting points, and what an uncertain label teaches."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from core.findings import State
from core.labels import EFFECTIVE_ORDER
from core.recipes.base import BadRecipe, option
from core.recipes.films import FilmRecipe

UNCERTAIN_TARGETS: Final[Mapping[str, float | None]] = {"ignore": None, "zeros": 0.0, "ones": 1.0, "soft": 0.5}
"""What a network is to answer where a label is uncertain, by policy (Irvin et al. 2019); None: it is not asked."""


def target_of(state: State, uncertain: str) -> float | None:
    """The probability that a label teaches; None where it teaches none."""
    return {State.PRESENT: 1.0, State.ABSENT: 0.0, State.UNCERTAIN: UNCERTAIN_TARGETS[uncertain]}.get(state)


@dataclass(frozen=True)
class ClassificationRecipe(FilmRecipe):
    """How probable each finding is, from a film and what was known before it was read."""

    family: ClassVar[str] = "classification"

    encoder: Literal["efficientnet_lite0", "resnet34", "mobilevit_s", "vit_b16", "tiny"] = option(
        "efficientnet_lite0", "Image encoder.", basic=True
    )
    text_encoder: Literal["minilm", "bioclinical", "hash"] = option("minilm", "Encoder of the context's words.")
    text_layers: int = option(
        0,
        "Layers of the text encoder, from the last, that learn too; with 0 it is frozen and each context read once.",
        low=0,
        high=24,
    )
    text_tokens: int = option(128, "Tokens of a context that are read; the rest is cut off.", low=8, high=512)
    start_from: str = option(
        "", "Model whose weights training goes on from, such as pretraining-v1 or classification-v2.", basic=True
    )
    modality: Literal["both", "image", "text"] = option(
        "both", "What the network is given: film and context, or one of them alone.", basic=True
    )
    context: Literal["real", "none", "symptoms", "labels"] = option(
        "real",
        "Where the context comes from: indication and history as they were written; nowhere; or notes made up from the "
        "labels, which speak of complaints (symptoms) or name the findings (labels).",
        basic=True,
    )
    leak: bool = option(False, "Says that notes which name the findings are wanted, to show what a leak looks like.")
    modality_dropout: float = option(
        0.5,
        "Share of the studies in a step whose context is hidden, and share that is asked once more without its film.",
        low=0,
        high=1,
    )
    fusion_width: int = option(256, "Width to which patches and words are projected.", low=8, high=4096)
    heads: int = option(4, "Heads of the attention between patches and words.", low=1, high=64)
    dropout: float = option(0.2, "Dropout in the fusion and in the head.", low=0, high=0.95)
    uncertain: Literal["ignore", "zeros", "ones", "soft"] = option(
        "ignore", "What an uncertain label teaches: nothing, absent, present, or one half.", basic=True
    )
    class_weighting: Literal["none", "root", "balanced"] = option(
        "none", "How much more rare findings weigh where they are present: not, by the root of their rarity, or by it."
    )
    findings: tuple[str, ...] = option((), "Findings to learn; empty learns all that are present on some and absent.")
    label_sources: tuple[str, ...] = option(
        tuple(str(source) for source in EFFECTIVE_ORDER), "Whose labels count. A model's word never does."
    )
    neighbours: int = option(
        2000, "Training studies that the model keeps the look of, to name those most like a new one.", low=0, high=5000
    )

    def check(self) -> None:
        super().check()
        if self.context == "labels" and not self.leak:
            raise BadRecipe(
                "Notes of context=labels are made from the labels and name them, so a model that reads them learns to "
                "copy the answer and nothing of films. Set context=symptoms; or leak=true, to show what a leak looks "
                "like. Such a model is never put in use."
            )
        if self.leak and self.context != "labels":
            raise BadRecipe(f"leak=true asks for notes that name the findings; context={self.context} has none.")
        if self.modality == "text" and self.context == "none":
            raise BadRecipe("With modality=text and context=none nothing is left to learn from. Change one of them.")
        if self.fusion_width % self.heads:
            raise BadRecipe(f"fusion_width is a multiple of heads; {self.fusion_width} is none of {self.heads}.")
        if self.text_encoder == "hash" and self.text_layers:
            raise BadRecipe("The text encoder hash has no layers that could learn. Set text_layers=0.")
        known = [str(source) for source in EFFECTIVE_ORDER]
        if not self.label_sources or set(self.label_sources) - set(known):
            named = ", ".join(self.label_sources) or "nobody"
            raise BadRecipe(f"label_sources takes some of {', '.join(known)}; not {named}.")


def presets() -> Mapping[str, ClassificationRecipe]:
    """`cpu` needs no accelerator and no hub, `clinical` is the large architecture, with weights from a local folder or
    the hub, `smoke` trains in seconds, for tests."""
    return {
        "cpu": ClassificationRecipe(
            epochs=5, batch_size=16, frozen_stages=2, averaging=0.99, augment="light", image_size=224,
            encoder_learning_rate=5e-4, modality_dropout=0.75, keep="last", patience=0,
        ),
        "clinical": ClassificationRecipe(
            preset="clinical", encoder="vit_b16", weights="local", text_encoder="bioclinical", text_layers=12,
            image_size=224, epochs=15, batch_size=16, accumulate=2, fusion_width=768, heads=12, learning_rate=1e-4,
            encoder_learning_rate=3e-5, weight_decay=0.05, warmup_fraction=0.1, averaging=0.999,
        ),
        "smoke": ClassificationRecipe(
            preset="smoke", encoder="tiny", text_encoder="hash", weights="random", image_size=64, epochs=4,
            minimum_steps=150, learning_rate=5e-3, encoder_learning_rate=5e-3, dropout=0.0, fusion_width=32, heads=2,
            augment="none", precision="32", neighbours=50,
        ),
    }  # fmt: skip
