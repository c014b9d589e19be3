"""What a report is worth that took no look: the floors beside every score."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from core.reports import Report
from core.text_scores import ORDERS, Tokens, bleu, runs_of, tokens
from trainers.generation.data import Reading

RANDOM_SEED = 0


def constant_report(training: Sequence[Reading], validation: Sequence[Reading]) -> Report:
    """The training report that, written on every validation study, has the highest BLEU-4 there."""
    candidates = {tokens(one.text): one.report for one in training}
    originals = [tokens(one.text) for one in validation]
    having = _having(originals)
    lengths = sum(map(len, originals))
    counts = np.array([_counts(words, having, len(originals), lengths) for words in candidates], np.float64)
    return list(candidates.values())[int(bleu(counts, ORDERS).argmax())]


def random_reports(training: Sequence[Reading], count: int) -> list[Report]:
    """So many training reports, drawn with a seed that never changes."""
    chosen = np.random.default_rng(RANDOM_SEED).integers(0, len(training), count)
    return [training[int(place)].report for place in chosen]


def _having(originals: Sequence[Tokens]) -> dict[Tokens, Counter[int]]:
    """By run: how many originals have it at least so many times."""
    having: dict[Tokens, Counter[int]] = defaultdict(Counter)
    for text in originals:
        for order in range(1, ORDERS + 1):
            for run, times in Counter(runs_of(text, order)).items():
                having[run].update(range(1, times + 1))
    return having


def _counts(words: Tokens, having: dict[Tokens, Counter[int]], originals: int, lengths: int) -> list[float]:
    """`bleu_counts` of one report, added up over all originals at once."""
    counts: list[float] = []
    for order in range(1, ORDERS + 1):
        runs = Counter(runs_of(words, order))
        matched = sum(having[run][time] for run, times in runs.items() if run in having for time in range(1, times + 1))
        counts += [matched, originals * sum(runs.values())]
    return [*counts, originals * len(words), lengths]
