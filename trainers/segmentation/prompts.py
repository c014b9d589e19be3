"""Prompts: the words by which a finding is asked for, and the same words seen in a mirror."""

import re

from core.findings import Finding

_SIDE = re.compile(r"\b(left|right)(?=(?:wards?|most)?\b)", re.IGNORECASE)
_OTHER = {"left": "right", "right": "left"}


def prompt_for(finding: Finding) -> str:
    """The prompt of a finding's name: "Left lung" is asked for as "left lung"."""
    return finding.name.lower()


def paraphrases_for(finding: Finding) -> tuple[str, ...]:
    """The finding's name first, then the other ways of saying it that the vocabulary holds."""
    return tuple(dict.fromkeys((prompt_for(finding), *(text.lower() for text in finding.prompts))))


def mirrored_text(text: str) -> str:
    """The text that is true of the flipped film: left and right change places, letter case is kept.

    Applying it twice gives the text back.
    """
    return _SIDE.sub(lambda match: _like(match[0], _OTHER[match[0].lower()]), text)


def _like(pattern: str, word: str) -> str:
    if pattern.isupper():
        return word.upper()
    return word.capitalize() if pattern[0].isupper() else word
