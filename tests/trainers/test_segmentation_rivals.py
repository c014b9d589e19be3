import math
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
from trainers.segmentation.data import films_of, rarity
from trainers.segmentation.family import Segmentation
from trainers.segmentation.model import SegmentationModel
from trainers.segmentation.rivals import told_apart

LOOKALIKES = ("left_lung", "right_lung")
EVEN = torch.full((6,), 0.5)


def smoke(**changes: object) -> SegmentationRecipe:
    recipe = preset("segmentation", "smoke")
    assert isinstance(recipe, SegmentationRecipe)
    return replace(recipe, **changes)  # type: ignore[arg-type]


def test_a_pixel_that_two_lookalikes_mark_goes_to_the_surer_one() -> None:
    logits = torch.tensor([[3.0, 1.0, -2.0], [1.0, 2.0, -1.0]])
    apart = told_apart(logits, torch.tensor([0, 0]), torch.tensor([True, True]), EVEN[:2])
    assert apart.tolist() == [[2.0, -1.0, -2.0], [-2.0, 1.0, -1.0]]


def test_the_rarer_of_two_takes_what_both_are_as_sure_of() -> None:
    logits = torch.tensor([[2.0, 4.0, -1.0], [2.0, 1.0, -3.0]])
    apart = told_apart(logits, torch.tensor([0, 0]), torch.tensor([True, True]), torch.tensor([0.2, 0.05]))
    lead = math.log(0.2 / 0.8) - math.log(0.05 / 0.95)
    assert apart[0].tolist() == pytest.approx([-lead, 3 - lead, -1])
    assert apart[1].tolist() == pytest.approx([lead, lead - 3, -3])


def test_other_findings_and_other_films_stay_as_they_are() -> None:
    logits = torch.tensor([[3.0], [5.0], [4.0], [9.0]])
    apart = told_apart(logits, torch.tensor([0, 0, 1, 0]), torch.tensor([True, True, True, False]), EVEN[:4])
    assert apart.tolist() == [[-2.0], [2.0], [4.0], [9.0]]


numbers = st.floats(-20, 20, width=32)


@given(
    arrays.arrays(np.float32, (6, 5), elements=numbers),
    st.lists(st.integers(0, 1), min_size=6, max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
    st.lists(st.floats(0, 1), min_size=6, max_size=6),
)
def test_of_the_lookalikes_of_a_film_at_most_one_marks_a_pixel_and_nothing_is_marked_that_was_not(
    logits: np.ndarray[tuple[int, int], np.dtype[np.float32]],
    image_of: list[int],
    rival: list[bool],
    common: list[float],
) -> None:
    whole, films, rivals = torch.from_numpy(logits), torch.tensor(image_of), torch.tensor(rival)
    apart = told_apart(whole, films, rivals, torch.tensor(common))
    assert bool((apart <= whole).all())
    assert torch.equal(apart[~rivals], whole[~rivals])
    for film in (0, 1):
        assert bool(((apart > 0)[rivals & (films == film)].sum(dim=0) <= 1).all())


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


def test_how_common_they_are_is_counted_as_training_draws_them_and_kept(house: House, tmp_path: Path) -> None:
    model = trained(house, tmp_path / "run")
    films = films_of(house.freeze("drawn-1", "drawn"), Split.TRAIN, model.findings)
    cache = house.shelf.films(model.recipe)
    drawn = dict(zip((film.sha for film in films), rarity(films, model.recipe.oversample), strict=True))
    for key in LOOKALIKES:
        known = [film for film in films if key in film.truths]
        total = sum(drawn[film.sha] for film in known)
        counted = sum(drawn[film.sha] * (cache.mask(film.truths[key]) > 0).mean() for film in known) / total
        assert model.common[key] == pytest.approx(counted) and 0 < counted < 0.5
    assert set(model.common) == set(LOOKALIKES)
    (tmp_path / "kept").mkdir()
    family = Segmentation()
    family.save(model, tmp_path / "kept")
    assert family.load(tmp_path / "kept").common == model.common


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
