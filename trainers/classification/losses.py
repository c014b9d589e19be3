"""What the network is taught: each finding for itself, where something is known of it."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from core.findings import Finding, State
from trainers.classification.data import Exam

HEAVIEST = 50.0


def label_loss(logits: Tensor, targets: Tensor, asked: Tensor, weights: Tensor) -> Tensor:
    """The mean binary cross-entropy of logits (B, F) over what is asked (B, F).

    What is present weighs `weights` (F,) times as much. A weight moves the best answer by its logarithm, so that much
    is added before the loss is taken: the logits go on to stand for the true share, and rare findings are not
    overcalled (after Menon et al. 2021).
    """
    moved = logits.float() + weights.log()
    losses = functional.binary_cross_entropy_with_logits(moved, targets, reduction="none", pos_weight=weights)
    return (losses * asked).sum() / asked.sum().clamp(min=1)


def shares_of(exams: Sequence[Exam], findings: Sequence[Finding]) -> Tensor:
    """(F,): how often each finding is present among those exams in which it is known."""
    counts = [
        [sum(exam.states.get(finding.key) is state for exam in exams) for state in (State.PRESENT, State.ABSENT)]
        for finding in findings
    ]
    return torch.tensor([present / max(1, present + absent) for present, absent in counts])


def weights_of(shares: Tensor, weighting: str) -> Tensor:
    """(F,): how much more what is present weighs, "balanced" as often as it is rarer, "root" the root of that."""
    if weighting == "none":
        return torch.ones_like(shares)
    rarity = ((1 - shares) / shares.clamp(min=1e-6)).clamp(1 / HEAVIEST, HEAVIEST)
    return rarity.sqrt() if weighting == "root" else rarity
