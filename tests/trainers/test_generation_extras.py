"""Scores whose packages are not required: measured where these are at hand, passed over where they are not."""

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from core.reports import Report
from core.text_scores import tokens
from trainers.generation.data import Reading
from trainers.generation.extras import EXTRAS, extra_scores
from trainers.generation.scoring import Judge

ORIGINALS = ("The heart is enlarged.", "No effusion.", "Clear lungs.")
WRITTEN = ("The heart is enlarged.", "A large effusion.", "")


def share(written: str, original: str) -> float:
    """Of the original's words, how many were written: what the stand-ins score by."""
    return len(set(tokens(written)) & set(tokens(original))) / len(set(tokens(original)))


class Meteor:
    def compute_score(self, known: dict[int, list[str]], told: dict[int, list[str]]) -> tuple[float, list[float]]:
        assert all(told[row][0] for row in told), "METEOR's own process hangs on an empty line"
        return 0.0, [share(told[row][0], known[row][0]) for row in told]


class F1RadGraph:
    def __init__(self, reward_level: str, model_type: str) -> None:
        assert (reward_level, model_type) == ("partial", "radgraph-xl")

    def __call__(self, hyps: list[str], refs: list[str]) -> tuple[float, list[float], list[Any], list[Any]]:
        return 0.0, [share(ours, theirs) for ours, theirs in zip(hyps, refs, strict=True)], [], []


def bert_score(written: list[str], originals: list[str], lang: str, verbose: bool) -> tuple[list[float], ...]:
    found = [share(ours, theirs) for ours, theirs in zip(written, originals, strict=True)]
    return [0.0] * len(found), [0.0] * len(found), found


def out_of_reach(*_: object, **__: object) -> None:
    raise OSError("the hub cannot be reached")


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """Packages that speak as the real ones do."""
    made = {name: ModuleType(name) for name in ("pycocoevalcap", "pycocoevalcap.meteor", "pycocoevalcap.meteor.meteor",
                                                "bert_score", "radgraph")}  # fmt: skip
    vars(made["pycocoevalcap.meteor.meteor"])["Meteor"] = Meteor
    vars(made["bert_score"])["score"] = bert_score
    vars(made["radgraph"])["F1RadGraph"] = F1RadGraph
    for name, module in made.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    yield made


def judge() -> Judge:
    return Judge.of(
        [
            Reading(f"s{n}", f"p{n}", "d", f"s{n}", {}, (("findings", text),), "", None)
            for n, text in enumerate(ORIGINALS)
        ]
    )


def test_what_is_at_hand_is_measured_with_its_interval(packages: dict[str, ModuleType]) -> None:
    metrics = judge().measure([Report(findings=text) for text in WRITTEN])
    for name in EXTRAS:
        found = metrics[name].overall
        assert found.value == pytest.approx((1 + 1 / 2 + 0) / 3)
        assert found.n == 3 and found.low is not None and found.low <= found.value


def test_what_is_not_at_hand_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pycocoevalcap", "bert_score", "radgraph"):
        monkeypatch.setitem(sys.modules, name, None)
    metrics = judge().measure([Report(findings=text) for text in WRITTEN])
    assert metrics["meteor"].overall.value is None
    assert not metrics.keys() & {"bertscore", "radgraph_f1"}
    assert metrics["bleu1"].overall.value is not None


def test_one_whose_weights_are_out_of_reach_hinders_no_other(packages: dict[str, ModuleType]) -> None:
    vars(packages["bert_score"])["score"] = out_of_reach
    assert set(extra_scores(WRITTEN, ORIGINALS)) == {"meteor", "radgraph_f1"}


def test_meteor_needs_java(packages: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert set(extra_scores(WRITTEN, ORIGINALS)) == {"bertscore", "radgraph_f1"}
