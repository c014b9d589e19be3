"""A pretrained autoencoder: the network, its folder on disk, and how it restores films."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from core.recipes import PretrainingRecipe
from trainers import folders
from trainers.augmentation import as_floats, levels
from trainers.backbones import ImageEncoder, WeightOrigin, build_image_encoder
from trainers.checkpoints import load_weights
from trainers.datasets import Square
from trainers.folders import ENCODER, WEIGHTS
from trainers.precision import autocast
from trainers.pretraining.network import Autoencoder, hide_patches
from trainers.starting import starting_encoder


@dataclass(frozen=True)
class Restored:
    """Films (B, 1, side, side) as grey values in [0, 1]: as they are, as the network saw them, as it restored them."""

    films: Tensor
    seen: Tensor
    restored: Tensor


@dataclass
class PretrainingModel:
    network: Autoencoder
    recipe: PretrainingRecipe
    origins: tuple[WeightOrigin, ...]

    @torch.inference_mode()
    def restore(self, squares: Sequence[Square], hidden_share: float = 0.0, seed: int = 0) -> Restored:
        """Films (side, side) through the network, with this share of their patches hidden from it."""
        device = next(self.network.parameters()).device
        films = as_floats(torch.stack([torch.from_numpy(square) for square in squares])[:, None].to(device))
        middle, reach = levels(films, self.recipe.normalise)
        ready = (films - middle) / reach
        if hidden_share:
            torch.manual_seed(seed)
            ready = hide_patches(ready, self.recipe.patch, torch.full((len(films),), hidden_share, device=device))
        with autocast(self.recipe, device):
            given = self.network(ready.contiguous(memory_format=torch.channels_last))
        restored = (given.float() * reach + middle).clamp(0, 1)
        return Restored(films, (ready * reach + middle).clamp(0, 1), restored)


def start_network(recipe: PretrainingRecipe, places: Sequence[Path]) -> tuple[Autoencoder, tuple[WeightOrigin, ...]]:
    """A network as its training begins, and where its weights come from. Raises WeightsNotFound."""
    encoder = starting_encoder(recipe, places)
    return _network(recipe, encoder), (encoder.origin,)


def _network(recipe: PretrainingRecipe, encoder: ImageEncoder) -> Autoencoder:
    """In the memory layout that convolutions on a CPU like."""
    network = Autoencoder(encoder, recipe.decoder_channels)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def save(model: PretrainingModel, folder: Path) -> None:
    """Write the weights, the encoder's once more on their own for whoever starts from them, and a description."""
    folders.write(folder, model.network, model.recipe, model.origins)
    encoder = model.network.get_submodule("encoder")
    state = {name: value.detach().cpu().contiguous() for name, value in encoder.state_dict().items()}
    save_file(state, folder / ENCODER)


def load(folder: Path) -> PretrainingModel:
    """The model that `save` wrote. Raises CorruptModel."""
    told = folders.read(folder, PretrainingRecipe)
    network = _network(told.recipe, build_image_encoder(told.recipe.encoder, "random"))
    load_weights(network, folder / WEIGHTS)
    return PretrainingModel(network.eval(), told.recipe, told.origins)
