"""The network: a study's films and a text, each as one point on the same sphere.

    frontal --- image encoder --- map --- eye --- linear --+
                                                            +--> sum --> study
    lateral --- image encoder --- map --- eye --- linear --+

    text --- text encoder --- token states --- mean, attended --- linear --> text

What a film says alone is its own linear map's point; what a study says is the sum of its films', scaled to length one.
The eye looks at the map at one glance, or patch by patch (`eyes`).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainers.backbones import ImageEncoder, TopLayers
from trainers.retrieval.data import Pose
from trainers.retrieval.eyes import GlanceEye, Glimpse, PatchEye
from trainers.retrieval.local import Local

WARMEST = 100.0


class FilmsAndText(nn.Module):
    """`top` are those layers of the text encoder that learn; `local` is None where words are not drawn to patches."""

    def __init__(
        self,
        encoder: ImageEncoder,
        eye: GlanceEye | PatchEye,
        text_dimension: int,
        top: TopLayers | None,
        local: Local | None,
        dimension: int,
        dropout: float,
        temperature: float,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.text_dimension = text_dimension
        self.text = top
        self.eye = eye
        self.from_film = nn.ModuleList(_projection(eye.width, dimension, dropout) for _ in Pose)
        self.attend = nn.Linear(text_dimension, 1)
        self.from_text = _projection(2 * text_dimension, dimension, dropout)
        self.local = local
        self.scale = nn.Parameter(torch.tensor(1 / temperature).log())

    def encode(self, films: Tensor) -> Tensor:
        """(B, C, h, w): the encoder's last map of films (B, 1, H, W)."""
        return self.encoder(films)[-1]

    def look(self, found: Tensor, gated: bool = True) -> Glimpse:
        glimpse: Glimpse = self.eye(found, gated)
        return glimpse

    def films(self, pooled: Tensor, poses: Tensor) -> Tensor:
        """(B, D): what films say, of whatever length, from what an eye made of them (B, W) and their poses (B,)."""
        each = torch.stack([project(pooled) for project in self.from_film], dim=1)
        return each[torch.arange(len(each), device=each.device), poses]

    def studies(self, films: Tensor, seen: Tensor) -> Tensor:
        """(B, D) of length one, from what their films say (B, 2, D), of which those count that were `seen` (B, 2)."""
        return functional.normalize((unit(films) * seen[:, :, None]).sum(dim=1), dim=-1)

    def words(self, states: Tensor, told: Tensor) -> Tensor:
        """(B, T, D'): the states of tokens, of which those exist that are `told` (B, T), as the text encoder's own
        layers leave them."""
        learned: Tensor = self.text(states, told) if self.text is not None else states
        return learned

    def texts(self, words: Tensor, told: Tensor) -> Tensor:
        """(B, D) of length one, from words (B, T, D') as `words` gives them."""
        kept = told[:, :, None].to(words.dtype)
        mean = (words * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1)
        heed = self.attend(words).squeeze(-1).float().masked_fill(~told, -1e4).softmax(dim=1)
        attended = (words * heed[:, :, None].to(words.dtype)).sum(dim=1)
        return unit(self.from_text(torch.cat([mean, attended], dim=1)))

    @property
    def sharpness(self) -> Tensor:
        """By which cosines are multiplied: one over the temperature."""
        return self.scale.exp().clamp(max=WARMEST)


def unit(rows: Tensor) -> Tensor:
    """Rows scaled to length one, in float32."""
    return functional.normalize(rows.float(), dim=-1)


def _projection(width: int, wanted: int, dropout: float) -> nn.Module:
    return nn.Sequential(nn.LayerNorm(width), nn.Dropout(dropout), nn.Linear(width, wanted))
