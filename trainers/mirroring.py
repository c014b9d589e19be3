"""Words on a film that is mirrored: left and right change places."""

import re

_SIDE = re.compile(r"\b(left|right)(?=(?:wards?|most|-sided)?\b)", re.IGNORECASE)
_OTHER = {"left": "right", "right": "left"}


def mirrored_text(text: str) -> str:
    """The text that is true of the flipped film: left and right change places, letter case is kept.

    Applying it twice gives the text back.
    """
    return _SIDE.sub(lambda match: _like(match[0], _OTHER[match[0].lower()]), text)


def _like(pattern: str, word: str) -> str:
    if pattern.isupper():
        return word.upper()
    return word.capitalize() if pattern[0].isupper() else word
