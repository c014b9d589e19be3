"""What is trained: the network, its loss, and its score on the validation films, as Lightning's loop wants it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from core.recipes import SegmentationRecipe
from trainers.augmentation import AUGMENTATIONS, Augmentation, as_floats
from trainers.backbones import TextFeatures, own_place_first
from trainers.contract import FRAMES
from trainers.datasets import Batches
from trainers.modules import FamilyModule
from trainers.segmentation.augmentation import augment
from trainers.segmentation.batches import SegmentationBatch
from trainers.segmentation.data import Collate, Film, SegmentationData, rarity
from trainers.segmentation.frames import Frame
from trainers.segmentation.losses import segmentation_loss
from trainers.segmentation.model import SegmentationModel, start_network
from trainers.segmentation.rivals import told_apart


class SegmentationModule(FamilyModule):
    """Logs "train_loss" each step, and "validation_dice" each epoch: the mean over validation masks that are not empty,
    at the network's own resolution; "validation_dice/<finding>" beside it."""

    recipe: SegmentationRecipe

    def __init__(self, recipe: SegmentationRecipe, data: SegmentationData) -> None:
        super().__init__()
        self.recipe, self.data = recipe, data
        self.text = TextFeatures(recipe.text_encoder, places=own_place_first(recipe.weights_folder, data.weights))
        dimension = self.text(["film"]).shape[-1]
        torch.manual_seed(recipe.seed)
        self.network, self.started = start_network(recipe, dimension, data.start, data.weights)
        self.has_validation = bool(data.validation)
        self._scores, self._frame = DiceByFinding.of(len(data.findings)), Frame()
        self.train()

    def publishable(self) -> SegmentationModel:
        origins = (*self.started, self.text.encoder.origin)
        return SegmentationModel(self.network.eval(), self.recipe, self.data.findings, self.text, origins)

    def train_dataloader(self) -> Batches[Film, SegmentationBatch]:
        recipe, films = self.recipe, self.data.training
        weights = rarity(films, recipe.oversample) if recipe.oversample else None
        return Batches(films, self._collate(varied=True), recipe.batch_size, recipe.seed, self.repeats(films), weights)

    def val_dataloader(self) -> Batches[Film, SegmentationBatch] | list[None]:
        collate = self._collate(varied=False)
        return Batches(self.data.validation, collate, self.recipe.batch_size) if self.has_validation else []

    def training_step(self, batch: SegmentationBatch, batch_idx: int) -> Tensor:
        recipe = self.recipe
        with torch.autocast(self.device.type, enabled=False):
            films, masks, text = augment(batch, self._variation(), recipe.flip_probability)
            text = jittered(text, recipe.text_noise)
        logits = self.network(self.ready(films), text, batch.image_of)
        loss = segmentation_loss(logits, masks, batch.image_of, recipe)
        self.log("train_loss", loss.total.detach(), batch_size=len(films))
        return loss.total

    def validation_step(self, batch: SegmentationBatch, batch_idx: int) -> None:
        logits = self.network(self.ready(as_floats(batch.images)), batch.text, batch.image_of)
        logits = told_apart(logits, batch.image_of, self._ranks.to(self.device)[batch.finding_of])
        self._scores.add(logits > 0, batch.masks > 0, batch.finding_of)
        self._frame.add(batch, logits > 0)

    def on_validation_epoch_end(self) -> None:
        if (overall := self._scores.overall()) is not None:
            self.log("validation_dice", overall)
            caption = f"epoch {self.current_epoch + 1}, validation Dice {overall:.3f}"
            self._frame.write(Path(self.trainer.default_root_dir) / FRAMES, self.global_step, caption)
        for finding, value in zip(self.data.findings, self._scores.each(), strict=True):
            if value is not None:
                self.log(f"validation_dice/{finding.key}", value)
        self._scores, self._frame = DiceByFinding.of(len(self.data.findings)), Frame()

    @cached_property
    def _ranks(self) -> Tensor:
        """Of the data's findings, their places among the look-alikes; -1 for those that are none."""
        order = self.recipe.exclusive
        return torch.tensor([order.index(f.key) if f.key in order else -1 for f in self.data.findings])

    def _variation(self) -> Augmentation:
        recipe = self.recipe
        calm = recipe.augment == "strong" and self.global_step >= recipe.calm_from * self.all_steps
        return AUGMENTATIONS["light" if calm else recipe.augment]

    def _collate(self, varied: bool) -> Collate:
        return Collate(self.data.films, self.data.findings, self.text, self.recipe, varied)


def jittered(text: Tensor, length: float) -> Tensor:
    """Each feature of length one moved a random step of about `length` and brought back to length one, so that words
    never read in training land among those that were. Rows of zeros (nothing was written) stay."""
    if not length:
        return text
    step = torch.randn_like(text) * (length / text.shape[-1] ** 0.5)
    return functional.normalize(text + step, dim=-1) * (text.abs().sum(dim=-1, keepdim=True) > 0)


@dataclass
class DiceByFinding:
    """Sums of Dice over masks that are not empty, and how many there were, for each finding."""

    sums: Tensor
    counts: Tensor

    @classmethod
    def of(cls, findings: int) -> "DiceByFinding":
        return cls(torch.zeros(findings, dtype=torch.float64), torch.zeros(findings, dtype=torch.float64))

    def add(self, predicted: Tensor, truth: Tensor, finding_of: Tensor) -> None:
        """`predicted` and `truth` (N, 1, H, W) bool; `finding_of` (N,)."""
        overlap = (predicted & truth).sum(dim=(1, 2, 3)).double()
        size = predicted.sum(dim=(1, 2, 3)).double() + truth.sum(dim=(1, 2, 3)).double()
        present = truth.flatten(1).any(dim=1)
        dice = 2 * overlap / size.clamp(min=1)
        self.sums.index_add_(0, finding_of[present].cpu(), dice[present].cpu())
        self.counts.index_add_(0, finding_of[present].cpu(), torch.ones_like(dice[present]).cpu())

    def overall(self) -> float | None:
        return float(self.sums.sum() / self.counts.sum()) if self.counts.sum() else None

    def each(self) -> list[float | None]:
        return [float(s / n) if n else None for s, n in zip(self.sums, self.counts, strict=True)]
