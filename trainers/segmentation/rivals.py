"""Look-alikes: findings of which a pixel bears one at most, and which of them takes it."""

import torch
from torch import Tensor


def told_apart(logits: Tensor, image_of: Tensor, rank: Tensor) -> Tensor:
    """Logits of prompts, those of look-alikes lowered wherever one of a lower rank marks the same film.

    `logits` (N, ...), `image_of` (N,) the film of each, `rank` (N,): the place of its finding among the look-alikes, -1
    for one that is none; each is asked of a film once. So a pixel that two of them would mark goes to the one that is
    named first, which is marked as if it were alone. Others stay as they are.
    """
    lowered = logits.clone()
    for row in torch.nonzero(rank > 0).flatten().tolist():
        before = (rank >= 0) & (rank < rank[row]) & (image_of == image_of[row])
        if before.any():
            lowered[row] = torch.minimum(logits[row], -logits[before].amax(dim=0))
    return lowered
