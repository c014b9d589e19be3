"""A pretrained autoencoder: the network, its folder on disk, and how it restores films."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from core.errors import ReadingRoomError
from core.recipes import PretrainingRecipe, from_mapping
from trainers.augmentation import as_floats, levels
from trainers.backbones import ImageEncoder, WeightOrigin, build_image_encoder, own_place_first
from trainers.checkpoints import CorruptModel, load_weights
from trainers.datasets import Square
from trainers.precision import autocast
from trainers.pretraining.network import Autoencoder, hide_patches

WEIGHTS = "weights.safetensors"
ENCODER = "encoder.safetensors"
DESCRIPTION = "model.json"


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
    encoder = build_image_encoder(recipe.encoder, recipe.weights, own_place_first(recipe.weights_folder, places))
    return _network(recipe, encoder), (encoder.origin,)


def _network(recipe: PretrainingRecipe, encoder: ImageEncoder) -> Autoencoder:
    """In the memory layout that convolutions on a CPU like."""
    network = Autoencoder(encoder, recipe.decoder_channels)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def save(model: PretrainingModel, folder: Path) -> None:
    """Write the weights, the encoder's once more on their own for whoever starts from them, and a description."""
    state = {name: value.detach().cpu().contiguous() for name, value in model.network.state_dict().items()}
    save_file(state, folder / WEIGHTS)
    inner = {name.removeprefix("encoder."): value for name, value in state.items() if name.startswith("encoder.")}
    save_file(inner, folder / ENCODER)
    description = {
        "format": 1,
        "family": model.recipe.family,
        "recipe": model.recipe.to_mapping(),
        "origins": [asdict(origin) for origin in model.origins],
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=1, ensure_ascii=False), encoding="utf-8")


def load(folder: Path) -> PretrainingModel:
    """The model that `save` wrote. Raises CorruptModel."""
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        recipe = from_mapping("pretraining", description["recipe"])
        origins = tuple(WeightOrigin(**origin) for origin in description["origins"])
    except (OSError, ValueError, KeyError, TypeError, ReadingRoomError) as error:
        raise CorruptModel(folder, str(error)) from error
    if not isinstance(recipe, PretrainingRecipe):
        raise CorruptModel(folder, "its recipe is of another family")
    network = _network(recipe, build_image_encoder(recipe.encoder, "random"))
    load_weights(network, folder / WEIGHTS)
    return PretrainingModel(network.eval(), recipe, origins)
