"""One picture after each validation, of the same few films every time: together they show how a training went."""

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from trainers.pictures import Look, outlined, strip
from trainers.segmentation.batches import SegmentationBatch

FILMS = 4
SIDE = 192


class Frame:
    """The first few validation films on which something is marked, each with one of its findings, taken in turn."""

    def __init__(self) -> None:
        self._films: list[Image.Image] = []

    def add(self, batch: SegmentationBatch, predicted: Tensor) -> None:
        """`predicted` (N, 1, H, W) bool, one for each prompt of the batch."""
        if len(self._films) == FILMS:
            return
        marked = batch.masks.flatten(1).any(dim=1).tolist()
        asked = list(zip(batch.image_of.tolist(), batch.finding_of.tolist(), marked, strict=True))
        for image in range(len(batch.images)):
            rows = sorted((finding, row) for row, (of, finding, some) in enumerate(asked) if of == image and some)
            if rows and len(self._films) < FILMS:
                _, row = rows[len(self._films) % len(rows)]
                self._films.append(_film(batch.images[image, 0], batch.masks[row, 0], predicted[row, 0]))

    def write(self, folder: Path, step: int, caption: str) -> None:
        """`step-<step>.png` in the folder, which is made; nothing where no film was added."""
        if not self._films:
            return
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / f"step-{step:09d}.png"
        unfinished = place.with_suffix(".part")
        strip(self._films, caption).save(unfinished, "PNG")
        unfinished.replace(place)


def _film(pixels: Tensor, truth: Tensor, predicted: Tensor) -> Image.Image:
    film, real, marked = (each.cpu().numpy() for each in (pixels, truth, predicted))
    return outlined(Look.of(film, real.astype(np.bool_), marked.astype(np.bool_), SIDE))
