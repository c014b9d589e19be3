"""The columns in which classification is told: what the network was given for an answer.

image      the film alone
text_only  the context alone
fused      both
shuffled   the film, and the context of another patient
"""

from collections.abc import Mapping
from typing import Final

from core.recipes import ClassificationRecipe

IMAGE: Final = "image"
TEXT: Final = "text_only"
FUSED: Final = "fused"
SHUFFLED: Final = "shuffled"

SUFFIXES: Final[Mapping[str, str]] = {IMAGE: "", TEXT: "_text_only", FUSED: "_fused", SHUFFLED: "_shuffled"}
"""How the names of a column's metrics end."""

SPOKEN: Final[Mapping[str, str]] = {
    IMAGE: "image only", TEXT: "text only", FUSED: "fused", SHUFFLED: "fused, shuffled text",
}  # fmt: skip

CALIBRATED_AS: Final[Mapping[str, str]] = {IMAGE: IMAGE, TEXT: TEXT, FUSED: FUSED, SHUFFLED: FUSED}
"""Temperature and thresholds are chosen for honest answers; those to another's context are held against the same."""


def reads_films(recipe: ClassificationRecipe) -> bool:
    return recipe.modality != "text"


def reads_words(recipe: ClassificationRecipe) -> bool:
    return recipe.modality != "image" and recipe.context != "none"


def columns_of(recipe: ClassificationRecipe) -> tuple[str, ...]:
    """Those in which a model of this recipe can be judged."""
    if not reads_words(recipe):
        return (IMAGE,)
    return (IMAGE, TEXT, FUSED, SHUFFLED) if reads_films(recipe) else (TEXT, SHUFFLED)
