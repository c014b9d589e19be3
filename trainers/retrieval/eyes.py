"""How a film's map becomes what is said of it: at one glance, or patch by patch through a bottleneck.

The variants of the bottleneck are steps, each of which can go on from the model of the one before:

    A   patches and one token for all of them look at each other; what is said is of that token and of the patches' mean
    B   + words are drawn to the patches that they speak of (`local`)
    C   + a patch has a salience, sigmoid(w.v + b), and passes on as much of itself as it is salient: a bottleneck,
          which a loss makes sparse and another holds to what the whole film says
    D   + of the saliences only the largest pass: a soft top-k
    E   + the others are dropped before the layers that follow, which never see them
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from timm.models.vision_transformer import Block
from torch import Tensor, nn


class Glimpse(NamedTuple):
    """What an eye makes of B films. `pooled` (B, W) is what all is said from. Of an eye that looks at patches,
    `patches` (B, K, W) are those that came through, `kept` (B, K) their places among P in rising order, `gates` (B, K)
    in (0, 1) how much of each came through, and `salience` (B, P) in (0, 1), None before variant C.
    `places` is P."""

    pooled: Tensor
    patches: Tensor | None = None
    kept: Tensor | None = None
    gates: Tensor | None = None
    salience: Tensor | None = None
    places: int = 0


class GlanceEye(nn.Module):
    """The means and the largest values of the deepest map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.width = 2 * channels

    def forward(self, found: Tensor, gated: bool = True) -> Glimpse:
        """From maps (B, C, h, w); there is no gate to leave open."""
        return Glimpse(torch.cat([found.mean(dim=(2, 3)), found.amax(dim=(2, 3))], dim=1))


class PatchEye(nn.Module):
    """A transformer (Dosovitskiy et al. 2021) over the places of a map, of which so many layers come `before` saliences
    are told. `keeps` is the share of the patches that variants D and E let through.

    Where the encoder is a transformer, the layers are its `own` last ones, with the norm behind them: its patches know
    their places and have its width, so nothing is put before them.
    """

    def __init__(
        self,
        variant: str,
        channels: int,
        width: int,
        heads: int,
        before: int,
        layers: int,
        keeps: float,
        softness: float,
        own: tuple[Sequence[nn.Module], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.variant, self.keeps, self.softness = variant, keeps, softness
        width = width if own is None else channels
        self.width, self.patch_width = 2 * width, width
        self.embed = nn.Linear(channels, width) if own is None else None
        self.whole = nn.Parameter(torch.zeros(1, 1, width))
        blocks, norm = own or ([Block(width, heads, qkv_bias=True) for _ in range(layers)], nn.LayerNorm(width))
        self.before, self.after = nn.ModuleList(blocks[:before]), nn.ModuleList(blocks[before:])
        self.norm = norm
        self.salient = nn.Linear(width, 1) if variant >= "C" else None

    def forward(self, found: Tensor, gated: bool = True) -> Glimpse:
        """From maps (B, C, h, w); not `gated` everything comes through, whatever the variant."""
        tokens = found.flatten(2).transpose(1, 2)
        if self.embed is not None:
            tokens = self.embed(tokens) + places(found.shape[2], found.shape[3], self.patch_width).to(found)
        tokens = torch.cat([self.whole.expand(len(tokens), -1, -1), tokens], dim=1)
        for block in self.before:
            tokens = block(tokens)
        whole, patches = tokens[:, :1], tokens[:, 1:]
        kept = torch.arange(patches.shape[1], device=patches.device).expand(len(patches), -1)
        gates, salience = torch.ones(kept.shape, device=patches.device), None
        if self.salient is not None:
            scores = self.salient(patches).squeeze(-1).float()
            salience = scores.sigmoid()
            if gated:
                kept, gates = self._through(scores, salience, kept)
                patches = gathered(patches, kept) * gates[:, :, None].to(patches.dtype)
        tokens = torch.cat([whole, patches], dim=1)
        for block in self.after:
            tokens = block(tokens)
        tokens = self.norm(tokens)
        shares = (gates / gates.sum(dim=1, keepdim=True).clamp(min=1e-6)).to(tokens.dtype)
        mean = (tokens[:, 1:] * shares[:, :, None]).sum(dim=1)
        pooled = torch.cat([tokens[:, 0], mean], dim=1)
        return Glimpse(pooled, tokens[:, 1:], kept, gates, salience, found.shape[2] * found.shape[3])

    @property
    def layers(self) -> list[tuple[str, int]]:
        """Where each lies, from the first: in which list, and at which place of it."""
        return [*(("before", place) for place in range(len(self.before))),
                *(("after", place) for place in range(len(self.after)))]  # fmt: skip

    def _through(self, scores: Tensor, salience: Tensor, every: Tensor) -> tuple[Tensor, Tensor]:
        """Which patches come through (B, K), and how much of each (B, K)."""
        if self.variant == "C":
            return every, salience
        count = max(1, round(self.keeps * scores.shape[1]))
        gates = soft_top_k(scores, count, self.softness)
        if self.variant == "D":
            return every, gates
        kept = scores.topk(count, dim=1).indices.sort(dim=1).values
        return kept, gates.gather(1, kept)


def soft_top_k(scores: Tensor, k: int, softness: float) -> Tensor:
    """(B, P) in (0, 1), above one half for the k largest of the scores (B, P) alone: the sigmoid of how far each is
    from the middle between the k-th and the next."""
    if k >= scores.shape[1]:
        return torch.ones_like(scores)
    ranked = scores.detach().topk(k + 1, dim=1).values
    edge = ranked[:, k - 1 :].mean(dim=1, keepdim=True)
    return ((scores - edge) / softness).sigmoid()


def gathered(patches: Tensor, kept: Tensor) -> Tensor:
    """(B, K, W): the patches (B, P, W) at these places (B, K)."""
    return patches.gather(1, kept[:, :, None].expand(-1, -1, patches.shape[2]))


def places(height: int, width: int, channels: int) -> Tensor:
    """(1, height width, channels): where each patch lies, in sines and cosines of both directions (Vaswani et al.
    2017)."""
    quarter = channels // 4
    speeds = 1 / 100 ** (torch.arange(quarter) / quarter)
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    angles = [each.flatten()[:, None] * speeds for each in (rows, columns)]
    return torch.cat([wave for angle in angles for wave in (angle.sin(), angle.cos())], dim=1)[None]
