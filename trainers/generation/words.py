"""The words' decoder: a GPT of few layers that is told of the films at every one of them.

Layers are those of GPT-2 (Radford et al. 2019): normalised before they attend and before they think. What the films say
comes in one of three ways: `additive`, their latent added to the words before every layer; `cross`, every layer's
attention to the places of the films (Vaswani et al. 2017); `prefix`, the latent as tokens that stand before the first
word (Li and Liang 2021). Keys and values of the words before are kept, so that each further word costs one step.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class Past(NamedTuple):
    """Keys and values (B, heads, T, width / heads) of one layer's words so far."""

    keys: Tensor
    values: Tensor

    def of(self, rows: Tensor) -> "Past":
        """Those of some rows, in their order."""
        return Past(self.keys[rows], self.values[rows])


@dataclass(frozen=True)
class Seen:
    """What the words are told of B studies: `latent` (B, L), and `places` (B, M, width), which are `there` (B, M)."""

    latent: Tensor
    places: Tensor
    there: Tensor

    def of(self, rows: Tensor) -> "Seen":
        return Seen(self.latent[rows], self.places[rows], self.there[rows])


class Said(NamedTuple):
    """`logits` (B, T, V); `heed` (B, T, M), how much each word attended to each place, adding up to one, None where the
    words do not attend to places; `past` is to be given with the next words."""

    logits: Tensor
    heed: Tensor | None
    past: tuple[Past, ...]


class Layer(nn.Module):
    def __init__(self, width: int, heads: int, dropout: float, attends: bool) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.before_words, self.before_thought = nn.LayerNorm(width), nn.LayerNorm(width)
        self.words, self.from_words = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.thought = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU("tanh"), nn.Linear(4 * width, width), nn.Dropout(dropout)
        )
        self.before_places = nn.LayerNorm(width) if attends else None
        self.asks = nn.Linear(width, width) if attends else None
        self.places = nn.Linear(width, 2 * width) if attends else None
        self.from_places = nn.Linear(width, width) if attends else None

    def forward(self, x: Tensor, seen: Seen, past: Past | None) -> tuple[Tensor, Tensor | None, Past]:
        told, past = self._hear(self.before_words(x), past)
        x = x + functional.dropout(told, self.dropout, self.training)
        heed = None
        if self.before_places is not None:
            looked, heed = self._look(self.before_places(x), seen)
            x = x + functional.dropout(looked, self.dropout, self.training)
        return x + self.thought(self.before_thought(x)), heed, past

    def _hear(self, x: Tensor, past: Past | None) -> tuple[Tensor, Past]:
        query, key, value = (self._split(part) for part in self.words(x).chunk(3, dim=-1))
        if past is not None:
            key, value = torch.cat([past.keys, key], dim=2), torch.cat([past.values, value], dim=2)
        ahead = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=x.device)
        ahead = ahead.tril(key.shape[2] - query.shape[2])
        heard = functional.scaled_dot_product_attention(query, key, value, ahead)
        return self.from_words(_joined(heard)), Past(key, value)

    def _look(self, x: Tensor, seen: Seen) -> tuple[Tensor, Tensor]:
        assert self.asks is not None and self.places is not None and self.from_places is not None
        query = self._split(self.asks(x))
        key, value = (self._split(part) for part in self.places(seen.places).chunk(2, dim=-1))
        match = query.float() @ key.float().transpose(2, 3) / query.shape[-1] ** 0.5
        heed = match.masked_fill(~seen.there[:, None, None], -1e4).softmax(dim=-1)
        return self.from_places(_joined(heed.to(value.dtype) @ value)), heed.mean(dim=1)

    def _split(self, x: Tensor) -> Tensor:
        """(B, T, width) as (B, heads, T, width / heads)."""
        return x.reshape(*x.shape[:2], self.heads, -1).transpose(1, 2)


class Words(nn.Module):
    """From pieces so far to what comes next. `latent_width` is L, `longest` the most pieces there may be."""

    def __init__(
        self,
        vocabulary: int,
        width: int,
        layers: int,
        heads: int,
        longest: int,
        latent_width: int,
        conditioning: str,
        prefix: int,
        dropout: float,
        sinusoidal: bool = False,
    ) -> None:
        """`sinusoidal` positions are computed (Vaswani et al. 2017), others are learned."""
        super().__init__()
        self.conditioning, self.prefix, self.width, self.dropout = conditioning, prefix, width, dropout
        self.pieces = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(longest + prefix, width)
        if sinusoidal:
            self.positions.weight = nn.Parameter(waves(longest + prefix, width), requires_grad=False)
        self.layers = nn.ModuleList(Layer(width, heads, dropout, conditioning == "cross") for _ in range(layers))
        self.last = nn.LayerNorm(width)
        match conditioning:
            case "additive":
                self.from_latent = nn.ModuleList(nn.Linear(latent_width, width) for _ in range(layers))
            case "prefix":
                self.from_latent = nn.ModuleList([nn.Linear(latent_width, prefix * width)])
            case _:
                self.from_latent = nn.ModuleList()
        for table in (self.pieces, *(() if sinusoidal else (self.positions,))):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, pieces: Tensor, seen: Seen, past: tuple[Past, ...] | None = None) -> Said:
        """From pieces (B, T), which go on from the `past`, if there is one."""
        begun = past[0].keys.shape[2] if past else 0
        x = self.pieces(pieces)
        before = 0
        if self.conditioning == "prefix" and not begun:
            opening = self.from_latent[0](seen.latent).reshape(-1, self.prefix, self.width)
            x, before = torch.cat([opening.to(x.dtype), x], dim=1), self.prefix
        x = x + self.positions(torch.arange(begun, begun + x.shape[1], device=x.device))
        x = functional.dropout(x, self.dropout, self.training)
        heeds, kept = [], []
        for place, layer in enumerate(self.layers):
            if self.conditioning == "additive":
                x = x + self.from_latent[place](seen.latent)[:, None].to(x.dtype)
            x, heed, now = layer(x, seen, past[place] if past else None)
            kept.append(now)
            if heed is not None:
                heeds.append(heed)
        logits = functional.linear(self.last(x[:, before:]), self.pieces.weight)
        return Said(logits, torch.stack(heeds).mean(dim=0) if heeds else None, tuple(kept))


def waves(count: int, width: int) -> Tensor:
    """(count, width): sines and cosines of places, from fast to slow."""
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000) / width))
    angles = torch.arange(count)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


def _joined(x: Tensor) -> Tensor:
    """(B, heads, T, D) as (B, T, heads x D)."""
    return x.transpose(1, 2).flatten(2)
