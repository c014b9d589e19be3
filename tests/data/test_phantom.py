from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.findings import State, by_key
from core.masks import dice
from core.studies import View
from data.phantom import PhantomImage, PhantomStudy, PhantomTooSmall, simulate, simulate_many

SIZE = 192


@pytest.fixture(scope="module")
def studies() -> Sequence[PhantomStudy]:
    return list(simulate_many(60, seed=11, size=SIZE))


@pytest.fixture(scope="module")
def frontals(studies: Sequence[PhantomStudy]) -> Sequence[PhantomImage]:
    return [study.images[0] for study in studies]


def assert_same(one: PhantomStudy, other: PhantomStudy) -> None:
    assert (one.key, one.patient, one.age, one.sex) == (other.key, other.patient, other.age, other.sex)
    assert one.report == other.report
    assert dict(one.states) == dict(other.states)
    assert [image.view for image in one.images] == [image.view for image in other.images]
    for a, b in zip(one.images, other.images, strict=True):
        assert a.spacing_mm == b.spacing_mm
        np.testing.assert_array_equal(a.pixels, b.pixels)
        assert a.masks.keys() == b.masks.keys()
        for name, mask in a.masks.items():
            np.testing.assert_array_equal(mask, b.masks[name])


def width_mm(image: PhantomImage, mask: np.ndarray) -> float:
    columns = np.flatnonzero(mask.any(axis=0))
    return float((columns[-1] - columns[0] + 1) * image.spacing_mm)


@settings(max_examples=15, deadline=None)
@given(index=st.integers(0, 10**6), seed=st.integers(0, 2**31))
def test_any_study_of_any_seed_is_made_twice_alike(index: int, seed: int) -> None:
    assert_same(simulate(index, seed=seed, size=64), simulate(index, seed=seed, size=64))


def test_a_study_does_not_depend_on_how_many_are_made(studies: Sequence[PhantomStudy]) -> None:
    assert_same(studies[13], simulate(13, seed=11, size=SIZE))


def test_another_seed_gives_other_people() -> None:
    one, other = simulate(0, seed=1, size=64), simulate(0, seed=2, size=64)
    assert one.key != other.key
    assert not np.array_equal(one.images[0].pixels, other.images[0].pixels)


def test_another_size_is_the_same_patient_with_the_same_findings() -> None:
    small, large = simulate(3, size=192), simulate(3, size=384)
    assert small.report == large.report
    for a, b in zip(small.images, large.images, strict=True):
        assert b.pixels.shape == (384, 384)
        assert a.spacing_mm == pytest.approx(2 * b.spacing_mm)
        for name in ("left_lung", "heart"):
            if name in a.masks:
                assert dice(np.kron(a.masks[name], np.ones((2, 2), bool)), b.masks[name]) > 0.97


def test_a_film_too_small_to_show_a_chest_is_refused() -> None:
    with pytest.raises(PhantomTooSmall, match="at least 32 pixels"):
        simulate(0, size=16)


def test_studies_have_a_frontal_and_a_lateral_film_or_one_portable_film(studies: Sequence[PhantomStudy]) -> None:
    views = [tuple(image.view for image in study.images) for study in studies]
    assert set(views) == {(View.PA, View.LATERAL), (View.AP,)}
    assert 0.05 < views.count((View.AP,)) / len(views) < 0.4


def test_pixels_fill_twelve_bits(studies: Sequence[PhantomStudy]) -> None:
    for image in (image for study in studies for image in study.images):
        assert image.pixels.dtype == np.uint16
        assert image.pixels.shape == (SIZE, SIZE)
        assert image.pixels.max() <= 4095
        low, high = np.percentile(image.pixels, (2, 98))
        assert low < 700
        assert high > 3000


def test_lungs_are_darker_than_the_heart(frontals: Sequence[PhantomImage]) -> None:
    for image in frontals:
        lungs = image.masks["left_lung"] | image.masks["right_lung"]
        assert np.median(image.pixels[lungs]) + 1000 < np.median(image.pixels[image.masks["heart"]])


