"""A trained segmentation model: the network with all it needs to answer, its folder on disk, and how it answers."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from core.findings import Finding
from core.masks import Mask
from core.recipes import SegmentationRecipe
from core.reports import Report
from core.workspace import workspace
from trainers import folders
from trainers.augmentation import as_floats, normalise
from trainers.backbones import ImageEncoder, TextFeatures, WeightOrigin, build_image_encoder, own_place_first
from trainers.checkpoints import load_weights
from trainers.datasets import Placement, Square
from trainers.folders import WEIGHTS
from trainers.precision import autocast
from trainers.segmentation.data import sections_of
from trainers.segmentation.network import TextConditionedUnet
from trainers.segmentation.prompts import Words, features_of, names_of, words_on
from trainers.segmentation.rivals import told_apart
from trainers.starting import go_on_from, starting_encoder

TEXT = "text.safetensors"
WARM_FILMS = 8
PROMPTS_AT_ONCE = 16


@dataclass
class SegmentationModel:
    """`findings` are those it was trained on; `text` knows the features of their prompts without a text encoder."""

    network: TextConditionedUnet
    recipe: SegmentationRecipe
    findings: tuple[Finding, ...]
    text: TextFeatures
    origins: tuple[WeightOrigin, ...]
    _warm: OrderedDict[str, list[Tensor]] = field(default_factory=OrderedDict, repr=False)

    def finding(self, key: str) -> Finding | None:
        return next((finding for finding in self.findings if finding.key == key), None)

    @torch.inference_mode()
    def encode(self, squares: Sequence[Square]) -> list[Tensor]:
        """Feature maps of films (side, side), for `logits`."""
        device = next(self.network.parameters()).device
        images = torch.stack([torch.from_numpy(square) for square in squares])[:, None].to(device)
        ready = normalise(as_floats(images), self.recipe.normalise).contiguous(memory_format=torch.channels_last)
        with autocast(self.recipe, device):
            return self.network.encode(ready)

    def read(self, words: Sequence[Words]) -> Tensor:
        """(N, 1 + sections, D) features of words, for `answer`. Raises EmptyText."""
        return features_of(words, self.text, self.network.sections)

    @torch.inference_mode()
    def answer(self, features: Sequence[Tensor], text: Tensor, image_of: Sequence[int]) -> Tensor:
        """(N, side, side) float32 logits: each row of `text` (N, 1 + sections, D) asked of its film of `features`.

        Raises TextWidthMismatch.
        """
        device = features[0].device
        which = torch.tensor(image_of, device=device)
        answers = []
        with autocast(self.recipe, device):
            for start in range(0, len(text), PROMPTS_AT_ONCE):
                rows = slice(start, start + PROMPTS_AT_ONCE)
                answers.append(self.network.decode(features, text[rows].to(device), which[rows])[:, 0].float())
        return torch.cat(answers)

    def outline(self, features: Sequence[Tensor], asked: Mapping[str, Words], report: Report | None) -> Tensor:
        """(N, side, side) float32 logits of one film's findings, asked for in these words, look-alikes told apart.

        `features` are that film's alone. A look-alike that was not asked for is asked by its own words, so that one
        finding's answer does not depend on what else is asked. Raises EmptyText, TextWidthMismatch.
        """
        order = self.recipe.exclusive
        beside = (
            [f for f in self.findings if f.key in order and f.key not in asked] if asked.keys() & set(order) else []
        )
        words = [*asked.values(), *(words_on(finding, report, self.recipe.text) for finding in beside)]
        logits = self.answer(features, self.read(words), [0] * len(words))
        keys = [*asked, *(finding.key for finding in beside)]
        rank = torch.tensor([order.index(key) if key in order else -1 for key in keys], device=logits.device)
        return told_apart(logits, torch.zeros_like(rank), rank)[: len(asked)]

    def warm_features(self, name: str, square: Square) -> list[Tensor]:
        """The film's feature maps, kept for the few films asked about last: a second prompt costs only a decoding."""
        if name not in self._warm:
            self._warm[name] = self.encode([square])
            while len(self._warm) > WARM_FILMS:
                self._warm.popitem(last=False)
        self._warm.move_to_end(name)
        return self._warm[name]


def at_native_size(logits: Tensor, height: int, width: int, fit: str) -> Tensor:
    """Probabilities (K, height, width) of a film from logits (K, side, side) of its square."""
    place = Placement.of(height, width, logits.shape[-1], fit)
    inside = logits[None, :, place.top : place.top + place.tall, place.left : place.left + place.wide]
    larger = functional.interpolate(inside, size=(height, width), mode="bilinear", align_corners=False)
    return larger[0].sigmoid()


def expected_dice(probability: NDArray[np.float32], mask: Mask) -> float:
    """How sure the model is of a mask, in [0, 1]: the Dice that it expects of it, 2 sum(p in the mask) / (sum(p) +
    |mask|), a ratio of expectations; exact where the probabilities are 0 and 1. 0 for an empty mask."""
    size = float(mask.sum())
    inside, everywhere = (float(part.sum(dtype=np.float64)) for part in (probability[mask], probability))
    return 2 * inside / (everywhere + size) if size else 0.0


def start_network(
    recipe: SegmentationRecipe, text_dimension: int, start: Path | None, places: Sequence[Path]
) -> tuple[TextConditionedUnet, tuple[WeightOrigin, ...]]:
    """A network as its training begins, and where its weights come from: from `start`, the folder of another model
    whose encoder it takes, and whatever else has the same name and shape; else from where the recipe says.

    Raises WeightsNotFound, CannotStartFrom.
    """
    encoder = starting_encoder(recipe, places, start)
    network = _network(recipe, text_dimension, encoder)
    if start is None:
        return network, (encoder.origin,)
    return network, (go_on_from(network, start, recipe.start_from, recipe.encoder),)


def _network(recipe: SegmentationRecipe, text_dimension: int, encoder: ImageEncoder) -> TextConditionedUnet:
    """In the memory layout that convolutions on a CPU like."""
    network = TextConditionedUnet(
        encoder, text_dimension, recipe.decoder_channels, recipe.text_width, recipe.dropout, sections_of(recipe)
    )
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def save(model: SegmentationModel, folder: Path, half: bool = False) -> None:
    """Write weights (`half`: in half precision), the features of the findings' names, and a description."""
    texts = sorted({name for finding in model.findings for name in names_of(finding)})
    model.text(texts)
    save_file({str(row): model.text.known[text].clone() for row, text in enumerate(texts)}, folder / TEXT)
    more = {"text_dimension": model.network.text_dimension, "texts": texts}
    folders.write(folder, model.network, model.recipe, model.origins, model.findings, more, half)


def load(folder: Path) -> SegmentationModel:
    """The model that `save` wrote. Raises CorruptModel."""
    told = folders.read(folder, SegmentationRecipe)
    with folders.whole(folder):
        rows = load_file(folder / TEXT)
        known = {text: rows[str(row)] for row, text in enumerate(told.more["texts"])}
        width = int(told.more["text_dimension"])
    recipe = told.recipe
    network = _network(recipe, width, build_image_encoder(recipe.encoder, "random"))
    load_weights(network, folder / WEIGHTS)
    text = TextFeatures(recipe.text_encoder, known, own_place_first(recipe.weights_folder, (workspace().weights,)))
    return SegmentationModel(network.eval(), recipe, told.findings, text, told.origins)
