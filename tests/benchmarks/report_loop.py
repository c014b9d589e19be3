"""What a model that writes learns from corrections, and what it only remembers.

    python -m tests.benchmarks.report_loop DATASET [--corrections 100] [--name NAME]
        [--preset cpu] [--set epochs=8 ...] [--json]

Freezes DATASET without so many of its training studies, trains a writer, lets it draft a report about each of these and
corrects every draft as a reader would, the study's own report being the reader's word. Freezes DATASET anew, with the
corrections in it, trains a second writer of the same recipe, and lets it draft the same studies. Prints how many of the
errors that were corrected are still made, and beside them, with 95 % bootstrap intervals by patient, how often both
models invent and miss findings on test studies, which neither has seen. What falls on the first and not on the second
was remembered, not learned. An error is a finding that the labeler hears in one report and not in the other. Can be
broken off and started again.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from rich.console import Console

from app.cli.output import answer, say, table
from app.house import House, local_reader, open_house
from app.services import reporting, snapshots
from core.judgements import Said
from core.manifests import to_bytes
from core.metrics import Estimate, ItemScore, mean_estimate, paired_difference
from core.ratings import Quality, Rate, rate_of
from core.registry import ModelVersion
from core.snapshots import Manifest, SnapshotStudy
from core.splits import unit_interval
from core.studies import Split
from core.verdicts import debts
from core.writing import SECTIONS, Writing
from data.store import Store
from db import judgements, studies, writings
from db import snapshots as frozen
from tests.benchmarks.workbench import Workbench, add_recipe, recipe_of, shown
from trainers.contract import Shelf, Silent
from trainers.drafting import draft_all
from trainers.families import family_of

READER = "corrector"
WORTH = Quality(2, 1)
"""What a reader who has to correct a report might say of it; nothing here depends on it."""
RATES = ("invented_rate", "missed_rate", "report_f1")


@dataclass(frozen=True)
class Beside:
    """One rate of both models on test studies, and the paired difference, the second less the first."""

    before: Estimate
    after: Estimate
    difference: Estimate


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset")
    parser.add_argument("--corrections", type=int, default=100)
    parser.add_argument("--name", help="what the snapshots are called; the dataset's name when left out")
    add_recipe(parser, "generation")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args(arguments)
    house, name = open_house(), wanted.name or wanted.dataset
    withheld = _withhold(house, wanted.dataset, f"{name}-before", wanted.corrections)
    with Workbench(house) as bench:
        first = bench.trained(recipe_of(wanted), f"{name}-before")
        _correct(house, first, withheld)
        snapshots.freeze(house, f"{name}-after", [wanted.dataset], local_reader())
        second = bench.trained(recipe_of(wanted), f"{name}-after")
        now = _drafts(house, second, withheld)
        scores = [bench.measured(model, f"{name}-after") for model in (first, second)]
    remaining, made = _owed(house, now)
    rates = {rate: _beside(scores, rate) for rate in RATES}
    data = {
        "dataset": wanted.dataset,
        "corrections": len(withheld),
        "models": [first.name, second.name],
        "corrected_errors": remaining.n,
        "still_made": asdict(remaining),
        "errors_after": made,
        "test": {rate: asdict(beside) for rate, beside in rates.items()},
        "recipe": recipe_of(wanted).to_mapping(),
    }
    answer(data, wanted.json, lambda out: show(out, remaining, made, rates))


def show(out: Console, remaining: Rate, made: int, rates: Mapping[str, Beside]) -> None:
    share = "-" if remaining.value is None else f"{remaining.value:.3f} ({remaining.low:.3f} to {remaining.high:.3f})"
    out.print(f"Of {remaining.n} corrected errors {share} are still made; {made} errors are made on these studies now.")
    rows = [
        (name, shown(one.before), shown(one.after), shown(one.difference, signed=True)) for name, one in rates.items()
    ]
    table(out, ("on test studies", "before", "after", "paired difference"), rows, "Nothing could be measured.")


def _withhold(house: House, dataset: str, name: str, most: int) -> tuple[SnapshotStudy, ...]:
    """The training studies that are corrected later; the snapshot without them is put on record, once."""
    whole = snapshots.present(house, dataset)
    able = [study for study in whole.of(Split.TRAIN) if study.report is not None and study.report.findings]
    able.sort(key=lambda study: unit_interval("withheld", study.dataset, study.patient, study.key))
    patients = {study.patient for study in able[:most]}
    with house.database.reading() as session:
        known = {snapshot.name for snapshot in frozen.snapshots(session)}
    if name not in known:
        kept = tuple(study for study in whole.studies if study.patient not in patients)
        left = tuple((f"{s.dataset}/{s.key}", "withheld") for s in whole.studies if s.patient in patients)
        _record(house, name, replace(whole, studies=kept, excluded=(*whole.excluded, *left)))
    return tuple(able[:most])


def _record(house: House, name: str, manifest: Manifest) -> None:
    sha = house.store.put(to_bytes(manifest))
    with house.database.writing() as session:
        frozen.record_snapshot(session, name, sha, manifest, local_reader())


def _drafts(house: House, model: ModelVersion, chosen: Sequence[SnapshotStudy]) -> dict[int, Writing]:
    """What a model writes about each study; written once."""
    with house.database.reading() as session:
        numbers = [studies.number_of(session, study.dataset, study.key) for study in chosen]
        read = [studies.get_study(session, number) for number in numbers]
    place = house.workspace
    shelf = Shelf(Store(place.store_url), place.cache, (place.weights,))
    draft_all(house.database, model, family_of(model.family).load(place.models / model.folder), shelf, read, Silent())
    with house.database.reading() as session:
        return {number: writings.of_study(session, number, model.name)[0] for number in numbers}


def _correct(house: House, model: ModelVersion, chosen: Sequence[SnapshotStudy]) -> None:
    """Correct each draft to the study's own report, as a reader does: saved, then submitted."""
    for study, writing in zip(chosen, _drafts(house, model, chosen).values(), strict=True):
        assert study.report is not None
        own = {"findings": study.report.findings, "impression": study.report.impression}
        corrected = tuple((name, own[name]) for name in SECTIONS if own[name] != writing.section(name))
        saved, _ = reporting.save(house, READER, writing.id, Said((), WORTH, corrected), None)
        reporting.submit(house, READER, saved.judgement.id)
    say(f"{len(chosen)} drafts of {model.name} are corrected.")


def _owed(house: House, now: Mapping[int, Writing]) -> tuple[Rate, int]:
    """The share of corrected errors that are still made, and how many errors are made on these studies now."""
    with house.database.reading() as session:
        corrections = [
            (each, writings.get_writing(session, each.writing)) for each in reversed(judgements.revisions(session))
        ]
    ours = [(revision, writing) for revision, writing in corrections if revision.study in now]
    found, corrected = debts(ours, now)
    # Measured against the corrections, what is written now is a report with errors of its own.
    made = debts([(revision, now[revision.study]) for revision, _ in ours], now)[1]
    return rate_of(len(found), corrected), made


def _beside(scores: Sequence[Sequence[ItemScore]], rate: str) -> Beside:
    before, after = (
        mean_estimate(
            [value for each in told if (value := each.values.get(rate)) is not None],
            [each.patient for each in told if each.values.get(rate) is not None],
        )
        for told in scores
    )
    return Beside(before, after, paired_difference(scores[1], scores[0], rate))


if __name__ == "__main__":
    main()
