"""What a model left in its folder for people to look at: pictures, tables to be drawn, and its card."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.house import House
from core.errors import ReadingRoomError
from core.registry import ModelVersion

SAME_FILMS = 12
_GROUPS = ("worst", "median", "best")
_SHEET = re.compile(rf"(?P<finding>.+)-(?P<group>{'|'.join(_GROUPS)})-(?P<rank>\d+)")
_NUMBERED = re.compile(r"(?P<kind>overlay|gradcam)-(?P<finding>.+)-(?P<rank>\d+)")


class DamagedFigures(ReadingRoomError):
    """A table in a model's folder that is not what a measurement leaves."""

    def __init__(self, place: Path) -> None:
        super().__init__(
            f"{place.name} of {place.parent.name} cannot be read, so it is not shown. Measure the model again."
        )


@dataclass(frozen=True)
class Example:
    """A picture of one film. `name` says which finding, and how far from the worst it is."""

    name: str
    finding: str
    path: Path


@dataclass(frozen=True)
class Pictures:
    """All pictures of one measurement, failures first. `failures` and `others` show film, truth and prediction side by
    side, `overlays` both outlines, `looks` where the network looked; `training` moves, and is there for the training's
    own measurement."""

    failures: tuple[Example, ...] = ()
    others: tuple[Example, ...] = ()
    overlays: tuple[Example, ...] = ()
    looks: tuple[Example, ...] = ()
    training: Path | None = None


@dataclass(frozen=True)
class Bin:
    """The pixels to which about one probability was given, and the share of them that is true."""

    pixels: float
    probability: float
    true: float


@dataclass(frozen=True)
class Details:
    """What may be looked into beside the metrics: `prompts` has the mean Dice of what was asked for on what is true;
    `reliability` bins of probability and `sureness` pairs of expected and found Dice, by finding."""

    prompts: Mapping[str, Mapping[str, float]]
    reliability: Mapping[str, tuple[Bin, ...]]
    sureness: Mapping[str, tuple[tuple[float, float], ...]]


@dataclass(frozen=True)
class SameFilm:
    """One finding on one film, as each of some models answered: its Dice and a picture of both outlines."""

    item: str
    finding: str
    dice: tuple[float, ...]
    paths: tuple[Path, ...]


def pictures(house: House, model: ModelVersion, snapshot: str, split: str) -> Pictures:
    """The pictures of one measurement, by their Dice where it was kept and else by their rank; none where it left none
    on this machine. Raises DamagedFigures."""
    place = _figures(house, model, snapshot, split)
    if place is None:
        return Pictures()
    dice = _dice(place / "pictures.json")
    found: dict[str, list[tuple[float, int, Example]]] = {kind: [] for kind in ("overlay", "gradcam", *_GROUPS)}
    for path in sorted(place.glob("*.png")):
        if named := _NUMBERED.fullmatch(path.stem):
            kind, words = named["kind"], named["rank"]
        elif named := _SHEET.fullmatch(path.stem):
            kind, words = named["group"], f"{named['group']} {named['rank']}"
        else:
            continue
        example = _example(named["finding"], words, path)
        found[kind].append((dice.get(path.name, 0.0), int(named["rank"]), example))
    animation = place / "training.gif"
    return Pictures(
        failures=_in_order(found["worst"]),
        others=_in_order(found["median"]) + _in_order(found["best"]),
        overlays=_in_order(found["overlay"]),
        looks=_in_order(found["gradcam"]),
        training=animation if animation.is_file() else None,
    )


def sheets(house: House, model: ModelVersion, snapshot: str, split: str) -> tuple[Path, ...]:
    """The pictures of one measurement that show many films each; none where it left none on this machine."""
    place = _figures(house, model, snapshot, split)
    return () if place is None else tuple(sorted(place.glob("*.png")))


