"""A sentence as the labeler reads it: lower-case words in one spelling, and where the writer paused between them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

_TOKEN: Final = re.compile(
    r"(?P<word>\d+(?:\.\d+)?|[^\W\d_]+)"
    r"|(?P<query>(?<!\w)\?(?=[^\W\d_]))"
    r"|(?P<stop>;|(?<=[^\W_]{2})[.?!]+(?=[^\W\d_]))"
    r"|(?P<comma>[,()])"
)
_QUERY: Final = "question"
"""What stands for the mark of "?pneumonia"."""


class Pause(IntEnum):
    """What stands between two words. A STOP is the end of a sentence that its writer ran into the next."""

    NONE = 0
    COMMA = 1
    STOP = 2


@dataclass(frozen=True)
class Words:
    """The words of a sentence. `pauses` says for each word what stands before it."""

    words: tuple[str, ...]
    pauses: tuple[Pause, ...]

    def __len__(self) -> int:
        return len(self.words)

    def stretches(self, longest: int) -> Iterator["Words"]:
        """The sentence in pieces of at most so many words."""
        for start in range(0, len(self), longest):
            yield Words(self.words[start : start + longest], self.pauses[start : start + longest])

    def pause(self, one: int, other: int) -> Pause:
        """The longest pause on the way from one word to another behind it."""
        return max(self.pauses[one + 1 : other + 1], default=Pause.NONE)


class Spelling:
    """How words are written here: for the beginning of a word, what stands in its place."""

    def __init__(self, written: Mapping[str, str]) -> None:
        self._written = written
        # The longest first, so that it wins over a shorter one that it begins with.
        beginnings = "|".join(re.escape(each) for each in sorted(written, key=len, reverse=True))
        self._beginning = re.compile(rf"\b(?:{beginnings})") if written else None

    def of(self, text: str) -> str:
        """A lower-case text in this spelling."""
        return self._beginning.sub(lambda found: self._written[found[0]], text) if self._beginning else text


def read_words(text: str, spelling: Spelling) -> Words:
    words: list[str] = []
    pauses: list[Pause] = []
    pause = Pause.NONE
    for token in _TOKEN.finditer(spelling.of(text.lower())):
        word = _QUERY if token["query"] else token["word"]
        if word:
            words.append(word)
            pauses.append(pause)
            pause = Pause.NONE
        else:
            pause = max(pause, Pause.STOP if token["stop"] else Pause.COMMA)
    return Words(tuple(words), tuple(pauses))
