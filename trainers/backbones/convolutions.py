"""What is changed in a pretrained network's convolutions: one grey channel, and float32 where bf16 is slow."""

import torch
from torch import Tensor, nn


class Float32Depthwise(nn.Module):
    """A depthwise convolution kept out of bf16 autocast on the CPU.

    Its backward pass there is 5 to 50 times slower in bf16 than in float32, and was two thirds of a training step.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu":
            result: Tensor = self.convolution(x)
            return result
        with torch.autocast("cpu", enabled=False):
            result = self.convolution(x.float())
        return result.to(x.dtype)


def keep_depthwise_in_float32(module: nn.Module) -> None:
    """Wrap every depthwise convolution below `module`, in place."""
    for name, child in module.named_children():
        if isinstance(child, nn.Conv2d) and child.groups == child.in_channels > 1:
            setattr(module, name, Float32Depthwise(child))
        else:
            keep_depthwise_in_float32(child)


def one_channel_stem(stem: nn.Conv2d) -> nn.Conv2d:
    """The convolution that gives on one grey channel what `stem` gives on three equal ones."""
    stem.weight = nn.Parameter(stem.weight.detach().sum(dim=1, keepdim=True))
    stem.in_channels = 1
    return stem
