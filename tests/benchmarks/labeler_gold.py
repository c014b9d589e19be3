"""The report labeler against the gold labels of IU X-ray, which come from the MeSH tags that its indexers gave.

    python -m tests.benchmarks.labeler_gold ../shared/cxr/iu-xray [--on training|rest|all] [--json] [--disagreements N]

Rules are tuned on the patients that the default split trains on; `--on rest` looks at those who validate and test. An
uncertain finding counts as not present: on the training patients the indexers tagged few of those. Prints for each
class F1, precision and recall with 95 % bootstrap intervals by patient, the floor (every mention counts as present,
whatever the words around it; every report as normal), what was said of those with and without the tag, how often side
and zone agree with the tags, and how long all reports take on one core. `--disagreements` adds a sample for each class.
"""

import argparse
import csv
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from rich.console import Console

from app.cli.output import answer, table
from core.bootstrap import Draws
from core.discrimination import Truth, answers_at
from core.findings import NO_FINDING, State
from core.labeler import Rules, label, standard_rules
from core.labeler.hearing import hear
from core.labeler.rules import FindingRules
from core.labels import Statement
from core.metrics import NOT_EVALUABLE, Estimate
from core.reports import Report
from core.splits import SplitPolicy, split_of
from core.studies import Split
from data.importers.classes import finding_of
from tests.benchmarks.workbench import shown

On = Literal["training", "rest", "all"]

DATASET: Final = "iu-xray"
BARS: Final[Mapping[str, float]] = {
    "Atelectasis": 0.90,
    "Effusion": 0.88,
    "Pneumothorax": 0.88,
    "Consolidation": 0.85,
    "Cardiomegaly": 0.82,
    "Edema": 0.65,
    "Pneumonia": 0.60,
}
"""The F1 that is asked of each class."""

SILENT: Final = "not named"
SAID: Final = (*(state.value for state in (State.PRESENT, State.UNCERTAIN, State.ABSENT)), SILENT)

TAGS: Final[Mapping[str, tuple[str, ...]]] = {
    "atelectasis": ("Pulmonary Atelectasis",),
    "pleural_effusion": ("Pleural Effusion",),
    "pneumothorax": ("Pneumothorax",),
    "consolidation": ("Consolidation",),
    "pneumonia": ("Pneumonia",),
    "nodule": ("Nodule",),
    "mass": ("Mass",),
    "infiltration": ("Infiltrate",),
}
"""The MeSH tags of findings that have a place; "/" sets off where ("Pleural Effusion/left/small")."""

_SIDES: Final = {"left": {"left"}, "right": {"right"}, "bilateral": {"left", "right"}}
_ZONES: Final = {
    "upper lobe": "upper",
    "apex": "upper",
    "middle lobe": "mid",
    "lingula": "mid",
    "lower lobe": "lower",
    "base": "lower",
}


@dataclass(frozen=True)
class Case:
    """A report, its gold labels by class and its MeSH tags."""

    uid: str
    report: Report
    gold: Mapping[str, bool]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Disagreement:
    uid: str
    is_tagged: bool
    said: str
    sentence: str
    tags: str


@dataclass(frozen=True)
class Judged:
    """One class: the labeler's answers beside the gold. `said` counts them by what was said, tagged or not."""

    name: str
    positives: int
    f1: Estimate
    precision: Estimate
    recall: Estimate
    floor: Estimate
    f1_if_uncertain_counts: Estimate
    said: Mapping[str, tuple[int, int]]
    disagreements: tuple[Disagreement, ...]

    @property
    def bar(self) -> float | None:
        return BARS.get(self.name)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"bar": self.bar}


@dataclass(frozen=True)
class Placed:
    """Of findings that are present by both: how often a place was said by both, and then the same."""

    said_by_both: int
    same: int
    only_tagged: int
    only_heard: int


