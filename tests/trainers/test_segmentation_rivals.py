from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core.recipes import BadRecipe, SegmentationRecipe, preset
from core.studies import Split
from data.images import read_mask
from db import studies
from tests.trainers.conftest import House
from trainers.contract import Case, Silent
from trainers.loop import train
from trainers.segmentation.family import Segmentation
from trainers.segmentation.model import SegmentationModel
from trainers.segmentation.rivals import told_apart

LOOKALIKES = ("left_lung", "right_lung")


def smoke(**changes: object) -> SegmentationRecipe:
    recipe = preset("segmentation", "smoke")
    assert isinstance(recipe, SegmentationRecipe)
    return replace(recipe, **changes)  # type: ignore[arg-type]


def test_a_pixel_that_two_lookalikes_mark_goes_to_the_one_named_first() -> None:
    logits = torch.tensor([[3.0, 1.0, 2.0, -2.0], [1.0, 2.0, -3.0, -1.0]])
    apart = told_apart(logits, torch.tensor([0, 0]), torch.tensor([1, 0]))
    assert apart.tolist() == [[-1.0, -2.0, 2.0, -2.0], [1.0, 2.0, -3.0, -1.0]]


def test_other_findings_and_other_films_stay_as_they_are() -> None:
    logits = torch.tensor([[3.0], [5.0], [4.0], [9.0]])
    apart = told_apart(logits, torch.tensor([0, 0, 1, 0]), torch.tensor([0, 1, 1, -1]))
    assert apart.tolist() == [[3.0], [-3.0], [4.0], [9.0]]


numbers = st.floats(-20, 20, width=32).filter(bool)


@given(
    arrays.arrays(np.float32, (6, 5), elements=numbers),
    st.lists(st.integers(0, 1), min_size=6, max_size=6),
    st.permutations([-1, -1, 0, 1, 2, 3]),
)
def test_of_the_lookalikes_of_a_film_at_most_one_marks_a_pixel_and_one_does_where_one_did(
    logits: np.ndarray[tuple[int, int], np.dtype[np.float32]], image_of: list[int], rank: list[int]
) -> None:
    whole, films, ranks = torch.from_numpy(logits), torch.tensor(image_of), torch.tensor(rank)
    apart = told_apart(whole, films, ranks)
    assert bool((apart <= whole).all())
    assert torch.equal(apart[ranks <= 0], whole[ranks <= 0])
    for film in (0, 1):
        ours = (ranks >= 0) & (films == film)
        marked = (apart > 0)[ours].sum(dim=0)
        assert bool((marked <= 1).all())
        assert torch.equal(marked > 0, (whole > 0)[ours].any(dim=0))


def trained(house: House, folder: Path) -> SegmentationModel:
    house.add("drawn", 12)
    manifest = house.freeze("drawn-1", "drawn")
    family, recipe = Segmentation(), smoke(batch_size=4, minimum_steps=20, exclusive=LOOKALIKES)
    data = family.prepare(recipe, manifest, house.shelf, Silent())
    done = train(lambda wanted: family.module(wanted, data), recipe, "dice", True, folder, Silent())
    return done.module.publishable()  # type: ignore[no-any-return]


def test_one_finding_is_answered_alike_whatever_else_is_asked(house: House, tmp_path: Path) -> None:
    model, family = trained(house, tmp_path / "run"), Segmentation()
    case = first_case(house)
    alone = [family.predict(model, [case], {key: None}, house.shelf)[0] for key in LOOKALIKES]
    together = family.predict(model, [case], None, house.shelf)
    assert [(each.finding, each.sha) for each in alone] == [(each.finding, each.sha) for each in together]
    masks = [read_mask(house.store.get(each.sha)) for each in together if each.sha]
    assert len(masks) < 2 or not (masks[0] & masks[1]).any(), "no pixel is two look-alikes"


def test_it_is_measured_as_it_answers(house: House, tmp_path: Path) -> None:
    model, family = trained(house, tmp_path / "run"), Segmentation()
    manifest = house.freeze("drawn-1", "drawn")
    apart = family.evaluate(model, manifest, Split.TEST, house.shelf, None, Silent())
    model.recipe = replace(model.recipe, exclusive=())
    alone = family.evaluate(model, manifest, Split.TEST, house.shelf, None, Silent())
    assert apart.scores != alone.scores


def test_lookalikes_that_cannot_be_are_refused(house: House) -> None:
    for odd in (("heart",), ("heart", "heart")):
        with pytest.raises(BadRecipe, match="two findings or more, each once"):
            smoke(exclusive=odd)
    with pytest.raises(BadRecipe, match="nodule, which findings leaves out"):
        smoke(findings=("heart",), exclusive=("heart", "nodule"))
    house.add("drawn", 4)
    with pytest.raises(BadRecipe, match="nodule, which no training film bears"):
        Segmentation().prepare(
            smoke(exclusive=("left_lung", "nodule")), house.freeze("drawn-1", "drawn"), house.shelf, Silent()
        )


def first_case(house: House) -> Case:
    with house.database.reading() as session:
        study = studies.get_study(session, 1)
    return Case(study, study.images[:1])
