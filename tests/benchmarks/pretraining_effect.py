"""Is pretraining worth it when little is marked? The same recipe from different weights, on a handful of studies.

    python -m tests.benchmarks.pretraining_effect SNAPSHOT [--studies 10] [--start pretraining-v1 ...] [--seeds 1]
        [--preset cpu] [--set minimum_steps=600 ...] [--json]

Trains from random weights, from those of the installed package (where it has any for the recipe's encoder), and from
each model named by --start. Of the snapshot's training and validation studies with masks only --studies are kept, a
fifth of them to validate on; its test patients judge. Prints Dice with 95 % bootstrap intervals by patient, and the
paired difference to each kind of weights that was not pretrained here. With several seeds a film's Dice is the mean
over them. Can be broken off and started again.
"""

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import Any

from rich.console import Console

from app.cli.output import answer, say, table
from app.house import House, local_reader, open_house
from app.services import models, snapshots
from core.manifests import to_bytes
from core.metrics import Estimate, ItemScore, Metric, paired_difference, summarise
from core.recipes.films import PACKAGED
from core.snapshots import Manifest, Snapshot, SnapshotStudy
from core.studies import Split
from db.snapshots import record_snapshot
from tests.benchmarks.workbench import Workbench, add_recipe, recipe_of, shown

RANDOM, PACKAGE = "random", "package"
VALIDATING = 5
"""One in so many of the studies kept validates."""


@dataclass(frozen=True)
class Started:
    """What training from one kind of weights came to. `against` holds the paired differences to the baselines."""

    start: str
    models: tuple[str, ...]
    dice: Metric
    against: Mapping[str, Estimate]
    seconds: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("snapshot")
    parser.add_argument("--studies", type=int, default=10)
    parser.add_argument("--start", action="append", default=[], help="a model whose encoder to start from")
    parser.add_argument("--seeds", type=int, default=1, help="how many trainings of each kind")
    add_recipe(parser)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args(arguments)
    house = open_house()
    for name in wanted.start:
        models.model(house, name)
    few = keep_few(house, wanted.snapshot, wanted.studies)
    encoder = recipe_of(wanted).to_mapping()["encoder"]
    ways: dict[str, dict[str, Any]] = {RANDOM: {"weights": "random"}}
    if encoder in PACKAGED:
        ways[PACKAGE] = {"weights": "package"}
    ways |= {name: {"start_from": name} for name in wanted.start}
    scores: dict[str, list[ItemScore]] = {}
    told = []
    with Workbench(house) as bench:
        for start, settings in ways.items():
            trained = [
                bench.trained(recipe_of(wanted, seed=seed, **settings), few.name) for seed in range(wanted.seeds)
            ]
            scores[start] = over_seeds([bench.measured(model, few.name) for model in trained])
            told.append(
                Started(
                    start,
                    tuple(model.name for model in trained),
                    summarise(scores[start], ["dice"])["dice"],
                    {
                        base: paired_difference(scores[start], scores[base], "dice")
                        for base in (RANDOM, PACKAGE)
                        if base in scores and base != start
                    },
                    fmean(float(model.facts["seconds"]) for model in trained),
                )
            )
            say(f"From {start}: Dice {shown(told[-1].dice.overall)}")
    data = {
        "snapshot": few.name,
        "studies": {str(split): count for split, count in few.counts.by_split.items()},
        "seeds": wanted.seeds,
        "recipe": recipe_of(wanted).to_mapping(),
        "starts": [asdict(each) for each in told],
    }
    answer(data, wanted.json, lambda out: show(out, told))


def keep_few(house: House, name: str, count: int) -> Snapshot:
    """A snapshot like this one with only the first `count` studies to learn from, and all its test patients.

    Raises NotFound, SnapshotExists.
    """
    manifest = snapshots.read(house, name)[1]
    few = cut(manifest, count)
    sha = house.store.put(to_bytes(few))
    with house.database.writing() as session:
        return record_snapshot(session, f"{name}-few{count}", sha, few, local_reader())


def cut(manifest: Manifest, count: int) -> Manifest:
    validating = max(1, count // VALIDATING)
    shares = {Split.TRAIN: count - validating, Split.VALIDATION: validating}
    kept = [*manifest.of(Split.TEST)]
    for split, share in shares.items():
        kept += [study for study in manifest.of(split) if _is_marked(study)][:share]
    chosen = {(study.dataset, study.key) for study in kept}
    dropped = tuple(
        (f"{study.dataset}/{study.key}", f"beyond the first {count} studies")
        for study in manifest.studies
        if (study.dataset, study.key) not in chosen
    )
    return replace(manifest, studies=tuple(kept), excluded=manifest.excluded + dropped)


def _is_marked(study: SnapshotStudy) -> bool:
    return any(image.masks for image in study.images)


def over_seeds(runs: Sequence[Sequence[ItemScore]]) -> list[ItemScore]:
    """Each film and finding once, its Dice the mean over the runs."""
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for scores in runs:
        for score in scores:
            if (dice := score.values.get("dice")) is not None:
                values[score.item, score.finding].append(dice)
    return [
        replace(score, values={"dice": fmean(values[score.item, score.finding])})
        for score in runs[0]
        if (score.item, score.finding) in values
    ]


def show(out: Console, told: Sequence[Started]) -> None:
    findings = list(dict.fromkeys(finding for each in told for finding in each.dice.per_finding))
    rows = [
        (
            each.start,
            shown(each.dice.overall),
            *(shown(each.dice.per_finding[finding]) for finding in findings),
            *(shown(each.against[base], signed=True) if base in each.against else "" for base in (RANDOM, PACKAGE)),
            f"{each.seconds:.0f}",
        )
        for each in told
    ]
    columns = ("weights", "Dice", *findings, "more than random", "more than the package's", "seconds")
    table(out, columns, rows, "")


if __name__ == "__main__":
    main()
