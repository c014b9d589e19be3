"""The floor under every Dice: one constant mask a finding, the mean of the training masks cut at a half.

    python -m tests.benchmarks.floor_mean_mask SNAPSHOT [--split test] [--judge OTHER_SNAPSHOT]

Reads the workspace; prints a line a finding with the 95 % bootstrap interval by patient and N, at 256 x 256.
"""

import argparse
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from app.house import House, open_house
from app.services import snapshots
from core.masks import Mask, dice, union
from core.metrics import mean_estimate
from core.snapshots import Manifest, SnapshotImage, SnapshotStudy
from core.studies import Split
from data.images import read_mask

SIDE = 256


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("snapshot")
    parser.add_argument("--split", default="test", choices=[*Split, "all"])
    parser.add_argument("--judge", help="another snapshot to be measured on")
    wanted = parser.parse_args()
    house = open_house()
    learned = snapshots.read(house, wanted.snapshot)[1]
    judged = snapshots.read(house, wanted.judge)[1] if wanted.judge else learned
    studies = judged.studies if wanted.split == "all" else judged.of(Split(wanted.split))
    for finding in learned.counts().by_finding:
        constant = mean_mask(house, learned, finding)
        found = [(patient, dice(constant, truth)) for patient, truth in truths(house, judged, studies, finding)]
        told = mean_estimate([value for _, value in found], [patient for patient, _ in found])
        print(f"{finding}: {told.value:.3f} ({told.low:.3f} to {told.high:.3f}), N {told.n}")


def mean_mask(house: House, manifest: Manifest, finding: str) -> Mask:
    masks = [mask for _, mask in truths(house, manifest, manifest.of(Split.TRAIN), finding)]
    mean: Mask = np.mean(masks, axis=0) > 0.5
    return mean


def truths(
    house: House, manifest: Manifest, studies: Sequence[SnapshotStudy], finding: str
) -> Iterator[tuple[str, Mask]]:
    """Patient and mask of every film on which the finding, or all its parts, are marked."""
    parts = next((known.parts for known in manifest.vocabulary if known.key == finding), ())
    for study in studies:
        for image in study.images:
            masks = marked(house, image, (finding,)) or marked(house, image, parts)
            if masks and any(mask.any() for mask in masks):
                yield study.patient, union(masks)


def marked(house: House, image: SnapshotImage, findings: Sequence[str]) -> list[Mask]:
    """The masks of all these findings, or none when one is not drawn."""
    places = {mask.finding: mask.sha for mask in image.masks}
    if not findings or any(finding not in places for finding in findings):
        return []
    return [shrunk(read_mask(house.store.get(places[finding]))) for finding in findings]


def shrunk(mask: Mask) -> Mask:
    small: Mask = cv2.resize(mask.astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.bool_)
    return small


if __name__ == "__main__":
    main()
