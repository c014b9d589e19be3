"""What the network is taught: that a study's films and its text are near, and nearer than those of other studies."""

import torch
from torch import Tensor
from torch.nn import functional

NEVER = -1e4


def contrastive_loss(cosines: Tensor, sharpness: Tensor, wordings: Tensor, alike: Tensor, softness: float) -> Tensor:
    """Symmetric InfoNCE (van den Oord et al. 2018; Radford et al. 2021) of cosines (B, B), films down, texts across.

    Studies that share a text, equal `wordings` (B,), are not negatives of each other. `softness` is the share of each
    row's target that goes to other studies in proportion to how `alike` (B, B) they are, in [0, 1]; a study like no
    other keeps all of it for its own.
    """
    logits = cosines.float() * sharpness
    own = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    logits = logits.masked_fill((wordings[:, None] == wordings[None, :]) & ~own, NEVER)
    targets = soft_targets(wordings, alike, softness)
    down = -(targets * functional.log_softmax(logits, dim=1)).sum(dim=1).mean()
    across = -(targets * functional.log_softmax(logits.T, dim=1)).sum(dim=1).mean()
    return (down + across) / 2


def soft_targets(wordings: Tensor, alike: Tensor, softness: float) -> Tensor:
    """(B, B), rows of sum one."""
    own = torch.eye(len(alike), device=alike.device)
    others = alike.float() * (wordings[:, None] != wordings[None, :])
    amounts = others.sum(dim=1, keepdim=True)
    share = softness * (amounts > 0)
    return (1 - share) * own + share * others / amounts.clamp(min=1e-6)


def shared(present: Tensor) -> Tensor:
    """(B, B): of what is present on one or the other study, the rows of `present` (B, F), the share present on both;
    as `core.ranking.shared_gains`."""
    marks = present.float()
    both = marks @ marks.T
    either = marks.sum(dim=1)[:, None] + marks.sum(dim=1)[None, :] - both
    return both / either.clamp(min=1)


def consistency_loss(masked: Tensor, whole: Tensor) -> Tensor:
    """The mean of one minus the cosine between what films say through the bottleneck and whole, (N, D) each."""
    return 1 - functional.cosine_similarity(masked.float(), whole.float(), dim=1).mean()
