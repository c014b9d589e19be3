"""What a model of open_clip finds that learned nothing here, such as BiomedCLIP: a floor under the retrieval family.

    python -m tests.benchmarks.untrained_search SNAPSHOT --folder FOLDER [--split test] [--beside MODEL] [--json]

FOLDER is in open_clip's layout: open_clip_config.json, the weights, and the vocabulary that the configuration names.
Prints, with 95 % bootstrap intervals by patient and N, what `app evaluate` prints of a retrieval model, each beside a
random order; and, --beside one of this house, the paired differences of what each study's own text is found by.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console

from app.cli.output import answer, table
from app.house import House, open_house
from app.services import models, snapshots
from core.metrics import Estimate, Metric, paired_difference
from core.recipes import RetrievalRecipe
from core.studies import Split
from data.store import Store
from tests.benchmarks.workbench import Workbench, shown
from trainers.backbones import OpenClip
from trainers.contract import Shelf, Silent
from trainers.retrieval.evaluation import FLOOR, Judged, metrics_of, scores_of
from trainers.retrieval.protocols import GRADED, HEADLINE
from trainers.retrieval.untrained import measure

MEASURES = (
    "i2t_recall@1", "i2t_recall@5", "i2t_recall@10", "i2t_median_rank", "i2t_graded_ndcg@10",
    "t2i_recall@1", "t2i_recall@5", "t2i_recall@10", "t2i_median_rank", "t2i_graded_ndcg@10",
    "finding_precision@5", "zero_shot_auroc", "phrase_precision@10",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("snapshot")
    parser.add_argument("--folder", type=Path, required=True, help="of a model in open_clip's layout")
    parser.add_argument("--split", default="test")
    parser.add_argument("--beside", help="a retrieval model of this house, compared study by study")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args(arguments)
    house, split = open_house(), Split(wanted.split)
    model = OpenClip(wanted.folder)
    judged = _judge(house, model, wanted.snapshot, split)
    found = metrics_of(judged)
    compared = _compare(house, judged, wanted.beside, wanted.snapshot, split) if wanted.beside else {}
    data = {
        "snapshot": wanted.snapshot,
        "split": str(split),
        "model": str(model.origin),
        "parameters": model.parameters,
        "n": len(judged.pairs),
        "texts": judged.protocols.texts,
        "metrics": {name: asdict(metric) for name, metric in found.items()},
        "beside": wanted.beside,
        "compared": {name: asdict(difference) for name, difference in compared.items()},
    }
    answer(data, wanted.json, lambda out: show(out, found, compared, wanted.beside))


def show(out: Console, found: Mapping[str, Metric], compared: Mapping[str, Estimate], beside: str | None) -> None:
    rows = [
        (name, shown(found[name].overall), shown(found[name + FLOOR].overall) if name + FLOOR in found else "0.5")
        for name in MEASURES
    ]
    table(out, ("metric", "untrained", "random order"), rows, "")
    if compared:
        out.print()
        differences = [(name, shown(difference, signed=True)) for name, difference in compared.items()]
        table(out, ("paired difference", f"{beside} minus untrained"), differences, "")


def _judge(house: House, model: OpenClip, snapshot: str, split: Split) -> Judged:
    place = house.workspace
    shelf = Shelf(Store(place.store_url), place.cache, (place.weights,))
    recipe = replace(RetrievalRecipe(), image_size=model.side)
    return measure(model, recipe, snapshots.read(house, snapshot)[1], split, shelf, Silent())


def _compare(house: House, judged: Judged, name: str, snapshot: str, split: Split) -> dict[str, Estimate]:
    with Workbench(house) as bench:
        ours = bench.measured(models.model(house, name), snapshot, split)
    return {measure: paired_difference(ours, scores_of(judged), measure) for measure in (HEADLINE, GRADED)}


if __name__ == "__main__":
    main()
