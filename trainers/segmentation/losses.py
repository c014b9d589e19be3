"""What a mask prediction costs: soft Dice and binary cross-entropy, by recipe focal and Tversky loss beside them."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from core.recipes import SegmentationRecipe

SMOOTH = 1.0
"""Added to numerator and denominator, in pixels: keeps the gradient of a tiny finding finite."""


class SegmentationLoss(NamedTuple):
    """Scalars: `total` is what is minimised; the others its unweighted parts, 0 where a recipe gives them no weight."""

    total: Tensor
    dice: Tensor
    bce: Tensor
    focal: Tensor
    tversky: Tensor
    contrast: Tensor


def segmentation_loss(logits: Tensor, masks: Tensor, image_of: Tensor, recipe: SegmentationRecipe) -> SegmentationLoss:
    """`logits` and `masks` are (N, 1, H, W), masks hold 0 and 1; `image_of` (N,) says of which film each is. The recipe
    weighs the parts."""
    logits, masks = logits.float(), masks.float()
    probabilities, nothing = logits.sigmoid(), logits.new_zeros(())
    dice = soft_dice_loss(probabilities, masks) if recipe.dice_weight else nothing
    bce = binary_cross_entropy(logits, masks, recipe.positive_weight) if recipe.bce_weight else nothing
    focal = focal_loss(logits, masks, recipe.focal_gamma) if recipe.focal_weight else nothing
    tversky = nothing
    if recipe.tversky_weight:
        tversky = tversky_loss(probabilities, masks, recipe.tversky_alpha, recipe.tversky_beta)
    contrast = contrast_loss(logits, masks, image_of) if recipe.contrast_weight else nothing
    total = (
        recipe.dice_weight * dice
        + recipe.bce_weight * bce
        + recipe.focal_weight * focal
        + recipe.tversky_weight * tversky
        + recipe.contrast_weight * contrast
    )
    return SegmentationLoss(total, dice, bce, focal, tversky, contrast)


def soft_dice_loss(probabilities: Tensor, masks: Tensor) -> Tensor:
    """1 - (2 |P T| + s) / (|P| + |T| + s) (Milletari et al. 2016), over masks that are not empty; 0 if all are.

    An empty truth has no overlap to reward: absent findings teach through the cross-entropy alone, as the measured Dice
    leaves them out too. `probabilities` in [0, 1] and `masks` in {0, 1} are (N, 1, H, W).
    """
    return tversky_loss(probabilities, masks, 0.5, 0.5)


def tversky_loss(probabilities: Tensor, masks: Tensor, alpha: float, beta: float) -> Tensor:
    """1 - (|P T| + s/2) / (|P T| + alpha |P - T| + beta |T - P| + s/2) (Salehi et al. 2017), over the masks that are
    not empty, as for Dice, which it is at alpha = beta = 1/2."""
    overlap = (probabilities * masks).sum(dim=(1, 2, 3))
    truth = masks.sum(dim=(1, 2, 3))
    false, missed = probabilities.sum(dim=(1, 2, 3)) - overlap, truth - overlap
    present = (truth > 0).to(probabilities.dtype)
    losses = 1 - (overlap + SMOOTH / 2) / (overlap + alpha * false + beta * missed + SMOOTH / 2)
    return (losses * present).sum() / present.sum().clamp(min=1)


def binary_cross_entropy(logits: Tensor, masks: Tensor, positive_weight: float) -> Tensor:
    """The mean over all pixels; `positive_weight` multiplies a missed pixel's cost."""
    weight = torch.tensor(positive_weight, device=logits.device)
    return functional.binary_cross_entropy_with_logits(logits, masks, pos_weight=weight)


def focal_loss(logits: Tensor, masks: Tensor, gamma: float) -> Tensor:
    """Cross-entropy times (1 - p)^gamma, p being the probability given to the truth (Lin et al. 2017), mean over all
    pixels; gamma = 0 is the cross-entropy."""
    cost = functional.binary_cross_entropy_with_logits(logits, masks, reduction="none")
    return ((1 - torch.exp(-cost)) ** gamma * cost).mean()


def contrast_loss(logits: Tensor, masks: Tensor, image_of: Tensor) -> Tensor:
    """How badly two prompts of one film are told apart: wherever one mask is marked and the other is not, the
    cross-entropy of the two logits' difference, which should say which. The mean over such pairs; 0 without any.

    The other losses see one prompt at a time, and look-alikes (ground glass, consolidation) then share one answer:
    marking both costs each little.
    """
    first, second = torch.triu_indices(len(image_of), len(image_of), 1, device=image_of.device)
    together = image_of[first] == image_of[second]
    first, second = first[together], second[together]
    differ = (masks[first] != masks[second]).to(logits.dtype)
    cost = functional.binary_cross_entropy_with_logits(logits[first] - logits[second], masks[first], reduction="none")
    pixels = differ.sum(dim=(1, 2, 3))
    costs = (cost * differ).sum(dim=(1, 2, 3)) / pixels.clamp(min=1)
    return costs.sum() / (pixels > 0).sum().clamp(min=1)
