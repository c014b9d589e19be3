"""Arithmetic: where bf16 pays, and how training and answering are told to use it."""

import torch

from core.recipes import Recipe


def uses_bf16(recipe: Recipe) -> bool:
    """Whether a recipe's network runs in bf16 autocast here. "auto" takes it where the hardware has it: elsewhere it is
    emulated, and slower than float32."""
    if recipe.precision != "auto":
        return recipe.precision == "bf16"
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def lightning_precision(recipe: Recipe) -> str:
    """The name that Lightning's Trainer knows it by."""
    return "bf16-mixed" if uses_bf16(recipe) else "32-true"


def autocast(recipe: Recipe, device: torch.device) -> torch.autocast:
    """The context in which a recipe's network answers."""
    return torch.autocast(device.type, torch.bfloat16, enabled=uses_bf16(recipe))