def details(house: House, model: ModelVersion, snapshot: str, split: str) -> Details | None:
    """The tables of one measurement; None where it left none on this machine. Raises DamagedFigures."""
    found = read_details(house, model, snapshot, split)
    if found is None:
        return None
    table, told = found
    try:
        return Details(
            prompts={
                str(key): {str(on): float(value) for on, value in row.items()}
                for key, row in told.get("prompts", {}).items()
            },
            reliability={
                str(key): tuple(Bin(float(pixels), float(mean), float(true)) for pixels, mean, true in rows)
                for key, rows in told.get("reliability", {}).items()
            },
            sureness={
                str(key): tuple((float(expected), float(found)) for expected, found in pairs)
                for key, pairs in told.get("sureness", {}).items()
            },
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise DamagedFigures(table) from error


def read_details(house: House, model: ModelVersion, snapshot: str, split: str) -> tuple[Path, Any] | None:
    """The file of tables of one measurement, whatever family left it, and what is in it; None where there is none.

    Raises DamagedFigures.
    """
    place = _figures(house, model, snapshot, split)
    if place is None:
        return None
    table = (place.parent if place.name == "figures" else place) / "details.json"
    return (table, _read(table)) if table.is_file() else None


def same_films(house: House, models: Sequence[ModelVersion], snapshot: str, split: str) -> tuple[SameFilm, ...]:
    """The films that all of some models kept a picture of, those first on which one of them did worst; twelve at most.

    Raises DamagedFigures.
    """
    kept = [_kept(house, model, snapshot, split) for model in models]
    films = [
        SameFilm(
            item, finding, tuple(one[item, finding][0] for one in kept), tuple(one[item, finding][1] for one in kept)
        )
        for item, finding in (kept[0] if kept else {})
        if all((item, finding) in one for one in kept)
    ]
    return tuple(sorted(films, key=lambda film: (min(film.dice), film.item, film.finding))[:SAME_FILMS])


def card(house: House, model: ModelVersion) -> str:
    """The model card, in Markdown; empty when the folder is not on this machine."""
    place = house.workspace.models / model.folder / "model_card.md"
    return place.read_text(encoding="utf-8") if place.is_file() else ""


def _figures(house: House, model: ModelVersion, snapshot: str, split: str) -> Path | None:
    """Where the figures of a measurement lie: in a folder of its own, or in the training's."""
    folder = house.workspace.models / model.folder
    later = folder / "evaluations" / f"{snapshot}-{split}"
    if later.is_dir():
        return later
    own = folder / "metrics.json"
    if not own.is_file():
        return None
    told = _read(own)
    return folder / "figures" if (told.get("snapshot"), told.get("split")) == (snapshot, split) else None


def _kept(house: House, model: ModelVersion, snapshot: str, split: str) -> dict[tuple[str, str], tuple[float, Path]]:
    place = _figures(house, model, snapshot, split)
    table = place / "films" / "films.json" if place is not None else None
    if table is None or not table.is_file():
        return {}
    try:
        return {
            (str(row["item"]), str(row["finding"])): (float(row["dice"]), path)
            for row in _read(table)
            # The name alone: a table from elsewhere leads to no other folder.
            if (path := table.parent / Path(str(row["picture"])).name).is_file()
        }
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedFigures(table) from error


def _read(table: Path) -> Any:
    try:
        return json.loads(table.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DamagedFigures(table) from error


def _example(finding: str, place: str, path: Path) -> Example:
    spoken = finding.replace("_", " ")
    return Example(f"{spoken} {place}", spoken, path)


def _dice(table: Path) -> dict[str, float]:
    """What the pictures of a folder scored, by file name; nothing where that was not kept."""
    if not table.is_file():
        return {}
    try:
        return {str(name): float(value) for name, value in _read(table).items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise DamagedFigures(table) from error


def _in_order(ranked: Sequence[tuple[float, int, Example]]) -> tuple[Example, ...]:
    return tuple(example for _, _, example in sorted(ranked, key=lambda entry: (*entry[:2], entry[2].name)))
