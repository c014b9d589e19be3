"""The training loop: too little memory, full disks, damaged checkpoints, early stopping."""

import errno
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from core.errors import DiskFull
from core.jobs import JobCancelled
from core.recipes import SegmentationRecipe, preset
from core.snapshots import Manifest
from core.studies import Split
from tests.trainers.conftest import House
from tests.trainers.family_contract import StopsAt, at_every_batch
from trainers.checkpoints import Checkpoints
from trainers.contract import Silent
from trainers.loop import Diverged, TooLittleMemory, Trained, train
from trainers.segmentation.family import Segmentation
from trainers.segmentation.module import SegmentationModule

FAMILY = Segmentation()


def quick(**changes: Any) -> SegmentationRecipe:
    recipe = preset("segmentation", "smoke")
    assert isinstance(recipe, SegmentationRecipe)
    return replace(
        recipe, **({"batch_size": 4, "minimum_steps": 16, "epochs": 4, "checkpoint_minutes": 0.01} | changes)
    )


@pytest.fixture
def manifest(house: House) -> Manifest:
    house.add("drawn", 8)
    return house.freeze("drawn-1", "drawn")


def run(house: House, manifest: Manifest, folder: Path, recipe: SegmentationRecipe, watch: Any = None) -> Trained:
    data = FAMILY.prepare(recipe, manifest, house.shelf, Silent())
    return train(lambda wanted: FAMILY.module(wanted, data), recipe, "dice", True, folder, watch or Silent())


def test_a_batch_that_does_not_fit_is_halved_and_its_gradients_are_added_up(
    house: House, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = SegmentationModule.training_step

    def little_memory(self: SegmentationModule, batch: Any, batch_idx: int) -> Tensor:
        if len(batch.images) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return step(self, batch, batch_idx)

    monkeypatch.setattr(SegmentationModule, "training_step", little_memory)
    trained = run(house, manifest, tmp_path, quick())
    assert (trained.recipe.batch_size, trained.recipe.accumulate) == (2, 2)
    assert trained.steps >= 16


def test_when_not_even_one_image_fits_the_reason_is_told(
    house: House, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: Any) -> Tensor:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(SegmentationModule, "training_step", no_memory)
    with pytest.raises(TooLittleMemory, match="smaller image_size"):
        run(house, manifest, tmp_path, quick())


def test_other_failures_are_not_taken_for_too_little_memory(
    house: House, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Tensor:
        raise RuntimeError("size mismatch")

    monkeypatch.setattr(SegmentationModule, "training_step", broken)
    with pytest.raises(RuntimeError, match="size mismatch"):
        run(house, manifest, tmp_path, quick())


def test_a_disk_that_fills_during_training_leaves_the_checkpoints_there_were(
    house: House, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lightning

    save, written = lightning.Trainer.save_checkpoint, []

    def fills_up(self: Any, path: Path, *rest: Any, **more: Any) -> None:
        save(self, path, *rest, **more)
        written.append(path)
        if len(written) == 3:
            os.truncate(path, 100)
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, at_every_batch():
        patch.setattr(lightning.Trainer, "save_checkpoint", fills_up)
        with pytest.raises(DiskFull, match="writing a checkpoint"):
            run(house, manifest, tmp_path, quick())
    folder = tmp_path / "checkpoints-4"
    assert sorted(path.name for path in folder.iterdir() if path.suffix == ".ckpt") == [
        "step-000000001.ckpt", "step-000000002.ckpt",
    ]  # fmt: skip
    assert not list(folder.glob("*.part"))
    latest = Checkpoints(folder).latest()
    assert latest is not None and latest.steps == 2
    assert run(house, manifest, tmp_path, quick()).steps == 16


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    house: House, manifest: Manifest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(JobCancelled), at_every_batch():
        run(house, manifest, tmp_path, quick(), StopsAt(6))
    folder = tmp_path / "checkpoints-4"
    newest = max(folder.glob("*.ckpt"))
    newest.write_bytes(newest.read_bytes()[:-10])
    with caplog.at_level(logging.WARNING):
        latest = Checkpoints(folder).latest()
    assert latest is not None and latest.steps == 4
    assert "damaged and is passed over" in caplog.text
    assert run(house, manifest, tmp_path, quick()).steps == 16


def test_a_checkpoint_that_this_workspace_did_not_write_is_not_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    torch.save({"anything": 1}, tmp_path / "step-000000009.ckpt")
    with caplog.at_level(logging.WARNING):
        assert Checkpoints(tmp_path).latest() is None
    assert "not written by this workspace" in caplog.text


def test_only_the_newest_two_checkpoints_are_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for steps in (1, 2, 10, 30):
        checkpoints.write(steps, lambda path: path.write_bytes(b"weights") and None)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "step-000000010.ckpt", "step-000000010.sha256", "step-000000030.ckpt", "step-000000030.sha256",
    ]  # fmt: skip


def test_patience_ends_a_training_that_no_longer_gains_but_not_before_it_wakes(
    house: House, manifest: Manifest, tmp_path: Path
) -> None:
    still = quick(learning_rate=1e-8, encoder_learning_rate=1e-8, minimum_steps=0, epochs=20, patience=2)
    assert run(house, manifest, tmp_path / "early", replace(still, patience_from=0.0)).steps < 20
    late = run(house, manifest, tmp_path / "late", replace(still, patience_from=0.5)).steps
    assert 10 <= late < 20
    assert run(house, manifest, tmp_path / "never", replace(still, patience=0)).steps == 20


def watched_epochs(monkeypatch: pytest.MonkeyPatch, scores: list[float]) -> list[dict[str, Tensor]]:
    """Let the epochs validate with these scores, and give the weights that each was validated with."""
    overall = iter(scores)
    monkeypatch.setattr("trainers.segmentation.module.DiceByFinding.overall", lambda _: next(overall))
    seen: list[dict[str, Tensor]] = []
    end = SegmentationModule.on_validation_epoch_end

    def remember(self: SegmentationModule) -> None:
        seen.append({name: value.clone() for name, value in self.network.state_dict().items()})
        end(self)

    monkeypatch.setattr(SegmentationModule, "on_validation_epoch_end", remember)
    return seen


@pytest.mark.parametrize(("changes", "best", "held"), [({}, 1, 1), ({"keep": "last"}, None, -1)])
@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_the_weights_of_the_best_epoch_are_the_ones_kept_unless_the_recipe_wants_the_last(
    house: House,
    manifest: Manifest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, str],
    best: int | None,
    held: int,
    averaging: float,
) -> None:
    seen = watched_epochs(monkeypatch, [0.2, 0.9, 0.5, 0.4])
    trained = run(house, manifest, tmp_path, quick(averaging=averaging, **changes))
    assert trained.best_epoch == best
    kept = trained.module.network.state_dict()  # type: ignore[attr-defined]
    assert all(torch.equal(kept[name], value) for name, value in seen[held].items())


def test_without_validation_patients_the_last_weights_are_kept(house: House, tmp_path: Path) -> None:
    house.add("training-only", 4, splits=(Split.TRAIN,))
    manifest = house.freeze("training-only-1", "training-only")
    trained = run(house, manifest, tmp_path, quick())
    assert trained.best_epoch is None
    assert trained.steps == 16


def test_a_loss_that_stops_being_a_number_ends_the_training_with_advice(
    house: House, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = SegmentationModule.training_step
    monkeypatch.setattr(SegmentationModule, "training_step", lambda *given: step(*given) * float("nan"))
    with pytest.raises(Diverged, match="Lower learning_rate"):
        run(house, manifest, tmp_path, quick())
