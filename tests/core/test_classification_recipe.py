"""What a classification recipe refuses, and what an uncertain label teaches."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.findings import State
from core.recipes import BadRecipe, ClassificationRecipe, changed, from_mapping, preset
from core.recipes.classification import UNCERTAIN_TARGETS, target_of

POLICIES = st.sampled_from(sorted(UNCERTAIN_TARGETS))


@given(POLICIES)
def test_what_is_certain_teaches_the_same_under_every_policy(policy: str) -> None:
    assert target_of(State.PRESENT, policy) == 1.0
    assert target_of(State.ABSENT, policy) == 0.0
    assert target_of(State.UNASSESSED, policy) is None


@given(POLICIES, st.lists(st.sampled_from(State), min_size=1))
def test_a_policy_teaches_of_uncertain_labels_alone_and_keeps_targets_between_absent_and_present(
    policy: str, states: list[State]
) -> None:
    targets = [target_of(state, policy) for state in states]
    certain = [target_of(state, "ignore") for state in states]
    for state, target, plain in zip(states, targets, certain, strict=True):
        assert target == plain or state is State.UNCERTAIN
        assert target is None or 0 <= target <= 1
    ordered = [target_of(State.UNCERTAIN, policy) for policy in ("zeros", "soft", "ones")]
    assert ordered == [0.0, 0.5, 1.0]


def test_notes_that_name_the_findings_are_refused_unless_the_recipe_says_leak() -> None:
    with pytest.raises(BadRecipe, match=r"copy the answer.*leak=true"):
        ClassificationRecipe(context="labels")
    assert ClassificationRecipe(context="labels", leak=True).leak
    with pytest.raises(BadRecipe, match="context=symptoms has none"):
        ClassificationRecipe(context="symptoms", leak=True)
    with pytest.raises(BadRecipe):
        changed(preset("classification", "cpu"), {"context": "labels"})
    assert changed(preset("classification", "cpu"), {"context": "labels", "leak": "true"})


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"modality": "text", "context": "none"}, "nothing is left"),
        ({"fusion_width": 250}, "multiple of heads"),
        ({"text_encoder": "hash", "text_layers": 1}, "no layers"),
        ({"label_sources": ("imported", "model")}, "label_sources"),
        ({"label_sources": ()}, "nobody"),
        ({"encoder": "vit_b16"}, "No installed package"),
        ({"encoder": "tiny", "weights": "local"}, "tiny"),
        ({"uncertain": "maybe"}, "uncertain is one of"),
        ({"modality_dropout": 1.5}, "between 0 and 1"),
    ],
)
def test_a_recipe_that_contradicts_itself_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(BadRecipe, match=says):
        ClassificationRecipe(**wrong)


@pytest.mark.parametrize("name", ["cpu", "clinical", "smoke"])
def test_every_preset_survives_being_written_and_read(name: str) -> None:
    recipe = preset("classification", name)
    assert recipe.preset == name
    assert from_mapping("classification", recipe.to_mapping()) == recipe
