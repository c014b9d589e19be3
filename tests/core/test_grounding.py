"""Sentences and the places they speak of: what is refused, and what is left to link."""

import pytest

from core.findings import State
from core.grounding import BadGrounding, Grounding, Loose, Patch, loose_ends
from core.writing import WrittenSentence

SENTENCES = (
    WrittenSentence("findings", "There is an effusion.", (("pleural_effusion", State.PRESENT),)),
    WrittenSentence("findings", "No pneumothorax.", (("pneumothorax", State.ABSENT),)),
    WrittenSentence("findings", "The heart is seen.", (("heart", State.PRESENT),)),
    WrittenSentence("impression", "Effusion.", (("pleural_effusion", State.PRESENT),)),
)
FINDINGS = ("pleural_effusion", "pneumothorax")
BOX = Patch("film", 0.1, 0.1, 0.4, 0.5)


@pytest.mark.parametrize(
    "edges", [(0.5, 0, 0.5, 1), (0.6, 0, 0.5, 1), (-0.1, 0, 1, 1), (0, 0, 1, 1.01), (0, 0.5, 1, 0.4)]
)
def test_a_box_that_does_not_lie_on_its_film_is_refused(edges: tuple[float, float, float, float]) -> None:
    with pytest.raises(BadGrounding):
        Patch("film", *edges)


def test_a_sentence_of_no_section_or_with_too_many_places_is_refused() -> None:
    for bad in (("technique", 0, ()), ("findings", -1, ()), ("findings", 0, (BOX,) * 51)):
        with pytest.raises(BadGrounding):
            Grounding(*bad)


def test_positive_sentences_without_a_place_and_masks_without_a_sentence_are_left_to_link() -> None:
    assert loose_ends((), SENTENCES, FINDINGS, ("mask-a", "mask-b", "mask-a")) == Loose(
        (("findings", 0), ("impression", 0)), ("mask-a", "mask-b")
    )


def test_what_is_linked_is_no_longer_loose_by_box_or_by_mask() -> None:
    links = (Grounding("findings", 0, (BOX,)), Grounding("impression", 0, (), ("mask-b",)))
    assert loose_ends(links, SENTENCES, FINDINGS, ("mask-a", "mask-b")) == Loose((), ("mask-a",))


def test_a_link_to_nothing_grounds_nothing() -> None:
    assert loose_ends((Grounding("findings", 0),), SENTENCES, FINDINGS, ()).sentences[0] == ("findings", 0)
