from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from core.findings import State
from core.studies import View
from data.phantom import PhantomImage, PhantomStudy, simulate_many

SIZE = 256
HIDDEN_ON_LATERAL = {"pneumothorax"}


@pytest.fixture(scope="module")
def studies() -> Sequence[PhantomStudy]:
    return list(simulate_many(120, seed=4, size=SIZE))


def frontals_with(studies: Sequence[PhantomStudy], finding: str) -> Iterator[PhantomImage]:
    found = [study.images[0] for study in studies if study.states[finding] is State.PRESENT]
    assert len(found) >= 5, f"too few studies with {finding} to test anything"
    yield from found


def lungs(image: PhantomImage) -> np.ndarray:
    return image.masks["left_lung"] | image.masks["right_lung"]


def depth(part: np.ndarray, lung: np.ndarray) -> float:
    """Where a part's centre lies in its lung: 0 at the apex, 1 at the costophrenic angle."""
    rows = np.flatnonzero(lung.any(axis=1))
    return float((np.nonzero(part)[0].mean() - rows[0]) / (rows[-1] - rows[0]))


def widest(mask: np.ndarray) -> int:
    columns = np.flatnonzero(mask.any(axis=0))
    return int(columns[-1] - columns[0] + 1)


def test_a_frontal_film_has_a_mask_exactly_for_what_is_present(studies: Sequence[PhantomStudy]) -> None:
    for study in studies:
        masks = study.images[0].masks
        for finding, state in study.states.items():
            assert (finding in masks) == (state is State.PRESENT)
        assert {"left_lung", "right_lung", "heart"} <= masks.keys()
        assert all(mask.dtype == bool and mask.shape == (SIZE, SIZE) and mask.any() for mask in masks.values())


def test_a_lateral_film_marks_only_what_is_present(studies: Sequence[PhantomStudy]) -> None:
    for study in studies:
        present = {name for name, state in study.states.items() if state is State.PRESENT}
        for image in study.images[1:]:
            assert image.view is View.LATERAL
            assert image.masks.keys() - {"heart"} == present - HIDDEN_ON_LATERAL
            assert all(mask.any() for mask in image.masks.values())


def test_heart_and_lungs_do_not_overlap(studies: Sequence[PhantomStudy]) -> None:
    for study in studies:
        masks = study.images[0].masks
        assert not (masks["left_lung"] & masks["right_lung"]).any()
        assert not (lungs(study.images[0]) & masks["heart"]).any()


@pytest.mark.parametrize("finding", ["nodule", "consolidation", "pleural_effusion", "pneumothorax"])
def test_findings_of_lung_and_pleura_lie_in_the_lung_fields(studies: Sequence[PhantomStudy], finding: str) -> None:
    for image in frontals_with(studies, finding):
        assert not (image.masks[finding] & ~lungs(image)).any()


def test_an_effusion_lies_at_the_bottom_of_its_hemithorax(studies: Sequence[PhantomStudy]) -> None:
    for image in frontals_with(studies, "pleural_effusion"):
        for side in ("left_lung", "right_lung"):
            lung = image.masks[side]
            fluid = image.masks["pleural_effusion"] & lung
            if fluid.any():
                assert depth(fluid, lung) > 0.6
                assert np.flatnonzero(fluid.any(axis=1))[-1] == np.flatnonzero(lung.any(axis=1))[-1]


def test_an_effusion_is_brighter_than_the_lung_above_it(studies: Sequence[PhantomStudy]) -> None:
    for image in frontals_with(studies, "pleural_effusion"):
        fluid = image.masks["pleural_effusion"]
        for side in ("left_lung", "right_lung"):
            lung = image.masks[side]
            if (fluid & lung).sum() > 200:
                assert np.median(image.pixels[fluid & lung]) > np.median(image.pixels[lung & ~fluid]) + 300


