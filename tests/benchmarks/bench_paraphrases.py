"""Does a model understand words it never read? Dice by name, and by each paraphrase that was listed before training.

    python -m tests.benchmarks.bench_paraphrases MODEL SNAPSHOT [--split test] [--json]

Asks for each structure of unseen_paraphrases.json that the model knows. Prints Dice by its name, by the median
paraphrase and by the worst one, with 95 % bootstrap intervals by patient, and the paired differences to the name.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from app.cli.output import answer, progress, table
from app.house import open_house
from app.services import models, snapshots
from core.findings import Finding
from core.metrics import Estimate, ItemScore, paired_difference, summarise
from core.studies import Split
from tests.benchmarks.workbench import shown
from trainers.datasets import FilmCache
from trainers.segmentation.data import Film, films_of
from trainers.segmentation.evaluation import outline
from trainers.segmentation.model import SegmentationModel, load
from trainers.segmentation.prompts import prompt_for

UNSEEN: dict[str, list[str]] = json.loads((Path(__file__).parent / "unseen_paraphrases.json").read_text())


@dataclass(frozen=True)
class Phrased:
    """What one way of asking scored. `difference` is to the finding's name, film by film."""

    phrase: str
    dice: Estimate
    difference: Estimate


@dataclass(frozen=True)
class Understood:
    """One finding by its name and by every paraphrase, the worst first."""

    finding: str
    name: Phrased
    paraphrases: tuple[Phrased, ...]

    @property
    def worst(self) -> Phrased:
        return self.paraphrases[0]

    @property
    def median(self) -> Phrased:
        """The paraphrase in the middle; of two, the worse one."""
        return self.paraphrases[(len(self.paraphrases) - 1) // 2]

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"median": asdict(self.median), "worst": asdict(self.worst)}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("snapshot")
    parser.add_argument("--split", default="test", choices=[*Split, "all"])
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args(arguments)
    house = open_house()
    version = models.model(house, wanted.model)
    model = load(house.workspace.models / version.folder)
    manifest = snapshots.read(house, wanted.snapshot)[1]
    known = [finding for finding in model.findings if finding.key in UNSEEN]
    films = films_of(manifest, None if wanted.split == "all" else Split(wanted.split), known)
    cache = FilmCache(house.workspace.cache, house.store, model.recipe.image_size, model.recipe.fit)
    found = understood(model, films, cache, known)
    data = {"model": version.name, "snapshot": wanted.snapshot, "split": wanted.split, "films": len(films)}
    answer(data | {"findings": [each.to_json() for each in found]}, wanted.json, lambda out: show(out, found))


def understood(
    model: SegmentationModel, films: Sequence[Film], cache: FilmCache, findings: Sequence[Finding]
) -> list[Understood]:
    """Every finding that is marked on some of the films, by its name and by all its paraphrases."""
    rounds = max((len(UNSEEN[finding.key]) for finding in findings), default=0)
    scores: dict[tuple[str, str], list[ItemScore]] = {}
    with progress("asking in other words") as report:
        for turn in range(-1, rounds):
            phrases = {f.key: _phrase(f, turn) for f in findings if turn < len(UNSEEN[f.key])}
            for outlined in outline(model, films, cache, lambda _: None, phrases):
                if outlined.finding in phrases:
                    scores.setdefault((outlined.finding, phrases[outlined.finding]), []).append(outlined.score)
            report(turn + 2, rounds + 1, "")
    found = []
    for finding in findings:
        name = scores.get((finding.key, prompt_for(finding)), [])
        if any(score.values["dice"] is not None for score in name):
            asked = [_phrased(phrase, scores[finding.key, phrase], name) for phrase in UNSEEN[finding.key]]
            ranked = sorted(asked, key=lambda each: each.dice.value or 0.0)
            found.append(Understood(finding.key, _phrased(prompt_for(finding), name, name), tuple(ranked)))
    return found


def _phrase(finding: Finding, turn: int) -> str:
    return prompt_for(finding) if turn < 0 else UNSEEN[finding.key][turn]


def _phrased(phrase: str, scores: Sequence[ItemScore], name: Sequence[ItemScore]) -> Phrased:
    return Phrased(phrase, summarise(scores, ["dice"])["dice"].overall, paired_difference(scores, name, "dice"))


def show(out: Console, found: Sequence[Understood]) -> None:
    rows = [
        (each.finding if how == "name" else "", how, told.phrase, shown(told.dice), shown(told.difference, signed=True))
        for each in found
        for how, told in (("name", each.name), ("median", each.median), ("worst", each.worst))
    ]
    columns = ("finding", "asked by", "words", "Dice", "difference to the name")
    table(out, columns, rows, "The model knows none of the structures for which paraphrases are listed.")


if __name__ == "__main__":
    main()
