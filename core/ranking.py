"""How good a ranking is: recall, median rank, nDCG by what is relevant and by what is shared, beside their floors.

Queries are rows and candidates columns; a higher similarity ranks before. Ties are broken at random, and what is told
is the expected value (McSherry & Najork 2008), so that candidates which cannot be told apart give nothing away. Values
are by query, NaN where a query has none; `core.bootstrap` resamples them by patient, while the candidates stay.
"""

from collections.abc import Hashable, Sequence
from math import comb

import numpy as np
from numpy.typing import NDArray

from core.bootstrap import Values, Weights

Table = NDArray[np.float64]
Marks = NDArray[np.bool_]


def first_ranks(similarity: Table, relevant: Marks) -> Values:
    """(Q,): the rank, from 1, at which the first relevant candidate (Q, C) is expected. NaN where none is relevant."""
    before, others, own = _ahead(similarity, relevant)
    ranks: Values = np.where(own > 0, before + (others + own + 1) / (own + 1), np.nan)
    return ranks


def recalls(similarity: Table, relevant: Marks, k: int) -> Values:
    """(Q,): the chance that a relevant candidate is among the first k. NaN where none is relevant."""
    before, others, own = _ahead(similarity, relevant)
    missed = np.ones(len(similarity))
    for place in range(k):
        left = np.maximum(others + own - place, 1)
        # Of the places that those ahead leave over, each goes to one of the tied.
        missed *= np.where(place < k - before, np.maximum(others - place, 0) / left, 1.0)
    found: Values = np.where(own > 0, 1 - missed, np.nan)
    return found


def ndcgs(similarity: Table, gains: Table, k: int) -> Values:
    """(Q,): the discounted gain of the first k over that of the best order (Järvelin & Kekäläinen 2002). NaN where no
    candidate (Q, C) has any gain."""
    kept = min(k, gains.shape[1])
    told = np.stack([_expected(row, gain)[:kept] for row, gain in zip(similarity, gains, strict=True)])
    return _over_ideal(told @ _discounts(kept), gains, kept)


def random_ndcgs(gains: Table, k: int) -> Values:
    """(Q,): what `ndcgs` is for candidates in random order."""
    kept = min(k, gains.shape[1])
    return _over_ideal(gains.mean(axis=1) * _discounts(kept).sum(), gains, kept)


def random_recalls(relevant: Marks, k: int) -> Values:
    """(Q,): what `recalls` is for candidates in random order."""
    count = relevant.shape[1]
    k = min(k, count)
    missed = [comb(count - int(own), k) / comb(count, k) for own in relevant.sum(axis=1)]
    return np.where(relevant.any(axis=1), 1 - np.asarray(missed), np.nan)


def random_ranks(relevant: Marks) -> Values:
    """(Q,): what `first_ranks` is for candidates in random order."""
    own = relevant.sum(axis=1)
    return np.where(own > 0, (relevant.shape[1] + 1) / (own + 1), np.nan)


def recall_ceilings(texts: Sequence[Hashable], k: int) -> Values:
    """(n,): the best `recalls` of items each of which is to find its own text, or to be found by it, among those of
    all: k of the m that share a text are as good as any other k of them."""
    shared: dict[Hashable, int] = {}
    for text in texts:
        shared[text] = shared.get(text, 0) + 1
    return np.array([min(k, shared[text]) / shared[text] for text in texts], dtype=np.float64)


def shared_gains(ours: Marks, theirs: Marks) -> Table:
    """(Q, C): how much of what is present on one or the other (Q, F), (C, F) is present on both: |A and B| / |A or B|
    (Jaccard). 0 where nothing is present on either."""
    both = ours.astype(np.float64) @ theirs.T.astype(np.float64)
    either = ours.sum(axis=1)[:, None] + theirs.sum(axis=1)[None, :] - both
    gains: Table = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    return gains


def precisions(similarity: Table, shares: Marks, allowed: Marks, k: int) -> Values:
    """(Q,): the share that is as it should be (`shares`, Q by C) of the first k of those candidates that are `allowed`
    (Q, C). Of fewer than k allowed, of all of them; NaN where none is."""
    told = np.full(len(similarity), np.nan)
    for row, (values, marks, may) in enumerate(zip(similarity, shares, allowed, strict=True)):
        if may.any():
            told[row] = _expected(values[may], marks[may].astype(np.float64))[:k].mean()
    return told


def mean_over(values: Values, weights: Weights) -> Values:
    """(R,): the mean of values (n,) that are told, each as often as the weights (R, n) have it."""
    told = ~np.isnan(values)
    counted = weights[:, told]
    amounts = counted.sum(axis=1)
    means: Values = np.divide(counted @ values[told], amounts, out=np.full(len(weights), np.nan), where=amounts > 0)
    return means


def median_over(values: Values, weights: Weights) -> Values:
    """(R,): the median likewise; of two in the middle the mean."""
    told = ~np.isnan(values)
    order = np.argsort(values[told], kind="stable")
    ranked, upto = values[told][order], np.cumsum(weights[:, told][:, order], axis=1)
    if not len(ranked):
        return np.full(len(weights), np.nan)
    half = upto[:, -1:] / 2
    low, high = (upto < half).sum(axis=1), (upto <= half).sum(axis=1)
    middle = (ranked[np.minimum(low, len(ranked) - 1)] + ranked[np.minimum(high, len(ranked) - 1)]) / 2
    return np.where(upto[:, -1] > 0, middle, np.nan)


def _ahead(similarity: Table, relevant: Marks) -> tuple[Values, Values, Values]:
    """(Q,) each: how many candidates rank before the first relevant one, how many others tie with it, and how many
    relevant ones are tied, itself among them."""
    best = np.where(relevant, similarity, -np.inf).max(axis=1, initial=-np.inf)[:, None]
    before = (similarity > best).sum(axis=1)
    tied = similarity == best
    return (
        before.astype(np.float64),
        (tied & ~relevant).sum(axis=1).astype(np.float64),
        (tied & relevant).sum(axis=1).astype(np.float64),
    )


def _expected(similarity: Values, gains: Values) -> Values:
    """(C,): the gain expected at each rank."""
    _, group, sizes = np.unique(-similarity, return_inverse=True, return_counts=True)
    means = np.bincount(group, gains, len(sizes)) / sizes
    return np.repeat(means, sizes)


def _discounts(k: int) -> Values:
    discounts: Values = 1 / np.log2(np.arange(2, k + 2))
    return discounts


def _over_ideal(found: Values, gains: Table, k: int) -> Values:
    ideal = -np.sort(-gains, axis=1)[:, :k] @ _discounts(k)
    share: Values = np.divide(found, ideal, out=np.full_like(ideal, np.nan), where=ideal > 0)
    return share
