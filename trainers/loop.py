"""Training: Lightning's loop around any family's module, in a folder of its own, able to go on where it was broken off.

The loop knows nothing of the task. Whoever waits hears progress and curves through a `Watch`, which is asked after
every batch whether to stop; checkpoints are written by the clock and at the ends of epochs.
"""

import logging
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, WeightAveraging
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.exceptions import SIGTERMException
from safetensors.torch import load_file, save_file

from core.errors import ReadingRoomError
from core.jobs import CurvePoint
from core.recipes import Recipe
from trainers.checkpoints import Checkpoints
from trainers.contract import TrainingModule, Watch
from trainers.precision import lightning_precision

logger = logging.getLogger(__name__)
for _chatty in ("lightning.pytorch", "lightning.fabric"):
    logging.getLogger(_chatty).setLevel(logging.WARNING)

LOSS, TERM = "train_loss", "train_"
SECONDS_BETWEEN_POINTS = 1.0
SECONDS_BETWEEN_EPOCH_CHECKPOINTS = 10.0
BEST = "best.safetensors"


class TooLittleMemory(ReadingRoomError):
    def __init__(self) -> None:
        super().__init__(
            "One image at a time is still too much for this machine's memory. Choose a smaller image_size or encoder."
        )


@dataclass(frozen=True)
class Trained:
    """A module at the end of its training, `recipe` as it was finally run, and the steps done. `best_epoch` (from 0) is
    the one whose weights the module holds; None where it holds the last, for want of validation or by the recipe."""

    module: TrainingModule
    recipe: Recipe
    steps: int
    seconds: float
    best_epoch: int | None


def train(
    build: Callable[[Recipe], TrainingModule],
    recipe: Recipe,
    headline: str,
    higher_is_better: bool,
    folder: Path,
    watch: Watch,
) -> Trained:
    """Train what `build` makes of the recipe, going on from the folder's last good checkpoint if it has one.

    A batch that does not fit in memory is halved, and gradients are accumulated instead.
    Raises what the watch raises, DiskFull, TooLittleMemory, and what `build` raises.
    """
    while True:
        try:
            return _fit(build(recipe), recipe, headline, higher_is_better, folder, watch)
        except SIGTERMException:
            # Lightning noticed the signal before the watch was asked; what it means is the watch's to say.
            watch.check()
            raise
        except (RuntimeError, MemoryError) as error:
            if not _is_out_of_memory(error):
                raise
            if recipe.batch_size == 1:
                raise TooLittleMemory from error
            smaller = recipe.batch_size // 2
            recipe = replace(recipe, batch_size=smaller, accumulate=recipe.accumulate * 2)
            logger.warning("a batch did not fit in memory; trying batches of %d", smaller)


def _fit(
    module: TrainingModule, recipe: Recipe, headline: str, higher_is_better: bool, folder: Path, watch: Watch
) -> Trained:
    # Checkpoints of another batch size count their batches otherwise, so each size has a folder of its own.
    checkpoints = Checkpoints(folder / f"checkpoints-{recipe.batch_size}")
    mode = "max" if higher_is_better else "min"
    monitored = f"validation_{headline}"
    best = BestWeights(folder / BEST, monitored, higher_is_better)
    reporting = Reporting(watch)
    averaging = Averaging(decay=recipe.averaging) if recipe.averaging else None
    callbacks: list[Callback] = [Epochs(), reporting]
    if module.has_validation:
        if recipe.keep == "best":
            callbacks.append(best)
        if recipe.patience:
            callbacks.append(PatientStopping(recipe, monitored, mode))
    if averaging is not None:
        callbacks.append(averaging)
    # Last: whatever the others keep about an epoch must be in the checkpoint that is written after it.
    callbacks.append(Checkpointing(checkpoints, recipe.checkpoint_minutes * 60))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        trainer = lightning.Trainer(
            max_epochs=recipe.epochs,
            accumulate_grad_batches=recipe.accumulate,
            gradient_clip_val=recipe.gradient_clip or None,
            precision=cast(Any, lightning_precision(recipe)),
            devices=1,
            callbacks=callbacks,
            default_root_dir=folder,
            logger=TensorBoardLogger(folder, name=None, version="tensorboard"),
            log_every_n_steps=10,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        )
        resumed = checkpoints.latest()
        if resumed is not None:
            logger.info("going on after step %d", resumed.steps)
        trainer.fit(
            cast(lightning.LightningModule, module),
            ckpt_path=resumed.path if resumed else None,
            weights_only=False,  # ours, by its hash; the states of optimiser and loops are more than tensors
        )
    best.restore(cast(torch.nn.Module, module))
    return Trained(module, recipe, trainer.global_step, reporting.seconds(), best.epoch)


class Epochs(Callback):
    """Tells the loader which epoch begins: it shuffles by that."""

    def on_train_epoch_start(self, trainer: lightning.Trainer, module: Any) -> None:
        loader: Any = trainer.train_dataloader
        loader.start_epoch(trainer.current_epoch)


