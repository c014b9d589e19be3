"""Look-alikes: findings of which a pixel bears one at most, and which of them takes it."""

import torch
from torch import Tensor


def told_apart(logits: Tensor, image_of: Tensor, rival: Tensor) -> Tensor:
    """Logits of prompts, lowered wherever a look-alike asked of the same film is surer: to the difference of the two.

    `logits` (N, ...), `image_of` (N,) the film of each, `rival` (N,) bool: whether its finding is one of the
    look-alikes; each is asked of a film once. The difference is what `contrast_loss` teaches, so a pixel that two of
    them would mark goes to the one that it should go to; of an even pair neither is marked. Others stay as they are.
    """
    lowered = logits.clone()
    for row in torch.nonzero(rival).flatten().tolist():
        others = rival & (image_of == image_of[row])
        others[row] = False
        if others.any():
            lowered[row] = torch.minimum(logits[row], logits[row] - logits[others].amax(dim=0))
    return lowered
