"""A trained segmentation model: the network with all it needs to answer, its folder on disk, and how it answers."""

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from core.errors import ReadingRoomError
from core.findings import Finding, Kind
from core.recipes import SegmentationRecipe, from_mapping
from trainers.backbones import TextFeatures, WeightOrigin, build_image_encoder
from trainers.checkpoints import CorruptModel, load_weights
from trainers.datasets import Placement, Square
from trainers.precision import autocast
from trainers.segmentation.augmentation import as_floats, normalise
from trainers.segmentation.network import TextConditionedUnet

WEIGHTS = "weights.safetensors"
TEXT = "text.safetensors"
DESCRIPTION = "model.json"
WARM_FILMS = 8


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

    @torch.inference_mode()
    def logits(self, features: Sequence[Tensor], texts: Sequence[str]) -> Tensor:
        """(B, K, side, side) float32: every text asked of every film. Raises EmptyText, TextWidthMismatch."""
        count, device = len(features[0]), features[0].device
        read = self.text(texts).to(device)
        every = torch.arange(count, device=device)
        with autocast(self.recipe, device):
            answers = [self.network.decode(features, row.expand(count, -1), every) for row in read]
        return torch.cat(answers, dim=1).float()

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


def build_network(recipe: SegmentationRecipe, text_dimension: int, pretrained: bool) -> TextConditionedUnet:
    """The network that a recipe describes, in the memory layout that convolutions on a CPU like.

    Raises WeightsNotFound.
    """
    encoder = build_image_encoder(recipe.encoder, pretrained)
    network = TextConditionedUnet(encoder, text_dimension, recipe.decoder_channels, recipe.text_width, recipe.dropout)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def save(model: SegmentationModel, folder: Path) -> None:
    """Write weights, the features of all texts known, and a description; nothing pickled."""
    state = {name: value.detach().cpu().contiguous() for name, value in model.network.state_dict().items()}
    save_file(state, folder / WEIGHTS)
    texts = sorted(model.text.known)
    save_file({str(row): model.text.known[text].clone() for row, text in enumerate(texts)}, folder / TEXT)
    description = {
        "format": 1,
        "family": model.recipe.family,
        "recipe": model.recipe.to_mapping(),
        "findings": [asdict(finding) for finding in model.findings],
        "text_dimension": model.network.text_dimension,
        "texts": texts,
        "origins": [asdict(origin) for origin in model.origins],
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=1, ensure_ascii=False), encoding="utf-8")


def load(folder: Path) -> SegmentationModel:
    """The model that `save` wrote. Raises CorruptModel."""
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        recipe = from_mapping("segmentation", description["recipe"])
        rows = load_file(folder / TEXT)
        known = {text: rows[str(row)] for row, text in enumerate(description["texts"])}
        findings = tuple(_finding(entry) for entry in description["findings"])
        origins = tuple(WeightOrigin(**origin) for origin in description["origins"])
        width = int(description["text_dimension"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError, ReadingRoomError) as error:
        raise CorruptModel(folder, str(error)) from error
    if not isinstance(recipe, SegmentationRecipe):
        raise CorruptModel(folder, "its recipe is of another family")
    network = build_network(recipe, width, pretrained=False)
    load_weights(network, folder / WEIGHTS)
    return SegmentationModel(network.eval(), recipe, findings, TextFeatures(recipe.text_encoder, known), origins)


def _finding(data: dict[str, object]) -> Finding:
    lists = {"kind": Kind(str(data["kind"])), "prompts": _words(data["prompts"]), "parts": _words(data["parts"])}
    return Finding(**{**data, **lists})  # type: ignore[arg-type]


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, list | tuple) else ()
