"""The protocols and their measures on studies whose rankings are worked out by hand."""

import numpy as np
import pytest

from core.findings import State, by_key
from core.studies import View
from trainers.retrieval.data import Pair, Pose, films_by_pose, present_on, split_text
from trainers.retrieval.embedding import Embedded
from trainers.retrieval.evaluation import PRECISION, judge, metrics_of, scores_of
from trainers.retrieval.prompting import phrases, prompts_for
from trainers.retrieval.protocols import HEADLINE, NAIVE, T2I, UNIQUE, Protocols

FINDINGS = tuple(by_key()[key] for key in ("no_finding", "cardiomegaly", "edema"))


def pair(number: int, text: str, *present: str) -> Pair:
    said = {finding.key: State.PRESENT if finding.key in present else State.ABSENT for finding in FINDINGS}
    return Pair(f"d/{number}", f"d/p{number}", "d", str(number), {Pose.FRONTAL: "a"}, (text,), said)


PAIRS = (
    pair(0, "Normal chest.", "no_finding"),
    pair(1, "normal  chest", "no_finding"),
    pair(2, "A large heart.", "cardiomegaly"),
    pair(3, "A large heart and edema.", "cardiomegaly", "edema"),
)


def seen_as(studies: list[list[float]], texts: list[list[float]]) -> Embedded:
    vectors = [np.array(rows, np.float32) for rows in (studies, texts)]
    films = np.repeat(vectors[0][:, None], 2, axis=1)
    return Embedded(films, np.tile([True, False], (len(studies), 1)), *vectors)


PERFECT = seen_as(np.eye(4)[[0, 0, 1, 2]].tolist(), np.eye(4)[[0, 0, 1, 2]].tolist())


def test_texts_that_differ_in_marks_alone_are_one() -> None:
    protocols = Protocols.of(PAIRS, present_on(PAIRS, FINDINGS))
    assert protocols.first.tolist() == [0, 0, 2, 3] and protocols.texts == 3
    by_name = {(one.name, one.protocol): one.relevant.shape for one in protocols.directions}
    assert by_name["i2t", UNIQUE] == (4, 3) and by_name[T2I, UNIQUE] == (3, 4)
    assert by_name["i2t", NAIVE] == by_name[T2I, NAIVE] == (4, 4)


def test_a_perfect_search_finds_all_unique_texts_and_reaches_the_naive_ceiling() -> None:
    judged = judge(PAIRS, FINDINGS, PERFECT, {}, {})
    told = {name: metric.overall.value for name, metric in metrics_of(judged).items()}
    for direction in ("i2t", "t2i"):
        assert told[f"{direction}_recall@1"] == 1 and told[f"{direction}_median_rank"] == 1
        assert told[f"{direction}_ndcg@10"] == pytest.approx(1)
        assert told[f"{direction}_recall@1_naive"] == told[f"{direction}_recall@1_naive_ceiling"] == 0.75
        assert told[f"{direction}_recall@1_naive_floor"] == pytest.approx(0.25)
    assert told["i2t_recall@1_floor"] == pytest.approx(1 / 3)
    assert told["t2i_recall@1_floor"] == pytest.approx((2 / 4 + 1 / 4 + 1 / 4) / 3)


def test_gains_are_the_findings_that_both_have() -> None:
    protocols = Protocols.of(PAIRS, present_on(PAIRS, FINDINGS))
    gains = protocols.directions[0].gains
    assert gains.tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 0.5], [0, 0.5, 1]]


def test_each_study_counts_in_both_directions_and_a_shared_text_is_asked_once() -> None:
    turned = seen_as(np.eye(4)[[0, 0, 1, 2]].tolist(), np.eye(4)[[0, 0, 2, 1]].tolist())
    protocols = Protocols.of(PAIRS, present_on(PAIRS, FINDINGS))
    assert protocols.by_study(turned, "recall@1").tolist() == [1, 1, 0, 0]
    scores = scores_of(judge(PAIRS, FINDINGS, turned, {}, {}))
    assert [score.values[HEADLINE] for score in scores] == [1, 1, 1, 1], "of three texts all are among ten"


def test_precision_is_of_other_patients_and_stands_beside_the_base_rate() -> None:
    judged = judge(PAIRS, FINDINGS, PERFECT, {}, {})
    heart = judged.by_finding[PRECISION, "cardiomegaly"].estimate.value
    assert heart == pytest.approx(1 / 3), "of the three others one has it"
    assert judged.by_finding[f"{PRECISION}_floor", "cardiomegaly"].estimate.value == pytest.approx(1 / 3)


def test_a_study_on_which_nothing_is_present_is_without_finding() -> None:
    silent = Pair("d/9", "d/9", "d", "9", {}, ("x",), {})
    assert present_on([pair(1, "x"), silent], FINDINGS).tolist() == [[True, False, False], [False] * 3]


class Film:
    def __init__(self, sha: str, view: View) -> None:
        self.sha, self.view = sha, view


def test_a_study_is_its_first_frontal_and_its_first_lateral_film() -> None:
    films = [Film("u", View.UNKNOWN), Film("l", View.LATERAL), Film("a", View.AP), Film("p", View.PA)]
    assert films_by_pose(films) == {Pose.FRONTAL: "a", Pose.LATERAL: "l"}
    assert films_by_pose(films, single=True) == {Pose.FRONTAL: "a"}
    assert films_by_pose(films[1:2], single=True) == {Pose.LATERAL: "l"}
    assert films_by_pose(films[:1]) == {Pose.FRONTAL: "u"}


def test_every_finding_can_be_asked_for_in_words() -> None:
    for finding in by_key().values():
        prompts = prompts_for(finding)
        assert len(prompts.present) > 1 and len(prompts.absent) > 1
        assert not set(prompts.present) & set(prompts.absent)
        assert all("{" not in text and text[0].isupper() for text in prompts.present + prompts.absent)
    assert prompts_for(by_key()["nodule"]).absent[0] == "No nodule."


def test_every_phrase_of_the_suite_says_what_it_should_bring() -> None:
    assert len({phrase.text for phrase in phrases()}) == len(phrases()) >= 15
    assert all(phrase.findings and split_text(phrase.text) for phrase in phrases())
