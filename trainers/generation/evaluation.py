"""How a generation model did on one split: its reports beside all floors, the films drawn again, normal or abnormal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from core.bootstrap import Draws, Statistic
from core.discrimination import auroc
from core.metrics import ItemScore, Metric
from core.reports import Report
from core.writing import Decoding
from trainers.augmentation import as_floats
from trainers.datasets import chunks
from trainers.generation.cropping import Views
from trainers.generation.data import Reading
from trainers.generation.floors import random_reports
from trainers.generation.model import GenerationModel
from trainers.generation.scoring import Judge
from trainers.generation.words import Seen
from trainers.generation.writing import report_of
from trainers.precision import autocast
from trainers.pretraining.evaluation import psnr, ssim
from trainers.retrieval.data import Pose

AT_ONCE = 32
SHUFFLED = "_shuffled"
CONSTANT, RANDOM, NEAREST, TEXT_ONLY = "constant_", "random_", "nearest_", "text_only_"
FLOORS = (CONSTANT, RANDOM, NEAREST, TEXT_ONLY)
COMPARED = ("bleu4", "rouge_l", "cider", "label_micro_f1", "label_macro_f1", "report_f1", "normal_f1")

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """What a model made of N studies. `shuffled` are the reports that it writes when it is shown another study's films;
    `latent` (N, L) is what it sees at a glance; `normal` (N,) the probability of a normal study, NaN where it was not
    learned; `redrawn` holds by pose and measure (N,), NaN where there is no such film; `cut` counts reports that grew
    too long."""

    reports: tuple[Report, ...]
    shuffled: tuple[Report, ...]
    latent: NDArray[np.float32]
    normal: Values
    redrawn: Mapping[tuple[Pose, str], Values]
    cut: int


def decoding_of(model: GenerationModel) -> Decoding:
    """How reports are written where nobody says how."""
    recipe = model.recipe
    return Decoding(recipe.temperature, recipe.top_k, recipe.beams, recipe.most_tokens, "", recipe.seed)


def answer(model: GenerationModel, readings: Sequence[Reading], films: Views, each: Callable[[int], None]) -> Answers:
    """`each` hears how many studies are done."""
    how, done = decoding_of(model), 0
    reports: list[Report] = []
    latents, normals, seens = [], [], []
    redrawn: dict[tuple[Pose, str], list[float]] = {(pose, m): [] for pose in Pose for m in ("ssim", "psnr", "mse")}
    cut = 0
    for group in chunks(readings, AT_ONCE):
        seen = _seen(model, group, films)
        written = model.write(seen, how)
        cut += sum(one.is_cut for one in written)
        reports += [report_of(model.pieces, one.pieces) for one in written]
        latents.append(seen.latent.float().cpu().numpy())
        normals.append(_normal(model, seen))
        _redraw(model, group, films, redrawn)
        seens.append(seen)
        done += len(group)
        each(done)
    other: list[Report] = []
    order = _others(readings)
    whole = _joined(seens)
    for rows in chunks(order, AT_ONCE):
        written = model.write(whole.of(torch.tensor(list(rows), device=model.device)), how)
        other += [report_of(model.pieces, one.pieces) for one in written]
    told = {key: np.array(values) for key, values in redrawn.items()}
    return Answers(tuple(reports), tuple(other), np.concatenate(latents), np.concatenate(normals), told, cut)


def glances(
    model: GenerationModel, readings: Sequence[Reading], films: Views, each: Callable[[int], None]
) -> NDArray[np.float32]:
    """(N, L): the latents of studies."""
    found = []
    for done, group in enumerate(chunks(readings, AT_ONCE), start=1):
        found.append(_seen(model, group, films).latent.float().cpu().numpy())
        each(min(done * AT_ONCE, len(readings)))
    return np.concatenate(found)


def measure(
    model: GenerationModel,
    readings: Sequence[Reading],
    training: Sequence[Reading],
    answers: Answers,
    others: Mapping[str, Sequence[Report]],
) -> tuple[tuple[ItemScore, ...], dict[str, Metric]]:
    """All metrics, those of the floors under their prefixes and those with another study's films under SHUFFLED.
    `others` are reports of floors that somebody else wrote or found, by prefix."""
    judge = Judge.of(readings, training)
    metrics = judge.measure(answers.reports)
    shuffled = judge.measure(answers.shuffled)
    metrics |= {f"{name}{SHUFFLED}": shuffled[name] for name in COMPARED}
    floors: dict[str, Sequence[Report]] = {CONSTANT: [model.floor] * len(readings), **others}
    if training:
        floors[RANDOM] = random_reports(training, len(readings))
    for prefix, written in floors.items():
        metrics |= judge.measure(written, prefix)
    metrics |= _redrawn_metrics(readings, answers.redrawn) | _normal_metrics(readings, answers.normal)
    return judge.scores(answers.reports), metrics


def nearest_reports(
    ours: NDArray[np.float32], theirs: NDArray[np.float32], training: Sequence[Reading]
) -> list[Report]:
    """The report of the nearest training study, by the cosine of what was made of both."""
    ours, theirs = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9) for rows in (ours, theirs))
    return [training[int(place)].report for place in (ours @ theirs.T).argmax(axis=1)]


def _seen(model: GenerationModel, group: Sequence[Reading], films: Views) -> Seen:
    squares = [{pose: films.film(sha, pose) for pose, sha in one.films.items()} for one in group]
    return model.see(squares, [one.indication for one in group])


def _joined(parts: Sequence[Seen]) -> Seen:
    """All studies as one; those of an indication are filled up to the longest."""
    longest = max(part.places.shape[1] for part in parts)
    places = [torch.nn.functional.pad(part.places, (0, 0, 0, longest - part.places.shape[1])) for part in parts]
    there = [torch.nn.functional.pad(part.there, (0, longest - part.there.shape[1])) for part in parts]
    return Seen(torch.cat([part.latent for part in parts]), torch.cat(places), torch.cat(there))


def _others(readings: Sequence[Reading]) -> list[int]:
    """For each study another one, of another patient where there is one, by a seed that never changes."""
    order = np.random.default_rng(0).permutation(len(readings))
    others = [0] * len(readings)
    for place, row in enumerate(order):
        behind = [int(order[(place + step) % len(order)]) for step in range(1, len(order))] or [int(row)]
        others[row] = next((other for other in behind if readings[other].patient != readings[row].patient), behind[0])
    return others


@torch.inference_mode()
def _normal(model: GenerationModel, seen: Seen) -> Values:
    with autocast(model.recipe, model.device):
        logits = model.network.is_normal(seen)
    if logits is None:
        return np.full(len(seen.latent), np.nan)
    told: Values = logits.float().sigmoid().cpu().numpy().astype(np.float64)
    return told


@torch.inference_mode()
def _redraw(
    model: GenerationModel, group: Sequence[Reading], films: Views, into: dict[tuple[Pose, str], list[float]]
) -> None:
    for pose in Pose:
        rows = [row for row, one in enumerate(group) if pose in one.films]
        told = {name: np.full(len(group), np.nan) for name in ("ssim", "psnr", "mse")}
        if rows and model.network.redrawing is not None:
            squares = torch.stack([torch.from_numpy(films.film(group[row].films[pose], pose)) for row in rows])[:, None]
            wanted = as_floats(squares.to(model.device))
            with autocast(model.recipe, model.device):
                maps = model.network.encode(model.ready(squares))
                drawn = model.network.redraw(maps, torch.full((len(rows),), int(pose), device=model.device), pose)
            assert drawn is not None
            told["mse"][rows] = (drawn - wanted).square().mean(dim=(1, 2, 3)).cpu().numpy()
            told["psnr"][rows] = psnr(drawn, wanted).cpu().numpy()
            told["ssim"][rows] = ssim(drawn, wanted).cpu().numpy()
        for name, values in told.items():
            into[pose, name] += values.tolist()


def _redrawn_metrics(readings: Sequence[Reading], redrawn: Mapping[tuple[Pose, str], Values]) -> dict[str, Metric]:
    draws = Draws(tuple(one.patient for one in readings))
    found = {}
    for (pose, name), values in redrawn.items():
        rows = np.flatnonzero(~np.isnan(values))
        if len(rows):
            found[f"{name}_{pose.name.lower()}"] = Metric(draws.sample(_mean_of(values[rows]), rows).estimate)
    return found


def _normal_metrics(readings: Sequence[Reading], normal: Values) -> dict[str, Metric]:
    """Normal told from abnormal where that is known: accuracy at one half, that of always saying what is more frequent,
    and AUROC."""
    rows = np.array([row for row, one in enumerate(readings) if one.normal is not None], dtype=np.intp)
    if not len(rows) or np.isnan(normal[rows]).any():
        return {}
    truth = np.array([readings[row].normal for row in rows], dtype=np.bool_)
    said, draws = normal[rows], Draws(tuple(one.patient for one in readings))
    right, share = ((said >= 0.5) == truth).astype(np.float64), truth.astype(np.float64)

    often = share if share.mean() >= 0.5 else 1 - share
    found = {
        name: Metric(draws.sample(_mean_of(values), rows).estimate)
        for name, values in (("accuracy", right), ("accuracy_majority", often))
    }
    if truth.any() and not truth.all():
        found["auroc"] = Metric(draws.sample(lambda weights: auroc(said, truth, weights), rows).estimate)
    return found


def _mean_of(values: Values) -> Statistic:
    return lambda weights: weights @ values / weights.sum(axis=1)
