"""How good the masks are: Dice, IoU, pixel accuracy, false positives and calibration, with 95 % bootstrap intervals.

Conventions. Masks are compared at the film's own size, at probability 0.5. Dice and IoU are means over the masks that
are not empty; a film without the finding counts in `false_positive` alone (1 when anything at all was marked). Pixel
accuracy counts everywhere. Intervals resample patients, never films.

Beside the honest answer stand those to words that should change it: none at all ("dropped": features of zeros), another
finding's, or, where reports are read, what another patient's report says ("shuffled"), and a denial ("negated"), each
measured against the same truth, as `dice_dropped` and so on, or `false_positive_dropped` where the truth is empty; a
model that listens scores badly. `dice_wrong_prompt` is the other way round: the honest answer against every other
structure's truth.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.bootstrap import Draws
from core.calibration import Counts, bin_counts, calibration_error
from core.findings import VOCABULARY, Finding
from core.masks import Mask, dice, iou, pixel_accuracy
from core.metrics import NOT_EVALUABLE, Estimate, ItemScore, Metric, summarise
from trainers.datasets import FilmCache
from trainers.segmentation.data import Film
from trainers.segmentation.model import SegmentationModel, at_native_size, expected_dice
from trainers.segmentation.prompts import Words, denials_of, prompt_for, words_on

MEAN_METRICS = ("dice", "iou", "pixel_accuracy", "false_positive")
WORDING = ("dropped", "shuffled", "negated")
ON = "dice_on:"
ASIDE = {
    "dice_dropped": "without words",
    "dice_shuffled": "with another finding's words",
    "dice_negated": "when it is denied",
    "dice_wrong_prompt": "on other structures",
}
"""Metrics that a card tells in a sentence, and as what."""
FILMS_AT_ONCE = 8


@dataclass(frozen=True)
class Outlined:
    """One finding on one film: probability and truth at the film's size, and what it scored."""

    film: Film
    finding: str
    probability: NDArray[np.float32]
    truth: Mask
    score: ItemScore

    @property
    def predicted(self) -> Mask:
        return self.probability > 0.5


def outline(
    model: SegmentationModel,
    films: Sequence[Film],
    cache: FilmCache,
    each: Callable[[int], None],
    phrases: Mapping[str, str] | None = None,
    stressed: bool = False,
) -> Iterator[Outlined]:
    """Ask the model for every known truth of every film; `each` hears how many are done.

    `phrases` says by which words a finding is asked for, where that is not its name. `stressed` asks again with the
    words dropped, shuffled and negated, and measures the answers against the other truths of the film.
    """
    for start in range(0, len(films), FILMS_AT_ONCE):
        group = films[start : start + FILMS_AT_ONCE]
        features = model.encode([cache.film(film.sha) for film in group])
        for row, film in enumerate(group):
            other = _next_patients(films, start + row) if stressed else None
            yield from _outlined(model, film, [level[row : row + 1] for level in features], cache, phrases, other)
        each(min(start + FILMS_AT_ONCE, len(films)))


def _next_patients(films: Sequence[Film], place: int) -> Film:
    """The next film of another patient, whose report says nothing of this one; the next film where there is none."""
    after = [*films[place + 1 :], *films[: place + 1]]
    return next((film for film in after if film.patient != films[place].patient), after[0])


def _outlined(
    model: SegmentationModel,
    film: Film,
    features: Sequence[torch.Tensor],
    cache: FilmCache,
    phrases: Mapping[str, str] | None,
    other: Film | None,
) -> Iterator[Outlined]:
    """`other` is the film whose words are tried on this one; None where no words are tried."""
    asked = [finding for finding in model.findings if finding.key in film.truths]
    words = {f.key: words_on(f, film.report, model.recipe.text, (phrases or {}).get(f.key)) for f in asked}
    truths = {f.key: cache.native_mask(film.truths[f.key], film.height, film.width) for f in asked}

    def at_film_size(logits: torch.Tensor) -> NDArray[np.float32]:
        native: NDArray[np.float32] = at_native_size(logits, film.height, film.width, cache.fit).numpy()
        return native

    def marked(text: torch.Tensor) -> NDArray[np.bool_]:
        return at_film_size(model.answer(features, text, [0] * len(text))) > 0.5

    honest = at_film_size(model.outline(features, words, film.report))
    # Masks at once: probabilities of all wordings of a film of 6,000 pixels a side would fill the memory.
    others: dict[str, NDArray[np.bool_]] = {}
    if other is not None:
        others["dropped"] = marked(torch.zeros_like(model.read(list(words.values()))))
        others["shuffled"] = marked(model.read([_exchanged(f, model, other) for f in asked]))
        others["negated"] = marked(model.read([Words(denials_of(f)[0]) for f in asked]))
    for row, finding in enumerate(asked):
        key, truth, predicted = finding.key, truths[finding.key], honest[row] > 0.5
        more: dict[str, float | None] = {}
        if truth.any():
            more |= {f"dice_{how}": dice(answer[row], truth) for how, answer in others.items()}
            more["expected_dice"] = expected_dice(honest[row], predicted)
        else:
            more |= {f"false_positive_{how}": float(answer[row].any()) for how, answer in others.items()}
        if other is not None:
            on = {f.key: dice(predicted, truths[f.key]) for f in asked if truths[f.key].any() and _apart(f, finding)}
            more["dice_wrong_prompt"] = fmean(on.values()) if on else None
            more |= {f"{ON}{other}": value for other, value in on.items()}
        yield Outlined(film, key, honest[row], truth, score_of(film, key, predicted, truth, more))


