"""Scores that need more than Reading Room does: METEOR, BERTScore and RadGraph F1, where their packages are at hand.

`pip install -r requirements-extra.txt` brings the packages. METEOR runs on Java; the other two read reports with
networks whose weights their packages fetch from the hub. What is not at hand is not measured, and nothing fails for it.
"""

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from core.text_scores import tokens

logger = logging.getLogger(__name__)

Scores = list[float]
Extra = Callable[[Sequence[str], Sequence[str]], Scores]
"""By report, from what was written and the originals. Raises ImportError, OSError, ValueError or RuntimeError where it
cannot be had."""

BERTSCORE_LANGUAGE: Final = "en"
RADGRAPH_MODEL: Final = "radgraph-xl"


def meteor(written: Sequence[str], originals: Sequence[str]) -> Scores:
    """METEOR 1.5 (Banerjee and Lavie 2005), in [0, 1], over the same tokens as the other scores of words."""
    if shutil.which("java") is None:
        raise OSError("There is no Java here.")
    from pycocoevalcap.meteor.meteor import Meteor  # type: ignore[import-not-found]

    told, known = (
        {row: [" ".join(tokens(text)) or "."] for row, text in enumerate(texts)} for texts in (written, originals)
    )
    _, scores = Meteor().compute_score(known, told)
    return [float(score) for score in scores]


def bertscore(written: Sequence[str], originals: Sequence[str]) -> Scores:
    """The F1 of BERTScore (Zhang et al. 2020) with its package's own choice for English, not rescaled."""
    from bert_score import score  # type: ignore[import-not-found]

    _, _, f1 = score([text or "." for text in written], list(originals), lang=BERTSCORE_LANGUAGE, verbose=False)
    return [float(value) for value in f1]


def radgraph_f1(written: Sequence[str], originals: Sequence[str]) -> Scores:
    """RadGraph F1 (Jain et al. 2021, Delbrouck et al. 2022): entities, and whether they have relations, in [0, 1]."""
    from radgraph import F1RadGraph  # type: ignore[import-not-found]

    judge = F1RadGraph(reward_level="partial", model_type=RADGRAPH_MODEL)
    _, scores, _, _ = judge(hyps=list(written), refs=list(originals))
    return [float(score) for score in scores]


EXTRAS: Mapping[str, Extra] = {"meteor": meteor, "bertscore": bertscore, "radgraph_f1": radgraph_f1}


def extra_scores(written: Sequence[str], originals: Sequence[str]) -> dict[str, Scores]:
    """By name, those that can be had here; of the others the log says why not."""
    found = {}
    for name, extra in EXTRAS.items():
        try:
            found[name] = extra(written, originals)
        except (ImportError, OSError, ValueError, RuntimeError) as error:
            logger.info("%s is not measured: %s", name, error)
    return found
