import math

import pytest
import torch

from core.recipes import SegmentationRecipe
from trainers.segmentation.losses import contrast_loss, focal_loss, segmentation_loss, soft_dice_loss, tversky_loss


def weighed(**weights: float) -> SegmentationRecipe:
    return SegmentationRecipe(**{"dice_weight": 1.0, "bce_weight": 1.0} | weights)  # type: ignore[arg-type]


def test_soft_dice_against_a_hand_worked_film() -> None:
    probabilities = torch.tensor([[[[0.5, 1.0], [0.0, 0.5]]]])
    masks = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]])
    # overlap 1.5, |P| 2, |T| 2, smoothing 1: 1 - 4/5
    assert soft_dice_loss(probabilities, masks).item() == pytest.approx(0.2)


def test_tversky_weighs_false_and_missed_pixels_apart() -> None:
    probabilities = torch.tensor([[[[0.5, 1.0], [0.0, 0.5]]]])
    masks = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]])
    # overlap 1.5, false 0.5, missed 0.5, half the smoothing 0.5
    assert tversky_loss(probabilities, masks, 0.2, 0.8).item() == pytest.approx(1 - 2 / (1.5 + 0.1 + 0.4 + 0.5))
    assert tversky_loss(probabilities, masks, 1.0, 0.0).item() == pytest.approx(1 - 2 / 2.5)
    assert tversky_loss(probabilities, masks, 0.5, 0.5) == soft_dice_loss(probabilities, masks)


def test_focal_loss_is_cross_entropy_that_turns_from_the_easy_pixels() -> None:
    logits = torch.tensor([[[[0.0, math.log(3)]]]])
    masks = torch.ones(1, 1, 1, 2)
    # the truth is given 1/2 and 3/4: (1/2)^2 ln 2 and (1/4)^2 ln 4/3
    expected = (0.25 * math.log(2) + 0.0625 * math.log(4 / 3)) / 2
    assert focal_loss(logits, masks, gamma=2.0).item() == pytest.approx(expected)
    assert focal_loss(logits, masks, gamma=0.0).item() == pytest.approx((math.log(2) + math.log(4 / 3)) / 2)


def test_an_empty_truth_counts_for_nothing_in_dice_and_for_all_its_pixels_in_cross_entropy() -> None:
    logits = torch.zeros(2, 1, 2, 2)
    masks = torch.stack([torch.ones(1, 2, 2), torch.zeros(1, 2, 2)])
    loss = segmentation_loss(logits, masks, torch.arange(len(masks)), weighed())
    # the marked film alone: overlap 2, |P| 2, |T| 4, smoothing 1: 1 - 5/7
    assert loss.dice.item() == pytest.approx(2 / 7)
    assert loss.bce.item() == pytest.approx(math.log(2))
    assert soft_dice_loss(torch.rand(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)).item() == 0.0


def test_a_positive_weight_of_three_triples_the_cost_of_marked_pixels_only() -> None:
    logits = torch.zeros(1, 1, 1, 2)
    masks = torch.tensor([[[[1.0, 0.0]]]])
    loss = segmentation_loss(
        logits, masks, torch.arange(len(masks)), weighed(dice_weight=0.0, bce_weight=2.0, positive_weight=3.0)
    )
    assert loss.bce.item() == pytest.approx((3 * math.log(2) + math.log(2)) / 2)
    assert loss.total.item() == pytest.approx(2 * loss.bce.item())


def test_a_perfect_answer_costs_nothing() -> None:
    masks = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]])
    loss = segmentation_loss((masks - 0.5) * 200, masks, torch.arange(1), weighed())
    assert loss.total.item() == pytest.approx(0.0, abs=1e-6)


def test_contrast_asks_which_of_two_prompts_of_a_film_a_pixel_belongs_to() -> None:
    masks = torch.tensor([[[[1.0, 0.0, 1.0, 0.0]]], [[[0.0, 1.0, 1.0, 0.0]]]])
    logits = torch.tensor([[[[2.0, 0.0, 9.0, 9.0]]], [[[0.0, 0.0, -9.0, -9.0]]]])
    # where the masks agree nothing counts; elsewhere the difference is 2 for the one and 0 against the other
    expected = (math.log(1 + math.exp(-2)) + math.log(2)) / 2
    assert contrast_loss(logits, masks, torch.tensor([0, 0])).item() == pytest.approx(expected)
    assert contrast_loss(logits, masks, torch.tensor([0, 1])).item() == 0.0
