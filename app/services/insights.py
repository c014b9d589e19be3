"""What the lead learns from the readers' judgements of reports."""

from dataclasses import dataclass

from app.house import House
from app.services.labelling_reports import rules_of
from core.verdicts import Agreement, Companion, Debt, Judged, Standing, agreements, companions, debts, standings
from db import judgements, models, studies, writings

FAMILY = "generation"


@dataclass(frozen=True)
class Owed:
    """What the model in use still gets wrong of what readers corrected. `corrected` counts the corrected errors on the
    studies that it wrote about since, `waiting` the corrected studies that it has not written about."""

    model: str
    debts: tuple[Debt, ...]
    corrected: int
    waiting: int


@dataclass(frozen=True)
class Insight:
    standings: tuple[Standing, ...]
    agreements: tuple[Agreement, ...]
    companions: tuple[Companion, ...]
    owed: Owed | None


def of_reports(house: House) -> Insight:
    """All that the judgements on record add up to."""
    rules = rules_of(house)
    with house.database.reading() as session:
        submitted = judgements.submitted(session)
        written = {each.writing: writings.get_writing(session, each.writing) for each in submitted}
        reports = {number: studies.get_study(session, number).report for number in {each.study for each in submitted}}
        judged = [Judged(each, written[each.writing], reports[each.study]) for each in submitted]
        pairs = [(pair, writings.get_writing(session, pair.writing).model) for pair in judgements.pairs(session)]
        champion = models.champion(session, FAMILY)
        corrections = [
            (each, writings.get_writing(session, each.writing)) for each in reversed(judgements.revisions(session))
        ]
        now = {}
        if champion is not None:
            for number in {each.study for each, _ in corrections}:
                theirs = writings.of_study(session, number, champion.name)
                if theirs:
                    now[number] = theirs[0]
    owed = None
    if champion is not None and corrections:
        found, corrected = debts(corrections, now, rules)
        waiting = len({each.study for each, _ in corrections} - now.keys())
        owed = Owed(champion.name, found, corrected, waiting)
    return Insight(standings(judged, pairs), agreements(judged), companions(judged, rules), owed)
