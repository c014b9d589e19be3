"""Where on a film a text is found: Grad-CAM of the cosine between the two (Selvaraju et al. 2017)."""

from collections.abc import Sequence

import torch

from trainers.datasets import Square
from trainers.gradcam import Heat, gradcam, over_film
from trainers.retrieval.data import Pose
from trainers.retrieval.model import RetrievalModel
from trainers.retrieval.network import unit


def text_heat(
    model: RetrievalModel, square: Square, pose: Pose, sentences: Sequence[str], height: int, width: int
) -> Heat:
    """(H', W') in [0, 1] over a film of height x width, of which this is the square; all 0 where nothing on it speaks
    for the text. Raises EmptyText."""
    text = torch.from_numpy(model.texts([sentences])[0]).to(model.device)
    with torch.inference_mode():
        deepest = model.network.encode(model.ready([square]))
    # A clone: what was computed for answering alone can bear no gradient.
    deepest = deepest.float().clone().requires_grad_(True)
    with torch.enable_grad():
        said = unit(model.network.films(deepest, torch.tensor([int(pose)], device=model.device)))[0]
        heat = gradcam(deepest, said @ text)
    return over_film(heat, height, width, len(square), model.recipe.fit)