def _exchanged(finding: Finding, model: SegmentationModel, other: Film) -> Words:
    if model.recipe.text == "prompt":
        return Words(prompt_for(_another(finding, model.findings)))
    return words_on(finding, other.report, model.recipe.text)


def _apart(one: Finding, other: Finding) -> bool:
    """Whether neither is the other, or a part of it."""
    return one.key != other.key and one.key not in other.parts and other.key not in one.parts


def _another(finding: Finding, known: Sequence[Finding]) -> Finding:
    """The next finding after this one that is no part of it; of the usual vocabulary when the model knows no other."""
    for pool in (known, VOCABULARY):
        after = [f for f in pool if f.key == finding.key]
        place = list(pool).index(after[0]) + 1 if after else 0
        for candidate in (*pool[place:], *pool[:place]):
            if _apart(candidate, finding):
                return candidate
    return finding


def score_of(
    film: Film, finding: str, predicted: Mask, truth: Mask, more: Mapping[str, float | None] | None = None
) -> ItemScore:
    """What one answer scored; `more` goes in beside."""
    present = bool(truth.any())
    return ItemScore(
        item=film.item,
        patient=film.patient,
        finding=finding,
        values={
            "dice": dice(predicted, truth) if present else None,
            "iou": iou(predicted, truth) if present else None,
            "pixel_accuracy": pixel_accuracy(predicted, truth),
            "false_positive": None if present else float(predicted.any()),
            **(more or {}),
        },
    )


def metrics_of(scores: Sequence[ItemScore], calibration: "Calibration", stressed: bool) -> dict[str, Metric]:
    names = (*MEAN_METRICS, *(f"dice_{how}" for how in WORDING), "dice_wrong_prompt") if stressed else MEAN_METRICS
    return summarise(scores, names) | {"ece": calibration.metric()}


def details_of(scores: Sequence[ItemScore], calibration: "Calibration") -> dict[str, Any]:
    """For `details.json`: "prompts" has, for each finding asked for, its answers' mean Dice on every structure's truth;
    "reliability" has, for each finding, rows of [pixels, mean probability, share that is true] by bin; "sureness" pairs
    of [expected Dice, Dice], one a film."""
    asked: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    sure: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for score in scores:
        expected, found = score.values.get("expected_dice"), score.values["dice"]
        if expected is not None and found is not None:
            sure[score.finding].append((expected, found))
        for name, value in score.values.items():
            on = score.finding if name == "dice" else name.removeprefix(ON) if name.startswith(ON) else None
            if on is not None and value is not None:
                asked[score.finding][on].append(value)
    return {
        "prompts": {key: {on: fmean(values) for on, values in row.items()} for key, row in asked.items()},
        "reliability": calibration.reliability(),
        "sureness": {key: [list(pair) for pair in pairs] for key, pairs in sure.items()},
    }


def notes_of(metrics: Mapping[str, Metric]) -> tuple[str, ...]:
    """What a card says of the calibration error, and of how much the answer hangs on the words, where measured."""
    lines = []
    error = metrics["ece"].overall.value if "ece" in metrics else None
    if error is not None:
        lines += [f"Calibration: over all pixels its probabilities are off by {error:.4f} on average (ECE).", ""]
    values = {words: metrics[name].overall.value for name, words in ASIDE.items() if name in metrics}
    told = [f"{value:.3f} {words}" for words, value in values.items() if value is not None]
    honest = metrics["dice"].overall.value if "dice" in metrics else None
    if told and honest is not None:
        words = (
            f"Words: Dice {honest:.3f} as asked, {', '.join(told)}. A model that listens is good at the first alone."
        )
        lines += [words, ""]
    return tuple(lines)


class Calibration:
    """Expected calibration error over pixels (Naeini et al. 2015), from counts by patient, finding and bin."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Counts] = {}

    def add(self, patient: str, finding: str, probability: NDArray[np.float32], truth: Mask) -> None:
        key = (patient, finding)
        self._counts[key] = self._counts.get(key, 0.0) + bin_counts(probability, truth)

    def metric(self) -> Metric:
        findings = sorted({finding for _, finding in self._counts})
        return Metric(self._estimate(None), {finding: self._estimate(finding) for finding in findings})

    def reliability(self) -> dict[str, list[list[float]]]:
        """By finding, rows of [pixels, mean probability, share that is true], one for each bin that has pixels."""
        tables: dict[str, Counts] = {}
        for (_, finding), counts in self._counts.items():
            tables[finding] = tables.get(finding, 0.0) + counts
        return {
            finding: [[n, p / n, t / n] for n, p, t in table.tolist() if n] for finding, table in sorted(tables.items())
        }

    def _estimate(self, finding: str | None) -> Estimate:
        by_patient: dict[str, Counts] = {}
        for (patient, key), counts in self._counts.items():
            if finding in (None, key):
                by_patient[patient] = by_patient.get(patient, 0.0) + counts
        if not by_patient:
            return NOT_EVALUABLE
        table = np.stack(list(by_patient.values()))
        draws = Draws(tuple(by_patient))
        return draws.sample(lambda weights: calibration_error(np.tensordot(weights, table, axes=1))).estimate
