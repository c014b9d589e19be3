"""Recipes: every field documented, every contradiction refused, and the same through JSON, forms and settings."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.recipes import (
    PRESETS,
    BadRecipe,
    Recipe,
    SegmentationRecipe,
    UnknownPreset,
    changed,
    form,
    from_mapping,
    parse_settings,
    preset,
)

every_preset = pytest.mark.parametrize(
    ("family", "name"), [(family, name) for family, named in PRESETS.items() for name in named]
)


@every_preset
def test_a_preset_names_itself_and_its_family(family: str, name: str) -> None:
    recipe = preset(family, name)
    assert (recipe.family, recipe.preset) == (family, name)


@every_preset
def test_a_recipe_survives_the_way_through_json(family: str, name: str) -> None:
    recipe = preset(family, name)
    assert from_mapping(family, json.loads(recipe.to_json())) == recipe


@every_preset
def test_a_form_documents_every_field_and_its_answers_make_the_recipe_again(family: str, name: str) -> None:
    recipe = preset(family, name)
    specs = form(recipe)
    assert all(spec.doc.endswith(".") for spec in specs)
    assert all((spec.kind == "choice") == bool(spec.choices) for spec in specs)
    assert changed(recipe, {spec.name: str_of(spec.default) for spec in specs}) == recipe


def str_of(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"image_size": 100}, "image_size"),
        ({"dice_weight": 0, "bce_weight": 0}, "nothing to learn from"),
        ({"encoder": "tiny", "weights": "package"}, "weights=random"),
        ({"decoder_channels": "1,2,3"}, "decoder_channels"),
        ({"epochs": 0}, "epochs"),
        ({"epochs": "2.5"}, "whole number"),
        ({"epochs": "many"}, "epochs is a number"),
        ({"learning_rate": "nan"}, "learning_rate"),
        ({"augment": "wild"}, "augment is one of none, light, strong"),
        ({"colour": "red"}, 'no field "colour"'),
    ],
)
def test_contradictions_and_impossible_values_are_refused_by_name(changes: dict[str, Any], names: str) -> None:
    with pytest.raises(BadRecipe, match=names):
        changed(preset("segmentation", "cpu"), changes)


@pytest.mark.parametrize(("family", "name"), [("segmentation", "gigantic"), ("astrology", "cpu")])
def test_an_unknown_preset_or_family_is_refused_with_those_there_are(family: str, name: str) -> None:
    with pytest.raises(UnknownPreset, match=r"There are: .*(smoke|segmentation)"):
        preset(family, name)


@given(st.integers(1, 500), st.floats(1e-8, 1, allow_nan=False), st.sampled_from(["none", "light", "strong"]))
def test_settings_typed_as_text_mean_their_values(epochs: int, rate: float, augment: str) -> None:
    typed = parse_settings([f"epochs={epochs}", f"learning_rate={rate!r}", f" augment = {augment} "])
    recipe = changed(preset("segmentation", "smoke"), typed)
    assert isinstance(recipe, SegmentationRecipe)
    assert (recipe.epochs, recipe.learning_rate, recipe.augment) == (epochs, rate, augment)


@pytest.mark.parametrize("setting", ["epochs", "=3", ""])
def test_a_setting_that_sets_nothing_is_refused(setting: str) -> None:
    with pytest.raises(BadRecipe, match="field=value"):
        parse_settings([setting])


def test_a_list_is_typed_with_commas() -> None:
    recipe: Recipe = changed(preset("segmentation", "smoke"), {"findings": "heart, left_lung"})
    assert recipe.to_mapping()["findings"] == ["heart", "left_lung"]
