"""The contrastive loss against a slow version written out pair by pair."""

import math

import pytest
import torch

from core.ranking import shared_gains
from trainers.retrieval.losses import contrastive_loss, shared


def slowly(
    cosines: list[list[float]], sharpness: float, wordings: list[int], alike: list[list[float]], soft: float
) -> float:
    """Each study's films against every text that may count, then each text against every study's films."""
    count, total = len(cosines), 0.0
    for films_first in (True, False):
        for one in range(count):
            others = [j for j in range(count) if j == one or wordings[j] != wordings[one]]
            logit = {j: sharpness * (cosines[one][j] if films_first else cosines[j][one]) for j in others}
            whole = math.log(sum(math.exp(value) for value in logit.values()))
            likeness = {j: alike[one][j] for j in others if j != one}
            amount = sum(likeness.values())
            share = soft if amount else 0.0
            targets = {j: share * value / amount for j, value in likeness.items()} if amount else {}
            targets[one] = 1 - share
            total -= sum(weight * (logit[j] - whole) for j, weight in targets.items()) / count
    return total / 2


@pytest.mark.parametrize("soft", [0.0, 0.3])
def test_the_loss_is_the_mean_over_both_directions(soft: float) -> None:
    torch.manual_seed(0)
    cosines = torch.rand(5, 5) * 2 - 1
    wordings = torch.tensor([0, 1, 0, 2, 3])
    present = torch.tensor([[1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]], dtype=torch.bool)
    alike = shared(present)
    found = contrastive_loss(cosines, torch.tensor(7.0), wordings, alike, soft)
    expected = slowly(cosines.tolist(), 7.0, wordings.tolist(), alike.tolist(), soft)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_studies_that_share_a_text_do_not_push_each_other_away() -> None:
    cosines = torch.tensor([[0.5, 0.9], [0.9, 0.5]])
    nobody = torch.zeros(2, 2)
    same = contrastive_loss(cosines, torch.tensor(10.0), torch.tensor([0, 0]), nobody, 0.0)
    other = contrastive_loss(cosines, torch.tensor(10.0), torch.tensor([0, 1]), nobody, 0.0)
    assert same.item() == pytest.approx(0) and other.item() > 1


def test_likeness_is_the_gain_that_rankings_are_judged_by() -> None:
    present = torch.tensor([[1, 0, 1], [1, 1, 0], [0, 0, 0]], dtype=torch.bool)
    assert shared(present).numpy() == pytest.approx(shared_gains(present.numpy(), present.numpy()))
