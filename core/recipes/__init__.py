"""Recipes: everything that decides how a model is trained, one dataclass per family. Contradictions are refused here.

Each field carries its documentation, and where it matters its choices and bounds; the Train screen's form, the
command line's `--set` and the model card are all made from them.
"""

from collections.abc import Mapping
from typing import Any

from core.errors import ReadingRoomError
from core.recipes.base import BadRecipe, FieldSpec, Recipe, changed, form, option, parse_settings
from core.recipes.classification import ClassificationRecipe
from core.recipes.classification import presets as classification_presets
from core.recipes.generation import GenerationRecipe
from core.recipes.generation import presets as generation_presets
from core.recipes.pretraining import PretrainingRecipe
from core.recipes.pretraining import presets as pretraining_presets
from core.recipes.retrieval import RetrievalRecipe
from core.recipes.retrieval import presets as retrieval_presets
from core.recipes.segmentation import SegmentationRecipe
from core.recipes.segmentation import presets as segmentation_presets

__all__ = [
    "PRESETS",
    "BadRecipe",
    "ClassificationRecipe",
    "FieldSpec",
    "GenerationRecipe",
    "PretrainingRecipe",
    "Recipe",
    "RetrievalRecipe",
    "SegmentationRecipe",
    "UnknownPreset",
    "changed",
    "form",
    "from_mapping",
    "option",
    "parse_settings",
    "preset",
]

PRESETS: Mapping[str, Mapping[str, Recipe]] = {
    "segmentation": segmentation_presets(),
    "pretraining": pretraining_presets(),
    "classification": classification_presets(),
    "retrieval": retrieval_presets(),
    "generation": generation_presets(),
}
"""Every recipe that has a name, by family."""


class UnknownPreset(ReadingRoomError):
    def __init__(self, family: str, preset: str) -> None:
        known = ", ".join(sorted(PRESETS.get(family, {})))
        if known:
            super().__init__(f'"{preset}" is no preset of {family}. There are: {known}.')
        else:
            super().__init__(f'"{family}" is no model family. There are: {", ".join(sorted(PRESETS))}.')


def preset(family: str, name: str) -> Recipe:
    """Raises UnknownPreset."""
    try:
        return PRESETS[family][name]
    except KeyError:
        raise UnknownPreset(family, name) from None


def from_mapping(family: str, data: Mapping[str, Any]) -> Recipe:
    """The recipe that plain values state; fields left out take the preset's. Raises BadRecipe, UnknownPreset."""
    base = preset(family, str(data.get("preset", "cpu")))
    return changed(base, {name: value for name, value in data.items() if name != "family"})
