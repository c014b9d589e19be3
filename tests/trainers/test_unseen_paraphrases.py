"""The paraphrases that models are judged by: fair, and never among the words that training reads."""

import json
import re
from pathlib import Path

import pytest

from core.findings import VOCABULARY
from trainers.segmentation.prompts import denials_of, names_of, phrases_for

UNSEEN: dict[str, list[str]] = json.loads(
    (Path(__file__).parents[1] / "benchmarks" / "unseen_paraphrases.json").read_text()
)
TRAINING = {
    plain
    for finding in VOCABULARY
    for phrase in (*names_of(finding), *phrases_for(finding), *denials_of(finding))
    for plain in (phrase.lower().strip(), phrase.lower().strip(" .?"))
}


def bare(phrase: str) -> str:
    return phrase.lower().strip(" .?")


def test_every_structure_that_is_judged_has_at_least_twelve_and_none_twice() -> None:
    assert set(UNSEEN) == {"lungs", "left_lung", "right_lung", "heart"}
    for phrases in UNSEEN.values():
        assert len({bare(phrase) for phrase in phrases}) == len(phrases) >= 12


@pytest.mark.parametrize("structure", UNSEEN)
def test_none_is_among_the_words_that_training_reads(structure: str) -> None:
    assert not {bare(phrase) for phrase in UNSEEN[structure]} & TRAINING
    assert not {bare(phrase).removeprefix("the ") for phrase in UNSEEN[structure]} & TRAINING


@pytest.mark.parametrize("structure", UNSEEN)
def test_most_say_it_without_any_name_that_training_knows(structure: str) -> None:
    names = names_of(next(finding for finding in VOCABULARY if finding.key == structure))
    known = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in names))
    fresh = [phrase for phrase in UNSEEN[structure] if not known.search(phrase.lower())]
    assert len(fresh) > len(UNSEEN[structure]) / 2


@pytest.mark.parametrize(
    ("structure", "side", "other"), [("left_lung", "left", "right"), ("right_lung", "right", "left")]
)
def test_a_sided_structure_is_always_asked_for_by_its_side(structure: str, side: str, other: str) -> None:
    for phrase in UNSEEN[structure]:
        assert re.search(rf"\b{side}\b", phrase.lower())
        assert not re.search(rf"\b{other}\b", phrase.lower())
