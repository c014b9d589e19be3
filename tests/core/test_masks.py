from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as reference

from core import masks
from core.masks import Box, MalformedMask, MaskSizeDiffers

shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=30)
any_mask = hnp.arrays(np.bool_, shapes)


@st.composite
def two_masks(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(shapes)
    return draw(hnp.arrays(np.bool_, shape)), draw(hnp.arrays(np.bool_, shape))


@given(pair=two_masks())
def test_dice_and_iou_are_symmetric_bounded_and_bound_to_each_other(pair: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = pair
    dice, iou = masks.dice(a, b), masks.iou(a, b)
    assert dice == masks.dice(b, a)
    assert iou == masks.iou(b, a)
    assert 0 <= iou <= dice <= 1
    assert dice == pytest.approx(2 * iou / (1 + iou))


@given(mask=any_mask)
def test_a_mask_is_wholly_like_itself(mask: np.ndarray) -> None:
    assert masks.dice(mask, mask) == masks.iou(mask, mask) == masks.pixel_accuracy(mask, mask) == 1.0


def test_scores_against_values_worked_by_hand() -> None:
    a = np.array([[1, 1, 0, 0]], dtype=bool)
    b = np.array([[0, 1, 1, 1]], dtype=bool)
    assert masks.intersection(a, b) == 1
    assert masks.dice(a, b) == pytest.approx(2 / 5)
    assert masks.iou(a, b) == pytest.approx(1 / 4)
    assert masks.pixel_accuracy(a, b) == pytest.approx(1 / 4)


def test_two_empty_masks_agree_and_an_empty_one_agrees_with_nothing_else() -> None:
    empty, full = np.zeros((3, 3), dtype=bool), np.ones((3, 3), dtype=bool)
    assert masks.dice(empty, empty) == masks.iou(empty, empty) == 1.0
    assert masks.dice(empty, full) == masks.iou(empty, full) == 0.0


def test_masks_of_two_sizes_are_not_compared() -> None:
    a, b = np.zeros((3, 4), dtype=bool), np.zeros((4, 3), dtype=bool)
    for compare in (masks.dice, masks.iou, masks.pixel_accuracy, masks.intersection):
        with pytest.raises(MaskSizeDiffers, match="4 x 3 pixels but its image is 3 x 4"):
            compare(a, b)
    with pytest.raises(MaskSizeDiffers):
        masks.union([a, b])
    with pytest.raises(MaskSizeDiffers):
        masks.require_size(a, 4, 3)
    masks.require_size(a, 3, 4)


@given(pair=two_masks())
def test_a_union_marks_what_either_marks_and_leaves_both_as_they_were(pair: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = pair
    before = a.copy()
    joined = masks.union([a, b])
    assert np.array_equal(joined, a | b)
    assert np.array_equal(a, before)
    assert masks.stats(joined).area == masks.stats(a).area + masks.stats(b).area - masks.intersection(a, b)


@given(mask=any_mask)
def test_the_box_holds_every_marked_pixel_and_touches_one_on_each_side(mask: np.ndarray) -> None:
    found = masks.stats(mask)
    assert (found.height, found.width, found.area) == (*mask.shape, int(mask.sum()))
    if found.box is None:
        assert not mask.any()
        return
    inside = mask[found.box.top : found.box.bottom, found.box.left : found.box.right]
    assert int(inside.sum()) == found.area
    assert inside[0].any() and inside[-1].any() and inside[:, 0].any() and inside[:, -1].any()
    assert (found.box.height, found.box.width) == inside.shape


def test_a_box_by_hand() -> None:
    mask = np.zeros((6, 8), dtype=bool)
    mask[2, 3] = mask[4, 6] = True
    assert masks.bounding_box(mask) == Box(left=3, top=2, right=7, bottom=5)


@given(mask=any_mask)
def test_row_by_row_run_lengths_give_the_mask_back(mask: np.ndarray) -> None:
    height, width = mask.shape
    lengths = masks.runs(mask)
    assert int(lengths.sum()) == mask.size
    assert np.array_equal(masks.from_runs(lengths, height, width), mask)
    assert np.array_equal(masks.from_wire(masks.to_wire(mask), height, width), mask)
    assert np.array_equal(masks.from_wire(masks.to_wire(np.asfortranarray(mask)), height, width), mask)


def test_run_lengths_by_hand() -> None:
    mask = np.array([[0, 1, 1], [1, 0, 0]], dtype=bool)
    assert masks.runs(mask).tolist() == [1, 3, 2]
    assert masks.runs(~mask).tolist() == [0, 1, 3, 2]
    assert masks.coco_counts(mask) == [1, 2, 1, 1, 1]
    assert masks.to_wire(mask) == bytes([1, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0])


@settings(max_examples=200)
@given(mask=any_mask)
def test_coco_run_lengths_are_those_of_the_reference(mask: np.ndarray) -> None:
    height, width = mask.shape
    encoded = reference.encode(np.asfortranarray(mask.astype(np.uint8)))
    text = masks.squeeze(masks.coco_counts(mask))
    assert text.encode() == encoded["counts"]
    assert np.array_equal(reference.decode({"size": [height, width], "counts": text}).astype(bool), mask)
    assert np.array_equal(masks.from_coco_counts(masks.unsqueeze(encoded["counts"].decode()), height, width), mask)


@given(counts=st.lists(st.integers(0, 2**31 - 1), max_size=40))
def test_squeezed_counts_come_back(counts: list[int]) -> None:
    assert masks.unsqueeze(masks.squeeze(counts)) == counts


def test_a_large_mask_of_many_regions_with_holes_goes_both_ways() -> None:
    rows, columns = np.mgrid[:1024, :1024]
    rings = ((rows % 128 - 64) ** 2 + (columns % 128 - 64) ** 2) // 400 % 2 == 1
    assert np.array_equal(masks.from_wire(masks.to_wire(rings), 1024, 1024), rings)
    text = masks.squeeze(masks.coco_counts(rings))
    assert np.array_equal(masks.from_coco_counts(masks.unsqueeze(text), 1024, 1024), rings)


@pytest.mark.parametrize(
    ("lengths", "why"),
    [
        ([5], "too few"),
        ([4, 3], "too many"),
        ([-1, 7], "negative"),
        ([], "none"),
        ([[3, 3]], "nested"),
        ([[3], 3], "nested once"),
        (["many"], "words"),
        (None, "nothing"),
        ([2**70], "past 64 bits"),
        ([2**62, 2**62, 2**62, 2**62, 6], "a sum that wraps round to the right one"),
    ],
)
def test_run_lengths_that_fill_no_image_are_refused(lengths: Any, why: str) -> None:
    with pytest.raises(MalformedMask):
        masks.from_runs(lengths, 2, 3)


def test_a_message_that_arrived_cut_off_is_refused() -> None:
    whole = masks.to_wire(np.eye(4, dtype=bool))
    for length in range(len(whole)):
        with pytest.raises(MalformedMask):
            masks.from_wire(whole[:length], 4, 4)


@pytest.mark.parametrize("text", ["\x00", "é", "P", "1o", "o" * 14 + "1"])
def test_text_that_is_no_run_length_text_is_refused(text: str) -> None:
    with pytest.raises(MalformedMask):
        masks.unsqueeze(text)


@given(text=st.text(max_size=30))
def test_any_text_gives_counts_or_a_clear_refusal(text: str) -> None:
    try:
        counts = masks.unsqueeze(text)
        masks.from_coco_counts(counts, 3, 3)
    except MalformedMask as error:
        assert str(error).endswith(".")
