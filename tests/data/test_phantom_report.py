import re
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from core.findings import State
from core.reports import sentences
from core.studies import View
from data.phantom import PhantomStudy, simulate_many

SIZE = 128
NAMES = {
    "nodule": "nodule",
    "consolidation": "consolidation",
    "pleural_effusion": "pleural effusion",
    "pneumothorax": "pneumothorax",
    "cardiomegaly": "cardiomegaly|enlarged|enlargement",
    "endotracheal_tube": "endotracheal tube",
    "central_venous_line": "central venous line",
    "pacemaker": "pacemaker",
}
SIDED = ("nodule", "consolidation", "pleural_effusion", "pneumothorax")
ZONES = {"upper": (0.0, 1 / 3), "middle": (1 / 3, 2 / 3), "mid": (1 / 3, 2 / 3), "lower": (2 / 3, 1.0)}


@pytest.fixture(scope="module")
def studies() -> Sequence[PhantomStudy]:
    return list(simulate_many(150, seed=8, size=SIZE))


def affirming(study: PhantomStudy, finding: str, section: str | None = None) -> Iterator[str]:
    """The sentences that say a finding is there."""
    for sentence in sentences(study.report):
        text = sentence.text.lower()
        if section in (None, sentence.section) and re.search(NAMES[finding], text):
            before = text[: re.search(NAMES[finding], text).start()]  # type: ignore[union-attr]
            if not re.search(r"\b(no|without)\b", before):
                yield text


def sides_said(texts: Sequence[str]) -> set[str]:
    return {side for text in texts for side in ("left", "right") if re.search(rf"\b{side}\b", text)}


def test_states_are_what_the_report_says(studies: Sequence[PhantomStudy]) -> None:
    for study in studies:
        for finding, state in study.states.items():
            assert bool(list(affirming(study, finding))) == (state is State.PRESENT), (study.key, finding)


def test_absent_findings_are_denied_in_words(studies: Sequence[PhantomStudy]) -> None:
    for study in studies:
        findings = study.report.findings.lower()
        for finding in SIDED:
            assert re.search(NAMES[finding], findings), (study.key, finding)
        if all(study.states[d] is State.ABSENT for d in ("endotracheal_tube", "central_venous_line", "pacemaker")):
            assert re.search(r"no (lines|tubes|support devices)", findings)


def test_the_report_names_the_sides_on_which_the_masks_lie(studies: Sequence[PhantomStudy]) -> None:
    for study in studies:
        masks = study.images[0].masks
        for finding in SIDED:
            if study.states[finding] is State.PRESENT:
                marked = {s for s in ("left", "right") if (masks[finding] & masks[f"{s}_lung"]).any()}
                assert sides_said(list(affirming(study, finding, "findings"))) == marked, (study.key, finding)
                assert sides_said(list(affirming(study, finding, "impression"))) == marked, (study.key, finding)


def test_the_report_names_the_zone_in_which_a_single_finding_lies(studies: Sequence[PhantomStudy]) -> None:
    checked = 0
    for study in studies:
        masks = study.images[0].masks
        for finding in ("nodule", "consolidation"):
            said = list(affirming(study, finding, "findings"))
            if study.states[finding] is State.ABSENT or len(said) != 1:
                continue
            zone = re.search(r"\b(upper|mid|middle|lower)\b", said[0])
            assert zone is not None, said[0]
            assert len(sides_said(said)) == 1, said
            (side,) = sides_said(said)
            rows = np.flatnonzero(masks[f"{side}_lung"].any(axis=1))
            depth = (np.nonzero(masks[finding])[0].mean() - rows[0]) / (rows[-1] - rows[0])
            low, high = ZONES[zone.group(1)]
            assert low - 0.08 < depth < high + 0.08, (study.key, said[0], depth)
            checked += 1
    assert checked > 20


def test_the_indication_never_names_a_finding(studies: Sequence[PhantomStudy]) -> None:
    told = r"\b(nodules?|consolidation|effusion|pneumothorax|cardiomegaly|enlarged|tube|line|pacemaker|pneumonia)\b"
    for study in studies:
        assert study.report.indication
        assert not re.search(told, study.report.indication.lower())


def test_every_report_has_an_indication_findings_and_an_impression(studies: Sequence[PhantomStudy]) -> None:
    for study in studies:
        report = study.report
        assert report.indication and report.comparison and report.findings and report.impression
        for text in (report.indication, report.findings, report.impression):
            assert text[0].isupper() or text[0].isdigit()
            assert text.endswith(".")
            assert "  " not in text
            assert ".." not in text
            assert "{" not in text


def test_wording_varies(studies: Sequence[PhantomStudy]) -> None:
    normal = {
        study.report.findings for study in studies if all(state is State.ABSENT for state in study.states.values())
    }
    assert len(normal) > 20
    assert len({study.report.findings for study in studies}) > 0.8 * len(studies)


def test_a_follow_up_is_compared_with_the_earlier_study(studies: Sequence[PhantomStudy]) -> None:
    seen: set[str] = set()
    for study in studies:
        none_before = bool(re.search(r"^(none|no prior)", study.report.comparison.lower()))
        assert none_before == (study.patient not in seen)
        seen.add(study.patient)


def test_a_report_speaks_of_no_view_that_was_not_taken(studies: Sequence[PhantomStudy]) -> None:
    for study in studies:
        portable = study.images[0].view is View.AP
        assert not (portable and "lateral" in study.report.findings.lower())
        assert not (not portable and "portable" in study.report.findings.lower())
