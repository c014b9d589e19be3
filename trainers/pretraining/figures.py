"""What the network makes of films: the film, what it was shown of it, and what it restored, side by side."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from trainers.pretraining.evaluation import Seen
from trainers.pretraining.model import PretrainingModel

PANEL = 256
CAPTION = 22
HIDDEN_SHARE = 0.5


class Samples:
    """Keeps the films restored worst and the first few of all, while they pass by."""

    def __init__(self, worst: int = 3, first: int = 3) -> None:
        self._counts = (worst, first)
        self._worst: list[Seen] = []
        self._first: list[Seen] = []

    def add(self, seen: Seen) -> None:
        worst, first = self._counts
        if len(self._first) < first:
            self._first.append(seen)
        self._worst = sorted([*self._worst, seen], key=_psnr)[:worst]

    def draw(self, folder: Path, model: PretrainingModel) -> list[Path]:
        """`restored-worst-<rank>.png` and `restored-sample-<number>.png` in the folder, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        share = HIDDEN_SHARE if model.recipe.masked_share else 0.0
        drawn = []
        for kind, kept in (("worst", self._worst), ("sample", self._first)):
            for number, seen in enumerate(kept, start=1):
                shown = model.restore([seen.square], share, seed=number)
                place = folder / f"restored-{kind}-{number}.png"
                sheet([shown.films, shown.seen, shown.restored], f"{seen.score.item}  PSNR {_psnr(seen):.1f}").save(
                    place
                )
                drawn.append(place)
        return drawn


def sheet(panels: Sequence[Tensor], caption: str) -> Image.Image:
    """Film, what the network saw of it, and what it restored; each (1, 1, side, side) in [0, 1]."""
    drawn = Image.new("L", (len(panels) * PANEL, PANEL + CAPTION))
    draw = ImageDraw.Draw(drawn)
    for column, (panel, word) in enumerate(zip(panels, (caption, "seen", "restored"), strict=True)):
        pixels = np.rint(panel[0, 0].cpu().numpy() * 255).astype(np.uint8)
        drawn.paste(
            Image.fromarray(pixels).resize((PANEL, PANEL), Image.Resampling.BILINEAR), (column * PANEL, CAPTION)
        )
        draw.text((column * PANEL + 4, 4), word[: PANEL // 6], fill=222)
    return drawn


def _psnr(seen: Seen) -> float:
    return seen.score.values["psnr"] or 0.0
