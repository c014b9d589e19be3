"""The command that tells learning from remembering, gone through with drawn films and few steps."""

import json
from typing import Any

import pytest

from app.services import snapshots
from core.reports import ReportOrigin
from core.studies import Split
from db import jobs, judgements
from tests.benchmarks import report_loop
from tests.trainers.conftest import House
from tests.trainers.reported import add_reported

QUICK = ["--preset", "smoke", "--set", "minimum_steps=10", "--set", "epochs=1", "--set", "most_tokens=24", "--json"]


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    (line,) = capsys.readouterr().out.strip().splitlines()
    return json.loads(line)


def test_corrections_are_withheld_then_learned_from_and_told_beside_studies_that_nobody_corrected(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    add_reported(house, "drawn", 40, splits=(Split.TRAIN, Split.TRAIN, Split.TRAIN, Split.VALIDATION, Split.TEST))
    report_loop.main(["drawn", "--corrections", "6", *QUICK])
    first = told(capsys)
    assert first["corrections"] == 6
    assert first["still_made"]["n"] == first["corrected_errors"] > 0, "after so few steps every draft has errors"
    assert set(first["test"]) == {"invented_rate", "missed_rate", "report_f1"}
    assert first["test"]["missed_rate"]["before"]["n"] == 8

    opened = report_loop.open_house()
    before, after = (snapshots.read(opened, f"drawn-{name}")[1] for name in ("before", "after"))
    corrected = [study for study in after.studies if study.report_origin is ReportOrigin.CORRECTED]
    assert len(corrected) == 6 and not {s.patient for s in corrected} & {s.patient for s in before.studies}
    assert [each.report.findings for each in corrected if each.report], "the corrector's word is the study's own report"
    with house.database.reading() as session:
        made = len(judgements.revisions(session)), len(jobs.jobs(session, 100))

    report_loop.main(["drawn", "--corrections", "6", *QUICK])
    assert told(capsys) == first
    with house.database.reading() as session:
        assert (len(judgements.revisions(session)), len(jobs.jobs(session, 100))) == made
