"""How like a written report is to the original, word by word: BLEU, ROUGE-L, CIDEr, and what is merely recited.

Tokens are the runs of letters a to z and digits of the lowercase text, so that marks, case and spacing never count. All
scores take one original for each report. They say how alike two wordings are, and nothing of whether what is said is
true: `core.report_findings` does.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

Tokens = tuple[str, ...]
Values = NDArray[np.float64]

ORDERS = 4
"""BLEU and CIDEr look at runs of one to four tokens."""
ROUGE_BETA = 1.2
"""How much more recall weighs than precision in ROUGE-L, as in the COCO caption evaluation."""
CIDER_SIGMA = 6.0
CIDER_SCALE = 10.0


def tokens(text: str) -> Tokens:
    """The tokens of a text."""
    return tuple(re.findall(r"[a-z0-9]+", text.lower()))


def bleu_counts(written: Tokens, original: Tokens) -> tuple[float, ...]:
    """What BLEU adds up over reports: for each order the runs that match, each at most as often as the original has it,
    and all runs that were written; then the tokens written and those of the original. (2 x ORDERS + 2,) counts."""
    counts: list[float] = []
    for order in range(1, ORDERS + 1):
        ours, theirs = Counter(runs_of(written, order)), Counter(runs_of(original, order))
        counts += [sum((ours & theirs).values()), sum(ours.values())]
    return (*counts, len(written), len(original))


def bleu(counts: Values, order: int) -> Values:
    """Corpus BLEU up to runs of `order` tokens, with the brevity penalty and without smoothing (Papineni et al. 2002).

    `counts` (R, 2 x ORDERS + 2): sums of `bleu_counts` over reports, in R resamples. Gives (R,) in [0, 1]; 0 where
    nothing was written or no run of the longest order matches.
    """
    matched, written = counts[:, 0 : 2 * order : 2], counts[:, 1 : 2 * order : 2]
    length, wanted = counts[:, -2], counts[:, -1]
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.exp(np.where(matched > 0, np.log(matched / written), -np.inf).mean(axis=1))
        brevity = np.where(length < wanted, np.exp(1 - wanted / length), 1.0)
    found: Values = np.where(length > 0, precision * brevity, 0.0)
    return found


def rouge_l(written: Tokens, original: Tokens) -> float:
    """The F score of the longest common subsequence (Lin 2004), in [0, 1]; 0 where either has no token."""
    common = _longest_common(written, original)
    if not common:
        return 0.0
    precision, recall = common / len(written), common / len(original)
    return (1 + ROUGE_BETA**2) * precision * recall / (recall + ROUGE_BETA**2 * precision)


@dataclass(frozen=True)
class Cider:
    """CIDEr-D (Vedantam et al. 2015): how alike the runs of two texts are, each run weighing more the fewer originals
    have it. `having` counts the originals that have a run, `originals` how many there are."""

    having: Mapping[Tokens, int]
    originals: int

    @classmethod
    def of(cls, originals: Sequence[Tokens]) -> "Cider":
        """Over the originals of a test set."""
        having: Counter[Tokens] = Counter()
        for one in originals:
            having.update({run for order in range(1, ORDERS + 1) for run in runs_of(one, order)})
        return cls(having, len(originals))

    def score(self, written: Tokens, original: Tokens) -> float:
        """From 0 up; 10 for the original itself, if it has four tokens and other originals differ."""
        apart = len(written) - len(original)
        told = 0.0
        for order in range(1, ORDERS + 1):
            ours, theirs = self._weighed(written, order), self._weighed(original, order)
            norms = _norm(ours) * _norm(theirs)
            if norms:
                shared = (min(weight, theirs.get(run, 0.0)) * theirs.get(run, 0.0) for run, weight in ours.items())
                told += sum(shared) / norms
        penalty = float(np.exp(-(apart**2) / (2 * CIDER_SIGMA**2)))
        return CIDER_SCALE * penalty * told / ORDERS

    def _weighed(self, text: Tokens, order: int) -> dict[Tokens, float]:
        counts = Counter(runs_of(text, order))
        known = log(self.originals) if self.originals else 0.0
        return {run: times * (known - log(max(1, self.having.get(run, 0)))) for run, times in counts.items()}


class Recitation:
    """How much of what is written stands word for word in some training report."""

    def __init__(self, learned: Iterable[Tokens]) -> None:
        self._learned = frozenset(learned)
        self._runs: dict[int, frozenset[Tokens]] = {}

    def longest(self, written: Tokens) -> int:
        """Tokens of the longest run that stands in a training report as well."""
        # Where a run stands, all shorter ones in it do: the longest is found by halving.
        known, unknown = 0, len(written) + 1
        while unknown - known > 1:
            length = (known + unknown) // 2
            if self._of(length).isdisjoint(runs_of(written, length)):
                unknown = length
            else:
                known = length
        return known

    def _of(self, length: int) -> frozenset[Tokens]:
        if length not in self._runs:
            self._runs[length] = frozenset(run for text in self._learned for run in runs_of(text, length))
        return self._runs[length]


def distinct_share(written: Sequence[Tokens]) -> float:
    """How many different reports there are, as a share of all; 0 for none."""
    return len(set(written)) / len(written) if written else 0.0


def runs_of(text: Tokens, order: int) -> list[Tokens]:
    """All runs of so many tokens, in their order."""
    return [text[start : start + order] for start in range(len(text) - order + 1)]


def _norm(weighed: Mapping[Tokens, float]) -> float:
    return float(np.sqrt(sum(weight**2 for weight in weighed.values())))


def _longest_common(one: Tokens, other: Tokens) -> int:
    """The length of the longest common subsequence."""
    before = [0] * (len(other) + 1)
    for token in one:
        row = [0]
        for place, theirs in enumerate(other):
            row.append(before[place] + 1 if token == theirs else max(before[place + 1], row[-1]))
        before = row
    return before[-1]
