"""Where on its films a sentence comes from: the words' own attention where they attend to places, else Grad-CAM of how
likely its words are (Selvaraju et al. 2017)."""

from collections.abc import Mapping, Sequence

import torch

from trainers.datasets import Square
from trainers.generation.decoding import Written
from trainers.generation.model import GenerationModel
from trainers.generation.writing import Span
from trainers.gradcam import Heat, gradcam
from trainers.precision import autocast
from trainers.retrieval.data import Pose


def looks_of(
    model: GenerationModel, films: Mapping[Pose, Square], written: Written, spans: Sequence[Span]
) -> list[Mapping[Pose, Heat]]:
    """For each sentence, by pose (h, w) in [0, 1] over the film's square: where it looked. Nothing where no film is
    read."""
    if model.recipe.reads != "films" or not films:
        return [{} for _ in spans]
    if written.heed is not None:
        return [_heeded(written, films, span) for span in spans]
    return _gradients(model, films, written, spans)


def _heeded(written: Written, films: Mapping[Pose, Square], span: Span) -> Mapping[Pose, Heat]:
    assert written.heed is not None
    heed = written.heed[span.first : span.last].float().mean(dim=0)
    by_pose = heed.reshape(len(Pose), -1)
    side = round(by_pose.shape[1] ** 0.5)
    most = max(float(by_pose[pose].max()) for pose in films)
    return {pose: (by_pose[pose] / max(most, 1e-9)).reshape(side, side).numpy() for pose in films}


def _gradients(
    model: GenerationModel, films: Mapping[Pose, Square], written: Written, spans: Sequence[Span]
) -> list[Mapping[Pose, Heat]]:
    network, poses = model.network, [pose for pose in Pose if pose in films]
    assert network.looking is not None
    with torch.inference_mode(), autocast(model.recipe, model.device):
        squares = torch.stack([torch.from_numpy(films[pose].copy()) for pose in poses])[:, None]
        found = network.encode(model.ready(squares))[-1].float()
    # Clones: what was computed for answering alone can bear no gradient.
    maps = [found[row : row + 1].clone().requires_grad_(True) for row in range(len(poses))]
    told = torch.tensor([written.pieces], device=model.device)
    with torch.enable_grad(), torch.autocast(model.device.type, enabled=False):
        seen = network.looking(torch.cat(maps), torch.tensor([[pose in films for pose in Pose]], device=model.device))
        scores = network.words(told[:, :-1], seen).logits.float().log_softmax(dim=-1)
        likely = scores[0].gather(1, told[0, 1:, None])[:, 0]
        heats: list[Mapping[Pose, Heat]] = []
        for span in spans:
            # The first piece of all has none before it from which it could be likely.
            wanted = likely[max(0, span.first - 1) : max(1, span.last - 1)].sum()
            heats.append({pose: gradcam(own, wanted) for pose, own in zip(poses, maps, strict=True)})
    return heats