class Reporting(Callback):
    """Progress each batch, curves about once a second (the mean loss since the last), and stopping when told to."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._losses: list[float] = []
        self._waiting: list[CurvePoint] = []
        self._sent = self._began = time.monotonic()
        self._before = 0.0

    def seconds(self) -> float:
        """How long the training took so far, the runs before a resume counted in."""
        return self._before + time.monotonic() - self._began

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._before = state_dict["seconds"]

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._losses.append(float(outputs["loss"].detach()))
        total = int(trainer.estimated_stepping_batches)
        epoch = f"Epoch {trainer.current_epoch + 1} of {trainer.max_epochs}"
        self._watch.report(trainer.global_step, total, epoch)
        if time.monotonic() - self._sent >= SECONDS_BETWEEN_POINTS:
            self._send(trainer)

    def on_validation_batch_end(self, *_: Any) -> None:
        self._watch.check()

    def on_validation_end(self, trainer: lightning.Trainer, module: Any) -> None:
        for name, value in trainer.callback_metrics.items():
            if name.startswith("validation_"):
                self._waiting.append(CurvePoint(name, trainer.global_step, float(value)))

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: Any) -> None:
        logger.info(
            "epoch %d of %d: %s", trainer.current_epoch + 1, trainer.max_epochs,
            ", ".join(f"{name} {float(value):.4f}" for name, value in sorted(trainer.callback_metrics.items())),
        )  # fmt: skip

    def on_train_end(self, trainer: lightning.Trainer, module: Any) -> None:
        self._send(trainer)

    def _send(self, trainer: lightning.Trainer) -> None:
        step = trainer.global_step
        if self._losses:
            mean = sum(self._losses) / len(self._losses)
            if not math.isfinite(mean):
                raise Diverged(step)
            self._waiting.append(CurvePoint(LOSS, step, mean))
            # A loss of several terms is told term by term, as they stand.
            terms = {name: value for name, value in trainer.callback_metrics.items() if name.startswith(TERM)}
            self._waiting += [CurvePoint(name, step, float(v)) for name, v in sorted(terms.items()) if name != LOSS]
        self._watch.points(self._waiting)
        self._losses, self._waiting, self._sent = [], [], time.monotonic()


class Diverged(ReadingRoomError):
    def __init__(self, step: int) -> None:
        super().__init__(
            f"The loss stopped being a number around step {step}. Lower learning_rate, or set gradient_clip to 1."
        )


class PatientStopping(EarlyStopping):
    """Lightning's early stopping, asleep for the recipe's share of the epochs: prompts are learned late."""

    def __init__(self, recipe: Recipe, monitored: str, mode: str) -> None:
        super().__init__(monitored, patience=recipe.patience, mode=mode, check_on_train_epoch_end=False, strict=False)
        self._wakes = recipe.patience_from * recipe.epochs

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        if trainer.current_epoch + 1 >= self._wakes:
            super().on_validation_end(trainer, pl_module)


class BestWeights(Callback):
    """Keeps the weights of the epoch that validated best, on disk, so that a resumed training still has them."""

    def __init__(self, place: Path, monitored: str, higher_is_better: bool) -> None:
        self._place, self._monitored = place, monitored
        self._sign = 1.0 if higher_is_better else -1.0
        self._value = -math.inf
        self.epoch: int | None = None

    def on_validation_end(self, trainer: lightning.Trainer, module: Any) -> None:
        found = trainer.callback_metrics.get(self._monitored)
        if found is None or self._sign * float(found) <= self._value:
            return
        self._value, self.epoch = self._sign * float(found), trainer.current_epoch
        unfinished = self._place.with_suffix(".part")
        state = {name: value.detach().cpu().contiguous() for name, value in module.state_dict().items()}
        save_file(state, unfinished)
        unfinished.replace(self._place)

    def restore(self, module: torch.nn.Module) -> None:
        if self.epoch is not None:
            module.load_state_dict(load_file(self._place))

    def state_dict(self) -> dict[str, Any]:
        return {"value": self._value, "epoch": self.epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._value, self.epoch = state_dict["value"], state_dict["epoch"]


class Averaging(WeightAveraging):
    """Lightning's running average of the weights, which is what is validated and kept (Polyak & Juditsky 1992).

    It forgets faster in the beginning, so that it is not for long an average with random weights. It stands after
    whoever keeps the best weights, and gives the module its own back only when they have looked.
    """

    def __init__(self, decay: float) -> None:
        def averaged(before: torch.Tensor, now: torch.Tensor, steps: torch.Tensor | int) -> torch.Tensor:
            kept = min(decay, (1 + float(steps)) / (10 + float(steps)))
            return kept * before + (1 - kept) * now

        super().__init__(avg_fn=averaged)

    def on_validation_epoch_end(self, *_: Any) -> None:
        return

    def on_validation_end(self, trainer: lightning.Trainer, module: Any) -> None:
        super().on_validation_epoch_end(trainer, module)


class Checkpointing(Callback):
    """A checkpoint whenever the recipe's minutes are over, and at the ends of epochs unless one is just written."""

    def __init__(self, checkpoints: Checkpoints, seconds: float) -> None:
        self._checkpoints, self._seconds = checkpoints, seconds
        self._written = time.monotonic()

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        stepped = (batch_idx + 1) % trainer.accumulate_grad_batches == 0
        last = batch_idx + 1 >= trainer.num_training_batches
        if stepped and not last and self._age() >= self._seconds:
            self._write(trainer)

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: Any) -> None:
        if self._age() >= min(self._seconds, SECONDS_BETWEEN_EPOCH_CHECKPOINTS):
            self._write(trainer)

    def _age(self) -> float:
        return time.monotonic() - self._written

    def _write(self, trainer: lightning.Trainer) -> None:
        self._checkpoints.write(trainer.global_step, lambda path: trainer.save_checkpoint(path))
        self._written = time.monotonic()


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    words = str(error).lower()
    return "out of memory" in words or "can't allocate memory" in words or "not enough memory" in words
