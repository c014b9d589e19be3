"""What Lightning trains, as far as it is the same for every family: seeds, frozen stages, passes, steps."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import lightning
import torch
from torch import Tensor, nn

from core.recipes.films import FilmRecipe
from trainers.augmentation import normalise
from trainers.optimisation import adamw_with_cosine, parameter_groups


class FamilyModule(lightning.LightningModule):
    """A family's module gives it `recipe` and a `network`, whose `encoder` learns at a rate of its own, and brings its
    loaders and steps. It calls `train()` when it is built: Lightning takes a module in the mode in which it finds it,
    and the frozen stages want theirs."""

    recipe: FilmRecipe
    network: Any
    pretrained: tuple[str, ...] = ("encoder",)
    """The parts of the network that learn at the encoder's rate."""

    def repeats(self, items: Sequence[object]) -> int:
        """How often an epoch passes over the training items so that `minimum_steps` are done in all."""
        wanted = self.recipe.minimum_steps * self.recipe.batch_size * self.recipe.accumulate
        return max(1, -(-wanted // (len(items) * self.recipe.epochs)))

    def ready(self, films: Tensor) -> Tensor:
        """Films in [0, 1] as the encoder is given them."""
        return normalise(films, self.recipe.normalise).contiguous(memory_format=torch.channels_last)

    def train(self, mode: bool = True) -> "FamilyModule":
        super().train(mode)
        if self.network.encoder is not None:
            # A frozen stage keeps its running means and deviations too.
            for stage in self.network.encoder.stages_up_to(self.recipe.frozen_stages):
                stage.eval().requires_grad_(False)
        return self

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        # What is varied, hidden and dropped depends on seed, epoch and batch alone, so a resumed training repeats an
        # unbroken one.
        torch.manual_seed(hash((self.recipe.seed, self.current_epoch, batch_idx)))

    def configure_optimizers(self) -> Any:
        recipe, parts = self.recipe, dict(self.network.named_children())
        known = nn.ModuleList(part for name, part in parts.items() if name in self.pretrained)
        new = nn.ModuleList(part for name, part in parts.items() if name not in self.pretrained)
        groups = parameter_groups(known, recipe.encoder_learning_rate, recipe.weight_decay)
        groups += parameter_groups(new, recipe.learning_rate, recipe.weight_decay)
        return adamw_with_cosine(groups, recipe, self.all_steps)

    @cached_property
    def all_steps(self) -> int:
        """Not the trainer's estimate: asking for that would set the loaders up before a checkpoint fills them."""
        return self.recipe.epochs * -(-len(self.train_dataloader()) // self.recipe.accumulate)
