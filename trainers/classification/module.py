"""What is trained: the network, its loss, and its score on the validation studies, as Lightning's loop wants it."""

from collections import defaultdict

import numpy as np
import torch
from torch import Tensor

from core.recipes import ClassificationRecipe
from trainers.augmentation import AUGMENTATIONS, as_floats, vary
from trainers.backbones import BertTokens
from trainers.classification.answering import answer_all, calibrate, neighbours_of
from trainers.classification.columns import FUSED, IMAGE, SUFFIXES, TEXT, columns_of, reads_films, reads_words
from trainers.classification.data import ClassificationData, Collate, Exam, ExamBatch
from trainers.classification.losses import label_loss, shares_of, weights_of
from trainers.classification.model import ClassificationModel, start_network, text_of
from trainers.classification.neighbours import spread
from trainers.datasets import Batches
from trainers.modules import FamilyModule
from trainers.scores import aurocs, evaluable, mean_over_findings


class ClassificationModule(FamilyModule):
    """Logs "train_loss" each step. Each epoch "validation_auroc", the mean over the validation studies' findings from
    the film alone, "validation_auroc/<finding>", and the means of the other columns, "validation_auroc_fused" and
    "validation_auroc_text_only"; of a network that reads no films "validation_auroc" is from the context."""

    recipe: ClassificationRecipe
    pretrained = ("encoder", "text")

    def __init__(self, recipe: ClassificationRecipe, data: ClassificationData) -> None:
        super().__init__()
        self.recipe, self.data = recipe, data
        self.text = text_of(recipe, data.weights)
        torch.manual_seed(recipe.seed)
        self.network, self.started = start_network(recipe, len(data.findings), self.text, data.start, data.weights)
        shares = shares_of(data.training, data.findings)
        self.network.head.start_at(shares)
        self.weights = weights_of(shares, recipe.class_weighting)
        self.has_validation = bool(evaluable(data.findings, data.validation))
        self._said: dict[str, list[Tensor]] = defaultdict(list)
        self.train()

    def publishable(self) -> ClassificationModel:
        reader = self.text.encoder if self.text is not None else None
        model = ClassificationModel(
            self.network.eval(), self.recipe, self.data.findings, self.data.left_out, self.text, self.started,
            frozen=reader.parameters if reader is not None else 0,
            text_shape=reader.config if isinstance(reader, BertTokens) and reader.top is not None else {},
        )  # fmt: skip
        logits = answer_all(model, self.data.validation, self.data.films, lambda _: None)
        model.calibrated = calibrate(self.data.findings, self.data.validation, logits)
        kept = spread(self.data.training, self.recipe.neighbours)
        model.neighbours = neighbours_of(model, kept, self.data.films)
        return model

    def train_dataloader(self) -> Batches[Exam, ExamBatch]:
        recipe, exams = self.recipe, self.data.training
        return Batches(exams, self._collate(varied=True), recipe.batch_size, recipe.seed, self.repeats(exams))

    def val_dataloader(self) -> Batches[Exam, ExamBatch] | list[None]:
        if not self.has_validation:
            return []
        return Batches(self.data.validation, self._collate(varied=False), self.recipe.batch_size)

    def training_step(self, batch: ExamBatch, batch_idx: int) -> Tensor:
        recipe, network, count = self.recipe, self.network, len(batch.images)
        patches = words = told = None
        if reads_films(recipe):
            with torch.autocast(self.device.type, enabled=False):
                films = vary(as_floats(batch.images), AUGMENTATIONS[recipe.augment])
            patches = network.patches(network.encode(self.ready(films)))
        if reads_words(recipe):
            words, told = network.words(batch.words, batch.told), batch.told
        answers = [(network(*self._with_some_contexts_hidden(patches, words, told)), torch.arange(count))]
        if patches is not None and words is not None and told is not None:
            alone = torch.nonzero(self._drawn(count) & told.any(dim=1)).flatten()
            if len(alone):
                answers.append((network(None, words[alone], told[alone]), alone))
        rows = torch.cat([rows.to(self.device) for _, rows in answers])
        logits = torch.cat([logits for logits, _ in answers])
        loss = label_loss(logits, batch.targets[rows], batch.asked[rows], self.weights.to(self.device))
        self.log("train_loss", loss.detach(), batch_size=count)
        return loss

    def validation_step(self, batch: ExamBatch, batch_idx: int) -> None:
        columns, network = columns_of(self.recipe), self.network
        patches = network.patches(network.encode(self.ready(as_floats(batch.images)))) if IMAGE in columns else None
        read = (network.words(batch.words, batch.told), batch.told) if TEXT in columns else (None, None)
        if IMAGE in columns:
            self._said[IMAGE].append(network(patches, None, None))
        if FUSED in columns:
            self._said[FUSED].append(network(patches, *read))
        if TEXT in columns:
            self._said[TEXT].append(network(None, *read))

    def on_validation_epoch_end(self) -> None:
        headline = IMAGE if IMAGE in self._said else TEXT
        for column, answers in self._said.items():
            logits = torch.cat(answers).double().cpu().numpy()
            found = aurocs(self.data.findings, self.data.validation, logits)
            mean = mean_over_findings(self.data.findings, self.data.validation, found)
            self.log("validation_auroc" if column == headline else f"validation_auroc{SUFFIXES[column]}", mean)
            for finding, value in found.items() if column == headline else ():
                if not np.isnan(value):
                    self.log(f"validation_auroc/{finding}", value)
        self._said = defaultdict(list)

    def _with_some_contexts_hidden(
        self, patches: Tensor | None, words: Tensor | None, told: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        if patches is None or told is None:
            return patches, words, told
        return patches, words, told & ~self._drawn(len(told))[:, None]

    def _drawn(self, count: int) -> Tensor:
        drawn: Tensor = torch.rand(count, device=self.device) < self.recipe.modality_dropout
        return drawn

    def _collate(self, varied: bool) -> Collate:
        return Collate(self.data.films, self.data.findings, self.text, self.recipe, varied)
