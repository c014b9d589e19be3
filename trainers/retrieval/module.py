"""What is trained: the network, its loss, and its score on the validation studies, as Lightning's loop wants it."""

import torch
from torch import Tensor

from core.recipes import RetrievalRecipe
from trainers.augmentation import AUGMENTATIONS, as_floats, vary
from trainers.backbones import BertTokens, VitB16
from trainers.datasets import Batches
from trainers.modules import FamilyModule
from trainers.retrieval.data import Collate, Pair, PairBatch, Pose, RetrievalData, present_on
from trainers.retrieval.embedding import Embedded
from trainers.retrieval.eyes import Glimpse
from trainers.retrieval.local import by_study, local_loss
from trainers.retrieval.losses import consistency_loss, contrastive_loss, shared
from trainers.retrieval.model import RetrievalModel, start_network, text_of
from trainers.retrieval.network import unit
from trainers.retrieval.protocols import Protocols
from trainers.retrieval.unusual import usual_films


class RetrievalModule(FamilyModule):
    """Logs "train_loss" each step. Each epoch "validation_recall@10" over the validation studies and their unique
    texts, and "validation_graded_ndcg@10"."""

    recipe: RetrievalRecipe
    pretrained: tuple[str, ...] = ("encoder", "text")

    def __init__(self, recipe: RetrievalRecipe, data: RetrievalData) -> None:
        super().__init__()
        self.recipe, self.data = recipe, data
        self.text = text_of(recipe, data.weights)
        torch.manual_seed(recipe.seed)
        self.network, self.started = start_network(recipe, self.text, data.start, data.weights)
        if isinstance(self.network.encoder, VitB16) and recipe.network == "bottleneck":
            # Its eye is made of the encoder's own last layers.
            self.pretrained = (*self.pretrained, "eye")
        self.has_validation = len(data.validation) > 1
        self._said: list[tuple[Tensor, Tensor, Tensor]] = []
        self.train()

    def publishable(self) -> RetrievalModel:
        reader = self.text.encoder
        model = RetrievalModel(
            self.network.eval(), self.recipe, self.data.findings, self.text, self.started,
            frozen=reader.parameters,
            text_shape=reader.config if isinstance(reader, BertTokens) and reader.top is not None else {},
        )  # fmt: skip
        model.usual = usual_films(model, self.data.training, self.data.validation, self.data.films)
        return model

    def train_dataloader(self) -> Batches[Pair, PairBatch]:
        recipe, pairs = self.recipe, self.data.training
        return Batches(pairs, self._collate(varied=True), recipe.batch_size, recipe.seed, self.repeats(pairs))

    def val_dataloader(self) -> Batches[Pair, PairBatch] | list[None]:
        if not self.has_validation:
            return []
        return Batches(self.data.validation, self._collate(varied=False), self.recipe.batch_size)

    def training_step(self, batch: PairBatch, batch_idx: int) -> Tensor:
        recipe, network = self.recipe, self.network
        with torch.autocast(self.device.type, enabled=False):
            images = vary(as_floats(batch.images[batch.seen][:, None]), AUGMENTATIONS[recipe.augment])
        found = network.encode(self.ready(images))
        glimpse, words = network.look(found), network.words(batch.words, batch.told)
        said = self._said_of(glimpse, batch.seen)
        with torch.autocast(self.device.type, enabled=False):
            loss = self._global_loss(_by_pose(said, batch.seen), network.texts(words, batch.told), batch)
        if network.local is not None and glimpse.patches is not None and glimpse.gates is not None:
            patches, gates = by_study(glimpse.patches, glimpse.gates, batch.seen)
            told = network.local(words, patches, gates)
            with torch.autocast(self.device.type, enabled=False):
                loss = loss + recipe.local_weight * local_loss(told, batch.told)
        if glimpse.salience is not None:
            whole = self._said_of(network.look(found, gated=False), batch.seen)
            loss = loss + recipe.sparsity_weight * glimpse.salience.mean()
            loss = loss + recipe.consistency_weight * consistency_loss(said, whole)
        self.log("train_loss", loss.detach(), batch_size=len(images))
        return loss

    def _global_loss(self, films: Tensor, texts: Tensor, batch: PairBatch) -> Tensor:
        """Of studies (B, 2, D) against texts (B, D), and of their single films, which weigh what the recipe says."""
        alike = shared(batch.present)
        loss = self._against(self.network.studies(films, batch.seen), texts, batch.wordings, alike)
        for pose in Pose if self.recipe.single_weight else ():
            there = batch.seen[:, pose]
            if there.any():
                alone = unit(films[there, pose])
                rest = self._against(alone, texts[there], batch.wordings[there], alike[there][:, there])
                loss = loss + self.recipe.single_weight / len(Pose) * rest
        return loss

    def validation_step(self, batch: PairBatch, batch_idx: int) -> None:
        found = self.network.encode(self.ready(as_floats(batch.images[batch.seen][:, None])))
        films = _by_pose(self._said_of(self.network.look(found), batch.seen).float(), batch.seen)
        texts = self.network.texts(self.network.words(batch.words, batch.told), batch.told)
        self._said.append((films, batch.seen, texts))

    def on_validation_epoch_end(self) -> None:
        films, seen, texts = (torch.cat(parts).cpu() for parts in zip(*self._said, strict=True))
        self._said = []
        with torch.autocast("cpu", enabled=False):
            studies = self.network.studies(films.to(self.device), seen.to(self.device)).cpu()
        embedded = Embedded(films.numpy(), seen.numpy(), studies.numpy(), texts.float().numpy())
        pairs = self.data.validation
        judged = Protocols.of(pairs, present_on(pairs, self.data.findings))
        for name, value in judged.headlines(embedded).items():
            self.log(f"validation_{name}", value)

    def _said_of(self, glimpse: Glimpse, seen: Tensor) -> Tensor:
        """(N, D): what the films that were `seen` (B, 2) say."""
        said: Tensor = self.network.films(glimpse.pooled, torch.nonzero(seen)[:, 1])
        return said

    def _against(self, films: Tensor, texts: Tensor, wordings: Tensor, alike: Tensor) -> Tensor:
        return contrastive_loss(films @ texts.T, self.network.sharpness, wordings, alike, self.recipe.soft_targets)

    def _collate(self, varied: bool) -> Collate:
        return Collate(self.data.films, self.data.findings, self.text, self.recipe, varied)


def _by_pose(said: Tensor, seen: Tensor) -> Tensor:
    """(B, 2, D): what the films that were `seen` (B, 2) say, 0 where there is none."""
    films = torch.zeros(*seen.shape, said.shape[1], dtype=said.dtype, device=said.device)
    return films.index_put((seen,), said)
