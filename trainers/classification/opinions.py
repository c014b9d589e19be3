"""What a reader is told of one film: for each finding a probability with its evidence, as plain JSON values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

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
from trainers.classification.explanation import Explained, explain
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
    deepest = model.encode([question.square]) if reads_films(model.recipe) else None
    patches = model.patches(deepest) if deepest is not None else None
    column, said = _answers(model, patches, question.context)
    if column is None:
        return []
    rows = [model.keys.index(key) for key in asked]
    ranked = sorted(rows, key=lambda row: -said[column][row])
    explained: list[Explained | None] = [None] * len(ranked)
    if deepest is not None:
        explained = list(explain(model, question.square, deepest, question.context, ranked))
    heats = [None if one is None else _over(question, one.heat, model.recipe.fit) for one in explained]
    maps = iter(store.put_many(_png(heat, question) for heat in heats if heat is not None and heat.any()))
    look = model.look(patches)[0] if patches is not None else None
    remarks, read_words = _remarks(model, question.context)
    beside = {"context": "real" if question.context else "none", "read_words": read_words, "remarks": remarks}
    found = []
    for place, (row, one, heat) in enumerate(zip(ranked, explained, heats, strict=True), start=1):
        finding = model.findings[row]
        evidence = Evidence(
            finding=finding,
            rank=place,
            of=len(ranked),
            probability=float(said[column][row]),
            without=float(said[IMAGE][row]) if column == FUSED else None,
            threshold=model.calibrated.threshold(column, finding.key),
            heat=heat,
            words=one.words if one is not None else (),
            nearest=model.neighbours.nearest(look, finding.key) if look is not None else (),
        )
        shown = next(maps) if heat is not None and heat.any() else None
        found.append((finding.key, _payload(evidence, shown) | beside))
    return found


def _payload(evidence: Evidence, shown: str | None) -> dict[str, Any]:
    probability, threshold = evidence.probability, evidence.threshold
    says = None
    if threshold is not None:
        says = str(State.PRESENT if probability >= threshold else State.ABSENT)
    return {
        "probability": round(probability, 4),
        "without_context": round(probability if evidence.without is None else evidence.without, 4),
        "threshold": None if threshold is None else round(threshold, 4),
        "says": says,
        "map": shown,
        "words": [[word, share] for word, share in evidence.words],
        "nearest": [
            {"dataset": one.dataset, "key": one.key, "state": str(one.state), "similarity": one.similarity}
            for one in evidence.nearest
        ],
        "differential": told(evidence),
        "rank": evidence.rank,
    }


def _answers(model: ClassificationModel, patches: Tensor | None, context: str) -> tuple[str | None, dict[str, Values]]:
    """The column that answers, None where none can, and the probabilities (F,) of all that do: with the context where
    there is one, and without."""
    logits: dict[str, Values] = {}
    if patches is not None:
        logits[IMAGE] = model.answer(patches, None)[0]
    if context:
        logits[TEXT if patches is None else FUSED] = model.answer(patches, model.words([context]))[0]
    said = {column: model.calibrated.probability(column, values) for column, values in logits.items()}
    return (list(said)[-1] if said else None), said


def _remarks(model: ClassificationModel, context: str) -> tuple[list[str], int | None]:
    """What is to be known of how the context was read, and how many of its words were, None where all."""
    if not context or model.text is None:
        return [], None
    remarks = [note] if (note := language_note(context)) else []
    cut = model.text([context])[0].read_words
    if cut is not None:
        remarks.append(f"The context is long: its first {cut} words were read.")
    return remarks, cut


def _over(question: Question, heat: Heat, fit: str) -> Heat:
    return over_film(heat, question.height, question.width, len(question.square), fit)


def _png(heat: Heat, question: Question) -> bytes:
    """An 8-bit grey PNG of the film's shape."""
    scale = MAP_SIDE / max(question.height, question.width)
    shape = (max(1, round(question.height * scale)), max(1, round(question.width * scale)))
    return grey(np.rint(resized(heat, shape).clip(0, 1) * 255).astype(np.uint8))
