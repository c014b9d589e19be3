"""Whether probabilities can be believed: Brier score, calibration error, and the temperature that mends them."""

import math

import numpy as np
from numpy.typing import NDArray

from core.bootstrap import Values, Weights
from core.discrimination import Truth

BINS = 15
COOLEST, HOTTEST = 0.05, 20.0

Counts = NDArray[np.float64]


def brier(probability: Values, truth: Truth, weights: Weights) -> Values:
    """Mean squared difference between probability and truth (Brier 1950), (R,)."""
    total = weights.sum(axis=1)
    wrong = weights @ np.square(probability - truth)
    mean: Values = np.divide(wrong, total, out=np.full_like(wrong, np.nan), where=total > 0)
    return mean


def expected_calibration_error(probability: Values, truth: Truth, weights: Weights) -> Values:
    """(R,): by how much probabilities are off on average, bin by bin (Naeini et al. 2015)."""
    error = calibration_error(np.tensordot(weights, _in_bins(probability, truth), axes=1))
    return np.where(weights.sum(axis=1) > 0, error, np.nan)


def reliability(probability: Values, truth: Truth) -> list[list[float]]:
    """Rows of [items, mean probability, share that is true], one for each bin that holds any."""
    table = _in_bins(probability, truth).sum(axis=0)
    return [[n, p / n, t / n] for n, p, t in table.tolist() if n]


def bin_counts(probability: NDArray[np.floating], truth: Truth) -> Counts:
    """(bins, 3): how many items fall in each bin of probability, the sum of their probabilities, how many are true."""
    flat = probability.ravel()
    weights = (None, flat.astype(np.float64), truth.ravel().astype(np.float64))
    return np.stack([np.bincount(_bins(flat), w, BINS).astype(np.float64) for w in weights], axis=1)


def calibration_error(counts: Counts) -> Counts:
    """The share-weighted mean gap between probability and truth over bins; `counts` is (..., bins, 3)."""
    total = counts[..., 0].sum(axis=-1)
    gaps = np.abs(counts[..., 1] - counts[..., 2]).sum(axis=-1)
    return np.asarray(gaps / np.maximum(total, 1))


def best_temperature(logits: Values, truth: Truth) -> float:
    """The T for which sigmoid(logit / T) makes the truth most likely (Guo et al. 2017), within `COOLEST` and `HOTTEST`;
    1 where there is nothing to fit it to."""
    if not logits.size:
        return 1.0
    # The negative log-likelihood is convex in 1 / T, so its slope has one root at most.
    low, high = math.log(1 / HOTTEST), math.log(1 / COOLEST)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if _slope(math.exp(middle), logits, truth) > 0 else (middle, high)
    return math.exp(-(low + high) / 2)


def at_temperature(logits: Values, temperature: float) -> Values:
    """The probabilities that logits stand for at a temperature."""
    return sigmoid(logits / temperature)


def sigmoid(logits: Values) -> Values:
    return np.exp(-np.logaddexp(0.0, -logits))


def _slope(sharpness: float, logits: Values, truth: Truth) -> float:
    return float(np.dot(sigmoid(sharpness * logits) - truth, logits))


def _bins(probability: NDArray[np.floating]) -> NDArray[np.int64]:
    return np.minimum((probability * BINS).astype(np.int64), BINS - 1)


def _in_bins(probability: Values, truth: Truth) -> Counts:
    """(n, bins, 3): each item's one, probability and truth, in its bin."""
    table = np.zeros((len(probability), BINS, 3))
    rows = np.arange(len(probability))
    table[rows, _bins(probability)] = np.stack([np.ones(len(rows)), probability, truth.astype(np.float64)], axis=1)
    return table
