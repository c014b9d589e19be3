"""Whether a report says what the original says, by the labeler's ear."""

import numpy as np
import pytest

from core.findings import NO_FINDING
from core.report_findings import Told, f1, said_in
from core.reports import Report

FINDINGS = ("cardiomegaly", "pleural_effusion", "edema", NO_FINDING)


def told() -> Told:
    written = [{"cardiomegaly"}, {"edema", "pleural_effusion"}, {NO_FINDING}]
    original = [{"cardiomegaly", "edema"}, {"pleural_effusion"}, {NO_FINDING}]
    return Told.of(FINDINGS, written, original)


def test_what_a_report_finds_or_suspects_is_said_and_what_it_denies_is_not() -> None:
    report = Report(findings="The heart is enlarged. No pleural effusion. Possible mild edema.")
    said = said_in(report)
    assert {"cardiomegaly", "edema"} <= said
    assert not {"pleural_effusion", NO_FINDING} & said


def test_a_report_that_finds_nothing_says_so() -> None:
    assert NO_FINDING in said_in(Report(impression="Heart size is normal. Lungs are clear. No acute disease."))


def test_hits_are_counted_over_all_findings_but_no_finding() -> None:
    counts = told().counts()
    assert counts.tolist() == [[1, 1, 2], [1, 2, 1], [0, 0, 0]]
    assert f1(counts.sum(axis=0, keepdims=True)).tolist() == [pytest.approx(2 * 2 / 6)]


def test_one_finding_alone_is_judged_by_its_column() -> None:
    assert f1(told().counts([1]).sum(axis=0, keepdims=True)).tolist() == [1]
    assert f1(told().counts([2]).sum(axis=0, keepdims=True)).tolist() == [0]


def test_what_was_never_there_and_never_said_is_not_evaluable() -> None:
    nothing = Told.of(("fracture",), [set()], [set()])
    assert np.isnan(f1(nothing.counts().sum(axis=0, keepdims=True))).all()
    assert nothing.evaluable() == ()


def test_inventions_and_omissions_are_counted_by_report() -> None:
    assert told().invented().tolist() == [0, 1, 0]
    assert told().missed().tolist() == [1, 0, 0]
    assert told().evaluable() == ("cardiomegaly", "pleural_effusion", "edema")


def test_no_reports_are_no_mistake() -> None:
    empty = Told.of(FINDINGS, [], [])
    assert empty.counts().shape == (0, 3) and empty.invented().shape == (0,)
