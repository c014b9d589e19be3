"""How good the search is, with 95 % bootstrap intervals by patient, each beside what a random order would give.

Conventions. Recall, ranks and nDCG are of both directions and both protocols (see `protocols`). Findings are judged as
in classification: those that are present and absent at least ten times each belong in a mean, "no finding" in none (see
`trainers.scores`). The precision of a finding is over the studies on which it is present: the share of their nearest
studies, of other patients, that have it too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bootstrap import Draws, Sampled, Values, Weights, mean_of
from core.discrimination import auroc
from core.findings import Finding
from core.metrics import Estimate, ItemScore, Metric
from core.ranking import mean_over, median_over, precisions
from trainers.retrieval.data import Pair, Pose, present_on
from trainers.retrieval.embedding import Embedded
from trainers.retrieval.prompting import Phrase
from trainers.retrieval.protocols import GRADED, HEADLINE, K, Protocols
from trainers.scores import averaged, evaluable, truth_of

PRECISION = "finding_precision@5"
ZERO_SHOT = "zero_shot_auroc"
PHRASES = "phrase_precision@10"
NEAREST = 5
FLOOR, CEILING = "_floor", "_ceiling"
FUSED = "fused"


@dataclass(frozen=True)
class Judged:
    """A model on some pairs. `sampled` is by metric; `by_finding` by metric and finding; `averaged` are the findings in
    the means over them; `views` the headlines of the studies with both films, by what was looked at; `phrases` are
    by metric and phrase."""

    pairs: tuple[Pair, ...]
    protocols: Protocols
    averaged: tuple[str, ...]
    sampled: Mapping[str, Sampled]
    by_finding: Mapping[tuple[str, str], Sampled]
    by_study: Mapping[str, Values]
    views: Mapping[tuple[str, str], Sampled]
    phrases: Mapping[tuple[str, str], Sampled]


def judge(
    pairs: Sequence[Pair],
    findings: Sequence[Finding],
    embedded: Embedded,
    zero_shot: Mapping[str, Values],
    suite: Mapping[Phrase, Values],
) -> Judged:
    """`zero_shot` are the scores (N,) by which prompts tell each finding, `suite` the likeness (N,) of studies to each
    of the fixed phrases."""
    draws, present = Draws(tuple(pair.patient for pair in pairs)), present_on(pairs, findings)
    protocols, sampled = Protocols.of(pairs, present), {}
    for direction in protocols.directions:
        found, floors = direction.values(embedded), direction.floors()
        ceilings = {f"recall@{k}": values for k, values in direction.ceilings.items()}
        for told, suffix in ((found, ""), (floors, FLOOR), (ceilings, CEILING)):
            for measure, values in told.items():
                name = f"{direction.name}_{measure}{direction.protocol}{suffix}"
                sampled[name] = _sampled(draws, direction.queries, values, measure)
    by_study = {measure: protocols.by_study(embedded, measure) for measure in (HEADLINE, GRADED)}
    for measure, values in by_study.items():
        sampled[measure] = _sampled(draws, np.arange(len(pairs)), values, measure)
    counted = averaged(findings, pairs)
    by_finding = {**_precisions(pairs, findings, embedded, draws), **_zero_shot(pairs, findings, zero_shot, draws)}
    for metric in (PRECISION, PRECISION + FLOOR, ZERO_SHOT):
        each = [by_finding[metric, key] for key in counted if (metric, key) in by_finding]
        sampled[metric] = mean_of(each, len(pairs))
    asked = _phrases(pairs, suite)
    for metric in (PHRASES, PHRASES + FLOOR):
        sampled[metric] = mean_of([one for (name, _), one in asked.items() if name == metric], len(pairs))
    beside = views(pairs, findings, embedded)
    return Judged(tuple(pairs), protocols, tuple(counted), sampled, by_finding, by_study, beside, asked)


def views(pairs: Sequence[Pair], findings: Sequence[Finding], embedded: Embedded) -> dict[tuple[str, str], Sampled]:
    """By measure and by what was looked at, both films or one alone, over the studies that have both: the headlines,
    all of the same draws, so that they can be compared in pairs."""
    rows = np.flatnonzero(embedded.seen.all(axis=1))
    if len(rows) < 2:
        return {}
    chosen = [pairs[int(row)] for row in rows]
    protocols = Protocols.of(chosen, present_on(chosen, findings))
    draws, told = Draws(tuple(pair.patient for pair in chosen)), {}
    alone = {pose.name.lower(): embedded.films[rows, pose] for pose in Pose}
    for name, studies in {FUSED: embedded.studies[rows], **alone}.items():
        seen = Embedded(embedded.films[rows], embedded.seen[rows], studies, embedded.texts[rows])
        for measure in (HEADLINE, GRADED):
            told[measure, name] = _sampled(draws, np.arange(len(rows)), protocols.by_study(seen, measure), measure)
    return told


def metrics_of(judged: Judged) -> dict[str, Metric]:
    """By name; of what is told by finding, with the findings."""
    return {
        name: Metric(
            sampled.estimate, {key: one.estimate for (metric, key), one in judged.by_finding.items() if metric == name}
        )
        for name, sampled in judged.sampled.items()
    }


def scores_of(judged: Judged) -> tuple[ItemScore, ...]:
    """Of each study the mean of both directions, over the unique texts."""

    def of(row: int) -> dict[str, float | None]:
        told = {measure: float(values[row]) for measure, values in judged.by_study.items()}
        return {measure: None if np.isnan(value) else value for measure, value in told.items()}

    return tuple(ItemScore(pair.item, pair.patient, "", of(row)) for row, pair in enumerate(judged.pairs))


def details_of(judged: Judged) -> dict[str, Any]:
    """For `details.json`: how many texts, which findings are in the means, and the views compared in pairs."""
    return {
        "studies": len(judged.pairs),
        "texts": judged.protocols.texts,
        "averaged": list(judged.averaged),
        "views": {f"{measure}/{name}": asdict(one.estimate) for (measure, name), one in judged.views.items()},
        "phrases": {f"{metric}/{text}": asdict(one.estimate) for (metric, text), one in judged.phrases.items()},
        "compared": {
            f"{measure}/{FUSED}-{name}": asdict(told) for (measure, name), told in comparisons(judged).items()
        },
    }


def comparisons(judged: Judged) -> dict[tuple[str, str], Estimate]:
    """By measure and single view: how much better both films are than it alone."""
    return {
        (measure, name): judged.views[measure, FUSED].minus(one).estimate
        for (measure, name), one in judged.views.items()
        if name != FUSED
    }


def _sampled(draws: Draws, rows: NDArray[np.intp], values: Values, measure: str) -> Sampled:
    middle = median_over if measure == "median_rank" else mean_over
    told = draws.sample(lambda weights: middle(values, weights), rows)
    return Sampled(told.values, int((~np.isnan(values)).sum()))


def _precisions(
    pairs: Sequence[Pair], findings: Sequence[Finding], embedded: Embedded, draws: Draws
) -> dict[tuple[str, str], Sampled]:
    similarity = embedded.studies.astype(np.float64) @ embedded.studies.T.astype(np.float64)
    patients = np.array([pair.patient for pair in pairs])
    others = patients[:, None] != patients[None, :]
    told = {}
    for key in evaluable(findings, pairs):
        rows, truth = truth_of(pairs, key)
        asked, has, known = rows[truth], np.zeros(len(pairs), np.bool_), np.zeros(len(pairs), np.bool_)
        has[asked], known[rows] = True, True
        allowed = others[asked] & known[None, :]
        shares = np.broadcast_to(has, allowed.shape)
        found = precisions(similarity[asked], shares, allowed, NEAREST)
        base = precisions(np.zeros_like(similarity[asked]), shares, allowed, NEAREST)
        for metric, values in ((PRECISION, found), (PRECISION + FLOOR, base)):
            told[metric, key] = _sampled(draws, asked, values, metric)
    return told


def _phrases(pairs: Sequence[Pair], suite: Mapping[Phrase, Values]) -> dict[tuple[str, str], Sampled]:
    """Of each phrase that some study answers the share of the first ten that do, over resamples of the studies."""
    draws, told = Draws(tuple(pair.patient for pair in pairs)), {}
    for phrase, near in suite.items():
        answers = np.array([any(pair.known(key) is True for key in phrase.findings) for pair in pairs])
        if answers.any():
            order = np.argsort(-near, kind="stable")
            told[PHRASES, phrase.text] = draws.sample(partial(_first_ten, answers[order], order))
            told[PHRASES + FLOOR, phrase.text] = draws.sample(partial(mean_over, answers.astype(np.float64)))
    return told


def _first_ten(answers: NDArray[np.bool_], order: NDArray[np.intp], weights: Weights) -> Values:
    """(R,): a study drawn twice takes two of the places."""
    drawn = weights[:, order]
    before = np.cumsum(drawn, axis=1) - drawn
    taken = np.clip(K - before, 0, drawn)
    amounts = taken.sum(axis=1)
    shares: Values = np.divide(taken @ answers, amounts, out=np.full(len(drawn), np.nan), where=amounts > 0)
    return shares


def _zero_shot(
    pairs: Sequence[Pair], findings: Sequence[Finding], scores: Mapping[str, Values], draws: Draws
) -> dict[tuple[str, str], Sampled]:
    told = {}
    for key in evaluable(findings, pairs):
        if key in scores:
            rows, truth = truth_of(pairs, key)
            told[ZERO_SHOT, key] = Sampled(auroc(scores[key][rows], truth, draws.weights[:, rows]), len(rows))
    return told
