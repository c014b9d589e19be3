"""Reports read by the labeler: as they come in, and again when its rules have changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from app.house import House
from core import jobs
from core.errors import ReadingRoomError
from core.findings import Finding, Kind, State
from core.labeler import Rules, label, read_rules, rules_for, standard_rules
from core.labels import Statement
from core.reports import Report
from db import audit, findings, labels, reports

AT_ONCE = 256
"""Reports whose statements are committed together."""


class UnreadableRules(ReadingRoomError):
    """The workspace's own rules are no text."""


@dataclass(frozen=True)
class LabelledReports:
    """What the labeler said of a dataset.

    `labelled` are the reports of which it said anything, `changed` the statements that it had not said before or says
    otherwise now.
    """

    dataset: str
    reports: int
    labelled: int
    changed: int
    by_finding: Mapping[str, Mapping[State, int]]

    def to_json(self) -> dict[str, Any]:
        counted = {finding: {str(state): n for state, n in said.items()} for finding, said in self.by_finding.items()}
        return {
            "dataset": self.dataset,
            "reports": self.reports,
            "labelled": self.labelled,
            "changed": self.changed,
            "by_finding": counted,
        }


def rules_of(house: House) -> Rules:
    """The rules that come with Reading Room, with the workspace's own laid over them, for the findings that can be
    named. Raises UnreadableRules, BadRules, BadPhrase."""
    file = house.workspace.labeler_rules
    try:
        own = file.read_text("utf-8") if file.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableRules(f"{file} cannot be read ({error}). Save it as UTF-8 text.") from error
    with house.database.reading() as session:
        vocabulary = findings.vocabulary(session)
    return _rules(own, str(file), vocabulary)


def label_reports(
    house: House, dataset: str, actor: str, report: jobs.Report, is_rehearsal: bool = False
) -> LabelledReports:
    """Read all reports of a dataset and put on record where the labeler says something else than it said last. A
    rehearsal keeps nothing. `report` may raise to stop between two batches: what was committed stays.

    Raises NotFound, UnreadableRules, BadRules, BadPhrase.
    """
    rules = rules_of(house)
    with house.database.reading() as session:
        found = reports.reports(session, dataset)
    waiting = iter(found.items())
    counts: dict[str, dict[State, int]] = {key: {} for key in rules.findings}
    done = labelled = changed = 0
    while some := dict(islice(waiting, AT_ONCE)):
        report(done, len(found), "reading reports")
        said = {study: statements_of(each, rules) for study, each in some.items()}
        for statement in (statement for statements in said.values() for statement in statements):
            by_state = counts[statement.finding]
            by_state[statement.state] = by_state.get(statement.state, 0) + 1
        if not is_rehearsal:
            changed += _keep(house, said)
        labelled += sum(bool(statements) for statements in said.values())
        done += len(some)
    report(done, len(found), "done")
    if not is_rehearsal:
        with house.database.writing() as session:
            audit.record(session, actor, "label reports", dataset, f"{done} reports, {changed} statements changed")
    states = (State.PRESENT, State.ABSENT, State.UNCERTAIN)
    spoken = {key: {state: said.get(state, 0) for state in states} for key, said in counts.items() if said}
    return LabelledReports(dataset, done, labelled, changed, spoken)


def label_new(house: House, dataset: str, keys: Iterable[str]) -> int:
    """Read those reports of these studies that were never labelled; gives how many. Raises as `rules_of` does."""
    rules = rules_of(house)
    with house.database.reading() as session:
        found = reports.never_labelled(session, dataset, keys)
    if found:
        _keep(house, {study: statements_of(each, rules) for study, each in found.items()})
    return len(found)


def statements_of(report: Report, rules: Rules) -> tuple[Statement, ...]:
    """What is worth keeping of what the labeler says: that an anatomy is there is no news, that it is missing is."""
    return tuple(
        statement
        for statement in label(report, rules)
        if statement.state is State.ABSENT or rules.findings[statement.finding].kind is not Kind.ANATOMY
    )


def _keep(house: House, said: Mapping[int, Sequence[Statement]]) -> int:
    with house.database.writing() as session:
        return labels.keep_all_labeler_statements(session, said)


@lru_cache(8)
def _rules(own: str, source: str, vocabulary: tuple[Finding, ...]) -> Rules:
    """Made once for as long as neither changes: what it takes to read a sentence is kept with the rules."""
    return rules_for(vocabulary, read_rules(own, source) if own else standard_rules())
