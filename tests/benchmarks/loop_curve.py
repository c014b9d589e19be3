"""The loop, gone round as a user would: how good is the model after 10, 20, 40, 80, 160 corrected studies?

    READING_ROOM_HOME=/tmp/loop python -m tests.benchmarks.loop_curve folder ../shared/cxr/jsrt [--budgets 10,20,40]
        [--preset cpu] [--set minimum_steps=600 ...] [--plot docs/images/loop.png] [--json]

Needs a workspace of its own. The films are imported without their masks. An annotator outlines the test patients once,
so that there is something to judge by; nobody is shown a suggestion there. Then a reader, who always draws what the
masks held back say, goes down the worklist: for each budget so many more studies are read and submitted, a snapshot is
frozen, a model trained, put in use by the promotion rule (by hand while too few patients validate), and its suggestions
are what the reader corrects in the next round. Studies of validation patients are read too, and without suggestions:
they judge.

Prints, by budget, Dice on the test patients with 95 % bootstrap intervals by patient, and how near the suggestions were
to what the reader made of them. Can be broken off and started again.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from rich.console import Console

from app.cli.output import answer, progress, say, table
from app.house import House, open_house
from app.services import importing, models, reviewing, snapshots
from core.annotations import MaskVersion
from core.errors import NotFound, ReadingRoomError
from core.findings import by_key
from core.manifests import from_bytes
from core.metrics import Estimate, mean_estimate, summarise
from core.recipes import Recipe
from core.registry import LEAST_PATIENTS, ModelState
from core.reviews import ReviewState
from core.snapshots import Snapshot, SnapshotFilter
from core.studies import IncomingStudy, Skipped, Split, Study
from data.images import read_mask
from data.importers.plan import ImportPlan
from db import masks, studies, worklist
from tests.benchmarks.workbench import Workbench, add_recipe, recipe_of, shown

BUDGETS = "10,20,40,80,160"
READER, ANNOTATOR = "reader", "annotator"
MORE_STUDIES = "It learned from more studies, and too few validation patients are read for the rule to judge by."
GREY = "#808A99"
"""Readable on white and on black."""

Reference = Mapping[tuple[str, str], Mapping[str, bytes]]
"""Study and film to the masks that were held back, as PNG bytes by finding."""


class TooFewStudies(ReadingRoomError):
    def __init__(self, there: int, budget: int) -> None:
        super().__init__(f"Only {there} studies can be read, which is less than {budget}. Leave that budget out.")


@dataclass(frozen=True)
class Round:
    """One time round the loop. Of the `drawn` masks of this round `suggestions` were corrected suggestions;
    `suggestion_dice` is how near those were to what the reader made of them."""

    corrected: int
    model: str
    in_use: str
    drawn: int
    suggestions: int
    suggestion_dice: Estimate
    dice: Estimate
    by_finding: Mapping[str, Estimate]
    seconds: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", help="what lies there, as for the import command")
    parser.add_argument("path", type=Path)
    parser.add_argument(
        "--dataset", help="the dataset's name, by which its patients are split; the folder's by default"
    )
    parser.add_argument("--budgets", default=BUDGETS)
    parser.add_argument("--plot", type=Path)
    add_recipe(parser)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args(arguments)
    house, recipe = open_house(), recipe_of(wanted)
    budgets = sorted(int(budget) for budget in wanted.budgets.split(","))
    dataset = wanted.dataset or wanted.path.resolve().name
    reference = bring_in(house, wanted.kind, wanted.path, dataset)
    outline_test_patients(house, dataset, reference)
    rounds = []
    with Workbench(house) as bench:
        for done, budget in zip([0, *budgets], budgets, strict=False):
            rounds.append(go_round(bench, dataset, recipe, reference, done, budget))
            say(f"{budget} studies: Dice {shown(rounds[-1].dice)}")
    if wanted.plot:
        draw(rounds, wanted.plot)
    data = {"dataset": dataset, "recipe": recipe.to_mapping(), "rounds": [asdict(each) for each in rounds]}
    answer(data, wanted.json, lambda out: show(out, rounds))


def bring_in(house: House, kind: str, path: Path, dataset: str) -> Reference:
    """Import the films as if nobody had outlined anything; gives what was held back. A second time adds nothing."""
    held: dict[tuple[str, str], dict[str, bytes]] = {}
    found = importing.plan(house, kind, path)

    def bare() -> Iterator[IncomingStudy | Skipped]:
        for study in found.studies:
            if isinstance(study, Skipped):
                yield study
                continue
            for image in study.images:
                held[study.key, image.name] = {mask.finding: mask.png for mask in image.masks}
            films = tuple(replace(image, masks=(), absent=()) for image in study.images)
            yield replace(study, images=films, labels=())

    with progress("importing without masks") as report:
        importing.take_in(house, kind, ImportPlan(found.total, bare(), found.warnings), dataset, READER, report)
    return held


def outline_test_patients(house: House, dataset: str, reference: Reference) -> None:
    """Somebody else outlines, once, the studies that judge."""
    for study in _waiting(house, dataset):
        if study.split is Split.TEST:
            read(house, ANNOTATOR, study, reference)


def go_round(bench: Workbench, dataset: str, recipe: Recipe, reference: Reference, done: int, budget: int) -> Round:
    """Read until `budget` studies are corrected, freeze, train, put in use, suggest; what had happened already is left.

    Raises TooFewStudies, JobFailed.
    """
    house = bench.house
    bench.catch_up()
    snapshot = _on_record(house, f"{dataset}-{budget}")
    if snapshot is None:
        read_until(house, dataset, reference, budget)
        snapshot = snapshots.freeze(
            house, f"{dataset}-{budget}", [dataset], READER, wanted=SnapshotFilter(with_masks=True)
        )
    model = bench.trained(recipe, snapshot.name, promote="rule")
    newest = next(known for known in models.all_models(house, model.family) if known.name == model.name)
    if newest.state is ModelState.CANDIDATE and not _can_be_judged(house, snapshot):
        models.promote(house, model.name, MORE_STUDIES, READER)
    bench.catch_up()
    scores = summarise(bench.measured(model, snapshot.name), ["dice"])["dice"]
    versions = corrections(house, dataset)[done:budget]
    drawn = [(patient, version) for patient, made in versions for version in made]
    edits = [(patient, version.edit_dice) for patient, version in drawn if version.edit_dice is not None]
    return Round(
        corrected=budget,
        model=model.name,
        in_use=models.model(house, model.family).name,
        drawn=len(drawn),
        suggestions=len(edits),
        suggestion_dice=mean_estimate([edit for _, edit in edits], [patient for patient, _ in edits]),
        dice=scores.overall,
        by_finding=scores.per_finding,
        seconds=float(model.facts["seconds"]),
    )


def _can_be_judged(house: House, snapshot: Snapshot) -> bool:
    manifest = from_bytes(house.store.get(snapshot.sha))
    return len({study.patient for study in manifest.of(Split.VALIDATION)}) >= LEAST_PATIENTS


def read_until(house: House, dataset: str, reference: Reference, budget: int) -> None:
    """Go down the worklist until so many studies are corrected. Raises TooFewStudies."""
    corrected = len(corrections(house, dataset))
    waiting = [study for study in _waiting(house, dataset) if study.split is not Split.TEST]
    if corrected + len(waiting) < budget:
        raise TooFewStudies(corrected + len(waiting), budget)
    for study in waiting[: budget - corrected]:
        read(house, READER, study, reference)


def read(house: House, reader: str, study: Study, reference: Reference) -> None:
    """Open a study, correct each suggestion to what the reference says, draw what was not suggested, and submit."""
    opened = reviewing.open_study(house, reader, study.id)
    offered = {(suggestion.image_id, suggestion.finding): suggestion.id for suggestion in opened.suggestions}
    for image in opened.study.images:
        for finding, png in reference[study.key, image.name].items():
            if opened.draft(image.id, finding) is None:
                suggestion = offered.get((image.id, finding))
                reviewing.save_stroke(house, reader, image.id, finding, read_mask(png), suggestion=suggestion)
    reviewing.submit(house, reader, study.id)


def corrections(house: House, dataset: str) -> list[tuple[str, tuple[MaskVersion, ...]]]:
    """Patient and the reader's masks of each study that was read, in the order of reading."""
    found = []
    for study in _all(house, dataset):
        if study.state is ReviewState.SUBMITTED and study.split is not Split.TEST:
            with house.database.reading() as session:
                made = tuple(version for image in study.images for version in masks.versions(session, image.id))
            found.append((min((version.id for version in made), default=0), study.patient, made))
    return [(patient, made) for _, patient, made in sorted(found, key=lambda each: each[0])]


