from hypothesis import given
from hypothesis import strategies as st

from core.findings import by_key, mirrored_key
from trainers.mirroring import mirrored_text
from trainers.segmentation.prompts import names_of, prompt_for

WORDS = [
    "left",
    "Right",
    "LEFT",
    "left-sided",
    "upright",
    "leftover",
    "rightward",
    "leftmost",
    "bright",
    "lung",
    "heart",
]


@given(st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_a_text_mirrored_twice_is_the_text(text: str) -> None:
    assert mirrored_text(mirrored_text(text)) == text


@given(st.text())
def test_any_text_mirrored_twice_is_the_text(text: str) -> None:
    assert mirrored_text(mirrored_text(text)) == text


def test_sides_change_and_words_that_only_contain_them_do_not() -> None:
    assert (
        mirrored_text("Left lung, the RIGHT one, left-sided, rightmost")
        == "Right lung, the LEFT one, right-sided, leftmost"
    )
    assert mirrored_text("upright bright leftover") == "upright bright leftover"


def test_the_prompt_of_a_mirrored_finding_is_the_mirrored_prompt() -> None:
    vocabulary = by_key()
    for key, finding in vocabulary.items():
        other = vocabulary[mirrored_key(key)]
        assert prompt_for(other) == mirrored_text(prompt_for(finding))


def test_a_finding_is_asked_for_by_its_name_first() -> None:
    heart = by_key()["heart"]
    assert prompt_for(heart) == "heart"
    assert names_of(heart)[0] == "heart"
    assert "cardiac silhouette" in names_of(heart)
