"""Weights on disk: those of published models, those that come from outside, and the checkpoints of a running training.

A pickle can run any code, so none is ever loaded: published weights are safetensors, foreign ones safetensors or a
plain dictionary of tensors (`torch.load(weights_only=True)`). Lightning's checkpoints are read only if this workspace
wrote them: beside each lies the SHA-256 of its bytes, and a checkpoint that does not match is passed over.

    python -m trainers.checkpoints convert IN.pth OUT.safetensors
"""

import argparse
import errno
import hashlib
import logging
import os
import pickle
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from core.errors import DiskFull, ReadingRoomError, says_disk_full

logger = logging.getLogger(__name__)

KEPT = 2


class CorruptModel(ReadingRoomError):
    """A model's folder from which no model can be loaded."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"The model in {folder} cannot be loaded: {reason}. Restore the folder from a backup, or train it again."
        )


class PickledModel(ReadingRoomError):
    """A file of weights that can only be opened by running the code inside it."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} holds a pickled module, which could run any code when opened, so it is not. "
            "Ask its author to save model.state_dict() instead, then convert that once: "
            f"python -m trainers.checkpoints convert {path} {path.with_suffix('.safetensors')}"
        )


class NotWeights(ReadingRoomError):
    """A file that holds no tensors by name."""


def sha256_of(path: Path) -> str:
    """The hex SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors by name in a safetensors file or a plain PyTorch state dictionary.

    Raises PickledModel, NotWeights.
    """
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise NotWeights(f"{path} is no whole safetensors file ({error}).") from error
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise PickledModel(path) from error
    except (OSError, RuntimeError, EOFError, ValueError) as error:
        raise NotWeights(f"{path} is no whole file of weights ({error}).") from error
    if isinstance(state, Mapping) and isinstance(state.get("state_dict"), Mapping):
        state = state["state_dict"]
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise NotWeights(f"{path} holds no tensors by name. Save model.state_dict() and use that file.")
    return {str(name): value for name, value in state.items()}


def load_weights(module: nn.Module, path: Path) -> None:
    """Fill a module with published weights, all of them and no others. Raises CorruptModel, PickledModel."""
    try:
        module.load_state_dict(read_state(path), strict=True)
    except (NotWeights, RuntimeError) as error:
        raise CorruptModel(path.parent, str(error)) from error


def convert(source: Path, target: Path) -> None:
    """Turn a plain state dictionary into safetensors. Raises PickledModel, NotWeights."""
    save_file({name: value.contiguous().clone() for name, value in read_state(source).items()}, target)


@dataclass(frozen=True)
class Checkpoint:
    path: Path
    steps: int


class Checkpoints:
    """The checkpoints of one training, in its own folder: the newest two, each with the hash of its bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, steps: int, save: Callable[[Path], None]) -> Checkpoint:
        """Keep what `save` writes as the checkpoint after so many steps, and drop the oldest beyond two.

        The new one gets its name only when it is whole and flushed. Raises DiskFull; the earlier ones stay.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / "unfinished.part"
        place = self.folder / f"step-{steps:09d}.ckpt"
        try:
            save(unfinished)
            digest = _flush_and_hash(unfinished)
            _write_flushed(_digest_of(place), digest)
        except (OSError, RuntimeError) as error:
            unfinished.unlink(missing_ok=True)
            if _is_disk_full(error):
                raise DiskFull("writing a checkpoint") from error
            raise
        unfinished.replace(place)
        for old in self._found()[KEPT:]:
            old.path.unlink()
            _digest_of(old.path).unlink(missing_ok=True)
        return Checkpoint(place, steps)

    def latest(self) -> Checkpoint | None:
        """The newest checkpoint that is whole and ours; others are passed over with a sentence in the log."""
        for checkpoint in self._found():
            kept = _digest_of(checkpoint.path)
            if not kept.is_file():
                logger.warning("%s was not written by this workspace and is not read", checkpoint.path.name)
            elif sha256_of(checkpoint.path) != kept.read_text(encoding="ascii"):
                logger.warning("%s is damaged and is passed over for the one before it", checkpoint.path.name)
            else:
                return checkpoint
        return None

    def _found(self) -> list[Checkpoint]:
        """Newest first."""
        paths = sorted(self.folder.glob("step-*.ckpt"), reverse=True)
        return [Checkpoint(path, int(path.stem.removeprefix("step-"))) for path in paths]


def _digest_of(checkpoint: Path) -> Path:
    return checkpoint.with_suffix(".sha256")


def _flush_and_hash(path: Path) -> str:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write_flushed(path: Path, text: str) -> None:
    with path.open("w", encoding="ascii") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _is_disk_full(error: BaseException) -> bool:
    """torch's file writer reports a full disk as a RuntimeError of its own, the system's error behind it or not."""
    if isinstance(error, OSError):
        return says_disk_full(error) or error.errno == errno.EFBIG
    behind = error.__cause__ or error.__context__
    if behind is not None and _is_disk_full(behind):
        return True
    words = str(error)
    return "No space left" in words or "file write failed" in words or "unexpected pos" in words


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m trainers.checkpoints", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    conversion = commands.add_parser("convert", help="turn a PyTorch state dictionary into safetensors")
    conversion.add_argument("source", type=Path)
    conversion.add_argument("target", type=Path)
    chosen = parser.parse_args(arguments)
    try:
        convert(chosen.source, chosen.target)
    except ReadingRoomError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
