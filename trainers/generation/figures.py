"""What a measurement leaves to look at: reports beside the originals, and films drawn again."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from trainers.generation.cropping import Views
from trainers.generation.data import Reading
from trainers.generation.evaluation import Answers
from trainers.generation.model import GenerationModel
from trainers.generation.scoring import told_by
from trainers.precision import autocast

SHOWN = 8
PANEL = 192


def draw_figures(
    folder: Path, model: GenerationModel, readings: Sequence[Reading], answers: Answers, films: Views
) -> None:
    """`reports.json`, some reports beside the originals, and `redrawn.png`, films over the same drawn again, in the
    folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = np.linspace(0, len(readings) - 1, min(SHOWN, len(readings))).round().astype(int)
    told = [
        {
            "study": readings[row].key,
            "original": readings[row].text,
            "written": told_by(answers.reports[row]),
            "written_of_other_films": told_by(answers.shuffled[row]),
        }
        for row in rows
    ]
    (folder / "reports.json").write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
    if model.network.redrawing is not None:
        _redrawn(model, [readings[row] for row in rows], films).save(folder / "redrawn.png")


@torch.inference_mode()
def _redrawn(model: GenerationModel, readings: Sequence[Reading], films: Views) -> Image.Image:
    shown = [(pose, sha) for one in readings for pose, sha in one.films.items()]
    sheet = Image.new("L", (len(shown) * PANEL, 2 * PANEL))
    for place, (pose, sha) in enumerate(shown):
        film = torch.from_numpy(films.film(sha, pose))[None, None]
        with autocast(model.recipe, model.device):
            drawn = model.network.redraw(
                model.network.encode(model.ready(film)), torch.tensor([int(pose)], device=model.device), pose
            )
        assert drawn is not None
        again = (drawn[0, 0].cpu().numpy() * 255).round().astype(np.uint8)
        for row, square in enumerate((film[0, 0].numpy(), again)):
            panel = Image.fromarray(square).resize((PANEL, PANEL), Image.Resampling.BILINEAR)
            sheet.paste(panel, (place * PANEL, row * PANEL))
    return sheet
