"""What is trained: the autoencoder, its loss, and its score on the validation films, as Lightning's loop wants it."""

import torch
from torch import Tensor
from torch.nn import functional

from core.recipes import PretrainingRecipe
from trainers.augmentation import AUGMENTATIONS, as_floats, change_grey, fetch, levels, places
from trainers.datasets import Batches
from trainers.modules import FamilyModule
from trainers.pretraining.data import Collate, Film, FilmBatch, PretrainingData
from trainers.pretraining.evaluation import psnr, ssim
from trainers.pretraining.model import PretrainingModel, start_network
from trainers.pretraining.network import hide_patches


class PretrainingModule(FamilyModule):
    """Logs "train_loss" each step, and "validation_psnr" each epoch: the mean over undisturbed validation films."""

    recipe: PretrainingRecipe

    def __init__(self, recipe: PretrainingRecipe, data: PretrainingData) -> None:
        super().__init__()
        self.recipe, self.data = recipe, data
        torch.manual_seed(recipe.seed)
        self.network, self.started = start_network(recipe, data.weights)
        self.has_validation = bool(data.validation)
        self.train()

    def publishable(self) -> PretrainingModel:
        return PretrainingModel(self.network.eval(), self.recipe, self.started)

    def train_dataloader(self) -> Batches[Film, FilmBatch]:
        recipe, films = self.recipe, self.data.training
        return Batches(films, Collate(self.data.films), recipe.batch_size, recipe.seed, self.repeats(films))

    def val_dataloader(self) -> Batches[Film, FilmBatch] | list[None]:
        if not self.has_validation:
            return []
        return Batches(self.data.validation, Collate(self.data.films), self.recipe.batch_size)

    def training_step(self, batch: FilmBatch, batch_idx: int) -> Tensor:
        recipe = self.recipe
        with torch.autocast(self.device.type, enabled=False):
            films = varied(as_floats(batch.images), recipe)
            middle, reach = levels(films, recipe.normalise)
            wanted = (films - middle) / reach
            # Films all but whole stay among them: whoever starts from the encoder shows it whole films.
            shares = recipe.masked_share * torch.rand(len(films), device=films.device)
            seen = hide_patches(wanted, recipe.patch, shares)
        restored = self.network(seen.contiguous(memory_format=torch.channels_last))
        with torch.autocast(self.device.type, enabled=False):
            loss = functional.mse_loss(restored.float(), wanted)
            if recipe.ssim_weight:
                loss = loss + recipe.ssim_weight * (1 - ssim(restored.float() * reach + middle, films).mean())
        self.log("train_loss", loss.detach(), batch_size=len(films))
        return loss

    def validation_step(self, batch: FilmBatch, batch_idx: int) -> None:
        films = as_floats(batch.images)
        middle, reach = levels(films, self.recipe.normalise)
        restored = self.network(((films - middle) / reach).contiguous(memory_format=torch.channels_last))
        value = psnr((restored.float() * reach + middle).clamp(0, 1), films).mean()
        self.log("validation_psnr", value, on_epoch=True, batch_size=len(films))


def varied(films: Tensor, recipe: PretrainingRecipe) -> Tensor:
    """Films (B, 1, H, W) in [0, 1], mirrored, moved and changed in their grey values as the recipe says."""
    flipped = torch.rand(len(films), 1, 1, 1, device=films.device) < recipe.flip_probability
    films = torch.where(flipped, films.flip(-1), films)
    how = AUGMENTATIONS[recipe.augment]
    if how.probability == 0:
        return films
    return change_grey(fetch(films, places(films, how)), how)
