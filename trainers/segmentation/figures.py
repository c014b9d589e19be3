"""What a measurement leaves to be checked in one look: the failures first, then the usual and the best, where the
network looked, how far its probabilities can be believed, and whether it listens to words."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from core.metrics import ItemScore
from trainers.charts import draw_reliability, spoken
from trainers.datasets import FilmCache, read_film
from trainers.gradcam import Heat, gradcam, over_film, resized
from trainers.pictures import Look, heated, outlined, overlay, tri_panel
from trainers.segmentation.data import Film
from trainers.segmentation.evaluation import outline
from trainers.segmentation.model import SegmentationModel
from trainers.segmentation.prompts import words_on

WORST, MEDIAN, BEST = 3, 2, 2
SHARED_FILMS = 12
SHARED_SIDE = 256
FILMS = "films"
PICTURES = "pictures.json"

Asked = tuple[str, str]


@dataclass(frozen=True)
class Chosen:
    """One answer worth a look: how it ranks ("worst", "median" or "best", from 1), and what it scored."""

    item: str
    finding: str
    group: str
    rank: int
    dice: float


def draw_figures(
    folder: Path,
    model: SegmentationModel,
    films: Sequence[Film],
    cache: FilmCache,
    scores: Sequence[ItemScore],
    details: Mapping[str, Any],
    each: Callable[[int, int], None],
) -> None:
    """Every figure of a measurement, in the folder, which is made; `each` hears how many films of how many are drawn.

    For each finding `<finding>-<group>-<rank>.png` (film, truth, prediction), `overlay-<finding>-<n>.png` (both
    outlines, in the same order), with their Dice in `pictures.json`, and `gradcam-<finding>-<n>.png`; `reliability.png`
    and `prompts.png`; and the folder `films`, small overlays of the same few films whatever the model, with
    `films.json` saying which is which.
    """
    folder.mkdir(parents=True, exist_ok=True)
    dice = {(s.item, s.finding): value for s in scores if (value := s.values["dice"]) is not None}
    chosen = choose(dice)
    shared = shared_films(dice)
    looks, small = _looks(model, films, cache, {(c.item, c.finding) for c in chosen}, set(shared), each)
    _draw_chosen(folder, chosen, looks)
    _draw_gradcams(folder, model, {film.item: film for film in films}, cache, chosen, looks)
    _draw_shared(folder / FILMS, {asked: dice[asked] for asked in shared}, small)
    if details["reliability"]:
        draw_reliability(folder / "reliability.png", details["reliability"], "pixels")
    if details["prompts"]:
        draw_prompts(folder / "prompts.png", details["prompts"])


def choose(dice: Mapping[Asked, float]) -> list[Chosen]:
    """Of each finding's answers the worst, some in the middle, and the best; the worst come first, and few answers are
    not shown twice."""
    by_finding: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for (item, finding), value in dice.items():
        by_finding[finding].append((value, item))
    chosen = []
    for finding, answers in sorted(by_finding.items()):
        answers.sort()
        worst = answers[: min(WORST, max(1, len(answers) - 2))]
        rest = answers[len(worst) :]
        best = rest[max(0, len(rest) - min(BEST, (len(rest) + 1) // 2)) :]
        others = rest[: len(rest) - len(best)]
        from_middle = sorted(range(len(others)), key=lambda at: (abs(at + len(worst) - (len(answers) - 1) / 2), at))
        groups = {"worst": worst, "median": [others[at] for at in from_middle[:MEDIAN]], "best": best[::-1]}
        chosen += [
            Chosen(item, finding, group, rank, value)
            for group, kept in groups.items()
            for rank, (value, item) in enumerate(kept, start=1)
        ]
    return chosen


def shared_films(dice: Mapping[Asked, float]) -> list[Asked]:
    """The films of each finding that every model shows, so that two models can be compared by eye: chosen by the hash
    of their names, which no model had a say in."""
    by_finding: dict[str, list[str]] = defaultdict(list)
    for item, finding in dice:
        by_finding[finding].append(item)
    return [
        (item, finding)
        for finding, items in sorted(by_finding.items())
        for item in sorted(items, key=lambda item: sha256(item.encode()).hexdigest())[:SHARED_FILMS]
    ]


def draw_prompts(place: Path, prompts: Mapping[str, Mapping[str, float]]) -> None:
    """Mean Dice of what each prompt marked (rows) on each structure's truth (columns)."""
    asked, on = list(prompts), list(dict.fromkeys(key for row in prompts.values() for key in row))
    table = np.array([[prompts[one].get(other, np.nan) for other in on] for one in asked])
    figure = Figure(figsize=(2.6 + 0.8 * len(on), 1.8 + 0.5 * len(asked)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(table, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(on)), [spoken(key) for key in on], rotation=30, ha="right")
    axes.set_yticks(range(len(asked)), [spoken(key) for key in asked])
    axes.set_xlabel("truth of")
    axes.set_ylabel("asked for")
    _number_cells(axes, table)
    figure.savefig(place, dpi=110)


def _looks(
    model: SegmentationModel,
    films: Sequence[Film],
    cache: FilmCache,
    large: set[Asked],
    small: set[Asked],
    each: Callable[[int, int], None],
) -> tuple[dict[Asked, Look], dict[Asked, Look]]:
    """The model's answers once more, for those alone that are drawn: full-size masks of all would not fit in memory."""
    wanted = {item for item, _ in large | small}
    again = [film for film in films if film.item in wanted]
    looks: tuple[dict[Asked, Look], dict[Asked, Look]] = ({}, {})
    answered = outline(model, again, cache, lambda done: each(done, len(again)))
    for film, answers in groupby(answered, lambda answer: answer.film):
        pixels = read_film(cache.store.get(film.sha))
        for answer in answers:
            asked = (film.item, answer.finding)
            if asked in large:
                looks[0][asked] = Look.of(pixels, answer.truth, answer.predicted)
            if asked in small:
                looks[1][asked] = Look.of(pixels, answer.truth, answer.predicted, SHARED_SIDE)
    return looks


def _draw_chosen(folder: Path, chosen: Sequence[Chosen], looks: Mapping[Asked, Look]) -> None:
    place: dict[str, int] = defaultdict(int)
    dice: dict[str, float] = {}
    for one in chosen:
        look, caption = looks[one.item, one.finding], _caption(one)
        place[one.finding] += 1
        sheet, outlines = f"{one.finding}-{one.group}-{one.rank}.png", f"overlay-{one.finding}-{place[one.finding]}.png"
        tri_panel(look, caption).save(folder / sheet)
        overlay(look, caption).save(folder / outlines)
        dice |= dict.fromkeys((sheet, outlines), one.dice)
    (folder / PICTURES).write_text(json.dumps(dice, indent=1) + "\n", encoding="utf-8")


def _draw_gradcams(
    folder: Path,
    model: SegmentationModel,
    films: Mapping[str, Film],
    cache: FilmCache,
    chosen: Sequence[Chosen],
    looks: Mapping[Asked, Look],
) -> None:
    """One for the worst, one for the middle and one for the best answer of each finding that marked anything."""
    drawn: dict[str, set[str]] = defaultdict(set)
    for one in chosen:
        look = looks[one.item, one.finding]
        if one.group in drawn[one.finding] or not look.predicted.any():
            continue
        heat = where_it_looked(model, films[one.item], one.finding, cache)
        if heat is not None:
            drawn[one.finding].add(one.group)
            name = f"gradcam-{one.finding}-{len(drawn[one.finding])}.png"
            heated(look, resized(heat, look.pixels.shape), _caption(one)).save(folder / name)


def where_it_looked(model: SegmentationModel, film: Film, finding: str, cache: FilmCache) -> Heat | None:
    """Grad-CAM of the image encoder's deepest map for the mean logit inside the mask, (tall, wide) in [0, 1], as large
    as the film is in its square. None where nothing is marked."""
    asked = next(known for known in model.findings if known.key == finding)
    text = model.read([words_on(asked, film.report, model.recipe.text)])
    # Clones: what was computed for answering alone can bear no gradient.
    features = [level.float().clone() for level in model.encode([cache.film(film.sha)])]
    features[-1].requires_grad_(True)
    device = features[-1].device
    with torch.enable_grad():
        logits = model.network.decode(
            features, text.clone().to(device), torch.zeros(1, dtype=torch.int64, device=device)
        )
        marked = logits[logits > 0]
        if not len(marked):
            return None
        heat = gradcam(features[-1], marked.mean())
    return over_film(heat, film.height, film.width, cache.side, cache.fit)


def _draw_shared(folder: Path, dice: Mapping[Asked, float], looks: Mapping[Asked, Look]) -> None:
    folder.mkdir(exist_ok=True)
    rows = []
    for (item, finding), value in dice.items():
        name = f"{finding}-{sha256(item.encode()).hexdigest()[:16]}.png"
        outlined(looks[item, finding]).save(folder / name)
        rows.append({"item": item, "finding": finding, "dice": value, "picture": name})
    (folder / "films.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _number_cells(axes: Axes, table: NDArray[np.float64]) -> None:
    for (row, column), value in np.ndenumerate(table):
        if not np.isnan(value):
            colour = "white" if value > 0.55 else "black"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour)


def _caption(one: Chosen) -> str:
    return f"{one.item}  {one.group} {one.rank}, Dice {one.dice:.3f}"
