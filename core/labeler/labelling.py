"""A report's labels: what its sentences say together of each finding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.findings import NO_FINDING, Kind, State
from core.labeler.hearing import Mention, hear
from core.labeler.places import joined_side, joined_zone
from core.labeler.reading import standard_rules
from core.labeler.rules import Rules
from core.labels import Source, Statement
from core.reports import Report, sentences

STRONGEST: Final = (State.PRESENT, State.UNCERTAIN, State.ABSENT)
"""Which of several states of one finding counts, first to last."""


@dataclass(frozen=True)
class Heard:
    """A mention and the sentence that it stands in."""

    mention: Mention
    sentence: str


def label(report: Report, rules: Rules | None = None) -> tuple[Statement, ...]:
    """What a report says of each finding: its state, its side and zone where they are said, and the sentence.

    Findings and impression are read, or the whole text where there are neither; indication, comparison and technique
    never are. Where sentences differ, present counts before uncertain before absent, whichever section they stand in:
    an impression leaves out what the findings describe far more often than it takes it back. Of sentences that agree,
    the first that names a side is the evidence, else the first; their sides are joined, and a zone is given where all
    agree.

    A finding that follows from another (`implies` in the rules) is at least as sure as that one. "No finding" is stated
    by CheXpert's definition: present when no finding that the rules know, devices apart, is present or uncertain;
    uncertain when one is uncertain and none present; absent otherwise. A report of which nothing is understood, such as
    one in another language, gets no statement at all.
    """
    followed = rules or standard_rules()
    heard: dict[str, list[Heard]] = {}
    for sentence in sentences(report):
        for mention in hear(sentence.text, followed):
            heard.setdefault(mention.finding, []).append(Heard(mention, sentence.text))
    said = {finding: _together(finding, mentions) for finding, mentions in heard.items()}
    said = _with_what_follows(said, followed)
    if said and NO_FINDING in followed.findings:
        said[NO_FINDING] = _no_finding(said, followed)
    return tuple(said[key] for key in followed.findings if key in said and followed.may_name(key))


def _together(finding: str, heard: Sequence[Heard]) -> Statement:
    state = next(state for state in STRONGEST if any(each.mention.state is state for each in heard))
    told = [each for each in heard if each.mention.state is state]
    evidence = next((each for each in told if each.mention.side), told[0]).sentence
    side = joined_side(each.mention.side for each in told if each.mention.side)
    zone = joined_zone(each.mention.zone for each in told if each.mention.zone)
    return Statement(finding, state, Source.LABELER, side, zone, evidence=evidence)


def _with_what_follows(said: Mapping[str, Statement], rules: Rules) -> dict[str, Statement]:
    """The statements, each finding at least as sure as those from which it follows."""
    everything = dict(said)
    for child, statement in said.items():
        if statement.state is State.ABSENT:
            continue
        for parent in rules.implied_by(child):
            standing = everything.get(parent)
            if standing is None or STRONGEST.index(statement.state) < STRONGEST.index(standing.state):
                everything[parent] = replace(statement, finding=parent)
    return everything


def _no_finding(said: Mapping[str, Statement], rules: Rules) -> Statement:
    others = [s for key, s in said.items() if key != NO_FINDING and rules.findings[key].kind is Kind.FINDING]
    for state, consequence in ((State.PRESENT, State.ABSENT), (State.UNCERTAIN, State.UNCERTAIN)):
        contrary = next((statement for statement in others if statement.state is state), None)
        if contrary:
            return Statement(NO_FINDING, consequence, Source.LABELER, evidence=contrary.evidence)
    voiced = said.get(NO_FINDING) or next(iter(said.values()))
    return Statement(NO_FINDING, State.PRESENT, Source.LABELER, evidence=voiced.evidence)
