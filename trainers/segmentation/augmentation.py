"""Films, masks and words changed together.

Geometry moves the masks along; exposure, contrast, sharpness and noise do not. A flip also changes the prompt.
"""

import torch
from torch import Tensor

from trainers.augmentation import Augmentation, as_floats, change_grey, fetch, paint_over, places
from trainers.segmentation.batches import SegmentationBatch


def augment(batch: SegmentationBatch, how: Augmentation, flip_probability: float) -> tuple[Tensor, Tensor, Tensor]:
    """Changed films (B, 1, H, W) in [0, 1], their masks (N, 1, H, W) of 0 and 1, and the text (N, S, D) that fits."""
    images, masks, text = as_floats(batch.images), batch.masks.float(), batch.text
    flipped = torch.rand(len(images), device=images.device) < flip_probability
    images, masks, text = flip(images, masks, text, batch.mirrored_text, batch.image_of, flipped)
    if how.probability > 0:
        images, masks = move(images, masks, batch.image_of, how)
        images = paint_over(change_grey(images, how), how)
    return images, masks, text


def flip(
    images: Tensor, masks: Tensor, text: Tensor, mirrored_text: Tensor, image_of: Tensor, flipped: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Mirror the films that `flipped` (B,) names, with their masks, and exchange left and right in their prompts."""
    asked = flipped[image_of]
    return (
        torch.where(flipped[:, None, None, None], images.flip(-1), images),
        torch.where(asked[:, None, None, None], masks.flip(-1), masks),
        torch.where(asked[:, None, None], mirrored_text, text),
    )


def move(images: Tensor, masks: Tensor, image_of: Tensor, how: Augmentation) -> tuple[Tensor, Tensor]:
    """Rotate, shear, scale, stretch and shift each film about its centre, and its masks alike. Outside is black."""
    grid = places(images, how)
    return fetch(images, grid), (fetch(masks, grid[image_of]) > 0.5).to(masks.dtype)