def test_a_pneumothorax_is_widest_at_the_apex_and_darker_than_the_lung(studies: Sequence[PhantomStudy]) -> None:
    for image in frontals_with(studies, "pneumothorax"):
        air = image.masks["pneumothorax"]
        side = max(("left_lung", "right_lung"), key=lambda name: int((air & image.masks[name]).sum()))
        lung = image.masks[side]
        assert not (air & ~lung).any()
        top = np.flatnonzero(lung.any(axis=1))[0]
        assert (air[top : top + 4] == lung[top : top + 4]).all()
        assert depth(air, lung) < 0.5
        upper = np.zeros_like(lung)
        upper[top : top + SIZE // 5] = True
        assert np.median(image.pixels[air & upper]) < np.median(image.pixels[lung & ~air & upper])


def test_a_nodule_is_round_and_brighter_than_its_surroundings(studies: Sequence[PhantomStudy]) -> None:
    from scipy import ndimage

    brighter = []
    for image in frontals_with(studies, "nodule"):
        labels, count = ndimage.label(image.masks["nodule"])
        for number in range(1, count + 1):
            spot = labels == number
            high, wide = (int(np.ptp(axis)) + 1 for axis in np.nonzero(spot))
            assert 0.6 < high / wide < 1.7
            ring = ndimage.binary_dilation(spot, iterations=4) & ~ndimage.binary_dilation(spot) & lungs(image)
            brighter.append(image.pixels[spot].mean() > image.pixels[ring].mean())
    assert np.mean(brighter) > 0.85


def test_consolidation_is_brighter_than_the_rest_of_its_lung(studies: Sequence[PhantomStudy]) -> None:
    for image in frontals_with(studies, "consolidation"):
        dense = image.masks["consolidation"]
        others = ("pneumothorax", "pleural_effusion", "pacemaker")
        clear = lungs(image) & ~dense
        for other in others:
            if other in image.masks:
                clear &= ~image.masks[other]
        assert np.mean(image.pixels[dense]) > np.mean(image.pixels[clear])


def test_the_cardiothoracic_ratio_is_above_one_half_in_cardiomegaly_and_only_there(
    studies: Sequence[PhantomStudy],
) -> None:
    for study in studies:
        image = study.images[0]
        ratio = widest(image.masks["heart"]) / widest(lungs(image))
        assert (ratio > 0.5) == (study.states["cardiomegaly"] is State.PRESENT)


def test_cardiomegaly_is_marked_as_the_heart(studies: Sequence[PhantomStudy]) -> None:
    for image in frontals_with(studies, "cardiomegaly"):
        np.testing.assert_array_equal(image.masks["cardiomegaly"], image.masks["heart"])


@pytest.mark.parametrize("device", ["central_venous_line", "pacemaker", "endotracheal_tube"])
def test_devices_are_brighter_than_what_lies_beside_them(studies: Sequence[PhantomStudy], device: str) -> None:
    from scipy import ndimage

    differences = []
    for image in frontals_with(studies, device):
        metal = image.masks[device]
        beside = ndimage.binary_dilation(metal, iterations=5) & ~ndimage.binary_dilation(metal, iterations=2)
        differences.append(image.pixels[metal].mean() - image.pixels[beside].mean())
    assert np.mean(differences) > 60


def test_an_endotracheal_tube_enters_from_above_and_ends_over_the_midline(studies: Sequence[PhantomStudy]) -> None:
    for image in frontals_with(studies, "endotracheal_tube"):
        rows, columns = np.nonzero(image.masks["endotracheal_tube"])
        lung_rows = np.flatnonzero(lungs(image).any(axis=1))
        assert rows.min() < lung_rows[0]
        assert rows.max() < lung_rows[0] + 0.5 * (lung_rows[-1] - lung_rows[0])
        right = np.flatnonzero(image.masks["right_lung"].any(axis=0))[0]
        left = np.flatnonzero(image.masks["left_lung"].any(axis=0))[-1]
        assert abs(columns.mean() - 0.5 * (left + right)) < 0.1 * (left - right)


def test_nothing_is_marked_on_the_shuttered_border(studies: Sequence[PhantomStudy]) -> None:
    shuttered = 0
    for image in (image for study in studies for image in study.images):
        border = (image.pixels == 0).all(axis=1)
        shuttered += int(border.any())
        assert not any(mask[border].any() for mask in image.masks.values())
    assert shuttered > 20
