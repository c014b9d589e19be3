"""Where a network starts from: the encoder that its recipe names, or the weights of another model."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from core.errors import ReadingRoomError
from core.recipes.films import FilmRecipe
from trainers.backbones import ImageEncoder, WeightOrigin, build_image_encoder, own_place_first
from trainers.checkpoints import read_state, sha256_of
from trainers.folders import ENCODER, WEIGHTS

ENCODER_PREFIX = "encoder."


class CannotStartFrom(ReadingRoomError):
    """A recipe wants to go on from a model whose encoder is another one."""

    def __init__(self, model: str, encoder: str) -> None:
        super().__init__(
            f"Training cannot go on from {model}: it has not the encoder {encoder}. Choose another start_from, or the "
            "encoder that it was trained with."
        )


def starting_encoder(recipe: FilmRecipe, places: Sequence[Path], start: Path | None = None) -> ImageEncoder:
    """The recipe's image encoder with its first weights; with random ones where those of another model will follow.

    Raises WeightsNotFound, UnexpectedWeights.
    """
    if start is not None:
        return build_image_encoder(recipe.encoder, "random")
    return build_image_encoder(recipe.encoder, recipe.weights, own_place_first(recipe.weights_folder, places))


def go_on_from(
    network: nn.Module, start: Path, name: str, encoder: str, elsewhere: Mapping[str, str] | None = None
) -> WeightOrigin:
    """Give a network, whose image encoder is its `encoder`, whatever has the same name and shape in the model `name` in
    the folder `start`: a pretrained encoder, or a whole model. `elsewhere` are parameters that may have another name
    there. Raises CannotStartFrom."""
    theirs, file = _weights_of(start)
    theirs = {ours: theirs[there] for ours, there in (elsewhere or {}).items() if there in theirs} | theirs
    ours = network.state_dict()
    fitting = {key: value for key, value in theirs.items() if key in ours and ours[key].shape == value.shape}
    if any(key.startswith(ENCODER_PREFIX) and key not in fitting for key in ours):
        raise CannotStartFrom(name, encoder)
    network.load_state_dict(fitting, strict=False)
    share = sum(ours[key].numel() for key in fitting) / sum(value.numel() for value in ours.values())
    part = f"image encoder and {share:.0%} of all weights"
    return WeightOrigin(part, name, sha256=sha256_of(file), licence="that of its own weights")


def _weights_of(folder: Path) -> tuple[dict[str, Tensor], Path]:
    """The weights of another model under a network's names: a whole one's, or a pretrained encoder's."""
    alone = folder / ENCODER
    if alone.is_file():
        return {f"{ENCODER_PREFIX}{name}": value for name, value in read_state(alone).items()}, alone
    return read_state(folder / WEIGHTS), folder / WEIGHTS
