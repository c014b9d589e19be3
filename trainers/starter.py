"""The starter model: a lung segmenter on record becomes the folder that ships with the house.

    python -m trainers.starter MODEL [--out FOLDER]

`make starter` does everything from the films on. The weights are written in half precision; before anything is
replaced, the half model's masks are held against those of the full one, and the folder's size against its limit.
"""

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import ReadingRoomError
from core.manifests import from_bytes
from core.masks import dice
from core.metrics import Evaluation
from core.recipes import from_mapping
from core.registry import ModelVersion, require_promotable
from core.snapshots import Manifest, Snapshot
from core.studies import Split
from core.workspace import Workspace, workspace
from data import starters
from data.store import Store
from db import models, snapshots
from db.engine import Database
from db.schema import migrate
from trainers import publishing
from trainers.datasets import FilmCache
from trainers.families import family_of
from trainers.segmentation import model as networks
from trainers.segmentation.data import films_of
from trainers.segmentation.evaluation import ASIDE, notes_of
from trainers.segmentation.model import SegmentationModel, at_native_size
from trainers.segmentation.prompts import Words, prompt_for

DATASET = "montgomery-shenzhen"
"""The one dataset that a starter may have learned from: its terms are the ones that ship with it."""
LEARNED_FROM = "Montgomery and Shenzhen"
AGREEMENT = 0.999
"""Dice that the masks of the half model and of the full one reach together, as the mean over films."""

NAME = "Starter model"


class NotAStarter(ReadingRoomError):
    """A model that may not ship with the house."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot become the starter model: {reason}")


class HalfDisagrees(ReadingRoomError):
    def __init__(self, name: str, agreement: "Agreement") -> None:
        super().__init__(
            f"In half precision {name} marks otherwise: Dice {agreement.mean:.4f} with itself over {agreement.films} "
            f"films, and {AGREEMENT} is asked. Train it again, for example with precision=32."
        )


@dataclass(frozen=True)
class Agreement:
    """Dice between the masks of two models: the mean over films and findings, the worst of them, and how many films."""

    mean: float
    worst: float
    films: int


@dataclass(frozen=True)
class Made:
    """The starter as it was written. `size` is in bytes."""

    folder: Path
    size: int
    agreement: Agreement


def make(place: Workspace, database: Database, name: str, out: Path) -> Made:
    """Write a model on record as the starter. What lies in `out` is replaced only when the new one is whole.

    Raises NotFound, NotPromotable, NotAStarter, HalfDisagrees, StarterTooLarge, CorruptModel.
    """
    with database.reading() as session:
        version = models.get_model(session, name)
        snapshot = snapshots.get_snapshot(session, version.snapshot) if version.snapshot else None
        looks = models.evaluations(session, version.name)
    snapshot = _require_starter(version, snapshot)
    evaluation = _on_test(version, looks)
    store = Store(place.store_url)
    manifest = from_bytes(store.get(snapshot.sha))
    full = networks.load(place.models / version.folder)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".making-starter-") as made:
        making = Path(made)
        networks.save(full, making, half=True)
        agreement = agree(full, networks.load(making), manifest, FilmCache(place.cache, store, *_square(full)))
        if not agreement.mean >= AGREEMENT:
            raise HalfDisagrees(version.name, agreement)
        _write_papers(making, place.models / version.folder, full, snapshot, manifest, evaluation, agreement)
        starters.seal(making, version.findings, version.headline, LEARNED_FROM)
        size = sum(path.stat().st_size for path in making.iterdir())
        _move_in(making, out)
    return Made(out, size, agreement)


def agree(one: SegmentationModel, other: SegmentationModel, manifest: Manifest, cache: FilmCache) -> Agreement:
    """How far two models mark alike on the test split's films, at the films' own size, asked by the findings' names."""
    words = [Words(prompt_for(finding)) for finding in one.findings]
    found: list[float] = []
    films = films_of(manifest, Split.TEST, one.findings)
    for film in films:
        square = cache.film(film.sha)
        masks = []
        for model in (one, other):
            logits = model.answer(model.encode([square]), model.read(words), [0] * len(words))
            masks.append(at_native_size(logits, film.height, film.width, cache.fit).numpy() > 0.5)
        found += [dice(mine, theirs) for mine, theirs in zip(*masks, strict=True)]
    return Agreement(float(np.mean(found)), min(found), len(films))


