"""All answers to many exams, column by column, and what validation chooses by them."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from core.bootstrap import Values
from core.calibration import at_temperature, best_temperature
from core.discrimination import best_f1_threshold
from core.findings import Finding
from trainers.classification.columns import FUSED, IMAGE, SHUFFLED, TEXT, columns_of
from trainers.classification.data import Exam
from trainers.classification.model import Calibrated, ClassificationModel
from trainers.classification.neighbours import Neighbours
from trainers.datasets import FilmCache
from trainers.scores import truth_of

EXAMS_AT_ONCE = 16

Logits = Mapping[str, NDArray[np.float64]]
"""By column (n, F)."""


def answer_all(
    model: ClassificationModel, exams: Sequence[Exam], films: FilmCache, each: Callable[[int], None]
) -> Logits:
    """The logits of every exam in every column of the model; `each` hears how many are done. A film is encoded once."""
    columns, others = columns_of(model.recipe), exchanged(exams)
    told: dict[str, list[NDArray[np.float64]]] = {column: [] for column in columns}
    for start in range(0, len(exams), EXAMS_AT_ONCE):
        group = exams[start : start + EXAMS_AT_ONCE]
        sees, reads = IMAGE in columns, TEXT in columns
        patches = model.patches(model.encode([films.film(exam.sha) for exam in group])) if sees else None
        if reads:
            own = model.words([exam.context for exam in group])
            another = model.words(others[start : start + EXAMS_AT_ONCE])
            told[TEXT].append(model.answer(None, own))
            told[SHUFFLED].append(model.answer(patches, another))
            if sees:
                told[FUSED].append(model.answer(patches, own))
        if sees:
            told[IMAGE].append(model.answer(patches, None))
        each(min(start + EXAMS_AT_ONCE, len(exams)))
    nothing = np.zeros((0, len(model.findings)))
    return {column: np.concatenate([nothing, *answers]) for column, answers in told.items()}


def exchanged(exams: Sequence[Exam]) -> list[str]:
    """For each exam the context of the next one, round about, that is another patient's and has one. An exam without a
    context gets none: it is what was written that is exchanged, not whether something was."""
    written = [exam for exam in exams if exam.context]
    others = {exam.item: _next_patients(written, place) for place, exam in enumerate(written)}
    return [others.get(exam.item, "") for exam in exams]


def _next_patients(written: Sequence[Exam], place: int) -> str:
    """The context of the first exam after this one that is another patient's; its own where there is none."""
    after = (written[(place + step) % len(written)] for step in range(1, len(written)))
    return next((other.context for other in after if other.patient != written[place].patient), written[place].context)


def calibrate(findings: Sequence[Finding], exams: Sequence[Exam], logits: Logits) -> Calibrated:
    """Temperatures and thresholds from validation exams and the logits of a model on them."""
    temperatures: dict[str, float] = {}
    thresholds: dict[str, dict[str, float | None]] = {}
    for column in (column for column in logits if column != SHUFFLED):
        known = [truth_of(exams, finding.key) for finding in findings]
        said = [logits[column][rows, place] for place, (rows, _) in enumerate(known)]
        temperature = best_temperature(np.concatenate(said or [np.zeros(0)]), np.concatenate([t for _, t in known]))
        temperatures[column] = temperature
        thresholds[column] = {
            finding.key: best_f1_threshold(at_temperature(scores, temperature), truth)
            for finding, scores, (_, truth) in zip(findings, said, known, strict=True)
        }
    return Calibrated(temperatures, thresholds)


def neighbours_of(model: ClassificationModel, exams: Sequence[Exam], films: FilmCache) -> Neighbours:
    """Training exams as the model sees them; nobody where it sees no films."""
    if IMAGE not in columns_of(model.recipe) or not exams:
        return Neighbours.nobody()
    looks = []
    for start in range(0, len(exams), EXAMS_AT_ONCE):
        squares = [films.film(exam.sha) for exam in exams[start : start + EXAMS_AT_ONCE]]
        looks.append(model.look(model.patches(model.encode(squares))))
    return Neighbours.of(exams, torch.cat(looks))


def probabilities(model: ClassificationModel, logits: Logits) -> Mapping[str, Values]:
    """By column (n, F), as validation has calibrated them."""
    return {column: model.calibrated.probability(column, values) for column, values in logits.items()}
