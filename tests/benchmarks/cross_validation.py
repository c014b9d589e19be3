"""Cross-validation by patient: every film is tested once, by a model that never saw its patient.

    python -m tests.benchmarks.cross_validation DATASET [--folds 5] [--only 0,1] [--preset cpu] [--set epochs=30 ...]
        [--json]

Freezes the folds, trains and measures a model on each, pools the films of all folds, and prints for each finding, with
95 % bootstrap intervals by patient: Dice, Dice of the floor "paint the whole lungs", the paired difference to it, and
how often something is marked on films known to be without the finding. Then the prompts: the answer to each against
the truth of every finding, and how much better a finding's own prompt finds it. Can be broken off and started again.
"""

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from app.cli.output import answer, say, table
from app.house import House, local_reader, open_house
from app.services import snapshots
from core.masks import dice, union
from core.metrics import Estimate, ItemScore, mean_estimate, paired_difference, summarise
from core.snapshots import Manifest
from core.studies import Split
from data.images import read_mask
from tests.benchmarks.workbench import Workbench, add_recipe, recipe_of, shown
from trainers.segmentation.data import films_of
from trainers.segmentation.evaluation import ON

LUNGS = "lungs"


@dataclass(frozen=True)
class Judged:
    """One finding over all folds."""

    finding: str
    dice: Estimate
    floor: Estimate
    above_floor: Estimate
    false_positive: Estimate


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--only", help="numbers of the folds to do, from 0; all when left out")
    parser.add_argument("--name", help="what the folds' snapshots are called; the dataset's name when left out")
    add_recipe(parser)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args(arguments)
    house, recipe = open_house(), recipe_of(wanted)
    folds = snapshots.freeze_folds(house, wanted.name or wanted.dataset, [wanted.dataset], local_reader(), wanted.folds)
    chosen = [folds[int(number)] for number in wanted.only.split(",")] if wanted.only else folds
    scores: list[ItemScore] = []
    floors: list[ItemScore] = []
    trained = []
    with Workbench(house) as bench:
        for fold in chosen:
            model = bench.trained(recipe, fold.name)
            scores += bench.measured(model, fold.name)
            floors += painted_lungs(house, snapshots.read(house, fold.name)[1])
            trained.append(model)
            say(f"{fold.name}: {model.name}, {model.facts['steps']} steps, {model.facts['seconds']:.0f} s")
    judged = judge(scores, floors)
    matrix, lead = prompt_matrix(scores), own_prompt_lead(scores)
    data = {
        "dataset": wanted.dataset,
        "films": len({score.item for score in scores}),
        "patients": len({score.patient for score in scores}),
        "models": [
            {"model": m.name, "snapshot": m.snapshot, "seconds": m.facts["seconds"], "steps": m.facts["steps"]}
            for m in trained
        ],
        "recipe": recipe.to_mapping(),
        "findings": [asdict(each) for each in judged],
        "prompts": _nested(matrix),
        "own_prompt_lead": _nested(lead),
    }
    answer(data, wanted.json, lambda out: show(out, judged, matrix, lead))


def painted_lungs(house: House, manifest: Manifest) -> list[ItemScore]:
    """Dice of both lungs, as they were outlined, taken for the answer to every finding of the test films."""
    known = {finding.key: finding for finding in manifest.vocabulary}
    floors = []
    for film in films_of(manifest, Split.TEST, known.values()):
        lungs = film.truths.get(LUNGS)
        if not lungs:
            continue
        painted = union([read_mask(house.store.get(sha)) for sha in lungs])
        for key, masks in film.truths.items():
            if masks and key != LUNGS:
                truth = union([read_mask(house.store.get(sha)) for sha in masks])
                floors.append(ItemScore(film.item, film.patient, key, {"dice": dice(painted, truth)}))
    return floors


def judge(scores: Sequence[ItemScore], floors: Sequence[ItemScore]) -> list[Judged]:
    found = summarise(scores, ["dice", "false_positive"])
    told = []
    for finding, estimate in found["dice"].per_finding.items():
        ours = [score for score in scores if score.finding == finding]
        # The floor is told of the very films on which the model was judged.
        tested = {score.item for score in ours}
        floor = [score for score in floors if score.finding == finding and score.item in tested]
        told.append(
            Judged(
                finding,
                estimate,
                summarise(floor, ["dice"])["dice"].overall,
                paired_difference(ours, floor, "dice"),
                found["false_positive"].per_finding[finding],
            )
        )
    return told


Table = Mapping[tuple[str, str], Estimate]


def prompt_matrix(scores: Sequence[ItemScore]) -> Table:
    """Mean Dice of the answer to each prompt against each finding's truth, over the films that bear it."""
    cells: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for score in scores:
        for on, value in _answers(score).items():
            cells[score.finding, on].append((value, score.patient))
    return {cell: mean_estimate([v for v, _ in found], [p for _, p in found]) for cell, found in sorted(cells.items())}


def own_prompt_lead(scores: Sequence[ItemScore]) -> Table:
    """How much better a finding is found by its own prompt than by another: (asked, on) to the mean difference, paired
    by film."""
    own = {(s.item, s.finding): value for s in scores if (value := s.values.get("dice")) is not None}
    cells: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for score in scores:
        for on, value in _answers(score).items():
            if on != score.finding and (score.item, on) in own:
                cells[score.finding, on].append((own[score.item, on] - value, score.patient))
    return {cell: mean_estimate([v for v, _ in found], [p for _, p in found]) for cell, found in sorted(cells.items())}


def _answers(score: ItemScore) -> dict[str, float]:
    """Dice of the answer to this finding's prompt, by the finding whose truth it is held against."""
    named = {score.finding if name == "dice" else name.removeprefix(ON): value for name, value in score.values.items()
             if name == "dice" or name.startswith(ON)}  # fmt: skip
    return {on: value for on, value in named.items() if value is not None}


def _nested(cells: Table) -> dict[str, dict[str, Any]]:
    nested: dict[str, dict[str, Any]] = defaultdict(dict)
    for (asked, on), estimate in cells.items():
        nested[asked][on] = asdict(estimate)
    return dict(nested)


def show(out: Console, judged: Sequence[Judged], matrix: Table, lead: Table) -> None:
    rows = [
        (j.finding, shown(j.dice), shown(j.floor), shown(j.above_floor, signed=True), shown(j.false_positive))
        for j in judged
    ]
    columns = ("finding", "Dice", "whole lungs painted", "above that floor", "marked though absent")
    table(out, columns, rows, "Nothing could be measured.")
    out.print()
    pairs = [
        (asked, on, shown(estimate), shown(lead[asked, on], signed=True) if (asked, on) in lead else "")
        for (asked, on), estimate in matrix.items()
    ]
    table(out, ("asked for", "against the truth of", "Dice", "its own prompt is better by"), pairs, "")


if __name__ == "__main__":
    main()
