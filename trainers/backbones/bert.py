"""BERT, word by word: frozen up to some layer, and the layers above it, which may learn."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from trainers.backbones.minilm import MiniLm
from trainers.backbones.origins import UnexpectedWeights, WeightOrigin
from trainers.backbones.words import Read, words_in

READ_AT_ONCE = 32


class BertTokens:
    """A BERT (Devlin et al. 2019) read up to some layer, below which it is frozen.

    `top` are the layers above, which learn with whoever uses them; None where there are none. `parameters` counts the
    frozen ones.
    """

    def __init__(self, tokenizer: Tokenizer, model: Any, origin: WeightOrigin, learned: int, tokens: int) -> None:
        layers = list(model.encoder.layer)
        if learned > len(layers):
            raise UnexpectedWeights(f"The text encoder has {len(layers)} layers, so {learned} of them cannot learn.")
        self.origin = origin
        self.dimension = int(model.config.hidden_size)
        self.top = TopLayers(layers[len(layers) - learned :]).requires_grad_(True) if learned else None
        self._model = model
        model.encoder.layer = nn.ModuleList(layers[: len(layers) - learned])
        model.eval().requires_grad_(False)
        self.parameters = sum(parameter.numel() for parameter in model.parameters())
        self._tokenizer = tokenizer
        tokenizer.no_padding()
        tokenizer.enable_truncation(min(tokens, int(model.config.max_position_embeddings)))

    @property
    def config(self) -> dict[str, Any]:
        """What `top_layers` needs to build `top` again."""
        return dict(self._model.config.to_diff_dict())

    def read(self, texts: Sequence[str]) -> list[Read]:
        encodings = self._tokenizer.encode_batch(list(texts))
        states: dict[int, Tensor] = {}
        by_length = sorted(range(len(texts)), key=lambda place: len(encodings[place].ids))
        for start in range(0, len(by_length), READ_AT_ONCE):
            places = by_length[start : start + READ_AT_ONCE]
            states |= zip(places, self._states([encodings[place].ids for place in places]), strict=True)
        return [_read(text, encodings[place], states[place]) for place, text in enumerate(texts)]

    @torch.inference_mode()
    def _states(self, tokens: list[list[int]]) -> list[Tensor]:
        longest = max(map(len, tokens))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in tokens])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in tokens])
        with torch.autocast("cpu", enabled=False):
            states = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
        # Clones: what was computed for answering alone cannot take part in learning.
        return [states[row, : len(own)].clone() for row, own in enumerate(tokens)]


class TopLayers(nn.Module):
    """The last layers of a BERT."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """(B, T, D) from (B, T, D); `mask` (B, T) is True where there is a token."""
        hidden = torch.zeros(mask.shape, dtype=states.dtype, device=states.device).masked_fill(~mask, -1e4)
        for layer in self.layers:
            states = layer(states, hidden[:, None, None])
        return states


def minilm_tokens(learned: int, tokens: int) -> BertTokens:
    """Raises WeightsNotFound, UnexpectedWeights."""
    whole = MiniLm()
    return BertTokens(whole.tokenizer, whole.model, whole.origin, learned, tokens)


def top_layers(config: Mapping[str, Any], count: int) -> TopLayers:
    """The last layers of a BERT of this configuration, to be filled with what they learned."""
    from transformers import BertConfig
    from transformers.models.bert.modeling_bert import BertEncoder

    shape: Any = BertConfig(**{**config, "num_hidden_layers": count})
    shape._attn_implementation = "sdpa"
    encoder: Any = BertEncoder(shape)  # type: ignore[no-untyped-call]
    return TopLayers(list(encoder.layer))


def _read(text: str, encoding: Any, states: Tensor) -> Read:
    """`words` as they stand in the text; the pieces of one word belong together, marks are no words."""
    spans: dict[int, tuple[int, int]] = {}
    for word, (start, end) in zip(encoding.word_ids, encoding.offsets, strict=True):
        if word is not None:
            spans[word] = (min(start, spans.get(word, (start, end))[0]), max(end, spans.get(word, (start, end))[1]))
    said = {word: text[start:end] for word, (start, end) in spans.items() if words_in(text[start:end])}
    place = {word: number for number, word in enumerate(said)}
    last = max((end for _, end in encoding.offsets), default=0)
    return Read(
        states=states,
        words=tuple(said.values()),
        word_of=tuple(place.get(word, -1) for word in encoding.word_ids),
        read_words=len(text[:last].split()) if encoding.overflowing else None,
    )
