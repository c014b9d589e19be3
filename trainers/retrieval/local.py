"""Words and the patches that they speak of: tokens ask, patches answer, and each word is drawn to what it was told."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

SHARPNESS = 10.0
"""By which cosines of words and patches are multiplied."""
HIDDEN = -1e4
LEAST = 1e-30


class Told(NamedTuple):
    """`words` (B, T, D) and `summaries` (B, T, D) of length one, and how much each word heeds each patch (B, T, K)."""

    words: Tensor
    summaries: Tensor
    heed: Tensor


class Local(nn.Module):
    """Words and patches in one space of `dimension`."""

    def __init__(self, words: int, patches: int, dimension: int) -> None:
        super().__init__()
        self.from_word = nn.Linear(words, dimension)
        self.from_patch = nn.Linear(patches, dimension)

    def forward(self, words: Tensor, patches: Tensor, gates: Tensor) -> Told:
        """Words (B, T, D') ask the patches (B, K, W), each of which answers as much as its gate (B, K) is open."""
        asking = functional.normalize(self.from_word(words).float(), dim=-1)
        answering = functional.normalize(self.from_patch(patches).float(), dim=-1)
        scores = SHARPNESS * asking @ answering.transpose(1, 2) + gates.float().clamp(min=LEAST).log()[:, None]
        heed = scores.softmax(dim=-1)
        return Told(asking, functional.normalize((heed @ answering).float(), dim=-1), heed)


def local_loss(told: Told, said: Tensor) -> Tensor:
    """The mean over the words that are `said` (B, T) of the cross-entropy by which a word finds its own summary among
    those of its text, and a summary its word (after Wang et al. 2022)."""
    logits = SHARPNESS * told.words @ told.summaries.transpose(1, 2)
    both = []
    for table in (logits, logits.transpose(1, 2)):
        chances = table.masked_fill(~said[:, None], HIDDEN).log_softmax(dim=-1)
        both.append(-chances.diagonal(dim1=1, dim2=2))
    losses = (both[0] + both[1]) / 2
    return (losses * said).sum() / said.sum().clamp(min=1)


def by_study(patches: Tensor, gates: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """The patches (N, K, W) and gates (N, K) of the films that were `seen` (B, 2), those of a study together: (B, 2 K,
    W) and (B, 2 K), 0 where there is no film."""
    all_patches = torch.zeros(*seen.shape, *patches.shape[1:], dtype=patches.dtype, device=patches.device)
    all_gates = torch.zeros(*seen.shape, gates.shape[1], dtype=gates.dtype, device=gates.device)
    return (
        all_patches.index_put((seen,), patches).flatten(1, 2),
        all_gates.index_put((seen,), gates).flatten(1, 2),
    )
