"""Frozen text encoders: from a prompt to one unit vector, computed once per distinct text and kept."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from core.errors import ReadingRoomError
from trainers.backbones.clip import ClipText
from trainers.backbones.minilm import MiniLm
from trainers.backbones.origins import TEXT_ENCODER, WeightOrigin
from trainers.backbones.words import EmptyText, words_in

SAME_FEATURES = 0.02


class UnknownTextEncoder(ReadingRoomError):
    """A recipe names a text encoder that is not built here."""


class OtherTextEncoder(ReadingRoomError):
    """The text encoder on this machine does not read as the one did that a model was trained with."""

    def __init__(self, name: str, origin: WeightOrigin, difference: str) -> None:
        super().__init__(
            f"This model was trained with another text encoder than the {name} found here ({origin}): {difference}. "
            "Put the encoder that its model card names in its place, or ask for its findings by name."
        )


class TextEncoder(Protocol):
    """A frozen encoder of text. `encode` gives (N, dimension) float32 rows of length one, on the CPU."""

    dimension: int
    origin: WeightOrigin

    def encode(self, texts: Sequence[str]) -> Tensor: ...


class HashedWords:
    """Every word is a fixed pseudo-random direction drawn from its SHA-256; a text is their mean, scaled to length one.

    It knows no meaning, only identity ("left lung" is near "right lung" because they share a word), needs no file, and
    is the same on every machine: for tests and the `smoke` recipe.
    """

    def __init__(self, dimension: int = 64) -> None:
        self.dimension = dimension
        self.origin = WeightOrigin(TEXT_ENCODER, "words hashed to fixed directions", licence="not applicable")

    def encode(self, texts: Sequence[str]) -> Tensor:
        """(N, dimension) unit rows. Raises EmptyText for a text without a word."""
        return torch.stack([self._encode_one(text) for text in texts]) if texts else torch.empty(0, self.dimension)

    def _encode_one(self, text: str) -> Tensor:
        words = words_in(text)
        if not words:
            raise EmptyText
        return nn.functional.normalize(torch.stack([self._direction(word) for word in words]).mean(dim=0), dim=-1)

    def _direction(self, word: str) -> Tensor:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big", signed=True)
        return nn.functional.normalize(
            torch.randn(self.dimension, generator=torch.Generator().manual_seed(seed)), dim=-1
        )


class TextFeatures:
    """The features of every text asked for so far. The frozen encoder is only built when an unknown text comes, and
    reads each text once."""

    def __init__(self, encoder: str, known: Mapping[str, Tensor] | None = None, places: Sequence[Path] = ()) -> None:
        self.encoder_name = encoder
        self._places = tuple(places)
        self._known = dict(known or {})
        self._encoder: TextEncoder | None = None

    @property
    def encoder(self) -> TextEncoder:
        """Raises WeightsNotFound, UnexpectedWeights, UnknownTextEncoder when it has to be built and cannot be, and
        OtherTextEncoder when it reads a known text otherwise."""
        if self._encoder is None:
            built = build_text_encoder(self.encoder_name, self._places)
            self._check(built)
            self._encoder = built
        return self._encoder

    @property
    def known(self) -> Mapping[str, Tensor]:
        """Each text read so far with its feature row (dimension,)."""
        return self._known

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """(N, dimension) float32 unit rows, in the order of `texts`. Raises EmptyText."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            self._known.update(zip(missing, self.encoder.encode(missing), strict=True))
        return torch.stack([self._known[text] for text in texts])

    def _check(self, built: TextEncoder) -> None:
        if not self._known:
            return
        text, kept = next(iter(self._known.items()))
        if len(kept) != built.dimension:
            difference = f"it reads a text as {built.dimension} numbers, and the model knows {len(kept)}"
            raise OtherTextEncoder(self.encoder_name, built.origin, difference)
        if not torch.allclose(built.encode([text])[0], kept.float(), atol=SAME_FEATURES):
            raise OtherTextEncoder(self.encoder_name, built.origin, f'it reads "{text}" as other numbers')


def build_text_encoder(name: str, places: Sequence[Path] = ()) -> TextEncoder:
    """The text encoder that a recipe names; `places` are folders in which its weights may lie.

    Raises UnknownTextEncoder, WeightsNotFound, UnexpectedWeights, and PickledModel or NotWeights for a file that cannot
    be read.
    """
    match name:
        case "minilm":
            return MiniLm()
        case "clip":
            return ClipText(places)
        case "hash":
            return HashedWords()
    raise UnknownTextEncoder(f'There is no text encoder "{name}". Choose "minilm", "clip" or "hash".')
