"""A snapshot as generation sees it: of each study its frontal and its lateral film, and the report to be written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from core.findings import NO_FINDING, State
from core.labels import effective
from core.recipes import GenerationRecipe
from core.reports import Report, ReportOrigin
from core.snapshots import Manifest, SnapshotStudy
from core.studies import Split
from core.text_scores import tokens
from core.writing import SECTIONS
from trainers.generation.cropping import LungFinder, Views
from trainers.generation.pieces import Pieces
from trainers.mirroring import mirrored_text
from trainers.retrieval.data import Pose, films_by_pose

IGNORED = -100
"""Where there is no piece to be learned."""


@dataclass(frozen=True)
class Reading:
    """A study: its films by pose, the sections to be written in reading order, the indication, and whether it is
    normal, None where nobody said.

    `weight` is how much its report counts in learning. `item` names it in scores; `patient` groups studies that are no
    independent trials.
    """

    item: str
    patient: str
    dataset: str
    key: str
    films: Mapping[Pose, str]
    sections: tuple[tuple[str, str], ...]
    indication: str
    normal: bool | None
    weight: float = 1.0

    @property
    def report(self) -> Report:
        return Report(**dict(self.sections))

    @property
    def text(self) -> str:
        return " ".join(text for _, text in self.sections)


@dataclass(frozen=True)
class GenerationData:
    """What is learned and from what. `left_out` counts the training studies that cannot be learned from, by reason;
    `start` is the folder of the model that training goes on from; `lungs` finds those to which frontal films are
    cropped, `uncropped` says why nothing does."""

    training: tuple[Reading, ...]
    validation: tuple[Reading, ...]
    films: Views
    left_out: Mapping[str, int] = field(default_factory=dict)
    start: Path | None = None
    weights: tuple[Path, ...] = ()
    lungs: LungFinder | None = None
    uncropped: str = ""


class ReadingBatch(NamedTuple):
    """B studies. `images` (B, 2, H, W) uint8, a place for each pose, and `seen` (B, 2), True where there is a film.
    `before` (B, T) are the pieces that are told, `wanted` (B, T) those that come next, IGNORED where nothing does.
    `normal` (B,) is 1, 0, or NaN where nobody said. `asked` (B, M) are the indication's pieces, `told` (B, M) where
    there is one. `weight` (B,) is how much each report counts."""

    images: Tensor
    seen: Tensor
    before: Tensor
    wanted: Tensor
    normal: Tensor
    asked: Tensor
    told: Tensor
    weight: Tensor


def wanted_sections(recipe: GenerationRecipe) -> tuple[str, ...]:
    """The sections that are written."""
    return SECTIONS if recipe.target == "both" else (recipe.target,)


def readings_of(
    manifest: Manifest, split: Split | None, recipe: GenerationRecipe
) -> tuple[tuple[Reading, ...], Mapping[str, int]]:
    """The studies of a split (None: of all) that can be learned from, and how many cannot, by reason."""
    kept, left_out = [], Counter[str]()
    for study in manifest.studies if split is None else manifest.of(split):
        one = _reading(study, recipe)
        if not one.films:
            left_out["no film"] += 1
        elif not one.sections:
            left_out[f"no {recipe.target if recipe.target != 'both' else 'report'}"] += 1
        else:
            kept.append(one)
    return tuple(kept), dict(left_out)


def _reading(study: SnapshotStudy, recipe: GenerationRecipe) -> Reading:
    said = effective(label for label in study.labels if str(label.source) in recipe.label_sources)
    states = {key: one.state for key, one in said.items()}
    report = study.report or Report()
    sections = tuple((name, getattr(report, name)) for name in wanted_sections(recipe) if tokens(getattr(report, name)))
    return Reading(
        item=f"{study.dataset}/{study.key}",
        patient=f"{study.dataset}/{study.patient}",
        dataset=study.dataset,
        key=study.key,
        films=films_by_pose(study.images),
        sections=sections,
        indication=report.indication,
        normal=_is_normal(states),
        weight={ReportOrigin.CORRECTED: recipe.corrected_weight, ReportOrigin.SIGNED: recipe.signed_weight}.get(
            study.report_origin, 1.0
        ),
    )


def _is_normal(states: Mapping[str, State]) -> bool | None:
    if states.get(NO_FINDING) in (State.PRESENT, State.ABSENT):
        return states[NO_FINDING] is State.PRESENT
    return False if State.PRESENT in states.values() else None


class Collate:
    """Studies to a batch. `varied` is for learning: some are mirrored, films and words, and of two views one is hidden
    at times."""

    def __init__(self, films: Views, pieces: Pieces, recipe: GenerationRecipe, varied: bool) -> None:
        self._films, self._pieces, self._recipe, self._varied = films, pieces, recipe, varied

    def __call__(self, readings: Sequence[Reading], chance: np.random.Generator) -> ReadingBatch:
        flips = chance.random(len(readings)) < (self._recipe.flip_probability if self._varied else 0)
        hides = chance.random(len(readings)) < (self._recipe.view_dropout if self._varied else 0)
        which = chance.integers(0, len(Pose), len(readings))
        side = self._films.side
        images = np.zeros((len(readings), len(Pose), side, side), np.uint8)
        seen = np.zeros((len(readings), len(Pose)), np.bool_)
        for row, one in enumerate(readings):
            hidden = Pose(int(which[row])) if hides[row] and len(one.films) > 1 else None
            for pose, sha in one.films.items():
                if pose is hidden:
                    continue
                film = self._films.film(sha, pose)
                images[row, pose] = film[:, ::-1] if flips[row] else film
                seen[row, pose] = True
        reports = [self._report(one, bool(flip)) for one, flip in zip(readings, flips, strict=True)]
        asked, told = asked_pieces([one.indication for one in readings], self._pieces, self._recipe)
        return ReadingBatch(
            images=torch.from_numpy(images),
            seen=torch.from_numpy(seen),
            before=_filled([report[:-1] for report in reports], self._pieces.nothing),
            wanted=_filled([report[1:] for report in reports], IGNORED),
            normal=torch.tensor([float("nan") if one.normal is None else float(one.normal) for one in readings]),
            asked=asked,
            told=told,
            weight=torch.tensor([one.weight for one in readings]),
        )

    def _report(self, one: Reading, flip: bool) -> list[int]:
        said = [(name, mirrored_text(text) if flip else text) for name, text in one.sections]
        pieces = self._pieces.of_report(said)
        # A report that is longer than what is learned has no end that could be learned.
        return pieces[: self._recipe.most_tokens + 1]


def asked_pieces(indications: Sequence[str], pieces: Pieces, recipe: GenerationRecipe) -> tuple[Tensor, Tensor]:
    """(B, M) pieces of indications, and (B, M), True where there is one; one piece at least."""
    spelled = [[*pieces.spell(text)[: recipe.most_tokens - 1], pieces.end] for text in indications]
    asked = _filled(spelled, pieces.nothing)
    return asked, torch.arange(asked.shape[1]) < torch.tensor([len(one) for one in spelled])[:, None]


def _filled(rows: Sequence[Sequence[int]], filling: int) -> Tensor:
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[filling] * (longest - len(row))] for row in rows])
