"""How good the masks are: Dice, IoU, pixel accuracy, false positives and calibration, with 95 % bootstrap intervals.

Conventions. Masks are compared at the film's own size, at probability 0.5. Dice and IoU are means over the masks that
are not empty; a film without the finding counts in `false_positive` alone (1 when anything at all was marked). Pixel
accuracy counts everywhere. Intervals resample patients, never films.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.masks import Mask, dice, iou, pixel_accuracy
from core.metrics import CONFIDENCE, NOT_EVALUABLE, RESAMPLES, Estimate, ItemScore, Metric, summarise
from trainers.datasets import FilmCache
from trainers.segmentation.data import Film
from trainers.segmentation.model import SegmentationModel, at_native_size
from trainers.segmentation.prompts import prompt_for

MEAN_METRICS = ("dice", "iou", "pixel_accuracy", "false_positive")
CALIBRATION_BINS = 15
FILMS_AT_ONCE = 8

Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Outlined:
    """One finding on one film: probability and truth at the film's size, and what it scored."""

    film: Film
    finding: str
    probability: NDArray[np.float32]
    truth: Mask
    score: ItemScore

    @property
    def predicted(self) -> Mask:
        return self.probability > 0.5


def outline(
    model: SegmentationModel, films: Sequence[Film], cache: FilmCache, each: Callable[[int], None]
) -> Iterator[Outlined]:
    """Ask the model for every known truth of every film, by the findings' names; `each` hears how many are done."""
    for start in range(0, len(films), FILMS_AT_ONCE):
        group = films[start : start + FILMS_AT_ONCE]
        logits = model.logits(
            model.encode([cache.film(film.sha) for film in group]), [prompt_for(f) for f in model.findings]
        )
        for film, answers in zip(group, logits, strict=True):
            rows = [row for row, finding in enumerate(model.findings) if finding.key in film.truths]
            native = at_native_size(answers[rows], film.height, film.width, cache.fit).numpy()
            for row, probability in zip(rows, native, strict=True):
                key = model.findings[row].key
                truth = cache.native_mask(film.truths[key], film.height, film.width)
                yield Outlined(film, key, probability, truth, score_of(film, key, probability > 0.5, truth))
        each(min(start + FILMS_AT_ONCE, len(films)))


def score_of(film: Film, finding: str, predicted: Mask, truth: Mask) -> ItemScore:
    present = bool(truth.any())
    return ItemScore(
        item=film.item,
        patient=film.patient,
        finding=finding,
        values={
            "dice": dice(predicted, truth) if present else None,
            "iou": iou(predicted, truth) if present else None,
            "pixel_accuracy": pixel_accuracy(predicted, truth),
            "false_positive": None if present else float(predicted.any()),
        },
    )


def metrics_of(scores: Sequence[ItemScore], calibration: "Calibration") -> dict[str, Metric]:
    return summarise(scores, MEAN_METRICS) | {"ece": calibration.metric()}


class Calibration:
    """Expected calibration error over pixels (Naeini et al. 2015), from counts by patient, finding and bin."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Counts] = {}

    def add(self, patient: str, finding: str, probability: NDArray[np.float32], truth: Mask) -> None:
        key = (patient, finding)
        self._counts[key] = self._counts.get(key, 0.0) + bin_counts(probability, truth)

    def metric(self) -> Metric:
        findings = sorted({finding for _, finding in self._counts})
        return Metric(self._estimate(None), {finding: self._estimate(finding) for finding in findings})

    def _estimate(self, finding: str | None) -> Estimate:
        by_patient: dict[str, Counts] = {}
        for (patient, key), counts in self._counts.items():
            if finding in (None, key):
                by_patient[patient] = by_patient.get(patient, 0.0) + counts
        if not by_patient:
            return NOT_EVALUABLE
        table = np.stack(list(by_patient.values()))
        draws = np.random.default_rng(0).multinomial(len(table), np.full(len(table), 1 / len(table)), size=RESAMPLES)
        samples = calibration_error(np.tensordot(draws.astype(np.float64), table, axes=1))
        edge = (1 - CONFIDENCE) / 2
        low, high = np.quantile(samples, [edge, 1 - edge])
        return Estimate(float(calibration_error(table.sum(axis=0))), float(low), float(high), len(table))


def bin_counts(probability: NDArray[np.float32], truth: Mask) -> Counts:
    """(bins, 3): how many pixels fall in each bin of probability, the sum of their probabilities, how many are true."""
    flat = probability.ravel()
    bins = np.minimum((flat * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    weights = (None, flat.astype(np.float64), truth.ravel().astype(np.float64))
    return np.stack([np.bincount(bins, w, CALIBRATION_BINS).astype(np.float64) for w in weights], axis=1)


def calibration_error(counts: Counts) -> Counts:
    """The share-weighted mean gap between probability and truth over bins; `counts` is (..., bins, 3)."""
    total = counts[..., 0].sum(axis=-1)
    gaps = np.abs(counts[..., 1] - counts[..., 2]).sum(axis=-1)
    return np.asarray(gaps / np.maximum(total, 1))
