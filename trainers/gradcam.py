"""Where in a film an answer comes from: Grad-CAM (Selvaraju et al. 2017), for any network with feature maps."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from trainers.datasets import Placement

Heat = NDArray[np.float32]


def gradcam(activations: Tensor, scalar: Tensor) -> Heat:
    """(H, W) in [0, 1]: how much each place of the feature maps spoke for `scalar`.

    `activations` (1, C, H, W) are the maps in the graph from which the `scalar` () was computed. Each channel weighs as
    much as its mean gradient; what speaks against the answer counts as 0, and so does a map that says nothing.
    """
    (gradients,) = torch.autograd.grad(scalar, activations, retain_graph=True)
    weights = gradients.float().mean(dim=(2, 3), keepdim=True)
    heat = (weights * activations.detach().float()).sum(dim=1)[0].clamp(min=0)
    found: Heat = (heat / heat.max().clamp(min=torch.finfo(heat.dtype).tiny)).cpu().numpy()
    return found


def over_film(heat: Heat, height: int, width: int, side: int, fit: str) -> Heat:
    """Heat of a film's square as heat of the film of height x width alone, as large as it is in the square."""
    whole, place = resized(heat, (side, side)), Placement.of(height, width, side, fit)
    return whole[place.top : place.top + place.tall, place.left : place.left + place.wide]


def resized(heat: Heat, shape: tuple[int, ...]) -> Heat:
    """The heat made (H, W), smoothly."""
    grown = functional.interpolate(torch.from_numpy(heat)[None, None], size=shape, mode="bilinear", align_corners=False)
    smooth: Heat = grown[0, 0].numpy()
    return smooth
