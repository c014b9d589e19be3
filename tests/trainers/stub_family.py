"""A classification family that learns nothing: for tests of what surrounds a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.annotations import NewPrediction
from core.registry import ModelVersion
from data.png import grey
from db import models
from db.models import NewModel
from trainers.contract import Case, Shelf
from trainers.datasets import read_film

FINDINGS = ("cardiomegaly", "edema")


@dataclass
class StubFamily:
    """Says how bright a film is, and a little more with a context. `refuses` is raised in place of an answer."""

    name: str = "classification"
    refuses: Exception | None = None
    broken: dict[str, Exception] = field(default_factory=dict)
    loaded: list[str] = field(default_factory=list)
    asked: list[Case] = field(default_factory=list)

    def load(self, folder: Path) -> str:
        if folder.name in self.broken:
            raise self.broken[folder.name]
        self.loaded.append(folder.name)
        return folder.name

    def warm(self, model: str) -> None:
        return

    def predict(
        self, model: str, cases: Sequence[Case], prompts: Mapping[str, str | None] | None, shelf: Shelf
    ) -> list[NewPrediction]:
        self.asked += cases
        if self.refuses is not None:
            raise self.refuses
        (case,) = cases
        (film,) = case.images
        pixels = read_film(shelf.store.get(film.sha))
        map_sha = shelf.store.put(grey(pixels[::2, ::2]))
        context = case.study.report.indication if case.study.report else ""
        alone = float(pixels.mean()) / 255
        return [
            NewPrediction(film.id, film.sha, finding, None, None, payload=_payload(alone / place, context, map_sha))
            for place, finding in enumerate(FINDINGS, start=1)
        ]


def _payload(alone: float, context: str, map_sha: str) -> dict[str, Any]:
    return {
        "probability": round(alone + 0.1 * (1 - alone) * bool(context), 4),
        "without_context": round(alone, 4),
        "context": "real" if context else "none",
        "threshold": 0.3,
        "says": "present" if alone > 0.3 else "absent",
        "map": map_sha,
        "words": [[word, round(1 / len(context.split()), 3)] for word in context.split()[:8]],
        "nearest": [{"dataset": "iu", "key": "7", "state": "present", "similarity": 0.93}],
        "differential": f"Bright in {alone:.0%} of the film.",
    }


def bright_film(value: int = 200) -> bytes:
    """A PNG with some structure, about as bright as `value`."""
    pixels = np.full((96, 80), value, np.uint8)
    pixels[20:40, 20:40] = 255 - value
    return grey(pixels)


def put_version(database: Any, folder: str = "classification-stub", in_use: bool = True) -> ModelVersion:
    """A classification model on record, without weights."""
    with database.writing() as session:
        new = NewModel("classification", folder, {"preset": "smoke"}, FINDINGS, "auroc", {})
        version = models.register(session, new, "tester")
        if in_use:
            models.promote(session, version.name, "for the test", "tester")
    return version
