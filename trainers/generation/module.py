"""What is trained: the network, its four losses, and its score on validation studies, as Lightning's loop wants it."""

import torch
from torch import Tensor
from torch.nn import functional

from core.recipes import GenerationRecipe
from core.writing import Decoding
from trainers.augmentation import AUGMENTATIONS, as_floats, vary
from trainers.datasets import Batches
from trainers.generation.data import IGNORED, Collate, GenerationData, Reading, ReadingBatch
from trainers.generation.floors import constant_report
from trainers.generation.model import GenerationModel, pieces_of, start_model
from trainers.generation.scoring import HEADLINE, Judge
from trainers.generation.words import Seen
from trainers.generation.writing import report_of
from trainers.modules import FamilyModule
from trainers.retrieval.data import Pose

MOST_VALIDATED = 200
"""Validation studies that are written about after each epoch, spread over all."""


class GenerationModule(FamilyModule):
    """Logs "train_loss" each step and its terms, "train_language", "train_frontal", "train_lateral" and "train_normal".
    Each epoch "validation_report_f1", of reports written the likeliest way, and "validation_language"."""

    recipe: GenerationRecipe

    def __init__(self, recipe: GenerationRecipe, data: GenerationData) -> None:
        super().__init__()
        self.recipe, self.data = recipe, data
        self.pieces = pieces_of(recipe, (one.text for one in data.training), data.weights)
        if recipe.decoder == "gpt2":
            self.pretrained = ("encoder", "words")
        torch.manual_seed(recipe.seed)
        self.network, self.started = start_model(recipe, self.pieces, data.start, data.weights)
        self.has_validation = bool(data.validation)
        every = max(1, len(data.validation) // MOST_VALIDATED)
        self.validated = data.validation[::every]
        self.judge = Judge.of(self.validated) if self.has_validation else None
        self.train()

    def publishable(self) -> GenerationModel:
        data = self.data
        floor = constant_report(data.training, data.validation or data.training)
        return GenerationModel(
            self.network.eval(), self.recipe, self.pieces, self.started, floor, len(data.training), data.left_out,
            data.lungs, data.uncropped,
        )  # fmt: skip

    def train_dataloader(self) -> Batches[Reading, ReadingBatch]:
        recipe, readings = self.recipe, self.data.training
        return Batches(readings, self._collate(varied=True), recipe.batch_size, recipe.seed, self.repeats(readings))

    def val_dataloader(self) -> Batches[Reading, ReadingBatch] | list[None]:
        if not self.has_validation:
            return []
        return Batches(self.validated, self._collate(varied=False), self.recipe.batch_size)

    def training_step(self, batch: ReadingBatch, batch_idx: int) -> Tensor:
        recipe, network = self.recipe, self.network
        maps: list[Tensor] = []
        films: Tensor | None = None
        if network.indication is None:
            with torch.autocast(self.device.type, enabled=False):
                films = vary(as_floats(batch.images[batch.seen][:, None]), AUGMENTATIONS[recipe.augment])
            maps = network.encode(self.ready(films))
        seen = self._seen(maps, batch)
        before = batch.before
        if recipe.words_hidden:
            hidden = torch.rand(before.shape, device=before.device) < recipe.words_hidden
            hidden[:, 0] = False
            before = before.masked_fill(hidden, self.pieces.nothing)
        losses = {"language": self._language(network.words(before, seen).logits, batch)}
        if films is not None:
            losses |= self._redrawn(maps, films, batch)
        if (logits := network.is_normal(seen)) is not None and (known := ~batch.normal.isnan()).any():
            losses["normal"] = functional.binary_cross_entropy_with_logits(logits[known].float(), batch.normal[known])
        total = torch.stack([self._weight(name) * loss for name, loss in losses.items()]).sum()
        for name, loss in losses.items():
            self.log(f"train_{name}", loss.detach(), batch_size=len(batch.seen))
        self.log("train_loss", total.detach(), batch_size=len(batch.seen))
        return total

    def validation_step(self, batch: ReadingBatch, batch_idx: int) -> None:
        network = self.network
        maps: list[Tensor] = []
        if network.indication is None:
            maps = network.encode(self.ready(as_floats(batch.images[batch.seen][:, None])))
        seen = self._seen(maps, batch)
        language = self._language(network.words(batch.before, seen).logits, batch)
        self.log("validation_language", language, on_epoch=True, batch_size=len(batch.seen))
        model = GenerationModel(network, self.recipe, self.pieces, self.started)
        first = batch_idx * self.recipe.batch_size
        written = [report_of(self.pieces, one.pieces) for one in model.write(seen, Decoding())]
        assert self.judge is not None
        rows = range(first, first + len(written))
        for value in self.judge.report_f1(written, rows):
            if value is not None:
                self.log(f"validation_{HEADLINE}", value, on_epoch=True, batch_size=1)

    def _seen(self, maps: list[Tensor], batch: ReadingBatch) -> Seen:
        network = self.network
        found: Seen
        if network.indication is not None:
            found = network.indication(batch.asked, batch.told)
        else:
            found = network.looking(maps[-1], batch.seen)
        return found

    def _language(self, logits: Tensor, batch: ReadingBatch) -> Tensor:
        """The mean over pieces, each counting as its report does."""
        wanted = batch.wanted
        lost = functional.cross_entropy(
            logits.flatten(0, 1).float(), wanted.flatten(), ignore_index=IGNORED, reduction="none"
        )
        counts = batch.weight[:, None] * (wanted != IGNORED)
        return (lost.view_as(wanted) * counts).sum() / counts.sum()

    def _redrawn(self, maps: list[Tensor], films: Tensor, batch: ReadingBatch) -> dict[str, Tensor]:
        poses = torch.nonzero(batch.seen)[:, 1]
        found = {}
        for pose in Pose:
            drawn = self.network.redraw(maps, poses, pose) if self._weight(pose.name.lower()) else None
            if drawn is not None:
                found[pose.name.lower()] = functional.mse_loss(drawn, films[poses == int(pose)])
        return found

    def _weight(self, name: str) -> float:
        weight: float = getattr(self.recipe, f"{name}_weight")
        return weight

    def _collate(self, varied: bool) -> Collate:
        return Collate(self.data.films, self.pieces, self.recipe, varied)
