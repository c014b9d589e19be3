"""Cross-validation by patient of a classifier: every study is answered for once, by a model that never saw its patient.

    python -m tests.benchmarks.classification_folds DATASET [--folds 5] [--only 0,1] [--name NAME] [--apart]
        [--findings atelectasis,cardiomegaly,pleural_effusion,emphysema] [--beside nodule,no_finding]
        [--preset cpu] [--set epochs=8 ...] [--json]

Freezes the folds, trains and measures a model on each (--only: on some), pools the answers and prints, with 95 %
bootstrap intervals by patient: the mean AUROC over --findings, each of these and of --beside, from the film alone, the
text alone, both, and the film with another patient's text; the paired differences between these; and the floors, chance
and the text alone. --apart trains a model of films alone and one of text alone beside it, on each fold. Can be broken
off and started again.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console

from app.cli.output import answer, say, table
from app.house import local_reader, open_house
from app.services import snapshots
from core.metrics import ItemScore
from core.registry import ModelVersion
from tests.benchmarks.columns import Pool, Worth, weigh
from tests.benchmarks.workbench import Workbench, add_recipe, recipe_of, shown

FINDINGS = "atelectasis,cardiomegaly,pleural_effusion,emphysema"
BESIDE = "nodule,no_finding"
APART = {"apart_image_": {"modality": "image"}, "apart_text_": {"modality": "text"}}
PAIRS = (
    ("fused", "image"),
    ("text_only", "image"),
    ("fused", "shuffled"),
    ("apart_image_image", "image"),
    ("apart_text_text_only", "text_only"),
)
CHANCE = 0.5


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--only", help="numbers of the folds to do, from 0; all when left out")
    parser.add_argument("--name", help="what the folds' snapshots are called; the dataset's name when left out")
    parser.add_argument("--findings", default=FINDINGS, help="findings of the mean")
    parser.add_argument("--beside", default=BESIDE, help="findings told beside it")
    parser.add_argument("--apart", action="store_true", help="train a model for each modality alone as well")
    add_recipe(parser, "classification")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args(arguments)
    house, averaged = open_house(), _listed(wanted.findings)
    folds = snapshots.freeze_folds(house, wanted.name or wanted.dataset, [wanted.dataset], local_reader(), wanted.folds)
    chosen = [folds[int(number)] for number in _listed(wanted.only)] if wanted.only else folds
    ways: dict[str, dict[str, str]] = {"": {}} | (APART if wanted.apart else {})
    told = {*averaged, *_listed(wanted.beside)}
    scores: dict[str, list[ItemScore]] = defaultdict(list)
    trained: list[ModelVersion] = []
    with Workbench(house) as bench:
        for fold in chosen:
            for before, changes in ways.items():
                model = bench.trained(recipe_of(wanted, **changes), fold.name)
                scores[before] += [one for one in bench.measured(model, fold.name) if one.finding in told]
                trained.append(model)
                say(f"{fold.name}: {model.name}, {model.facts['steps']} steps, {model.facts['seconds']:.0f} s")
    pool = Pool.of(scores)
    worths = weigh(pool, averaged, PAIRS)
    data = {
        "dataset": wanted.dataset,
        "folds": [fold.name for fold in chosen],
        "studies": len(pool.patients),
        "patients": len(set(pool.patients)),
        "averaged": averaged,
        "chance": CHANCE,
        "models": [
            {"model": m.name, "snapshot": m.snapshot, "seconds": m.facts["seconds"], "steps": m.facts["steps"]}
            for m in trained
        ],
        "recipe": recipe_of(wanted).to_mapping(),
        "findings": [asdict(worth) for worth in worths],
    }
    answer(data, wanted.json, lambda out: show(out, worths, averaged))


def show(out: Console, worths: Sequence[Worth], averaged: Sequence[str]) -> None:
    columns = list(worths[0].auroc)
    rows = [
        (_name(worth, averaged), f"{worth.positives} of {worth.n}", *(shown(worth.auroc[column]) for column in columns))
        for worth in worths
    ]
    table(out, ("AUROC", "present", *columns), rows, "Nothing could be measured.")
    out.print()
    pairs = list(worths[0].compared)
    differences = [
        (_name(worth, averaged), *(shown(worth.compared[pair], signed=True) for pair in pairs)) for worth in worths
    ]
    if pairs:
        table(out, ("paired difference", *pairs), differences, "")
        out.print()
    precisions = [
        (_name(worth, averaged), *(shown(worth.average_precision[column]) for column in columns)) for worth in worths
    ]
    table(out, ("average precision", *columns), precisions, "")
    out.print(f"Floors: chance, AUROC {CHANCE}; the text alone, in its column.")


def _name(worth: Worth, averaged: Sequence[str]) -> str:
    return f"mean of {len(averaged)}" if worth.name == "mean" else worth.name


def _listed(words: str) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()]


if __name__ == "__main__":
    main()