@dataclass(frozen=True)
class Cases:
    """Cases with what the labeler says of each."""

    cases: tuple[Case, ...]
    said: tuple[Mapping[str, Statement], ...]

    @cached_property
    def draws(self) -> Draws:
        return Draws(tuple(case.uid for case in self.cases))

    def judge(self, name: str, floor: "Cases", sample: int) -> Judged:
        finding = finding_of(name)
        truth = np.array([case.gold[name] for case in self.cases])
        heard = [statements.get(finding) for statements in self.said]
        words = [each.state.value if each else SILENT for each in heard]
        present = np.array([word == State.PRESENT for word in words])
        either = present | np.array([word == State.UNCERTAIN for word in words])
        bare = [statements.get(finding) for statements in floor.said]
        floored = np.array([finding == NO_FINDING or bool(each and each.state is State.PRESENT) for each in bare])
        wrong = [index for index in range(len(truth)) if present[index] != truth[index]]
        picked = random.Random(name).sample(wrong, min(sample, len(wrong)))
        return Judged(
            name,
            int(truth.sum()),
            self._worth(present, truth, "f1"),
            self._worth(present, truth, "precision"),
            self._worth(present, truth, "recall"),
            self._worth(floored, truth, "f1"),
            self._worth(either, truth, "f1"),
            {
                word: (
                    sum(said == word and bool(tagged) for said, tagged in zip(words, truth, strict=True)),
                    sum(said == word and not tagged for said, tagged in zip(words, truth, strict=True)),
                )
                for word in SAID
            },
            tuple(self._disagreement(index, name, words[index]) for index in sorted(picked)),
        )

    def _worth(self, called: Truth, truth: Truth, measure: str) -> Estimate:
        """One of the measures of answers, not evaluable for a class that nobody has."""
        if not truth.any():
            return NOT_EVALUABLE
        scores = called.astype(np.float64)
        return self.draws.sample(lambda weights: getattr(answers_at(0.5, scores, truth, weights), measure)).estimate

    def _disagreement(self, index: int, name: str, said: str) -> Disagreement:
        case, statement = self.cases[index], self.said[index].get(finding_of(name))
        sentence = statement.evidence if statement else case.report.narrative
        return Disagreement(case.uid, case.gold[name], said, sentence, "; ".join(case.tags))

    def places(self) -> Mapping[str, Placed]:
        sides, zones = [], []
        for case, statements in zip(self.cases, self.said, strict=True):
            for finding, tags in TAGS.items():
                statement = statements.get(finding)
                parts = [tag.split("/") for tag in case.tags if tag.split("/")[0] in tags]
                if statement is None or statement.state is not State.PRESENT or not parts:
                    continue
                words = {word for part in parts for word in part[1:]}
                tagged = {side for word in words for side in _SIDES.get(word, ())}
                sides.append(("both" if len(tagged) == 2 else next(iter(tagged), None), statement.side))
                thirds = {_ZONES[word] for word in words if word in _ZONES}
                zones.append((next(iter(thirds)) if len(thirds) == 1 else None, statement.zone))
        return {"side": _placed(sides), "zone": _placed(zones)}


def _placed(pairs: Iterable[tuple[str | None, str | None]]) -> Placed:
    told = list(pairs)
    both = [(tagged, heard) for tagged, heard in told if tagged and heard]
    return Placed(
        len(both),
        sum(tagged == heard for tagged, heard in both),
        sum(bool(tagged and not heard) for tagged, heard in told),
        sum(bool(heard and not tagged) for tagged, heard in told),
    )


