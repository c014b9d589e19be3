"""Where in a film an answer comes from: Grad-CAM (Selvaraju et al. 2017), for any network with feature maps."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def gradcam(activations: Tensor, scalar: Tensor) -> NDArray[np.float32]:
    """(H, W) in [0, 1]: how much each place of the feature maps spoke for `scalar`.

    `activations` (1, C, H, W) are the maps in the graph from which the `scalar` () was computed. Each channel weighs as
    much as its mean gradient; what speaks against the answer counts as 0, and so does a map that says nothing.
    """
    (gradients,) = torch.autograd.grad(scalar, activations)
    weights = gradients.float().mean(dim=(2, 3), keepdim=True)
    heat = (weights * activations.detach().float()).sum(dim=1)[0].clamp(min=0)
    found: NDArray[np.float32] = (heat / heat.max().clamp(min=torch.finfo(heat.dtype).tiny)).cpu().numpy()
    return found
