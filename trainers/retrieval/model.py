"""A trained retrieval model: the network with all it needs to embed, and its folder on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.findings import Finding
from core.recipes import RetrievalRecipe
from core.workspace import workspace
from trainers import folders
from trainers.augmentation import as_floats, normalise
from trainers.backbones import (
    ImageEncoder,
    TextTokens,
    TopLayers,
    VitB16,
    WeightOrigin,
    build_image_encoder,
    cut_at_stride_16,
    own_place_first,
    top_layers,
)
from trainers.checkpoints import load_weights
from trainers.datasets import Square
from trainers.folders import WEIGHTS
from trainers.precision import autocast
from trainers.retrieval.data import Pose, read_texts
from trainers.retrieval.eyes import GlanceEye, Glimpse, PatchEye
from trainers.retrieval.local import Local
from trainers.retrieval.network import FilmsAndText, unit
from trainers.retrieval.unusual import Usual
from trainers.starting import go_on_from, starting_encoder

TEXT = "text.safetensors"

Vector = NDArray[np.float32]
"""(D,) of length one."""
Vectors = NDArray[np.float32]
"""(N, D), rows of length one."""


@dataclass
class RetrievalModel:
    """`findings` are those by which its studies were called alike, `usual` the films that it learned from. `frozen`
    counts the weights of the text encoder that never learn."""

    network: FilmsAndText
    recipe: RetrievalRecipe
    findings: tuple[Finding, ...]
    text: TextTokens
    origins: tuple[WeightOrigin, ...]
    frozen: int = 0
    text_shape: Mapping[str, Any] = field(default_factory=dict)
    usual: Usual = field(default_factory=Usual.unknown)

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    def ready(self, squares: Sequence[Square]) -> Tensor:
        """Films (side, side) as the encoder is given them, (B, 1, side, side)."""
        films = torch.stack([torch.from_numpy(np.ascontiguousarray(square)) for square in squares])[:, None]
        floats = normalise(as_floats(films.to(self.device)), self.recipe.normalise)
        return floats.contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def films(self, squares: Sequence[Square], poses: Sequence[Pose]) -> Vectors:
        """What single films say."""
        with autocast(self.recipe, self.device):
            glimpse = self.network.look(self.network.encode(self.ready(squares)))
            said = self.network.films(glimpse.pooled, torch.tensor([int(pose) for pose in poses]).to(self.device))
        return _numpy(unit(said))

    @torch.inference_mode()
    def glimpse(self, squares: Sequence[Square]) -> Glimpse:
        """What the eye makes of films."""
        with autocast(self.recipe, self.device):
            return self.network.look(self.network.encode(self.ready(squares)))

    @torch.inference_mode()
    def looks(self, squares: Sequence[Square]) -> Tensor:
        """(N, C) float32 on the CPU: how films look to the image encoder, by which the unusual are told."""
        with autocast(self.recipe, self.device):
            return self.network.encode(self.ready(squares)).mean(dim=(2, 3)).float().cpu()

    @torch.inference_mode()
    def studies(self, films: NDArray[np.float32], seen: NDArray[np.bool_]) -> Vectors:
        """What studies say, from what their films do (N, 2, D), of which those count that were `seen` (N, 2)."""
        return _numpy(self.network.studies(torch.from_numpy(films), torch.from_numpy(seen)))

    @torch.inference_mode()
    def texts(self, texts: Sequence[Sequence[str]]) -> Vectors:
        """What texts say, each given as its sentences. Raises EmptyText, WeightsNotFound, OtherTextEncoder."""
        words, told = self.words(texts)
        with autocast(self.recipe, self.device):
            return _numpy(self.network.texts(words, told))

    @torch.inference_mode()
    def words(self, texts: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor]:
        """(N, T, D') and (N, T): the states of texts' tokens, and where there is one. Raises what `texts` raises."""
        states, told = read_texts(texts, self.text, self.recipe.text_tokens)
        with autocast(self.recipe, self.device):
            return self.network.words(states.to(self.device), told.to(self.device)), told.to(self.device)


def start_network(
    recipe: RetrievalRecipe, text: TextTokens, start: Path | None, places: Sequence[Path]
) -> tuple[FilmsAndText, tuple[WeightOrigin, ...]]:
    """A network as its training begins, and where its weights come from: the image encoder's from `start`, the folder
    of another model, with whatever else has the same name and shape; else from where the recipe says.

    Raises WeightsNotFound, UnexpectedWeights, CannotStartFrom.
    """
    encoder = starting_encoder(recipe, places, start)
    network = build_network(recipe, encoder, text.encoder.dimension, text.encoder.top)
    origin = encoder.origin
    if start is not None:
        origin = go_on_from(network, start, recipe.start_from, recipe.encoder, _elsewhere(network))
    return network, (origin, text.encoder.origin)


def text_of(recipe: RetrievalRecipe, places: Sequence[Path], probe: Tensor | None = None) -> TextTokens:
    """What reads the recipe's texts."""
    where = own_place_first(recipe.weights_folder, places)
    return TextTokens(recipe.text_encoder, recipe.text_layers, recipe.text_tokens, where, probe)


def build_network(
    recipe: RetrievalRecipe, encoder: ImageEncoder, text_dimension: int, top: TopLayers | None
) -> FilmsAndText:
    """In the memory layout that convolutions on a CPU like."""
    eye: GlanceEye | PatchEye
    if recipe.network == "bottleneck":
        own = encoder.give_last(recipe.patch_layers) if isinstance(encoder, VitB16) else None
        channels = cut_at_stride_16(encoder) if own is None else encoder.channels[-1]
        eye = PatchEye(
            recipe.variant, channels, recipe.patch_width, recipe.patch_heads, recipe.salient_after,
            recipe.patch_layers, recipe.kept_share, recipe.topk_softness, own,
        )  # fmt: skip
    else:
        eye = GlanceEye(encoder.channels[-1])
    local = None
    if isinstance(eye, PatchEye) and recipe.variant >= "B":
        local = Local(text_dimension, eye.patch_width, recipe.dimension)
    network = FilmsAndText(
        encoder, eye, text_dimension, top, local, recipe.dimension, recipe.dropout, recipe.temperature
    )
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _elsewhere(network: FilmsAndText) -> dict[str, str]:
    """Of the layers that an eye took from its encoder, what they are called where the encoder still has them."""
    eye, encoder = network.eye, network.encoder
    if not isinstance(eye, PatchEye) or not isinstance(encoder, VitB16):
        return {}
    taken = {f"eye.{part}.{place}.": f"encoder.body.blocks.{len(encoder.body.blocks) + number}."
             for number, (part, place) in enumerate(eye.layers)}  # fmt: skip
    taken["eye.norm."] = "encoder.body.norm."
    return {
        name: theirs + name.removeprefix(ours)
        for name in network.state_dict()
        for ours, theirs in taken.items()
        if name.startswith(ours)
    }


def save(model: RetrievalModel, folder: Path) -> None:
    """Write the weights, how the text encoder is recognised, and what films look like that are usual."""
    more = {
        "text_dimension": model.network.text_dimension,
        "text_shape": dict(model.text_shape),
        "frozen": model.frozen,
    }
    folders.write(folder, model.network, model.recipe, model.origins, model.findings, more)
    save_file({"probe": model.text.probe.contiguous()}, folder / TEXT)
    model.usual.save(folder)


def load(folder: Path) -> RetrievalModel:
    """The model that `save` wrote. Raises CorruptModel."""
    told = folders.read(folder, RetrievalRecipe)
    recipe, more = told.recipe, told.more
    with folders.whole(folder):
        probe = load_file(folder / TEXT)["probe"]
        usual = Usual.load(folder)
        dimension, shape, frozen = int(more["text_dimension"]), dict(more["text_shape"]), int(more["frozen"])
    top = top_layers(shape, recipe.text_layers) if shape else None
    network = build_network(recipe, build_image_encoder(recipe.encoder, "random"), dimension, top)
    load_weights(network, folder / WEIGHTS)
    text = text_of(recipe, (workspace().weights,), probe)
    return RetrievalModel(network.eval(), recipe, told.findings, text, told.origins, frozen, shape, usual)


def _numpy(rows: Tensor) -> Vectors:
    told: Vectors = rows.float().cpu().numpy()
    return told
