"""What every text encoder keeps to: a text needs a word, and texts of like length are read together."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.errors import ReadingRoomError


class EmptyText(ReadingRoomError):
    """A prompt without a single word: nothing can be looked for."""

    def __init__(self) -> None:
        super().__init__("The prompt is empty. Say what to look for, for example a finding's name.")


@dataclass(frozen=True)
class Read:
    """What an encoder makes of one text, token by token.

    `states` is (T, dimension). `word_of` says for each token which of `words` it is a part of, -1 for a mark that is no
    word. `read_words` is how many of the text's words were read before it was cut off, None where all were.
    """

    states: Tensor
    words: tuple[str, ...]
    word_of: tuple[int, ...]
    read_words: int | None = None


def words_in(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def in_batches(
    encode: Callable[[list[str]], Tensor], texts: Sequence[str], dimension: int, batch_size: int = 64
) -> Tensor:
    """(N, dimension) rows in the order of `texts`, from an `encode` of one batch. Raises EmptyText."""
    if not all(words_in(text) for text in texts):
        raise EmptyText
    features = torch.empty(len(texts), dimension)
    by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    for start in range(0, len(texts), batch_size):
        rows = by_length[start : start + batch_size]
        features[rows] = encode([texts[i] for i in rows])
    return features
