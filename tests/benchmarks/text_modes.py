"""Do the words of a report help, and are they listened to? One recipe, three ways of reading, on simulated studies.

    python -m tests.benchmarks.text_modes [--studies 400] [--size 256] [--modes prompt,sentences,report]
        [--findings left_lung,...] [--preset cpu] [--set minimum_steps=600 --set epochs=10 ...] [--json]

Simulated because no outlined film that we have comes with its report. Works in READING_ROOM_HOME, or where that is not
set in a workspace that is thrown away. Imports the frontal films with every mask there is, a finding being absent where
the report says so; freezes them in the default split; trains once for each way of reading.

Prints, on the test patients, with 95 % bootstrap intervals by patient and N: Dice, and how often something is marked on
films without the finding, when asked in the film's own words, and with these dropped, exchanged for another's, and
denied; and how much of its attention the mode "report" gives to findings and to impression. Can be broken off and
started again.
"""

import argparse
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from rich.console import Console

from app.cli.output import answer, progress, say, table
from app.house import House, local_reader, open_house
from app.services import importing, snapshots
from core.errors import NotFound
from core.findings import State
from core.masks import stats
from core.metrics import Estimate, ItemScore, mean_estimate, summarise
from core.registry import ModelVersion
from core.snapshots import Manifest, Snapshot
from core.studies import IncomingImage, IncomingMask, IncomingStudy, Split, View
from core.workspace import HOME_VARIABLE, Workspace
from data import images
from data.importers.plan import ImportPlan
from data.phantom import PhantomImage, PhantomStudy, simulate
from tests.benchmarks.workbench import Workbench, add_recipe, recipe_of, shown
from trainers.segmentation.data import films_of
from trainers.segmentation.evaluation import WORDING
from trainers.segmentation.model import load
from trainers.segmentation.prompts import words_on

DATASET = "phantom"
BITS = 12
MODES = "prompt,sentences,report"
FINDINGS = "left_lung,right_lung,heart,consolidation,nodule,pleural_effusion,pneumothorax"
"""Of what the simulator draws with known edges, what reports speak of; devices and cardiomegaly are left out."""
OWN = "own"
SECTIONS = ("findings", "impression")


@dataclass(frozen=True)
class Judged:
    """One finding, asked in one wording: "own", "dropped", "shuffled" or "negated"."""

    finding: str
    wording: str
    dice: Estimate
    false_positive: Estimate


@dataclass(frozen=True)
class Read:
    """One way of reading. `attention` has, by finding, the mean share of each section; empty where none is read."""

    text: str
    model: str
    seconds: float
    judged: tuple[Judged, ...]
    attention: Mapping[str, Mapping[str, Estimate]]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--size", type=int, default=256, help="pixels of a film's side")
    parser.add_argument("--modes", default=MODES)
    parser.add_argument("--findings", default=FINDINGS)
    add_recipe(parser)
    # Three trainings: a quarter of the preset's pixels. What --set says comes after and counts.
    parser.set_defaults(settings=["image_size=128"])
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args(arguments)
    told: list[Read] = []
    with a_workspace() as place:
        house = open_house(place)
        snapshot = frozen(house, wanted.studies, wanted.size)
        manifest = snapshots.read(house, snapshot.name)[1]
        with Workbench(house) as bench:
            for mode in wanted.modes.split(","):
                recipe = recipe_of(wanted, text=mode, findings=wanted.findings)
                model = bench.trained(recipe, snapshot.name)
                judged = judge(bench.measured(model, snapshot.name))
                told.append(
                    Read(mode, model.name, float(model.facts["seconds"]), judged, attention(house, model, manifest))
                )
                say(f"{mode}: {model.name}, {model.facts['steps']} steps, {told[-1].seconds:.0f} s")
    data = {
        "studies": wanted.studies,
        "films": {str(split): len(films_of(manifest, split, manifest.vocabulary)) for split in Split},
        "recipe": {name: value for name, value in recipe.to_mapping().items() if name != "text"},
        "modes": [asdict(each) for each in told],
    }
    answer(data, wanted.json, lambda out: show(out, told))


@contextmanager
def a_workspace() -> Iterator[Workspace]:
    if home := os.environ.get(HOME_VARIABLE):
        yield Workspace(Path(home))
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield Workspace(Path(scratch))


def frozen(house: House, studies: int, size: int) -> Snapshot:
    """The snapshot of so many simulated studies; made when it is not there yet."""
    dataset = f"{DATASET}-{size}-{studies}"
    try:
        return snapshots.read(house, dataset)[0]
    except NotFound:
        with progress("simulating") as report:
            found = ImportPlan(studies, simulated(studies, size))
            importing.take_in(house, DATASET, found, dataset, local_reader(), report)
        return snapshots.freeze(house, dataset, [dataset], local_reader())


def simulated(studies: int, size: int) -> Iterator[IncomingStudy]:
    for index in range(studies):
        study = simulate(index, size=size)
        films = tuple(_film(image, study) for image in study.images if image.view is not View.LATERAL)
        yield IncomingStudy(study.patient, study.key, films, study.report, study.age, study.sex, order=index)


def _film(image: PhantomImage, study: PhantomStudy) -> IncomingImage:
    kept = images.from_pixels(image.pixels, BITS, spacing_mm=image.spacing_mm)
    masks = tuple(IncomingMask(key, images.mask_png(mask), stats(mask)) for key, mask in image.masks.items())
    absent = tuple(key for key, state in study.states.items() if state is State.ABSENT)
    name = str(image.view).lower()
    return IncomingImage(name, image.view, kept.facts, kept.payload, kept.media_type, masks, absent=absent)


def judge(scores: Sequence[ItemScore]) -> tuple[Judged, ...]:
    names = {OWN: ("dice", "false_positive")} | {how: (f"dice_{how}", f"false_positive_{how}") for how in WORDING}
    found = summarise(scores, [name for pair in names.values() for name in pair])
    findings = dict.fromkeys(score.finding for score in scores)
    return tuple(
        Judged(finding, wording, found[dice].per_finding[finding], found[marked].per_finding[finding])
        for finding in findings
        for wording, (dice, marked) in names.items()
    )


@torch.inference_mode()
def attention(house: House, version: ModelVersion, manifest: Manifest) -> dict[str, dict[str, Estimate]]:
    """By finding, the mean share of findings and impression in what a model reads of the test films' reports."""
    model = load(house.workspace.models / version.folder)
    network = model.network
    if network.read_report is None:
        return {}
    told: dict[str, dict[str, Estimate]] = {}
    for finding in model.findings:
        films = films_of(manifest, Split.TEST, [finding])
        features = model.read([words_on(finding, film.report, model.recipe.text) for film in films])
        shares = network.read_report.weights(network.read(features[:, 0]), features[:, 1:])
        patients = [film.patient for film in films]
        told[finding.key] = {
            name: mean_estimate(shares[:, row].tolist(), patients) for row, name in enumerate(SECTIONS)
        }
    return told


def show(out: Console, told: Sequence[Read]) -> None:
    rows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for read in told:
        for each in read.judged:
            rows[each.finding, each.wording] += [shown(each.dice), shown(each.false_positive)]
    columns = [f"{what}, {read.text}" for read in told for what in ("Dice", "marked though absent")]
    table(out, ("finding", "words", *columns), [(*key, *cells) for key, cells in rows.items()], "")
    for read in told:
        if read.attention:
            out.print()
            listed = [(key, *(shown(shares[name]) for name in SECTIONS)) for key, shares in read.attention.items()]
            table(out, (f"attention, {read.text}", *SECTIONS), listed, "")


if __name__ == "__main__":
    main()
