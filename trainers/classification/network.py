"""The network: a film's patches and a context's words look at each other, and give one logit a finding.

    film ------ image encoder --- deepest map ---- projection ---- patches --+--> attend words   --- pooled --+
                                                                             |                                +-- MLP
    context --- text encoder --- token states ---- projection ---- words ----+--> attend patches --- pooled --+

What is missing is one learned token in its place: a study without a context has not an empty one, and the same network
answers for a film alone, a context alone, and both. The film is encoded once, however often it is answered for.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from trainers.backbones import ImageEncoder, TopLayers

WIDER = 4


class Fused(NamedTuple):
    """`pooled` (B, 3 W): the patches' mean and their largest values, and the words' mean. `attention` (B, P, T): how
    much each patch heeds each token, the mean over the heads; None where it was not asked for."""

    pooled: Tensor
    attention: Tensor | None


class FilmAndContext(nn.Module):
    """`encoder` is None in a network that reads no films, `text_dimension` None in one that reads no words. `top` are
    those layers of the text encoder that learn."""

    def __init__(
        self,
        encoder: ImageEncoder | None,
        text_dimension: int | None,
        top: TopLayers | None,
        findings: int,
        width: int,
        heads: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.text_dimension = text_dimension
        self.text = top
        self.from_map = _projection(encoder.channels[-1], width) if encoder is not None else None
        self.from_states = _projection(text_dimension, width) if text_dimension is not None else None
        self.missing = Missing(width)
        self.patches_attend = CrossAttention(width, heads, dropout)
        self.words_attend = CrossAttention(width, heads, dropout)
        self.head = Head(3 * width, width, findings, dropout)

    def encode(self, films: Tensor) -> Tensor:
        """(B, C, h, w): the deepest map of films (B, 1, H, W)."""
        assert self.encoder is not None
        return self.encoder(films)[-1]

    def patches(self, deepest: Tensor) -> Tensor:
        """(B, h w, W) from the deepest map."""
        assert self.from_map is not None
        projected: Tensor = self.from_map(deepest.flatten(2).transpose(1, 2))
        return projected

    def words(self, states: Tensor, told: Tensor) -> Tensor:
        """(B, T, W) from the states (B, T, D) of tokens, of which those exist that are `told` (B, T)."""
        assert self.from_states is not None
        projected: Tensor = self.from_states(self.text(states, told) if self.text is not None else states)
        return projected

    def fuse(self, patches: Tensor | None, words: Tensor | None, told: Tensor | None, attention: bool = False) -> Fused:
        """Rows of `told` (B, T) without a token have no context. None stands for patches or words that all lack."""
        if patches is None:
            assert words is not None
            patches = self.missing.film.expand(len(words), -1, -1)
        if words is None or told is None:
            words = self.missing.context.expand(len(patches), -1, -1)
            told = torch.ones(words.shape[:2], dtype=torch.bool, device=words.device)
        else:
            lacking = ~told.any(dim=1, keepdim=True)
            first = torch.zeros_like(told)
            first[:, 0] = True
            words = torch.where((lacking & first)[:, :, None], self.missing.context, words)
            told = told | (lacking & first)
        seen, heeded = self.patches_attend(patches, words, ~told, attention)
        read, _ = self.words_attend(words, patches, None, False)
        kept = told[:, :, None].to(read.dtype)
        mean_word = (read * kept).sum(dim=1) / kept.sum(dim=1)
        return Fused(torch.cat([seen.mean(dim=1), seen.amax(dim=1), mean_word], dim=1), heeded)

    def forward(self, patches: Tensor | None, words: Tensor | None, told: Tensor | None) -> Tensor:
        """Logits (B, F)."""
        logits: Tensor = self.head(self.fuse(patches, words, told).pooled)
        return logits


class CrossAttention(nn.Module):
    """Each of some tokens adds what it finds in the tokens of the other kind (Vaswani et al. 2017), and thinks it over.

    Norms stand before (Xiong et al. 2020), so that a token that finds nothing passes as it is.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm_own, self.norm_other, self.norm_after = (nn.LayerNorm(width) for _ in range(3))
        self.attend = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.think = nn.Sequential(
            nn.Linear(width, WIDER * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(WIDER * width, width)
        )
        self.drop = nn.Dropout(dropout)

    def forward(
        self, own: Tensor, other: Tensor, hidden: Tensor | None, attention: bool
    ) -> tuple[Tensor, Tensor | None]:
        """`hidden` (B, tokens of the other kind) is True for those that are not there."""
        others = self.norm_other(other)
        found, weights = self.attend(
            self.norm_own(own), others, others, key_padding_mask=hidden, need_weights=attention
        )
        own = own + self.drop(found)
        return own + self.drop(self.think(self.norm_after(own))), weights


class Missing(nn.Module):
    """What stands for a film or a context that is not there."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.film, self.context = (nn.Parameter(torch.randn(1, 1, width) * 0.02) for _ in range(2))


class Head(nn.Module):
    """The two-layer perceptron. Its hidden layer is also by what films are called alike."""

    def __init__(self, before: int, width: int, findings: int, dropout: float) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.LayerNorm(before), nn.Dropout(dropout), nn.Linear(before, width), nn.GELU())
        self.answer = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, findings))

    def forward(self, pooled: Tensor) -> Tensor:
        logits: Tensor = self.answer(self.hidden(pooled))
        return logits

    def start_at(self, shares: Tensor) -> None:
        """Let the first answers be these shares (F,), instead of one half each."""
        last = self.answer[-1]
        assert isinstance(last, nn.Linear)
        with torch.no_grad():
            last.bias.copy_(torch.logit(shares, eps=1e-3))


def _projection(width: int, wanted: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, wanted), nn.LayerNorm(wanted))
