"""What a model drew, to be checked in one look: the film, the truth and the prediction side by side."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.masks import Mask
from trainers.datasets import FilmCache, read_film
from trainers.segmentation.evaluation import Outlined

PANEL = 320
CAPTION = 22
TRUTH_COLOUR = (46, 196, 182)
PREDICTED_COLOUR = (242, 184, 75)


class Examples:
    """Keeps, for each finding, the few outlines that scored worst, while all of them pass by."""

    def __init__(self, for_each: int = 3) -> None:
        self._for_each = for_each
        self._worst: dict[str, list[tuple[float, Outlined]]] = {}

    def add(self, outlined: Outlined) -> None:
        value = outlined.score.values["dice"]
        if value is None:
            return
        kept = [*self._worst.get(outlined.finding, []), (value, outlined)]
        self._worst[outlined.finding] = sorted(kept, key=lambda entry: entry[0])[: self._for_each]

    def draw(self, folder: Path, cache: FilmCache) -> list[Path]:
        """One PNG an outline, `<finding>-worst-<rank>.png`, in the folder, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        drawn = []
        for finding, entries in sorted(self._worst.items()):
            for rank, (value, outlined) in enumerate(entries, start=1):
                place = folder / f"{finding}-worst-{rank}.png"
                pixels = read_film(cache.store.get(outlined.film.sha))
                tri_panel(pixels, outlined.truth, outlined.predicted, f"{outlined.film.item}  Dice {value:.3f}").save(
                    place
                )
                drawn.append(place)
        return drawn


def tri_panel(pixels: NDArray[np.uint8], truth: Mask, predicted: Mask, caption: str) -> Image.Image:
    """Film, film with truth, film with prediction; `pixels` (H, W) uint8 and masks of the same size."""
    panels = [_panel(pixels, None, TRUTH_COLOUR), _panel(pixels, truth, TRUTH_COLOUR)]
    panels.append(_panel(pixels, predicted, PREDICTED_COLOUR))
    width = sum(panel.width for panel in panels)
    sheet = Image.new("RGB", (width, panels[0].height + CAPTION))
    draw = ImageDraw.Draw(sheet)
    left = 0
    for panel, word in zip(panels, (caption, "truth", "prediction"), strict=True):
        sheet.paste(panel, (left, CAPTION))
        draw.text((left + 4, 4), word[: panel.width // 6], fill=(220, 225, 232))
        left += panel.width
    return sheet


def _panel(pixels: NDArray[np.uint8], mask: Mask | None, colour: Sequence[int]) -> Image.Image:
    film = Image.fromarray(pixels)
    scale = PANEL / max(film.size)
    size = (max(1, round(film.width * scale)), max(1, round(film.height * scale)))
    shown = film.resize(size, Image.Resampling.BILINEAR).convert("RGB")
    if mask is not None:
        inside = Image.fromarray(mask.astype(np.uint8) * 110).resize(size, Image.Resampling.BILINEAR)
        shown.paste(Image.new("RGB", size, (colour[0], colour[1], colour[2])), (0, 0), inside)
    return shown
