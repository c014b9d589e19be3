"""Where on the film, and on which words of the context, an answer hangs: one map and one list of words a finding.

For convolutional encoders Grad-CAM of the deepest map (Selvaraju et al. 2017). For transformers attention rollout
(Abnar & Zuidema 2020): what each patch on the way out says for the finding is laid on the patches on the way in that it
was made of. Words weigh as much as the places that speak for the finding heed them, in the cross-attention.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainers.backbones import Read, VitB16
from trainers.classification.model import ClassificationModel
from trainers.datasets import Square
from trainers.gradcam import Heat, gradcam

WORDS = 8


@dataclass(frozen=True)
class Explained:
    """`heat` (h, w) in [0, 1] over the square, all 0 where nothing spoke for the finding. `words` with their share of
    the attention on all words, the most heeded first."""

    heat: Heat
    words: tuple[tuple[str, float], ...]


def explain(
    model: ClassificationModel, square: Square, deepest: Tensor, context: str, rows: Sequence[int]
) -> list[Explained]:
    """Why the model answers as it does of the findings in these rows, for a film, its deepest map and its context.

    Raises what reading a context raises.
    """
    network = model.network
    mixed = network.encoder.rollout(model.ready([square]))[0] if isinstance(network.encoder, VitB16) else None
    words, told = model.words([context]) if context else (None, None)
    # Clones: what was computed for answering alone can bear no gradient.
    deepest = deepest.float().clone().requires_grad_(True)
    with torch.enable_grad():
        words, told = (None, None) if words is None or told is None else (words.float().clone(), told.clone())
        fused = network.fuse(network.patches(deepest), words, told, attention=True)
        logits = network.head(fused.pooled)[0]
        heats = [_heat(deepest, logits[row], mixed) for row in rows]
    read = model.text([context])[0] if context and model.text is not None else None
    attention = fused.attention[0].detach().float().cpu().numpy() if fused.attention is not None else None
    return [Explained(heat, _words(heat, attention, read)) for heat in heats]


def _heat(deepest: Tensor, logit: Tensor, mixed: Tensor | None) -> Heat:
    if mixed is None:
        return gradcam(deepest, logit)
    (gradients,) = torch.autograd.grad(logit, deepest, retain_graph=True)
    speaks = (gradients * deepest.detach()).sum(dim=1)[0].clamp(min=0)
    laid = (speaks.flatten() @ mixed).reshape(speaks.shape)
    heat: Heat = (laid / laid.max().clamp(min=torch.finfo(laid.dtype).tiny)).cpu().numpy()
    return heat


def _words(heat: Heat, attention: NDArray[np.float32] | None, read: Read | None) -> tuple[tuple[str, float], ...]:
    if read is None or attention is None or not read.words:
        return ()
    weights = heat.ravel() if heat.any() else np.ones(heat.size)
    heeded = weights @ attention / weights.sum()
    of_words = np.zeros(len(read.words))
    for token, place in enumerate(read.word_of):
        if place >= 0:
            of_words[place] += heeded[token]
    shares: dict[str, float] = {}
    for word, share in zip(read.words, of_words / max(of_words.sum(), np.finfo(np.float64).tiny), strict=True):
        shares[word] = shares.get(word, 0.0) + float(share)
    most = sorted(shares.items(), key=lambda pair: -pair[1])[:WORDS]
    return tuple((word, round(share, 3)) for word, share in most)
