"""What a mask prediction costs: soft Dice (Milletari et al. 2016) plus binary cross-entropy."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

DICE_SMOOTH = 1.0
"""Added to numerator and denominator, in pixels: keeps the gradient of a tiny finding finite."""


class SegmentationLoss(NamedTuple):
    """Scalars: `total` is what is minimised; `dice` and `bce` its unweighted parts."""

    total: Tensor
    dice: Tensor
    bce: Tensor


def segmentation_loss(
    logits: Tensor, masks: Tensor, dice_weight: float, bce_weight: float, positive_weight: float
) -> SegmentationLoss:
    """`logits` and `masks` are (N, 1, H, W); masks hold 0 and 1. `positive_weight` multiplies a missed pixel's cost."""
    logits, masks = logits.float(), masks.float()
    dice = soft_dice_loss(logits.sigmoid(), masks)
    bce = functional.binary_cross_entropy_with_logits(
        logits, masks, pos_weight=torch.tensor(positive_weight, device=logits.device)
    )
    return SegmentationLoss(dice_weight * dice + bce_weight * bce, dice, bce)


def soft_dice_loss(probabilities: Tensor, masks: Tensor, smooth: float = DICE_SMOOTH) -> Tensor:
    """1 - (2 |P T| + s) / (|P| + |T| + s), the mean over the masks that are not empty; 0 when all are.

    An empty truth has no overlap to reward: absent findings teach through the cross-entropy alone, as the measured Dice
    leaves them out too. `probabilities` in [0, 1] and `masks` in {0, 1} are (N, 1, H, W).
    """
    overlap = (probabilities * masks).sum(dim=(1, 2, 3))
    truth = masks.sum(dim=(1, 2, 3))
    size = probabilities.sum(dim=(1, 2, 3)) + truth
    present = (truth > 0).to(probabilities.dtype)
    losses = 1 - (2 * overlap + smooth) / (size + smooth)
    return (losses * present).sum() / present.sum().clamp(min=1)
