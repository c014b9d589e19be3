"""The floor under every Dice: one constant mask a finding, the same on every film, from training masks alone."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from core.findings import Finding
from core.masks import Mask, dice
from core.metrics import ItemScore, Metric, summarise
from core.snapshots import Manifest
from core.studies import Split
from trainers.datasets import FilmCache, Square
from trainers.segmentation.data import Film, films_of
from trainers.segmentation.model import at_native_size

FLOOR = "dice_floor"
ENOUGH = 1000
"""Training films beyond these no longer move a mean mask."""


def floor_metric(manifest: Manifest, films: Sequence[Film], findings: Sequence[Finding], cache: FilmCache) -> Metric:
    """What the mean of the training masks, cut at a half, scores on films: Dice over masks that are not empty.

    Not evaluable for a finding that no training film bears.
    """
    constant = mean_masks(films_of(manifest, Split.TRAIN, findings)[:ENOUGH], cache)
    scores = [
        ItemScore(film.item, film.patient, key, {FLOOR: dice(_stretched(constant[key], film, cache.fit), truth)})
        for film in films
        for key, masks in film.truths.items()
        if masks and key in constant and (truth := cache.native_mask(masks, film.height, film.width)).any()
    ]
    return summarise(scores, [FLOOR])[FLOOR]


def mean_masks(films: Sequence[Film], cache: FilmCache) -> Mapping[str, Square]:
    """For each finding that is marked on some film, (side, side) of 0 and 1: where at least half of its masks are."""
    sums: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.int64]]] = {}
    counts: dict[str, int] = {}
    for film in films:
        for key, masks in film.truths.items():
            if masks:
                sums[key] = sums.get(key, np.int64(0)) + cache.mask(masks)
                counts[key] = counts.get(key, 0) + 1
    return {key: (2 * total >= counts[key]).astype(np.uint8) for key, total in sums.items()}


def _stretched(square: Square, film: Film, fit: str) -> Mask:
    sides = torch.from_numpy(square.astype(np.float32))[None] * 2 - 1
    inside: Mask = (at_native_size(sides, film.height, film.width, fit)[0] >= 0.5).numpy()
    return inside
