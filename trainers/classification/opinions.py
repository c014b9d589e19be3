"""What a reader is told of one film: for each finding a probability with its evidence, as plain JSON values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.bootstrap import Values
from core.findings import State
from core.notes import language_note
from core.recipes import ClassificationRecipe
from core.studies import Image, Study
from data.png import grey
from data.store import Store
from trainers.classification.columns import FUSED, IMAGE, TEXT, reads_films, reads_words
from trainers.classification.data import real_context
from trainers.classification.differential import Evidence, told
from trainers.classification.explanation import explain
from trainers.classification.model import ClassificationModel
from trainers.datasets import Square
from trainers.gradcam import Heat, over_film, resized

MAP_SIDE = 192
"""Pixels of a map's longer side: what lies behind it is coarser still."""


@dataclass(frozen=True)
class Question:
    """A film of height x width, its square, and what was known before it was read."""

    square: Square
    height: int
    width: int
    context: str

    @classmethod
    def about(cls, study: Study, film: Image, square: Square, recipe: ClassificationRecipe) -> "Question":
        context = real_context(study.report, study.notes) if reads_words(recipe) else ""
        return cls(square, film.facts.height, film.facts.width, context)


def opinions(
    model: ClassificationModel, question: Question, asked: Sequence[str], store: Store
) -> list[tuple[str, dict[str, Any]]]:
    """The findings asked for, the most probable first, each with the payload of its prediction; maps go into the store.

    Raises what reading a context raises. Nothing where the model reads no films and there is no context.
    """
    column, said = _answers(model, question)
    if column is None:
        return []
    rows = [model.keys.index(key) for key in asked]
    ranked = sorted(rows, key=lambda row: -said[column][row])
    place = {row: number for number, row in enumerate(ranked, start=1)}
    square = question.square if reads_films(model.recipe) else None
    explained = explain(model, square, question.context, ranked)
    heats = [_over(question, one.heat, model.recipe.fit) for one in explained]
    maps = iter(store.put_many(_png(heat, question) for heat in heats if heat is not None and heat.any()))
    look = model.look(model.patches([question.square]))[0] if square is not None else None
    remarks, read_words = _remarks(model, question.context)
    found = []
    for row, one, heat in zip(ranked, explained, heats, strict=True):
        finding = model.findings[row]
        probability, alone = float(said[column][row]), float(said.get(IMAGE, said[column])[row])
        threshold = model.calibrated.threshold(column, finding.key)
        nearest = model.neighbours.nearest(look, finding.key) if look is not None else ()
        evidence = Evidence(
            finding, place[row], len(ranked), probability, alone if column == FUSED else None, threshold, heat,
            one.words, nearest,
        )  # fmt: skip
        payload = {
            "probability": round(probability, 4),
            "without_context": round(alone, 4),
            "context": "real" if question.context else "none",
            "threshold": None if threshold is None else round(threshold, 4),
            "says": None if threshold is None else str(State.PRESENT if probability >= threshold else State.ABSENT),
            "map": next(maps) if heat is not None and heat.any() else None,
            "words": [[word, share] for word, share in one.words],
            "nearest": [
                {"dataset": n.dataset, "key": n.key, "state": str(n.state), "similarity": n.similarity} for n in nearest
            ],
            "differential": told(evidence),
            "rank": place[row],
            "read_words": read_words,
            "remarks": remarks,
        }
        found.append((finding.key, payload))
    return found


def _answers(model: ClassificationModel, question: Question) -> tuple[str | None, dict[str, Values]]:
    """The column that answers, and the probabilities (F,) of all that could: with the context where there is one, and
    without."""
    sees, reads = reads_films(model.recipe), bool(question.context)
    if not sees and not reads:
        return None, {}
    patches = model.patches([question.square]) if sees else None
    logits: dict[str, Values] = {}
    if sees:
        logits[IMAGE] = model.answer(patches, None)[0]
    if reads:
        logits[FUSED if sees else TEXT] = model.answer(patches, model.words([question.context]))[0]
    said = {column: model.calibrated.probability(column, values) for column, values in logits.items()}
    return list(said)[-1], said


def _remarks(model: ClassificationModel, context: str) -> tuple[list[str], int | None]:
    """What is to be known of how the context was read, and how many of its words were, None where all."""
    if not context or model.text is None:
        return [], None
    remarks = [note] if (note := language_note(context)) else []
    cut = model.text([context])[0].read_words
    if cut is not None:
        remarks.append(f"The context is long: its first {cut} words were read.")
    return remarks, cut


def _over(question: Question, heat: Heat | None, fit: str) -> Heat | None:
    if heat is None:
        return None
    return over_film(heat, question.height, question.width, len(question.square), fit)


def _png(heat: Heat, question: Question) -> bytes:
    """An 8-bit grey PNG of the film's shape."""
    scale = MAP_SIDE / max(question.height, question.width)
    shape = (max(1, round(question.height * scale)), max(1, round(question.width * scale)))
    return grey(np.rint(resized(heat, shape).clip(0, 1) * 255).astype(np.uint8))
