"""What a leak looks like: the same films and labels, with notes that speak of complaints and with notes that name them.

    python -m tests.benchmarks.leakage DATASET [--snapshot NAME] [--preset cpu] [--set epochs=4 ...] [--json]

Makes up notes from the labels, trains one model on notes of each kind and measures both on the test patients. Prints
for both the mean AUROC from the film alone, the text alone, both, and the film with another patient's text, with 95 %
bootstrap intervals by patient. Small films, a frozen image encoder and a text encoder that knows words only by their
identity: it is not about skill. Can be broken off and started again.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console

from app.cli.output import answer, say, table
from app.house import House, local_reader, open_house
from app.services import snapshots
from core.errors import NotFound
from core.snapshots import Snapshot
from tests.benchmarks.columns import Pool, Worth, weigh
from tests.benchmarks.workbench import Workbench, add_recipe, recipe_of, shown

QUICK = ("image_size=64", "frozen_stages=5", "text_encoder=hash", "epochs=6", "batch_size=32", "neighbours=0")
MODES = {"symptoms": {"context": "symptoms"}, "labels": {"context": "labels", "leak": "true"}}
PAIRS = (("fused", "image"), ("text_only", "image"), ("fused", "shuffled"))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset")
    parser.add_argument("--snapshot", help="the frozen data; DATASET-leakage, frozen now, when left out")
    add_recipe(parser, "classification")
    # What --set says comes after and counts.
    parser.set_defaults(settings=list(QUICK))
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args(arguments)
    house = open_house()
    snapshot = frozen(house, wanted.dataset, wanted.snapshot or f"{wanted.dataset}-leakage")
    told: dict[str, list[Worth]] = {}
    with Workbench(house) as bench:
        for mode, changes in MODES.items():
            model = bench.trained(recipe_of(wanted, **changes), snapshot.name)
            scores = bench.measured(model, snapshot.name)
            averaged = list(dict.fromkeys(one.finding for one in scores if one.values["auroc"] is not None))
            told[mode] = weigh(Pool.of({"": scores}), averaged, PAIRS)
            say(f"{mode}: {model.name}, {model.facts['steps']} steps, {model.facts['seconds']:.0f} s")
    data = {
        "snapshot": snapshot.name,
        "modes": {mode: [asdict(worth) for worth in worths] for mode, worths in told.items()},
    }
    answer(data, wanted.json, lambda out: show(out, told))


def frozen(house: House, dataset: str, name: str) -> Snapshot:
    """The snapshot of this name, made when it is not there yet."""
    try:
        return snapshots.read(house, name)[0]
    except NotFound:
        return snapshots.freeze(house, name, [dataset], local_reader())


def show(out: Console, told: dict[str, list[Worth]]) -> None:
    columns = list(next(iter(told.values()))[0].auroc)
    for mode, worths in told.items():
        rows = [
            (worth.name, f"{worth.positives} of {worth.n}", *(shown(worth.auroc[column]) for column in columns))
            for worth in worths
        ]
        table(out, (f"AUROC, notes of {mode}", "present", *columns), rows, "Nothing could be measured.")
        out.print()


if __name__ == "__main__":
    main()
