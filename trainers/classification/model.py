"""A trained classification model: the network with all it needs to answer, its folder on disk, and how it answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.bootstrap import Values
from core.calibration import at_temperature
from core.findings import Finding
from core.recipes import ClassificationRecipe
from core.workspace import workspace
from trainers import folders
from trainers.augmentation import as_floats, normalise
from trainers.backbones import (
    ImageEncoder,
    TextTokens,
    TopLayers,
    WeightOrigin,
    build_image_encoder,
    own_place_first,
    top_layers,
)
from trainers.checkpoints import load_weights
from trainers.classification.columns import CALIBRATED_AS, reads_films, reads_words
from trainers.classification.data import read_contexts
from trainers.classification.neighbours import Neighbours
from trainers.classification.network import FilmAndContext
from trainers.datasets import Square
from trainers.folders import WEIGHTS
from trainers.precision import autocast
from trainers.starting import go_on_from, starting_encoder

TEXT = "text.safetensors"


@dataclass(frozen=True)
class Calibrated:
    """What validation chose: by column the temperature that makes probabilities honest, and by column and finding the
    probability from which it is called present; None where validation held no case of it."""

    temperatures: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)

    def probability(self, column: str, logits: Values) -> Values:
        return at_temperature(logits, self.temperatures.get(CALIBRATED_AS[column], 1.0))

    def threshold(self, column: str, finding: str) -> float | None:
        return self.thresholds.get(CALIBRATED_AS[column], {}).get(finding)


@dataclass
class ClassificationModel:
    """`findings` are those it was trained on, `left_out` those that were labelled and could not be learned, and why.
    `text` is None in a model that reads no words; `frozen` counts the weights of the text encoder that never learn."""

    network: FilmAndContext
    recipe: ClassificationRecipe
    findings: tuple[Finding, ...]
    left_out: Mapping[str, str]
    text: TextTokens | None
    origins: tuple[WeightOrigin, ...]
    frozen: int = 0
    text_shape: Mapping[str, Any] = field(default_factory=dict)
    calibrated: Calibrated = field(default_factory=Calibrated)
    neighbours: Neighbours = field(default_factory=Neighbours.nobody)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(finding.key for finding in self.findings)

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    def ready(self, squares: Sequence[Square]) -> Tensor:
        """Films (side, side) as the encoder is given them, (B, 1, side, side)."""
        films = torch.stack([torch.from_numpy(np.ascontiguousarray(square)) for square in squares])[:, None]
        floats = normalise(as_floats(films.to(self.device)), self.recipe.normalise)
        return floats.contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def encode(self, squares: Sequence[Square]) -> Tensor:
        """The deepest map of films (side, side): (B, C, h, w)."""
        with autocast(self.recipe, self.device):
            return self.network.encode(self.ready(squares))

    @torch.inference_mode()
    def patches(self, deepest: Tensor) -> Tensor:
        """What `answer` needs of films: (B, P, W)."""
        with autocast(self.recipe, self.device):
            return self.network.patches(deepest)

    @torch.inference_mode()
    def words(self, contexts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """What `answer` needs of contexts: (B, T, W), and (B, T) where there is a token. Raises WeightsNotFound and
        OtherTextEncoder where a context was never read before."""
        states, told = read_contexts(contexts, self.text, self._dimension)
        with autocast(self.recipe, self.device):
            return self.network.words(states.to(self.device), told.to(self.device)), told.to(self.device)

    @torch.inference_mode()
    def answer(self, patches: Tensor | None, words: tuple[Tensor, Tensor] | None) -> NDArray[np.float64]:
        """Logits (B, F) of films, of contexts, or of both."""
        with autocast(self.recipe, self.device):
            logits = self.network(patches, *(words or (None, None)))
        answered: NDArray[np.float64] = logits.double().cpu().numpy()
        return answered

    @torch.inference_mode()
    def look(self, patches: Tensor) -> Tensor:
        """(B, W) of length one: how films look to the network, by which they are called alike."""
        with autocast(self.recipe, self.device):
            seen = self.network.head.hidden(self.network.fuse(patches, None, None).pooled)
        return torch.nn.functional.normalize(seen.float(), dim=-1)

    @property
    def _dimension(self) -> int:
        assert self.network.text_dimension is not None
        return self.network.text_dimension


def start_network(
    recipe: ClassificationRecipe, findings: int, text: TextTokens | None, start: Path | None, places: Sequence[Path]
) -> tuple[FilmAndContext, tuple[WeightOrigin, ...]]:
    """A network as its training begins, and where its weights come from: the image encoder's from `start`, the folder
    of another model, with whatever else has the same name and shape; else from where the recipe says.

    Raises WeightsNotFound, UnexpectedWeights, CannotStartFrom.
    """
    encoder = starting_encoder(recipe, places, start) if reads_films(recipe) else None
    reader = text.encoder if text is not None else None
    network = build_network(
        recipe, findings, encoder, reader.dimension if reader else None, reader.top if reader else None
    )
    origins = () if encoder is None else (encoder.origin,)
    if start is not None and encoder is not None:
        origins = (go_on_from(network, start, recipe.start_from, recipe.encoder),)
    return network, (*origins, *((reader.origin,) if reader else ()))


def text_of(recipe: ClassificationRecipe, places: Sequence[Path], probe: Tensor | None = None) -> TextTokens | None:
    """What reads the recipe's contexts; None where none are read."""
    if not reads_words(recipe):
        return None
    where = own_place_first(recipe.weights_folder, places)
    return TextTokens(recipe.text_encoder, recipe.text_layers, recipe.text_tokens, where, probe)


