"""A model's folder, which all families write and read alike: safetensors and JSON, nothing pickled."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import nn

from core.errors import ReadingRoomError
from core.findings import Finding, Kind
from core.recipes import Recipe, from_mapping
from trainers.backbones import WeightOrigin
from trainers.checkpoints import CorruptModel

WEIGHTS = "weights.safetensors"
ENCODER = "encoder.safetensors"
DESCRIPTION = "model.json"

R = TypeVar("R", bound=Recipe)


@dataclass(frozen=True)
class Described(Generic[R]):
    """What a model's folder says of it; `more` is what its family adds."""

    recipe: R
    origins: tuple[WeightOrigin, ...]
    findings: tuple[Finding, ...]
    more: Mapping[str, Any]


def write(
    folder: Path,
    network: nn.Module,
    recipe: Recipe,
    origins: Sequence[WeightOrigin],
    findings: Sequence[Finding] = (),
    more: Mapping[str, Any] | None = None,
    half: bool = False,
) -> None:
    """The weights (`half`: in half precision) and the description."""
    state = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    if half:
        state = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    save_file(state, folder / WEIGHTS)
    description = {
        "format": 1,
        "family": recipe.family,
        "recipe": recipe.to_mapping(),
        "findings": [asdict(finding) for finding in findings],
        "origins": [asdict(origin) for origin in origins],
        **(more or {}),
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=1, ensure_ascii=False), encoding="utf-8")


def read(folder: Path, kind: type[R]) -> Described[R]:
    """The description that `write` left, of a model whose recipe is of this kind. Raises CorruptModel."""
    with whole(folder):
        told = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        recipe = from_mapping(kind.family, told["recipe"])
        origins = tuple(WeightOrigin(**origin) for origin in told["origins"])
        findings = tuple(_finding(entry) for entry in told.get("findings", ()))
    if not isinstance(recipe, kind) or told.get("family") != kind.family:
        raise CorruptModel(folder, "it is a model of another family")
    return Described(recipe, origins, findings, told)


@contextmanager
def whole(folder: Path) -> Iterator[None]:
    """Around whatever is read from a model's folder: what is lacking or damaged is raised as CorruptModel."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, SafetensorError, ReadingRoomError) as error:
        raise CorruptModel(folder, str(error)) from error


def _finding(entry: Mapping[str, Any]) -> Finding:
    lists = {"kind": Kind(entry["kind"]), "prompts": tuple(entry["prompts"]), "parts": tuple(entry["parts"])}
    return Finding(**{**entry, **lists})
