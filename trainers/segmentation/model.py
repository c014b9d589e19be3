"""A trained segmentation model: the network with all it needs to answer, its folder on disk, and how it answers."""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from core.errors import ReadingRoomError
from core.findings import Finding, Kind
from core.masks import Mask
from core.recipes import SegmentationRecipe, from_mapping
from core.reports import Report
from core.workspace import workspace
from trainers.augmentation import as_floats, normalise
from trainers.backbones import ImageEncoder, TextFeatures, WeightOrigin, build_image_encoder, own_place_first
from trainers.checkpoints import CorruptModel, load_weights, read_state, sha256_of
from trainers.datasets import Placement, Square
from trainers.precision import autocast
from trainers.segmentation.data import sections_of
from trainers.segmentation.network import TextConditionedUnet
from trainers.segmentation.prompts import Words, features_of, names_of, words_on
from trainers.segmentation.rivals import told_apart

WEIGHTS = "weights.safetensors"
TEXT = "text.safetensors"
DESCRIPTION = "model.json"
ENCODER = "encoder.safetensors"
WARM_FILMS = 8
PROMPTS_AT_ONCE = 16


class CannotStartFrom(ReadingRoomError):
    """A recipe wants to go on from a model whose encoder is another one."""

    def __init__(self, model: str, encoder: str) -> None:
        super().__init__(
            f"Training cannot go on from {model}: it has not the encoder {encoder}. Choose another start_from, or the "
            "encoder that it was trained with."
        )


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
        exclusive = set(self.recipe.exclusive)
        beside = [f for f in self.findings if f.key in exclusive - asked.keys()] if exclusive & asked.keys() else []
        words = [*asked.values(), *(words_on(finding, report, self.recipe.text) for finding in beside)]
        logits = self.answer(features, self.read(words), [0] * len(words))
        keys = [*asked, *(finding.key for finding in beside)]
        rival = torch.tensor([key in exclusive for key in keys], device=logits.device)
        return told_apart(logits, torch.zeros_like(rival, dtype=torch.int64), rival)[: len(asked)]

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
    if start is None:
        encoder = build_image_encoder(recipe.encoder, recipe.weights, own_place_first(recipe.weights_folder, places))
        return _network(recipe, text_dimension, encoder), (encoder.origin,)
    network = _network(recipe, text_dimension, build_image_encoder(recipe.encoder, "random"))
    theirs, file = _weights_of(start)
    ours = network.state_dict()
    fitting = {name: value for name, value in theirs.items() if name in ours and ours[name].shape == value.shape}
    if any(name.startswith("encoder.") and name not in fitting for name in ours):
        raise CannotStartFrom(recipe.start_from, recipe.encoder)
    network.load_state_dict(fitting, strict=False)
    share = sum(ours[name].numel() for name in fitting) / sum(value.numel() for value in ours.values())
    part = f"image encoder and {share:.0%} of all weights"
    return network, (WeightOrigin(part, recipe.start_from, sha256=sha256_of(file), licence="that of its own weights"),)


def _network(recipe: SegmentationRecipe, text_dimension: int, encoder: ImageEncoder) -> TextConditionedUnet:
    """In the memory layout that convolutions on a CPU like."""
    network = TextConditionedUnet(
        encoder, text_dimension, recipe.decoder_channels, recipe.text_width, recipe.dropout, sections_of(recipe)
    )
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _weights_of(folder: Path) -> tuple[dict[str, Tensor], Path]:
    """The weights of another model under this network's names: a whole one's, or a pretrained encoder's."""
    alone = folder / ENCODER
    if alone.is_file():
        return {f"encoder.{name}": value for name, value in read_state(alone).items()}, alone
    return read_state(folder / WEIGHTS), folder / WEIGHTS


def save(model: SegmentationModel, folder: Path, half: bool = False) -> None:
    """Write weights (`half`: in half precision), the features of the findings' names, and a description; nothing
    pickled."""
    state = {name: value.detach().cpu().contiguous() for name, value in model.network.state_dict().items()}
    if half:
        state = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    save_file(state, folder / WEIGHTS)
    texts = sorted({name for finding in model.findings for name in names_of(finding)})
    model.text(texts)
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
    network = _network(recipe, width, build_image_encoder(recipe.encoder, "random"))
    load_weights(network, folder / WEIGHTS)
    text = TextFeatures(recipe.text_encoder, known, own_place_first(recipe.weights_folder, (workspace().weights,)))
    return SegmentationModel(network.eval(), recipe, findings, text, origins)


def _finding(data: dict[str, object]) -> Finding:
    lists = {"kind": Kind(str(data["kind"])), "prompts": _words(data["prompts"]), "parts": _words(data["parts"])}
    return Finding(**{**data, **lists})  # type: ignore[arg-type]


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, list | tuple) else ()
