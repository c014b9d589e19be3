"""What the readers' judgements of reports add up to: how each model fares, whether readers agree, which automatic
score goes with what they say, and which corrected errors a model makes again."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from core.agreement import kappa, spearman
from core.judgements import Judgement, Pair, Revision
from core.labeler import Rules
from core.metrics import NOT_EVALUABLE, Estimate
from core.ratings import ErrorKind, Preference, Rate, preference_rate, preferred, rate_of
from core.report_findings import FINDINGS, said_in
from core.reports import Report
from core.text_scores import bleu, bleu_counts, rouge_l, tokens
from core.writing import Writing

_ORDER: Final = 4


@dataclass(frozen=True)
class Judged:
    """A submitted judgement with the report it is of, and the study's own report where it has one."""

    judgement: Judgement
    writing: Writing
    original: Report | None


@dataclass(frozen=True)
class Standing:
    """How the reports of one model fare. `reports` and `readers` count what was judged and by whom; `overall` is the
    mean rating, 1 to 5, NaN where nobody rated; `errors` counts by category the significant errors and the others;
    `clean` is the share of judgements without any significant one, `preferred` that of the decided blind pairs in which
    the model's report won."""

    model: str
    judgements: int
    reports: int
    readers: int
    overall: float
    signable: Rate
    clean: Rate
    errors: Mapping[ErrorKind, tuple[int, int]]
    preferred: Rate
    equivalent: int
    neither: int


@dataclass(frozen=True)
class Agreement:
    """Whether two readers of the same report would both sign it or both not: Cohen's kappa over `reports`."""

    readers: tuple[str, str]
    kappa: Estimate
    reports: int


@dataclass(frozen=True)
class Companion:
    """How far an automatic score goes with the readers' overall rating: Spearman's rank correlation over reports."""

    score: str
    correlation: Estimate
    reports: int


@dataclass(frozen=True)
class Debt:
    """A corrected error that a model makes again on the same study: a finding that it `invented`, else missed."""

    study: int
    finding: str
    invented: bool


def standings(judged: Sequence[Judged], pairs: Sequence[tuple[Pair, str]]) -> tuple[Standing, ...]:
    """By model, the one judged most often first. `pairs` come with the model that wrote."""
    models = Counter(each.writing.model for each in judged)
    models.update({model: 0 for _, model in pairs})
    return tuple(
        _standing(
            model,
            [each for each in judged if each.writing.model == model],
            [pair for pair, writer in pairs if writer == model],
        )
        for model, _ in models.most_common()
    )


def _standing(model: str, judged: Sequence[Judged], pairs: Sequence[Pair]) -> Standing:
    qualities = [quality for each in judged if (quality := each.judgement.said.quality) is not None]
    errors = [error for each in judged for error in each.judgement.said.errors]
    counted = Counter((error.kind, error.significant) for error in errors)
    without = sum(not any(error.significant for error in each.judgement.said.errors) for each in judged)
    answers = Counter(pair.preference for pair in pairs)
    return Standing(
        model=model,
        judgements=len(judged),
        reports=len({each.writing.id for each in judged}),
        readers=len({each.judgement.reader for each in judged}),
        overall=sum(quality.overall for quality in qualities) / len(qualities) if qualities else float("nan"),
        signable=rate_of(sum(quality.is_signable for quality in qualities), len(qualities)),
        clean=rate_of(without, len(judged)),
        errors={kind: (counted[kind, True], counted[kind, False]) for kind in ErrorKind},
        preferred=preference_rate([preferred(pair.preference, pair.order) for pair in pairs]),
        equivalent=answers[Preference.EQUIVALENT],
        neither=answers[Preference.NEITHER],
    )


def agreements(judged: Sequence[Judged]) -> tuple[Agreement, ...]:
    """Of every two readers who judged the same reports."""
    would_sign: dict[str, dict[int, bool]] = {}
    for each in judged:
        if each.judgement.said.quality is not None:
            theirs = would_sign.setdefault(each.judgement.reader, {})
            theirs[each.writing.id] = each.judgement.said.quality.is_signable
    found = []
    for one, other in combinations(sorted(would_sign), 2):
        shared = sorted(would_sign[one].keys() & would_sign[other].keys())
        if shared:
            said, heard = ([would_sign[name][number] for number in shared] for name in (one, other))
            estimate = kappa(said, heard, [str(number) for number in shared])
            found.append(Agreement((one, other), estimate, len(shared)))
    return tuple(found)


def companions(judged: Sequence[Judged], rules: Rules | None = None) -> tuple[Companion, ...]:
    """Each automatic score of a report against its study's own, beside the mean of its readers' overall ratings."""
    rated: dict[int, list[int]] = {}
    about: dict[int, Judged] = {}
    for each in judged:
        if each.judgement.said.quality is not None and each.original is not None:
            rated.setdefault(each.writing.id, []).append(each.judgement.said.quality.overall)
            about[each.writing.id] = each
    scores: Mapping[str, Callable[[Report, Report], float | None]] = {
        "BLEU-4": _bleu,
        "ROUGE-L": lambda written, own: rouge_l(tokens(written.narrative), tokens(own.narrative)),
        "finding F1": lambda written, own: _finding_f1(written, own, rules),
    }
    found = []
    for name, score in scores.items():
        told = [(number, score(report_of(one.writing), one.original)) for number, one in about.items() if one.original]
        known = [(number, value) for number, value in told if value is not None]
        ratings = [sum(rated[number]) / len(rated[number]) for number, _ in known]
        items = [str(number) for number, _ in known]
        estimate = spearman([value for _, value in known], ratings, items) if known else NOT_EVALUABLE
        found.append(Companion(name, estimate, len(known)))
    return tuple(found)


def debts(
    corrections: Sequence[tuple[Revision, Writing]], now: Mapping[int, Writing], rules: Rules | None = None
) -> tuple[tuple[Debt, ...], int]:
    """Of the errors that readers corrected, those that a model makes again, and how many were corrected on studies that
    it wrote about.

    An error is a finding, as the labeler hears it, that the written report says and the corrected one does not, or the
    reverse. `corrections` come with the report that was corrected, the newest of a study last; `now` is what the model
    writes about each study.
    """
    newest = {revision.study: (revision, writing) for revision, writing in corrections}
    found, corrected = [], 0
    for study, (revision, writing) in sorted(newest.items()):
        if study not in now:
            continue
        was, should = said_in(report_of(writing), rules), said_in(Report(**dict(revision.sections)), rules)
        says = said_in(report_of(now[study]), rules)
        for finding in sorted((was ^ should).intersection(FINDINGS)):
            corrected += 1
            if (finding in says) == (finding in was):
                found.append(Debt(study, finding, finding in was))
    return tuple(found), corrected


def report_of(writing: Writing) -> Report:
    """What was written, as a report."""
    return Report(**dict(writing.sections))


def _bleu(written: Report, own: Report) -> float:
    counts = bleu_counts(tokens(written.narrative), tokens(own.narrative))
    return float(bleu(np.array([counts], np.float64), _ORDER)[0])


def _finding_f1(written: Report, own: Report, rules: Rules | None) -> float | None:
    """None where neither says a finding."""
    ours, theirs = (said_in(each, rules).intersection(FINDINGS) for each in (written, own))
    return 2 * len(ours & theirs) / (len(ours) + len(theirs)) if ours or theirs else None
