"""METEOR (Banerjee and Lavie 2005), where Java and the package pycocoevalcap are at hand; it is not required."""

import shutil
from collections.abc import Sequence

from core.text_scores import Tokens


def meteor(written: Sequence[Tokens], originals: Sequence[Tokens]) -> list[float] | None:
    """By report, in [0, 1]; None where METEOR cannot be had on this machine."""
    if shutil.which("java") is None or not written:
        return None
    try:
        from pycocoevalcap.meteor.meteor import Meteor  # type: ignore[import-not-found]
    except ImportError:
        return None
    scorer = Meteor()
    told = {row: [" ".join(one) or "."] for row, one in enumerate(written)}
    known = {row: [" ".join(one)] for row, one in enumerate(originals)}
    _, scores = scorer.compute_score(known, told)
    return [float(score) for score in scores]
