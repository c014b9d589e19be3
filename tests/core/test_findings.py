"""The vocabulary: keys that are file names, sides that mirror, and parts that exist."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ReadingRoomError
from core.findings import CHEXPERT, VOCABULARY, Finding, Side, by_key, mirrored_key, slug


def test_the_vocabulary_has_chexperts_fourteen_and_every_key_once() -> None:
    assert len(CHEXPERT) == 14
    assert len(by_key()) == len(VOCABULARY)


def test_every_part_of_a_finding_is_a_finding() -> None:
    assert {part for finding in VOCABULARY for part in finding.parts} <= set(by_key())


@given(st.text())
def test_a_slug_is_a_safe_file_name_and_its_own_slug(name: str) -> None:
    key = slug(name)
    assert slug(key) == key
    assert all(character.isascii() and (character.isalnum() or character == "_") for character in key)


@pytest.mark.parametrize("key", ["Left Lung", "../etc", "heart ", "a-b"])
def test_a_key_that_is_no_slug_is_refused(key: str) -> None:
    with pytest.raises(ReadingRoomError, match="lower case"):
        Finding(key, "x")


@pytest.mark.parametrize(("key", "mirrored"), [("left_lung", "right_lung"), ("heart", "heart")])
def test_a_flip_swaps_the_sides_in_a_key(key: str, mirrored: str) -> None:
    assert mirrored_key(key) == mirrored
    assert mirrored_key(mirrored) == key


@pytest.mark.parametrize("side", Side)
def test_mirroring_a_side_twice_gives_it_back(side: Side) -> None:
    assert side.mirrored.mirrored is side
