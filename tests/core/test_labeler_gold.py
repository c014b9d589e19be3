"""The labeler on the reports that its rules were tuned on; those that judge it are left to the benchmark."""

from pathlib import Path

import pytest

from core.findings import State
from core.labeler import standard_rules
from tests.benchmarks.labeler_gold import BARS, bare, chosen, read_by, read_cases, seconds_for

pytestmark = pytest.mark.realdata

SECONDS = 10


@pytest.fixture(scope="module")
def folder(cxr: Path) -> Path:
    return cxr / "iu-xray"


def test_every_class_reaches_what_is_asked_of_it_on_the_training_patients(folder: Path) -> None:
    cases = chosen(read_cases(folder), "training")
    heard, floor = read_by(standard_rules(), cases), read_by(bare(standard_rules()), cases)
    for name, bar in BARS.items():
        judged = heard.judge(name, floor, sample=0)
        assert judged.f1.value is not None and judged.f1.value >= bar, name
        assert judged.floor.value is not None and judged.f1.value > judged.floor.value, name


def test_a_class_that_nobody_has_is_not_evaluable(folder: Path) -> None:
    cases = read_by(standard_rules(), chosen(read_cases(folder), "training")[:50])
    judged = cases.judge("Hernia", cases, sample=3)
    assert judged.f1.value is None and judged.recall.value is None and judged.positives == 0


def test_the_patients_that_tune_and_those_that_judge_are_not_the_same(folder: Path) -> None:
    everything = read_cases(folder)
    tuning, judging = ({case.uid for case in chosen(everything, on)} for on in ("training", "rest"))
    assert not tuning & judging
    assert tuning | judging == {case.uid for case in everything}


def test_the_floor_takes_every_mention_for_a_finding(folder: Path) -> None:
    heard = read_by(bare(standard_rules()), read_cases(folder)[:200])
    told = [each for said in heard.said for each in said.values()]
    assert {each.state for each in told if each.finding == "pneumothorax"} == {State.PRESENT}


def test_all_reports_are_read_in_the_time_that_is_asked(folder: Path) -> None:
    assert seconds_for(standard_rules(), read_cases(folder)) < SECONDS


def test_side_and_zone_seldom_contradict_the_tags(folder: Path) -> None:
    for placed in read_by(standard_rules(), chosen(read_cases(folder), "training")).places().values():
        assert placed.said_by_both > 200
        assert placed.same / placed.said_by_both > 0.95
