"""Text word by word: what cross-attention reads. Each distinct text is read once and kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from trainers.backbones.bert import TopLayers, minilm_tokens
from trainers.backbones.bioclinical import bioclinical_tokens, distilbert_tokens
from trainers.backbones.openclip import biomedclip_tokens
from trainers.backbones.origins import WeightOrigin
from trainers.backbones.texts import HashedWords, OtherTextEncoder, UnknownTextEncoder
from trainers.backbones.words import EmptyText, Read, words_in

SAME_STATES = 0.05
PROBE = "chest pain, rule out pneumonia"
"""A text by whose states an encoder is recognised."""


class TokenEncoder(Protocol):
    """A frozen encoder that gives a row of numbers for each token, and `top`, what follows it and learns, if anything
    does. `parameters` counts the frozen ones."""

    dimension: int
    origin: WeightOrigin
    parameters: int
    top: TopLayers | None

    def read(self, texts: Sequence[str]) -> list[Read]: ...


class HashedTokens:
    """Each word the fixed direction that HashedWords has for it."""

    def __init__(self, tokens: int) -> None:
        self._directions, self._tokens = HashedWords(), tokens
        self.dimension, self.origin = self._directions.dimension, self._directions.origin
        self.parameters = 0
        self.top: TopLayers | None = None

    def read(self, texts: Sequence[str]) -> list[Read]:
        return [self._read(text) for text in texts]

    def _read(self, text: str) -> Read:
        every = words_in(text)
        words = every[: self._tokens]
        cut = len(words) if len(every) > len(words) else None
        return Read(self._directions.encode(words), tuple(words), tuple(range(len(words))), cut)


class TextTokens:
    """What an encoder makes of every text asked for so far, in half precision. It is only built when an unknown text
    comes, and reads each once. `probe` are the states that a model's encoder had for `PROBE`."""

    def __init__(
        self, encoder: str, learned: int, tokens: int, places: Sequence[Path] = (), probe: Tensor | None = None
    ) -> None:
        self.encoder_name = encoder
        self._learned, self._tokens, self._places, self._probe = learned, tokens, tuple(places), probe
        self._known: dict[str, Read] = {}
        self._encoder: TokenEncoder | None = None

    @property
    def encoder(self) -> TokenEncoder:
        """Raises WeightsNotFound, UnexpectedWeights, UnknownTextEncoder when it has to be built and cannot be, and
        OtherTextEncoder when it is not the one that a model was trained with."""
        if self._encoder is None:
            built = build_token_encoder(self.encoder_name, self._learned, self._tokens, self._places)
            self._check(built)
            self._encoder = built
        return self._encoder

    @property
    def probe(self) -> Tensor:
        """(T, dimension): the encoder's states for `PROBE`."""
        return self([PROBE])[0].states if self._probe is None else self._probe

    def __call__(self, texts: Sequence[str]) -> list[Read]:
        """Raises EmptyText."""
        if not all(words_in(text) for text in texts):
            raise EmptyText
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            read = self.encoder.read(missing)
            halves = (Read(one.states.half(), one.words, one.word_of, one.read_words) for one in read)
            self._known |= zip(missing, halves, strict=True)
        return [self._known[text] for text in texts]

    def forget(self) -> None:
        """Let go of all that was read."""
        self._known.clear()

    def _check(self, built: TokenEncoder) -> None:
        if self._probe is None:
            return
        found, kept = built.read([PROBE])[0].states, self._probe.float()
        if found.shape[-1] != kept.shape[-1]:
            difference = f"it reads a word as {found.shape[-1]} numbers, and the model knows {kept.shape[-1]}"
            raise OtherTextEncoder(self.encoder_name, built.origin, difference)
        if found.shape != kept.shape or not torch.allclose(found, kept, rtol=SAME_STATES, atol=SAME_STATES):
            raise OtherTextEncoder(self.encoder_name, built.origin, f'it reads "{PROBE}" as other numbers')


def padded(read: Sequence[Read | None], dimension: int) -> tuple[Tensor, Tensor]:
    """States (B, T, dimension) float32, and (B, T) True where there is a token; no token where nothing was read."""
    longest = max((len(one.states) for one in read if one is not None), default=1)
    states = torch.zeros(len(read), longest, dimension)
    mask = torch.zeros(len(read), longest, dtype=torch.bool)
    for row, one in enumerate(read):
        if one is not None:
            states[row, : len(one.states)] = one.states.float()
            mask[row, : len(one.states)] = True
    return states, mask


def build_token_encoder(name: str, learned: int, tokens: int, places: Sequence[Path] = ()) -> TokenEncoder:
    """The encoder that a recipe names: its last layers learn, and it reads so many tokens of a text.

    Raises UnknownTextEncoder, WeightsNotFound, UnexpectedWeights, and PickledModel or NotWeights for a file that cannot
    be read.
    """
    match name:
        case "minilm":
            return minilm_tokens(learned, tokens)
        case "bioclinical":
            return bioclinical_tokens(learned, tokens, places)
        case "distilbert":
            return distilbert_tokens(learned, tokens, places)
        case "biomedclip":
            return biomedclip_tokens(learned, tokens, places)
        case "hash":
            return HashedTokens(tokens)
    raise UnknownTextEncoder(
        f'There is no encoder of words "{name}". Choose "minilm", "bioclinical", "distilbert", "biomedclip" or "hash".'
    )