def _waiting(house: House, dataset: str) -> list[Study]:
    """What is not yet submitted, in the worklist's order."""
    with house.database.reading() as session:
        return [studies.get_study(session, number) for number in worklist.queue(session, dataset)]


def _all(house: House, dataset: str) -> list[Study]:
    with house.database.reading() as session:
        return [studies.get_study(session, number) for number in studies.study_numbers(session, dataset)]


def _on_record(house: House, name: str) -> Snapshot | None:
    try:
        return snapshots.read(house, name)[0]
    except NotFound:
        return None


def show(out: Console, rounds: Sequence[Round]) -> None:
    findings = list(dict.fromkeys(finding for each in rounds for finding in each.by_finding))
    rows = [
        (
            each.corrected,
            shown(each.dice),
            *(shown(each.by_finding[finding]) if finding in each.by_finding else "-" for finding in findings),
            f"{each.suggestions} of {each.drawn}",
            shown(each.suggestion_dice),
            each.model,
            each.in_use,
            f"{each.seconds:.0f}",
        )
        for each in rounds
    ]
    columns = (
        "corrected", "Dice", *findings, "suggested", "suggestion against final", "model", "in use", "seconds"
    )  # fmt: skip
    table(out, columns, rows, "No budget was given.")


def draw(rounds: Sequence[Round], place: Path) -> None:
    """Dice on the test patients over corrected studies, with intervals, and beside it how near the suggestions were."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    colours = {key: finding.colour for key, finding in by_key().items()}
    lines: dict[str, list[tuple[int, Estimate]]] = defaultdict(list)
    for each in rounds:
        for finding, estimate in each.by_finding.items():
            lines[finding].append((each.corrected, estimate))
    for finding, line in lines.items():
        label = by_key()[finding].name if finding in by_key() else finding
        _draw_line(axes, line, label, colours.get(finding, GREY), "-")
    suggested = [(each.corrected, each.suggestion_dice) for each in rounds if each.suggestions]
    _draw_line(axes, suggested, "Suggestion against the reader's mask", GREY, "--")
    axes.set_xscale("log", base=2)
    axes.set_xticks([each.corrected for each in rounds], [str(each.corrected) for each in rounds])
    axes.minorticks_off()
    axes.set_xlabel("corrected studies", color=GREY)
    axes.set_ylabel("Dice", color=GREY)
    axes.tick_params(colors=GREY)
    axes.grid(color=GREY, alpha=0.25)
    for spine in axes.spines.values():
        spine.set_color(GREY)
    axes.legend(frameon=False, labelcolor=GREY, loc="lower right")
    place.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(place, dpi=130, transparent=True)


def _draw_line(axes: Any, line: Sequence[tuple[int, Estimate]], label: str, colour: str, style: str) -> None:
    known = [(count, e.value, e.low, e.high) for count, e in line if e.value is not None]
    if known:
        counts, values, lows, highs = zip(*known, strict=True)
        axes.plot(counts, values, style, color=colour, label=label, marker="o", markersize=4)
        axes.fill_between(counts, lows, highs, color=colour, alpha=0.15, linewidth=0)


if __name__ == "__main__":
    main()
