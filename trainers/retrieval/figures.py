"""What a measurement leaves to look at: searches by film and by text, where texts are found on films, and prompts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.metrics import Metric
from trainers.charts import draw_estimates, spoken
from trainers.datasets import FilmCache
from trainers.gradcam import resized
from trainers.pictures import GROUND, INK, STRIP, TRUTH_COLOUR, under_heat, write
from trainers.retrieval.data import Pair, Pose
from trainers.retrieval.embedding import Embedded
from trainers.retrieval.evaluation import FLOOR, PRECISION, ZERO_SHOT, Judged
from trainers.retrieval.explanation import salience_heat, text_heat
from trainers.retrieval.model import RetrievalModel
from trainers.retrieval.protocols import UNIQUE, Direction

PANEL = 192
ROWS = 4
ACROSS = 5
LETTERS = 30
COLOURS = ("#1F77B4", "#9AA5B1")


def draw_figures(
    folder: Path,
    model: RetrievalModel,
    judged: Judged,
    embedded: Embedded,
    films: FilmCache,
    metrics: Mapping[str, Metric],
) -> None:
    """`grid-i2t.png` and `grid-t2i.png`, `found-on-film.png`, `findings.png` and, of a model that knows it,
    `salience.png`, in the folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for direction in judged.protocols.directions:
        if direction.protocol == UNIQUE:
            _grid(direction, judged.pairs, embedded, films).save(folder / f"grid-{direction.name}.png")
    _found(model, judged.pairs, films).save(folder / "found-on-film.png")
    if (salient := _salient(model, judged.pairs, films)) is not None:
        salient.save(folder / "salience.png")
    _draw_findings(folder / "findings.png", metrics)


def _grid(direction: Direction, pairs: Sequence[Pair], embedded: Embedded, films: FilmCache) -> Image.Image:
    """A row for each of some queries: its study, then the first studies that it brings; framed where they are right."""
    similarity = direction.similarity(embedded)
    chosen = np.linspace(0, len(direction.queries) - 1, min(ROWS, len(direction.queries))).round().astype(int)
    sheet = Image.new("RGB", ((ACROSS + 1) * PANEL, len(chosen) * (PANEL + STRIP)), GROUND)
    draw = ImageDraw.Draw(sheet)
    for row, query in enumerate(chosen):
        top = row * (PANEL + STRIP)
        pair = pairs[direction.queries[query]]
        sheet.paste(_panel(pair, films), (0, top + STRIP))
        write(draw, 4, f"{pair.key}: {pair.text}"[:LETTERS], PANEL - 8, INK, top)
        for place, at in enumerate(np.argsort(-similarity[query], kind="stable")[:ACROSS], start=1):
            found, left = pairs[direction.candidates[at]], place * PANEL
            sheet.paste(_panel(found, films), (left, top + STRIP))
            caption = f"{similarity[query, at]:.2f} {found.key}: {found.text}"[:LETTERS]
            right = bool(direction.relevant[query, at])
            write(draw, left + 4, caption, PANEL - 8, TRUTH_COLOUR if right else INK, top)
            if right:
                edge = (left, top + STRIP, left + PANEL - 1, top + STRIP + PANEL - 1)
                draw.rectangle(edge, outline=TRUTH_COLOUR, width=3)
    return sheet


def _found(model: RetrievalModel, pairs: Sequence[Pair], films: FilmCache) -> Image.Image:
    """Of a few studies the film, and where on it each of its first sentences is found."""
    chosen = [pairs[at] for at in np.linspace(0, len(pairs) - 1, min(ROWS, len(pairs))).round().astype(int)]
    sheet = Image.new("RGB", ((ACROSS + 1) * PANEL, len(chosen) * (PANEL + STRIP)), GROUND)
    draw = ImageDraw.Draw(sheet)
    for row, pair in enumerate(chosen):
        top = row * (PANEL + STRIP)
        pose, sha = next(iter(pair.films.items()))
        square = films.film(sha)
        sheet.paste(_panel(pair, films), (0, top + STRIP))
        write(draw, 4, pair.key, PANEL - 8, INK, top)
        for place, sentence in enumerate(pair.sentences[:ACROSS], start=1):
            heat = text_heat(model, square, pose, [sentence], len(square), len(square))
            shown = under_heat(_small(square), resized(heat, (PANEL, PANEL)))
            sheet.paste(shown, (place * PANEL, top + STRIP))
            write(draw, place * PANEL + 4, sentence[:LETTERS], PANEL - 8, INK, top)
    return sheet


def _salient(model: RetrievalModel, pairs: Sequence[Pair], films: FilmCache) -> Image.Image | None:
    """Films side by side, and under each how salient its places are."""
    shas = [sha for pair in pairs for sha in pair.films.values()][: ACROSS + 1]
    sheet = Image.new("RGB", (len(shas) * PANEL, 2 * PANEL), GROUND)
    for place, sha in enumerate(shas):
        square = films.film(sha)
        heat = salience_heat(model, square, len(square), len(square))
        if heat is None:
            return None
        film = _small(square)
        sheet.paste(Image.fromarray(film).convert("RGB"), (place * PANEL, 0))
        sheet.paste(under_heat(film, resized(heat, film.shape)), (place * PANEL, PANEL))
    return sheet


def _panel(pair: Pair, films: FilmCache) -> Image.Image:
    sha = pair.films.get(Pose.FRONTAL) or next(iter(pair.films.values()))
    return Image.fromarray(_small(films.film(sha))).convert("RGB")


def _small(square: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(square).resize((PANEL, PANEL), Image.Resampling.BILINEAR))


def _draw_findings(place: Path, metrics: Mapping[str, Metric]) -> None:
    """By finding the precision of the nearest studies beside the base rate, and the AUROC of prompts alone."""
    keys = list(metrics[ZERO_SHOT].per_finding)
    figure = Figure(figsize=(2.4 + 0.75 * max(1, len(keys)), 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for axes, names in ((above, (PRECISION, PRECISION + FLOOR)), (below, (ZERO_SHOT,))):
        for name, colour in zip(names, COLOURS, strict=False):
            told = [metrics[name].per_finding[key] for key in keys]
            draw_estimates(axes, range(len(keys)), told, name, colour)
        axes.legend(fontsize="small")
    below.axhline(0.5, color="#9AA5B1", linewidth=0.8, linestyle="--")
    below.set_xticks(range(len(keys)), [spoken(key) for key in keys], rotation=30, ha="right")
    figure.savefig(place, dpi=110)
