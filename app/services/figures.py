"""What a model left in its folder for people to look at: example overlays and its card."""

from dataclasses import dataclass
from pathlib import Path

from app.house import House
from core.registry import ModelVersion

_MOST = 12


@dataclass(frozen=True)
class Example:
    """A sheet of film, truth and prediction. `name` says which finding and how far from the best it is."""

    name: str
    path: Path


def examples(house: House, model: ModelVersion, snapshot: str | None = None, split: str | None = None) -> list[Example]:
    """The sheets of one measurement, failures first; those of the training's own where none is named."""
    folder = house.workspace.models / model.folder
    measured = folder / "evaluations" / f"{snapshot}-{split}"
    place = measured if snapshot is not None and measured.is_dir() else folder / "figures"
    found = sorted(place.glob("*.png"), key=_rank)
    return [Example(path.stem.replace("_", " ").replace("-", " "), path) for path in found[:_MOST]]


def card(house: House, model: ModelVersion) -> str:
    """The model card, in Markdown; empty when the folder is not on this machine."""
    place = house.workspace.models / model.folder / "model_card.md"
    return place.read_text(encoding="utf-8") if place.is_file() else ""


def _rank(path: Path) -> tuple[int, str]:
    number = path.stem.rpartition("-")[2]
    return (int(number) if number.isdigit() else 0, path.stem)
