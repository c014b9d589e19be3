"""Where an answer is said to come from, and the sentences made of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.findings import Side, State, by_key
from core.labels import Zone
from trainers.backbones import Read
from trainers.classification.data import Exam
from trainers.classification.differential import Evidence, Spot, spot, told
from trainers.classification.explanation import _heat, _words
from trainers.classification.neighbours import Alike, Neighbours, spread
from trainers.gradcam import Heat

CARDIOMEGALY = by_key()["cardiomegaly"]
EVIDENCE = Evidence(
    CARDIOMEGALY, 1, 14, 0.912, 0.884, 0.43, None, [("dyspnea", 0.31), ("edema", 0.12)],
    [Alike("iu", "12", State.PRESENT, 0.93), Alike("iu", "77", State.ABSENT, 0.91)],
)  # fmt: skip


def hot(top: float, bottom: float, left: float, right: float) -> Heat:
    """Heat inside a box given in shares of the film, from the upper left of the image."""
    heat = np.zeros((60, 60), np.float32)
    heat[round(60 * top) : round(60 * bottom), round(60 * left) : round(60 * right)] = 1
    return heat


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0.7, 0.95, 0.7, 0.95), Spot(Side.LEFT, Zone.LOWER)),
        ((0.05, 0.3, 0.05, 0.3), Spot(Side.RIGHT, Zone.UPPER)),
        ((0.4, 0.6, 0.4, 0.6), Spot(None, Zone.MID)),
        ((0.7, 0.95, 0.0, 1.0), Spot(Side.BOTH, Zone.LOWER)),
        ((0.0, 1.0, 0.0, 1.0), Spot(Side.BOTH, None)),
    ],
)
def test_a_place_is_named_by_the_patients_side_and_the_third_of_the_height(
    box: tuple[float, float, float, float], expected: Spot
) -> None:
    assert spot(hot(*box)) == expected


def test_where_nothing_speaks_for_a_finding_there_is_no_place() -> None:
    assert spot(np.zeros((8, 8), np.float32)) is None


def test_a_paragraph_says_what_can_be_checked() -> None:
    text = told(replace(EVIDENCE, heat=hot(0.7, 0.95, 0.4, 0.6)))
    assert text == (
        "1 of 14: Cardiomegaly, 91%, called present (from 43%); 88% from the film alone. On the film it looked mostly "
        'at the middle, lower third. Of the context it heeded "dyspnea" (31%), "edema" (12%). Of the 2 labelled '
        "studies most alike 1 had it (iu/12)."
    )


def test_a_paragraph_says_what_is_not_there() -> None:
    bare = replace(EVIDENCE, without=None, threshold=None, words=[], nearest=[])
    assert told(bare) == "1 of 14: Cardiomegaly, 91%. No film was read."
    dark = replace(bare, heat=np.zeros((4, 4), np.float32), probability=0.0004, threshold=0.2)
    assert told(dark) == ("1 of 14: Cardiomegaly, <1%, called absent (from 20%). On the film nothing speaks for it.")
    nobody = replace(bare, nearest=[Alike("iu", "5", State.ABSENT, 0.8)])
    assert told(nobody).endswith("Of the 1 labelled studies most alike 0 had it (others: iu/5).")


def test_the_rollout_lays_what_patches_say_on_the_patches_that_they_are_made_of() -> None:
    deepest = torch.zeros(1, 2, 2, 2)
    deepest[0, 0, 0, 1] = 3.0
    deepest.requires_grad_(True)
    mixed = torch.zeros(4, 4)
    mixed[1, 2] = 1.0  # the second patch on the way out is the third on the way in
    heat = _heat(deepest, (deepest[:, 0] * 2).sum(), mixed)
    assert heat.tolist() == [[0, 0], [1, 0]]
    against = _heat(deepest, -(deepest[:, 0] * 2).sum(), mixed)
    assert not against.any()


def test_words_weigh_as_the_speaking_places_heed_them_and_their_pieces_add_up() -> None:
    read = Read(torch.zeros(5, 1), ("cough", "fever"), (-1, 0, 0, 1, -1))
    attention = np.array([[0.0, 0.2, 0.2, 0.2, 0.4], [0.0, 0.0, 0.0, 0.6, 0.4]], np.float32)
    first = _words(np.array([[1.0, 0.0]], np.float32), attention, read)
    assert [word for word, _ in first] == ["cough", "fever"]
    assert dict(first)["cough"] == pytest.approx(0.667, abs=1e-3)
    second = _words(np.array([[0.0, 1.0]], np.float32), attention, read)
    assert second[0] == ("fever", 1.0)
    everywhere = _words(np.zeros((1, 2), np.float32), attention, read)
    assert dict(everywhere)["fever"] == pytest.approx(0.667, abs=1e-3)
    assert _words(np.ones((1, 2), np.float32), None, read) == ()


def exam(key: str, **states: State) -> Exam:
    return Exam("sha", f"iu/{key}/pa", f"iu/{key}", "iu", key, "", states)


def test_the_nearest_are_those_that_look_alike_and_of_which_something_is_said() -> None:
    exams = [exam("a", edema=State.PRESENT), exam("b", edema=State.ABSENT), exam("c", nodule=State.PRESENT)]
    neighbours = Neighbours.of(exams, torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]))
    nearest = neighbours.nearest(torch.tensor([0.0, 1.0]), "edema")
    assert [(one.key, one.state, one.similarity) for one in nearest] == [
        ("b", State.ABSENT, pytest.approx(0.8, abs=1e-3)),
        ("a", State.PRESENT, 0.0),
    ]
    assert neighbours.nearest(torch.tensor([0.0, 1.0]), "fracture") == ()
    assert Neighbours.nobody().nearest(torch.zeros(1), "edema") == ()


def test_neighbours_are_spread_over_all_training_studies() -> None:
    exams = [exam(str(number)) for number in range(10)]
    assert [one.key for one in spread(exams, 4)] == ["0", "2", "5", "7"]
    assert spread(exams, 100) == tuple(exams)
    assert spread(exams, 0) == ()