def build_network(
    recipe: ClassificationRecipe,
    findings: int,
    encoder: ImageEncoder | None,
    text_dimension: int | None,
    top: TopLayers | None,
) -> FilmAndContext:
    """In the memory layout that convolutions on a CPU like."""
    network = FilmAndContext(encoder, text_dimension, top, findings, recipe.fusion_width, recipe.heads, recipe.dropout)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def save(model: ClassificationModel, folder: Path) -> None:
    """Write weights, what validation chose, how the text encoder is recognised, and the training studies to be named as
    alike."""
    more = {
        "left_out": dict(model.left_out),
        "temperatures": dict(model.calibrated.temperatures),
        "thresholds": {column: dict(chosen) for column, chosen in model.calibrated.thresholds.items()},
        "text_dimension": model.network.text_dimension,
        "text_shape": dict(model.text_shape),
        "frozen": model.frozen,
    }
    folders.write(folder, model.network, model.recipe, model.origins, model.findings, more)
    if model.text is not None:
        save_file({"probe": model.text.probe.contiguous()}, folder / TEXT)
    model.neighbours.save(folder)


def load(folder: Path) -> ClassificationModel:
    """The model that `save` wrote. Raises CorruptModel."""
    told = folders.read(folder, ClassificationRecipe)
    recipe, more = told.recipe, told.more
    with folders.whole(folder):
        dimension = None if more["text_dimension"] is None else int(more["text_dimension"])
        probe = load_file(folder / TEXT)["probe"] if dimension is not None else None
        calibrated = Calibrated(dict(more["temperatures"]), dict(more["thresholds"]))
        shape, frozen, left_out = dict(more["text_shape"]), int(more["frozen"]), dict(more["left_out"])
        neighbours = Neighbours.load(folder)
    encoder = build_image_encoder(recipe.encoder, "random") if reads_films(recipe) else None
    top = top_layers(shape, recipe.text_layers) if shape else None
    network = build_network(recipe, len(told.findings), encoder, dimension, top)
    load_weights(network, folder / WEIGHTS)
    return ClassificationModel(
        network.eval(), recipe, told.findings, left_out, text_of(recipe, (workspace().weights,), probe), told.origins,
        frozen, shape, calibrated, neighbours,
    )  # fmt: skip


def parameters_of(models: Iterable[torch.nn.Module]) -> int:
    return sum(parameter.numel() for model in models for parameter in model.parameters())
