"""Look-alikes: findings of which a pixel bears one at most, and which of them takes it."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from core.findings import Finding
from core.recipes import SegmentationRecipe
from trainers.datasets import FilmCache
from trainers.segmentation.data import Film, rarity

LEAST = 1e-6


def told_apart(logits: Tensor, image_of: Tensor, rival: Tensor, common: Tensor) -> Tensor:
    """Logits of prompts, lowered wherever a look-alike asked of the same film is surer: to the difference of the two.

    `logits` (N, ...), `image_of` (N,) the film of each, `rival` (N,) bool: whether its finding is one of the
    look-alikes; each is asked of a film once. `common` (N,) in (0, 1): the share of pixels that its finding covers.
    How sure a prompt is, is told from what it would say without having looked: the log-odds of that share, without
    which the commoner of two look-alikes would take what is as likely the other. A pixel that two of them would mark
    goes to the surer one; of an even pair neither is marked. Others stay as they are.
    """
    lowered = logits.clone()
    sure = logits - torch.logit(common.to(logits.dtype), LEAST).reshape(-1, *[1] * (logits.ndim - 1))
    for row in torch.nonzero(rival).flatten().tolist():
        others = rival & (image_of == image_of[row])
        others[row] = False
        if others.any():
            lowered[row] = torch.minimum(logits[row], sure[row] - sure[others].amax(dim=0))
    return lowered


def commonness(
    findings: Iterable[Finding], films: Sequence[Film], cache: FilmCache, recipe: SegmentationRecipe
) -> dict[str, float]:
    """The share of pixels that each look-alike of the recipe covers on the films on which it is known, counted as often
    as training draws them."""
    weights = rarity(films, recipe.oversample)
    shares = {}
    for finding in findings:
        if finding.key in recipe.exclusive:
            known = [(film.truths[finding.key], weight) for film, weight in zip(films, weights, strict=True)
                     if finding.key in film.truths]  # fmt: skip
            covered = sum(weight * float(cache.mask(masks).astype(bool).mean()) for masks, weight in known if masks)
            shares[finding.key] = covered / sum(weight for _, weight in known)
    return shares


def common_of(keys: Iterable[str], shares: Mapping[str, float]) -> Tensor:
    """(N,): how common the finding of each prompt is; one half where that was not counted, which changes nothing."""
    return torch.tensor([shares.get(key, 0.5) for key in keys])
