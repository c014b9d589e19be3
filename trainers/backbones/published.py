"""Published image encoders: from a file of somebody else's weights to the parameters of an encoder here, strictly."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from trainers.backbones.origins import IMAGE_ENCODER, UnexpectedWeights, WeightOrigin
from trainers.backbones.places import Repository, find_weights
from trainers.checkpoints import read_state

_WRAPPERS = r"(?:(?:module|model|encoder|backbone)\.)*"


def _as_it_is(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    return state


@dataclass(frozen=True)
class Published:
    """How an encoder's weights are published: the name that their files bear, their repository on the hub, the kernel
    of the stem, by which they are recognised, and the beginnings of names that only a whole classifier has.

    `renamed` turns the names of other libraries into the encoder's own.
    """

    name: str
    repository: Repository
    stem: str
    head: tuple[str, ...]
    renamed: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]] = _as_it_is


def load_published(body: nn.Module, published: Published, places: Sequence[Path]) -> WeightOrigin:
    """Fill an encoder that still sees three channels, all of it, and say from where.

    Raises WeightsNotFound, UnexpectedWeights, PickledModel, NotWeights.
    """
    path, origin = find_weights(IMAGE_ENCODER, published.name, published.repository, places)
    complete = encoder_state(read_state(path), published, body.state_dict(), path)
    # Not a body's own way to load, which some libraries replace by a lenient one.
    nn.Module.load_state_dict(body, complete, strict=True)
    return origin


def encoder_state(
    state: Mapping[str, Tensor], published: Published, wanted: Mapping[str, Tensor], path: Path
) -> dict[str, Tensor]:
    """The encoder's part of a state dictionary under the names of `wanted`, its classifier left out.

    Of a larger model ("encoder.", "module." and the like stand before the names) only the encoder is read. Files from
    before batch norms counted their batches are read too. Raises UnexpectedWeights, naming the first parameter that is
    unknown, lacking or of another shape.
    """
    named = unwrapped(published.renamed(state), published, path)
    found = {name: value for name, value in named.items() if not name.startswith(published.head)}
    uncounted = {name: value for name, value in wanted.items() if name.endswith(".num_batches_tracked")}
    complete = {**uncounted, **found}
    wrong = f"{path} does not hold the encoder {published.name}: "
    for name, value in complete.items():
        if name not in wanted:
            raise UnexpectedWeights(f'{wrong}it has a parameter "{name}", which is unknown there.')
        if value.shape != wanted[name].shape:
            raise UnexpectedWeights(
                f'{wrong}its parameter "{name}" has the shape {tuple(value.shape)}, where {tuple(wanted[name].shape)} '
                "was expected."
            )
    for name in wanted:
        if name not in complete:
            raise UnexpectedWeights(f'{wrong}it lacks the parameter "{name}".')
    return complete


def unwrapped(state: Mapping[str, Tensor], published: Published, path: Path) -> dict[str, Tensor]:
    """What stands behind the prefix under which the stem is found. Raises UnexpectedWeights where there is no stem."""
    stem = re.compile(_WRAPPERS + re.escape(published.stem))
    wrapper = next((name.removesuffix(published.stem) for name in state if stem.fullmatch(name)), None)
    if wrapper is None:
        raise UnexpectedWeights(
            f'{path} does not hold the encoder {published.name}: it has no parameter "{published.stem}"; its first is '
            f'"{next(iter(state), "nothing")}".'
        )
    return {name.removeprefix(wrapper): value for name, value in state.items() if name.startswith(wrapper)}
