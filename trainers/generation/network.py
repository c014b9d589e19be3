"""The network: two films of a study into one memory, and from it the words, the films again, and whether it is normal.

    frontal --- encoder --- maps --+-- decoder --> the frontal film again
                                   +-- latent --+
                                   +-- places --+--> words, piece by piece
                                   +-- places --+
                                   +-- latent --+--> normal or abnormal
    lateral --- encoder --- maps --+-- decoder --> the lateral film again

The encoder is one for both views. A view that a study has not is a latent and a place of its own, which are learned:
it is told apart from a film that shows nothing. With `reads=indication` there are no films: the places are the words of
the indication, and nothing is drawn again.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from trainers.backbones import ImageEncoder
from trainers.generation.words import Seen, Words, waves
from trainers.retrieval.data import Pose

NARROWEST = 8


class Redrawing(nn.Module):
    """From an encoder's maps back to the film: transposed convolution, batch norm, ReLU and convolution at each step
    (after Ronneberger et al. 2015). Without `skips` the deepest map alone is used."""

    def __init__(self, channels: Sequence[int], skips: bool) -> None:
        super().__init__()
        self.skips = skips
        # One step for each map, the last one to the size of the film.
        finer = [*reversed(channels[:-1]), 0]
        widths = [channels[-1], *(max(NARROWEST, width) for width in reversed(channels[:-1])), NARROWEST]
        self.grow, self.join = nn.ModuleList(), nn.ModuleList()
        for (before, after), skip in zip(pairwise(widths), finer, strict=True):
            self.grow.append(
                nn.Sequential(nn.ConvTranspose2d(before, after, 2, 2), nn.BatchNorm2d(after), nn.ReLU(inplace=True))
            )
            self.join.append(nn.Conv2d(after + (skip if skips else 0), after, 3, padding=1))
        self.head = nn.Conv2d(widths[-1], 1, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """(B, 1, H, W) in (0, 1)."""
        x = maps[-1]
        for grow, join, finer in zip(self.grow, self.join, [*reversed(maps[:-1]), None], strict=True):
            x = grow(x)
            x = join(torch.cat([x, finer], dim=1) if self.skips and finer is not None else x)
        drawn: Tensor = self.head(x)
        return drawn.float().sigmoid()


class Looking(nn.Module):
    """What the words are told of a study's films."""

    def __init__(self, encoder: ImageEncoder, latent_width: int, width: int, places: int) -> None:
        """`places` are those of the deepest map of one film."""
        super().__init__()
        deepest = encoder.channels[-1]
        self.to_latent = nn.ModuleList(nn.Linear(deepest, latent_width) for _ in Pose)
        self.to_places = nn.Linear(deepest, width)
        self.pose, self.place = (nn.Parameter(0.02 * torch.randn(count, width)) for count in (len(Pose), places))
        self.no_latent = nn.Parameter(0.02 * torch.randn(len(Pose), latent_width))
        self.no_place = nn.Parameter(0.02 * torch.randn(len(Pose), width))
        self.normal_places = nn.LayerNorm(width)

    def forward(self, deepest: Tensor, seen: Tensor) -> Seen:
        """From the deepest maps (N, C, h, w) of the N films that are `seen` (B, 2), study by study."""
        rows, poses = torch.nonzero(seen, as_tuple=True)
        pooled = deepest.mean(dim=(2, 3))
        latent = self.no_latent.repeat(len(seen), 1, 1).to(pooled.dtype)
        told = torch.stack([project(pooled) for project in self.to_latent], dim=1)[torch.arange(len(rows)), poses]
        latent = latent.index_put((rows, poses), told.to(latent.dtype))
        where = self.to_places(deepest.flatten(2).transpose(1, 2)) + self.place
        places = self.no_place[None, :, None].repeat(len(seen), 1, where.shape[1], 1).to(where.dtype)
        places = places.index_put((rows, poses), where) + self.pose[:, None].to(where.dtype)
        there = torch.ones(places.shape[0], places.shape[1] * places.shape[2], dtype=torch.bool, device=places.device)
        return Seen(latent.flatten(1), self.normal_places(places.flatten(1, 2)), there)


class Indication(nn.Module):
    """What the words are told of an indication: a transformer's encoder of its pieces, with sinusoidal positions."""

    def __init__(self, pieces: nn.Embedding, width: int, heads: int, layers: int, longest: int, dropout: float) -> None:
        super().__init__()
        # Shared with the words' own: an indication and a report are of one language.
        self._pieces = [pieces]
        self.register_buffer("positions", waves(longest, width), persistent=False)
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, pieces: Tensor, there: Tensor) -> Seen:
        """From pieces (B, M), which are `there` (B, M)."""
        positions: Tensor = self.positions  # type: ignore[assignment]
        x = self._pieces[0](pieces) + positions[: pieces.shape[1]]
        x = self.layers(x, src_key_padding_mask=~there)
        kept = there[:, :, None].to(x.dtype)
        return Seen((x * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1), x, there)


class Reporter(nn.Module):
    """All of it. `looking` is None where the indication is read, `indication` where films are; `redrawing` and `normal`
    are None where they cost nothing in learning."""

    def __init__(
        self,
        encoder: ImageEncoder | None,
        looking: Looking | None,
        indication: Indication | None,
        redrawing: nn.ModuleList | None,
        normal: nn.Module | None,
        words: Words,
    ) -> None:
        super().__init__()
        self.encoder, self.looking, self.indication = encoder, looking, indication
        self.redrawing, self.normal, self.words = redrawing, normal, words

    def encode(self, films: Tensor) -> list[Tensor]:
        """The maps of films (N, 1, H, W), shallow to deep."""
        assert self.encoder is not None
        return self.encoder(films)

    def is_normal(self, seen: Seen) -> Tensor | None:
        """(B,): the logit of a normal study; None where that was not learned."""
        if self.normal is None:
            return None
        logits: Tensor = self.normal(seen.latent)
        return logits.squeeze(-1)

    def redraw(self, maps: Sequence[Tensor], poses: Tensor, pose: Pose) -> Tensor | None:
        """(n, 1, H, W) in (0, 1): the films of a pose again, from the maps of all films, whose `poses` (N,) are told;
        None where that was not learned or no film is of that pose."""
        chosen = poses == int(pose)
        if self.redrawing is None or not chosen.any():
            return None
        drawn: Tensor = self.redrawing[int(pose)]([one[chosen] for one in maps])
        return drawn


def telling(latent: int, dropout: float) -> nn.Sequential:
    """Normal or abnormal, from the latents of both views: 512, 256 and 1 wide."""
    layers: list[nn.Module] = []
    for before, after in pairwise((latent, 512, 256)):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU(inplace=True), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(256, 1))
