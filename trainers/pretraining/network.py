"""The autoencoder: one film through the encoder's deepest map, and back to its grey values.

    film ---- encoder ----> deepest map, a 32nd of the side ---- decoder blocks, each twice the size ---- head ---- film

There are no skips. With them the film would pass by the shallow maps, and the deep ones, which are what other families
need, would have nothing to learn.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainers.backbones import STRIDES, ImageEncoder


class Autoencoder(nn.Module):
    """Encoder and a light decoder; what it gives is in the units that it is given."""

    def __init__(self, encoder: ImageEncoder, decoder_channels: Sequence[int]) -> None:
        """`decoder_channels` are the widths of the decoder's blocks, deepest first, each twice the size of the one
        before; the head gives the doublings that are left as several values a pixel, laid side by side (Shi et al.
        2016)."""
        super().__init__()
        self.encoder = encoder
        widths = [encoder.channels[-1], *decoder_channels]
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(below, width, 1, bias=False),
                nn.Upsample(scale_factor=2, mode="nearest"),
                nn.Conv2d(width, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            )
            for below, width in pairwise(widths)
        )
        finer = STRIDES[-1] // 2 ** len(decoder_channels)
        self.head = nn.Sequential(nn.Conv2d(widths[-1], finer**2, 3, padding=1), nn.PixelShuffle(finer))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 1, H, W) from (B, 1, H, W), both normalised; sides are multiples of 32."""
        x = self.encoder(images)[-1]
        for block in self.blocks:
            x = block(x)
        restored: Tensor = self.head(x)
        return restored


def hide_patches(images: Tensor, patch: int, shares: Tensor) -> Tensor:
    """The normalised films (B, 1, H, W) with patches set to 0, their middle grey; for each film its share (B,) of the
    patches, rounded to whole ones, in random places."""
    count, _, height, width = images.shape
    rows, columns = height // patch, width // patch
    rank = torch.rand(count, rows * columns, device=images.device).argsort(dim=1).argsort(dim=1)
    hidden = rank < (shares * rows * columns).round()[:, None]
    grid = hidden.reshape(count, 1, rows, columns).to(images.dtype)
    return images * (1 - functional.interpolate(grid, size=(height, width), mode="nearest"))
