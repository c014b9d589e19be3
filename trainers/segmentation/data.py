"""A snapshot as segmentation sees it: films, and for each the findings whose truth is known, marked or empty."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.findings import Finding, UnknownFinding
from core.recipes import SegmentationRecipe
from core.reports import Report
from core.snapshots import Manifest, SnapshotImage
from core.studies import Split, View
from trainers.backbones import TextFeatures
from trainers.contract import NothingToLearn
from trainers.datasets import FilmCache
from trainers.segmentation.batches import SegmentationBatch
from trainers.segmentation.prompts import Words, denials_of, features_of, phrases_for, words_on


@dataclass(frozen=True)
class Film:
    """A film and its truths: for each finding with a known truth, the masks whose union it is; none where it is absent.

    `item` names it in scores; `patient` groups films that are no independent trials. `report` is the study's.
    """

    sha: str
    item: str
    patient: str
    study: str
    height: int
    width: int
    truths: Mapping[str, tuple[str, ...]]
    report: Report | None = None


@dataclass(frozen=True)
class SegmentationData:
    """What is learned and from what. `findings` are in the vocabulary's order; `start` is the folder of the model that
    training goes on from."""

    findings: tuple[Finding, ...]
    training: tuple[Film, ...]
    validation: tuple[Film, ...]
    films: FilmCache
    start: Path | None = None
    weights: tuple[Path, ...] = ()


def learnable_findings(manifest: Manifest, wanted: Sequence[str]) -> tuple[Finding, ...]:
    """The findings that a recipe names, or else all that are marked on some training film.

    A finding made of parts is learned only when it is named. Raises UnknownFinding for a name that the snapshot's
    vocabulary does not hold, NothingToLearn when no training film bears a mask of a finding.
    """
    known = {finding.key: finding for finding in manifest.vocabulary}
    for key in wanted:
        if key not in known:
            raise UnknownFinding(key)
    films = films_of(manifest, Split.TRAIN, known.values())
    marked = {key for film in films for key, masks in film.truths.items() if masks}
    if not marked:
        raise NothingToLearn(
            "The snapshot's training patients have no mask on any frontal film. Draw or import some masks, "
            "and freeze a new snapshot."
        )
    for key in wanted:
        if key not in marked:
            raise NothingToLearn(
                f"No training film bears a mask of {known[key].name.lower()}. Leave it out of the recipe's findings."
            )
    own = {mask.finding for study in manifest.of(Split.TRAIN) for image in study.images for mask in image.masks}
    return tuple(f for f in manifest.vocabulary if f.key in (wanted or marked & own))


def films_of(manifest: Manifest, split: Split | None, findings: Iterable[Finding]) -> tuple[Film, ...]:
    """The films of a split (None: of all) that are not lateral and have a known truth for one of the findings."""
    wanted = tuple(findings)
    films = []
    for study in manifest.studies if split is None else manifest.of(split):
        for image in study.images:
            truths = {f.key: masks for f in wanted if (masks := truth_of(image, f)) is not None}
            if truths and image.view is not View.LATERAL:
                where = f"{study.dataset}/{study.key}"
                films.append(
                    Film(
                        image.sha, f"{where}/{image.name}", f"{study.dataset}/{study.patient}", where,
                        image.height, image.width, truths, study.report,
                    )
                )  # fmt: skip
    return tuple(films)


def truth_of(image: SnapshotImage, finding: Finding) -> tuple[str, ...] | None:
    """The masks whose union is the finding on this film; none when it is absent; None when nobody has said.

    A finding made of parts (the lungs) is the union of its parts where it has no mask of its own and all have theirs.
    """
    masks = {mask.finding: mask for mask in image.masks}
    own = masks.get(finding.key)
    if own is not None:
        return (own.sha,) if own.stats.area else ()
    if finding.key in image.absent:
        return ()
    if finding.parts and all(part in masks for part in finding.parts):
        return tuple(masks[part].sha for part in finding.parts if masks[part].stats.area)
    return None


def rarity(films: Sequence[Film], oversample: float) -> list[float]:
    """How much more often each film is drawn than one with the commonest finding: (n_max / n)^oversample of its rarest
    marked finding, 1 for a film on which nothing is marked (after the repeat factors of Gupta et al. 2019)."""
    marked = Counter(key for film in films for key, masks in film.truths.items() if masks)
    most = max(marked.values(), default=1)
    return [
        max(((most / marked[key]) ** oversample for key, masks in film.truths.items() if masks), default=1.0)
        for film in films
    ]


class Collate:
    """Films to a batch: their pixels, and up to `prompts_per_image` of their findings, drawn at random.

    Marked findings come first, so that rare ones are not drowned by their absence; `absent_prompts` of the places are
    kept for findings known to be absent. `varied` is for learning: phrases are drawn and some deny the finding, with an
    empty mask for an answer; else each known finding is asked for by its name.
    """

    def __init__(
        self,
        films: FilmCache,
        findings: Sequence[Finding],
        text: TextFeatures,
        recipe: SegmentationRecipe,
        varied: bool,
    ) -> None:
        self._films, self._recipe, self._varied, self._text = films, recipe, varied, text
        self._findings = {finding.key: finding for finding in findings}
        self._rows = {key: row for row, key in enumerate(self._findings)}
        self._phrases = {f.key: phrases_for(f) for f in findings}
        self._denials = {f.key: denials_of(f) for f in findings}

    def __call__(self, films: Sequence[Film], chance: np.random.Generator) -> SegmentationBatch:
        asked = [(row, key) for row, film in enumerate(films) for key in self._drawn(film, chance)]
        words, masks = [], []
        for row, key in asked:
            said, denied = self._words(films[row], key, chance)
            words.append(said)
            masks.append(self._films.mask(() if denied else films[row].truths[key]))
        pixels = np.stack([self._films.film(film.sha) for film in films])
        sections = sections_of(self._recipe)
        return SegmentationBatch(
            images=torch.from_numpy(pixels)[:, None],
            masks=torch.from_numpy(np.stack(masks))[:, None],
            image_of=torch.tensor([row for row, _ in asked]),
            text=features_of(words, self._text, sections),
            mirrored_text=features_of([one.mirrored for one in words], self._text, sections),
            finding_of=torch.tensor([self._rows[key] for _, key in asked]),
        )

    def _words(self, film: Film, key: str, chance: np.random.Generator) -> tuple[Words, bool]:
        finding, recipe = self._findings[key], self._recipe
        if not self._varied:
            return words_on(finding, film.report, recipe.text), False
        denied = chance.random() < recipe.negated_share
        choices = self._denials[key] if denied else self._phrases[key] if recipe.paraphrases else ()
        phrase = choices[int(chance.integers(len(choices)))] if choices else None
        if denied:
            return Words(str(phrase)), True
        return words_on(finding, film.report, recipe.text, phrase), False

    def _drawn(self, film: Film, chance: np.random.Generator) -> list[str]:
        keys = sorted(key for key in film.truths if key in self._rows)
        order = [keys[i] for i in chance.permutation(len(keys))]
        if not self._varied:
            return order
        marked, absent = [k for k in order if film.truths[k]], [k for k in order if not film.truths[k]]
        kept = min(len(absent), self._recipe.absent_prompts if marked else self._recipe.prompts_per_image)
        return [*marked[: self._recipe.prompts_per_image - kept], *absent[:kept]]


def sections_of(recipe: SegmentationRecipe) -> int:
    """How many of a report's sections the network reads beside the prompt."""
    return 2 if recipe.text == "report" else 0
