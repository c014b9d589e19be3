"""What models say of films, for tests that need a word of theirs on record: the model is in use and has no folder."""

import io

import numpy as np
from PIL import Image

from app.house import House
from core.annotations import NewPrediction
from core.findings import State
from core.masks import Mask, stats
from core.metrics import ItemScore, summarise
from data.images import mask_png
from db import models, predictions, studies
from db.models import NewModel


def in_use(house: House, family: str, finding: str) -> int:
    """The number of the family's model in use; where there is none, one is put in use, and asked for nothing."""
    with house.database.reading() as session:
        champion = models.champion(session, family)
    if champion is not None:
        return champion.id
    metric = {"classification": "auroc"}.get(family, "dice")
    scores = tuple(ItemScore(f"film-{i}", f"patient-{i}", finding, {metric: 0.9 - i / 10}) for i in range(2))
    new = NewModel(family, f"{family}-test", {}, (finding,), metric, summarise(scores, [metric]), None)
    with house.database.writing() as session:
        model = models.register(session, new, "tester")
        models.promote(session, model.name, "the first", "tester")
    return model.id


def judge(house: House, image_id: int, finding: str, probability: float, says: State, heat: str | None = None) -> None:
    """A classification model's word on a film, from .43 on present; `heat` is its map in the store."""
    model = in_use(house, "classification", finding)
    payload = {"threshold": 0.43, "context": "real", "without_context": 0.88, "says": str(says), "map": heat}
    with house.database.writing() as session:
        sha = studies.get_image(session, image_id).sha
        word = NewPrediction(image_id, sha, finding, None, None, probability, payload=payload)
        predictions.add_predictions(session, model, [word])


def suggest(house: House, image_id: int, finding: str, mask: Mask) -> int:
    """A mask that a segmentation model suggests for a film; gives its number."""
    model = in_use(house, "segmentation", finding)
    with house.database.writing() as session:
        sha = studies.get_image(session, image_id).sha
        new = NewPrediction(image_id, sha, finding, house.store.put(mask_png(mask)), stats(mask), 0.91)
        return predictions.add_predictions(session, model, [new])[0]


def heat_map(house: House, height: int = 20, width: int = 16) -> str:
    """A map in the store, bright in its upper half; gives its name there."""
    grey = np.zeros((height, width), np.uint8)
    grey[: height // 2] = 255
    body = io.BytesIO()
    Image.fromarray(grey).save(body, "PNG")
    return house.store.put(body.getvalue())
