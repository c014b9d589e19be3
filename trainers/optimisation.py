"""Steps: AdamW with a warm-up and a cosine, the same for every family."""

import math
from typing import Any

import torch
from torch import nn

from core.recipes import Recipe
from trainers.backbones import ImageEncoder


def parameter_groups(
    module: nn.Module | ImageEncoder, learning_rate: float, weight_decay: float
) -> list[dict[str, Any]]:
    """The module's parameters; weight decay only on those that are matrices or kernels, not on biases and norms."""
    matrices = [p for p in module.parameters() if p.requires_grad and p.ndim > 1]
    vectors = [p for p in module.parameters() if p.requires_grad and p.ndim <= 1]
    return [
        {"params": matrices, "lr": learning_rate, "weight_decay": weight_decay},
        {"params": vectors, "lr": learning_rate, "weight_decay": 0.0},
    ]


def adamw_with_cosine(groups: list[dict[str, Any]], recipe: Recipe, steps: int) -> dict[str, Any]:
    """What `configure_optimizers` gives to Lightning: AdamW (Loshchilov & Hutter 2019), the rate rising over the
    recipe's share of `steps` and falling to zero along a cosine (Loshchilov & Hutter 2017)."""
    optimizer = torch.optim.AdamW([group for group in groups if group["params"]])
    warm = max(1, round(recipe.warmup_fraction * steps))

    def share(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1, steps - warm))))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
