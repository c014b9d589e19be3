"""Where on a film a text is found.

Where words were drawn to patches: how much the text's words heed each patch that came through, by as much as it did.
Elsewhere Grad-CAM of the cosine between film and text (Selvaraju et al. 2017).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from trainers.datasets import Square
from trainers.gradcam import Heat, gradcam, over_film
from trainers.retrieval.data import Pose
from trainers.retrieval.eyes import Glimpse
from trainers.retrieval.local import Local
from trainers.retrieval.model import RetrievalModel, Vector
from trainers.retrieval.network import unit


def text_heat(
    model: RetrievalModel, square: Square, pose: Pose, sentences: Sequence[str], height: int, width: int
) -> Heat:
    """(H', W') in [0, 1] over a film of height x width, of which this is the square; all 0 where nothing on it speaks
    for the text. Raises EmptyText."""
    with torch.inference_mode():
        found = model.network.encode(model.ready([square])).float()
    local = model.network.local
    if local is not None:
        heat = _heed(model, local, found, sentences)
    else:
        heat = _gradcam(model, found, pose, torch.from_numpy(model.texts([sentences])[0]).to(model.device))
    return over_film(heat, height, width, len(square), model.recipe.fit)


def likeness_heat(model: RetrievalModel, square: Square, pose: Pose, said: Vector, height: int, width: int) -> Heat:
    """(H', W') in [0, 1]: what on a film speaks for a vector (D,) of length one, whatever that is of: Grad-CAM."""
    with torch.inference_mode():
        found = model.network.encode(model.ready([square])).float()
    heat = _gradcam(model, found, pose, torch.from_numpy(said).to(model.device))
    return over_film(heat, height, width, len(square), model.recipe.fit)


def salience_heat(model: RetrievalModel, square: Square, height: int, width: int) -> Heat | None:
    """(H', W') in (0, 1): how salient each place of a film is, whatever is asked; None where nothing tells that."""
    glimpse = model.glimpse([square])
    if glimpse.salience is None:
        return None
    side = round(glimpse.salience.shape[1] ** 0.5)
    heat: Heat = glimpse.salience[0].float().reshape(side, side).cpu().numpy()
    return over_film(heat, height, width, len(square), model.recipe.fit)


def _gradcam(model: RetrievalModel, found: Tensor, pose: Pose, asked: Tensor) -> Heat:
    # A clone: what was computed for answering alone can bear no gradient.
    found = found.clone().requires_grad_(True)
    with torch.enable_grad():
        pooled = model.network.look(found).pooled
        said = unit(model.network.films(pooled, torch.tensor([int(pose)], device=model.device)))[0]
        return gradcam(found, said @ asked)


@torch.inference_mode()
def _heed(model: RetrievalModel, local: Local, found: Tensor, sentences: Sequence[str]) -> Heat:
    glimpse, (words, _) = model.network.look(found), model.words([sentences])
    assert glimpse.patches is not None and glimpse.gates is not None
    heed = local(words, glimpse.patches, glimpse.gates).heed[0].mean(dim=0)
    spread = _spread(glimpse, heed, found.shape[2] * found.shape[3])
    heat: Heat = (spread / spread.max().clamp(min=1e-9)).reshape(found.shape[2:]).cpu().numpy()
    return heat


def _spread(glimpse: Glimpse, of_kept: Tensor, count: int) -> Tensor:
    """(P,): what the kept patches (K,) have in their places, 0 in the others."""
    assert glimpse.kept is not None
    return torch.zeros(count, device=of_kept.device).index_put((glimpse.kept[0],), of_kept.float())
