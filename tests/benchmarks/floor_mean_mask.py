"""The floor under every Dice: one constant mask a finding, the mean of the training masks cut at a half.

    python -m tests.benchmarks.floor_mean_mask SNAPSHOT [--split test] [--judge OTHER_SNAPSHOT]

Reads the workspace; prints a line a finding with the 95 % bootstrap interval by patient and N. Every evaluation with
figures measures the same floor, by the training masks of the snapshot that it judges on.
"""

import argparse

from app.house import open_house
from app.services import snapshots
from core.findings import by_key
from core.recipes import SegmentationRecipe
from core.studies import Split
from trainers.datasets import FilmCache
from trainers.segmentation.data import films_of
from trainers.segmentation.floors import floor_metric


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("snapshot")
    parser.add_argument("--split", default="test", choices=[*Split, "all"])
    parser.add_argument("--judge", help="another snapshot to be measured on")
    wanted = parser.parse_args()
    house, recipe = open_house(), SegmentationRecipe()
    learned = snapshots.read(house, wanted.snapshot)[1]
    judged = snapshots.read(house, wanted.judge)[1] if wanted.judge else learned
    known = by_key(learned.vocabulary)
    findings = [known[key] for key in learned.counts().by_finding]
    films = films_of(judged, None if wanted.split == "all" else Split(wanted.split), findings)
    cache = FilmCache(house.workspace.cache, house.store, recipe.image_size, recipe.fit)
    for finding, told in floor_metric(learned, films, findings, cache).per_finding.items():
        print(f"{finding}: {told.value:.3f} ({told.low:.3f} to {told.high:.3f}), N {told.n}")


if __name__ == "__main__":
    main()