def read_cases(folder: Path) -> tuple[Case, ...]:
    with (folder / "indiana_reports.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["uid"]: row for row in csv.DictReader(file)}
    with (folder / "finding_labels.csv").open(newline="", encoding="utf-8") as file:
        return tuple(_case(rows[gold["uid"]], gold) for gold in csv.DictReader(file) if gold["uid"] in rows)


def _case(row: Mapping[str, str], gold: Mapping[str, str]) -> Case:
    report = Report(
        indication=row["indication"],
        comparison=row["comparison"],
        findings=row["findings"],
        impression=row["impression"],
    )
    tags = tuple(tag.strip() for tag in row["MeSH"].split(";"))
    return Case(row["uid"], report, {name: value == "1" for name, value in gold.items() if name != "uid"}, tags)


def chosen(cases: Sequence[Case], on: On) -> tuple[Case, ...]:
    """Those whose patients train by the default split, the rest, or all."""
    policy = SplitPolicy()

    def trains(case: Case) -> bool:
        return split_of(DATASET, case.uid, policy) is Split.TRAIN

    return tuple(case for case in cases if on == "all" or trains(case) == (on == "training"))


def read_by(rules: Rules, cases: Sequence[Case]) -> Cases:
    return Cases(tuple(cases), tuple({s.finding: s for s in label(case.report, rules)} for case in cases))


def bare(rules: Rules) -> Rules:
    """The rules without any that look at the words around a mention."""
    findings = {
        key: FindingRules(each.kind, mentions=each.mentions, implies=each.implies)
        for key, each in rules.findings.items()
    }
    return replace(rules, context={}, findings=findings)


def seconds_for(rules: Rules, cases: Sequence[Case]) -> float:
    """Processor time for all reports, from a standing start."""
    hear.cache_clear()
    began = time.process_time()
    read_by(rules, cases)
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/cxr/iu-xray"))
    parser.add_argument("--on", choices=["training", "rest", "all"], default="training")
    parser.add_argument("--disagreements", type=int, default=0, help="how many to show for each class")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    everything, rules = read_cases(wanted.folder), standard_rules()
    taken = seconds_for(rules, everything)
    cases = chosen(everything, wanted.on)
    heard, floor = read_by(rules, cases), read_by(bare(rules), cases)
    judged = [heard.judge(name, floor, wanted.disagreements) for name in cases[0].gold]
    data = {
        "on": wanted.on,
        "n": len(cases),
        "classes": {each.name: each.to_json() for each in judged},
        "places": {kind: asdict(placed) for kind, placed in heard.places().items()},
        "seconds": round(taken, 2),
        "seconds_for": len(everything),
    }
    answer(data, wanted.json, lambda out: _show(out, wanted.on, judged, heard, taken, len(everything)))


def _show(out: Console, on: On, judged: Sequence[Judged], heard: Cases, taken: float, of: int) -> None:
    out.print(f"On {on}: {len(heard.cases)} reports. All {of} take {taken:.1f} s of one core.")
    columns = ("class", "tagged", "F1", "bar", "precision", "recall", "floor F1", "F1 if ? counts")
    table(out, columns, [_line(each) for each in judged], "")
    out.print("\nWhat was said of those with the tag / without it:")
    table(out, ("class", *SAID), [(each.name, *(f"{a} / {b}" for a, b in each.said.values())) for each in judged], "")
    for kind, placed in heard.places().items():
        out.print(
            f"\n{kind}: {placed.same} of {placed.said_by_both} the same where both say one; "
            f"{placed.only_tagged} only tagged, {placed.only_heard} only heard."
        )
    for each in judged:
        for one in each.disagreements:
            tagged = "tagged" if one.is_tagged else "not tagged"
            out.print(f"\n{each.name}, uid {one.uid}: {one.said}, {tagged}", markup=False)
            out.print(f"  {one.sentence}\n  MeSH: {one.tags}", markup=False)


def _line(judged: Judged) -> tuple[str, ...]:
    def plain(estimate: Estimate) -> str:
        return shown(estimate).partition(", N")[0]

    estimates = (judged.precision, judged.recall, judged.floor, judged.f1_if_uncertain_counts)
    bar = f"{judged.bar:.2f}" if judged.bar else ""
    return (judged.name, str(judged.positives), plain(judged.f1), bar, *(plain(each) for each in estimates))


if __name__ == "__main__":
    main()