def _require_starter(version: ModelVersion, snapshot: Snapshot | None) -> Snapshot:
    require_promotable(version)
    if version.family != starters.FAMILY:
        raise NotAStarter(version.name, f"it is no {starters.FAMILY} model.")
    if snapshot is None or snapshot.datasets != (DATASET,):
        raise NotAStarter(version.name, f"it has to be trained on the dataset {DATASET} and on nothing else.")
    if version.recipe.get("start_from") or version.recipe.get("weights_folder"):
        raise NotAStarter(version.name, "it started from weights whose terms do not ship with it.")
    return snapshot


def _on_test(version: ModelVersion, looks: tuple[Evaluation, ...]) -> Evaluation:
    for look in looks:
        if look.snapshot == version.snapshot and look.split == Split.TEST:
            return replace(look, model=NAME)
    raise NotAStarter(
        version.name,
        "it was not measured on its test split yet. "
        f"Run: python -m app evaluate {version.name} --snapshot {version.snapshot} --split test",
    )


def _square(model: SegmentationModel) -> tuple[int, str]:
    return model.recipe.image_size, model.recipe.fit


def _write_papers(
    making: Path,
    source: Path,
    model: SegmentationModel,
    snapshot: Snapshot,
    manifest: Manifest,
    evaluation: Evaluation,
    agreement: Agreement,
) -> None:
    """Everything beside the weights: recipe, run, scores, card, terms, and the films that taught it."""
    for file in (starters.RECIPE, "run.json"):
        shutil.copyfile(source / file, making / file)
    shutil.copyfile(starters.FOLDER / starters.TERMS, making / starters.TERMS)
    publishing.write_metrics(making, evaluation)
    taught = sorted({image.sha for study in manifest.of(Split.TRAIN) for image in study.images})
    (making / starters.IMAGES).write_text("".join(f"{sha}\n" for sha in taught), encoding="ascii")
    told: dict[str, Any] = json.loads((source / "run.json").read_text(encoding="utf-8"))
    run = publishing.Run(
        starters.FAMILY,
        told["job"],
        from_mapping(starters.FAMILY, told["recipe"]),
        snapshot,
        told["steps"],
        told["best_epoch"],
        told["seconds"],
    )
    facts = family_of(starters.FAMILY).facts(model)
    notes = (
        *facts.notes,
        "## As a starter",
        "",
        "It ships with Reading Room and is put in use at the first start, so that the very first study has a "
        "suggestion. The weights are stored in half precision, the scores were measured in full; on the "
        f"{agreement.films} test films the two mark alike to a Dice of {agreement.mean:.5f} (worst "
        f"{agreement.worst:.5f}).",
        "",
        f"The patients of its {len(taught)} training films, listed in `{starters.IMAGES}` by content hash, are "
        "training patients in every dataset of a workspace that holds it. Its validation films chose among its weights "
        f"and are not listed. The terms of films, masks and weights are in `{starters.TERMS}`.",
    )
    publishing.write_card(
        making, NAME, run, replace(facts, notes=notes), evaluation, manifest, notes_of(evaluation.metrics), ASIDE
    )


def _move_in(making: Path, out: Path) -> None:
    # The description goes first and comes last, so that a half-replaced folder is never taken for a whole one.
    out.mkdir(exist_ok=True)
    (out / starters.DESCRIPTION).unlink(missing_ok=True)
    for path in sorted(making.iterdir(), key=lambda path: path.name == starters.DESCRIPTION):
        path.replace(out / path.name)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m trainers.starter", description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a model on record, such as segmentation-v1")
    parser.add_argument("--out", type=Path, default=starters.FOLDER, help="the folder to write")
    chosen = parser.parse_args(arguments)
    place = workspace()
    database = migrate(place)
    try:
        made = make(place, database, chosen.model, chosen.out)
    except ReadingRoomError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        database.close()
    print(
        f"Wrote the starter model to {made.folder}: {made.size / 1e6:.1f} MB; half and full precision mark alike to a "
        f"Dice of {made.agreement.mean:.5f} on {made.agreement.films} films."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