def test_bone_is_brighter_than_lung_beside_it(frontals: Sequence[PhantomImage]) -> None:
    """Upright ribs cross every column of a lung: along a column the bright tenth stands out from the dark tenth."""
    for image in frontals:
        rows, columns = np.nonzero(image.masks["right_lung"])
        column = image.pixels[rows[columns == int(np.median(columns))], int(np.median(columns))].astype(float)
        dark, bright = np.percentile(column, (10, 90))
        assert bright > 1.15 * dark


def test_the_patients_left_is_on_the_right_of_a_frontal_film(frontals: Sequence[PhantomImage]) -> None:
    for image in frontals:
        centres = {name: np.nonzero(mask)[1].mean() for name, mask in image.masks.items()}
        assert centres["right_lung"] < centres["heart"] < centres["left_lung"]
        midline = 0.5 * (np.flatnonzero(image.masks["right_lung"].any(axis=0))[0] + SIZE - 1)
        midline += 0.5 * (np.flatnonzero(image.masks["left_lung"].any(axis=0))[-1] - SIZE + 1)
        assert centres["heart"] > midline


def test_a_lead_letter_stands_on_one_side_only(frontals: Sequence[PhantomImage]) -> None:
    corner = (slice(0, round(0.16 * SIZE)), slice(0, round(0.14 * SIZE)))
    sides = []
    for image in frontals:
        left = (image.pixels[corner] > 3600).sum()
        right = (image.pixels[:, ::-1][corner] > 3600).sum()
        assert max(left, right) > 6 and min(left, right) == 0
        sides.append(left > right)
    assert {True, False} == set(sides)


def test_the_right_dome_is_the_higher_one_as_a_rule(frontals: Sequence[PhantomImage]) -> None:
    def lowest(mask: np.ndarray) -> float:
        columns = np.flatnonzero(mask.any(axis=0))
        return float(np.flatnonzero(mask[:, columns[len(columns) // 4]])[-1])

    higher = [lowest(image.masks["right_lung"]) < lowest(image.masks["left_lung"][:, ::-1]) for image in frontals]
    assert np.mean(higher) > 0.8


def test_a_lateral_film_has_no_left_or_right_lung(studies: Sequence[PhantomStudy]) -> None:
    laterals = [image for study in studies for image in study.images if image.view is View.LATERAL]
    assert laterals
    for image in laterals:
        assert "heart" in image.masks
        assert not any("lung" in name for name in image.masks)


def test_about_a_third_of_studies_is_normal() -> None:
    normal = [
        all(state is State.ABSENT for state in simulate(index, seed=5, size=32).states.values()) for index in range(150)
    ]
    assert 0.2 < np.mean(normal) < 0.5


def test_every_finding_occurs_and_is_in_the_vocabulary(studies: Sequence[PhantomStudy]) -> None:
    known = by_key()
    seen = {name for study in studies for name, state in study.states.items() if state is State.PRESENT}
    assert seen == set(studies[0].states)
    assert all(name in known for study in studies for image in study.images for name in image.masks)


def test_some_patients_come_back_with_the_same_chest(studies: Sequence[PhantomStudy]) -> None:
    first: dict[str, PhantomStudy] = {}
    again = []
    for study in studies:
        if study.patient in first:
            again.append((first[study.patient], study))
        first.setdefault(study.patient, study)
    assert len(again) == len(studies) // 5
    for before, after in again:
        assert (before.age, before.sex) == (after.age, after.sex)
        widths = [
            width_mm(study.images[0], study.images[0].masks["left_lung"] | study.images[0].masks["right_lung"])
            for study in (before, after)
        ]
        assert widths[0] == pytest.approx(widths[1], rel=0.02)
    assert any(dict(before.states) != dict(after.states) for before, after in again)


def test_people_differ_in_build_and_exposure(frontals: Sequence[PhantomImage]) -> None:
    chests = [width_mm(image, image.masks["left_lung"] | image.masks["right_lung"]) for image in frontals]
    greys = [float(np.median(image.pixels[image.masks["left_lung"]])) for image in frontals]
    assert np.ptp(chests) > 25
    assert np.std(greys) > 80
