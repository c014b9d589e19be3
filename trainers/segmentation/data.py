"""A snapshot as segmentation sees it: films, and for each the findings whose truth is known, marked or empty."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.findings import Finding, UnknownFinding
from core.snapshots import Manifest, SnapshotImage
from core.studies import Split, View
from trainers.backbones import TextFeatures
from trainers.contract import NothingToLearn
from trainers.datasets import FilmCache
from trainers.segmentation.batches import SegmentationBatch
from trainers.segmentation.prompts import mirrored_text, paraphrases_for


@dataclass(frozen=True)
class Film:
    """A film and its truths: for each finding with a known truth, the masks whose union it is; none where it is absent.

    `item` names it in scores; `patient` groups films that are no independent trials.
    """

    sha: str
    item: str
    patient: str
    study: str
    height: int
    width: int
    truths: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class SegmentationData:
    """What is learned and from what. `findings` are in the vocabulary's order."""

    findings: tuple[Finding, ...]
    training: tuple[Film, ...]
    validation: tuple[Film, ...]
    films: FilmCache


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
                        image.height, image.width, truths,
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


class Collate:
    """Films to a batch: their pixels, and up to `prompts_per_image` of their findings, drawn at random.

    A marked finding is always preferred to an absent one, so that rare findings are not drowned by their absence.
    """

    def __init__(
        self,
        films: FilmCache,
        findings: Sequence[Finding],
        text: TextFeatures,
        prompts_per_image: int,
        paraphrase: bool,
    ) -> None:
        self._films, self._limit = films, prompts_per_image
        self._rows = {finding.key: row for row, finding in enumerate(findings)}
        self._texts = {f.key: paraphrases_for(f) if paraphrase else paraphrases_for(f)[:1] for f in findings}
        self._text = text

    def __call__(self, films: Sequence[Film], chance: np.random.Generator) -> SegmentationBatch:
        asked = [(row, key) for row, film in enumerate(films) for key in self._drawn(film, chance)]
        texts = [self._texts[key][int(chance.integers(len(self._texts[key])))] for _, key in asked]
        masks = np.stack([self._films.mask(films[row].truths[key]) for row, key in asked])
        pixels = np.stack([self._films.film(film.sha) for film in films])
        return SegmentationBatch(
            images=torch.from_numpy(pixels)[:, None],
            masks=torch.from_numpy(masks)[:, None],
            image_of=torch.tensor([row for row, _ in asked]),
            text=self._text(texts),
            mirrored_text=self._text([mirrored_text(text) for text in texts]),
            finding_of=torch.tensor([self._rows[key] for _, key in asked]),
        )

    def _drawn(self, film: Film, chance: np.random.Generator) -> list[str]:
        keys = sorted(key for key in film.truths if key in self._rows)
        order = [keys[i] for i in chance.permutation(len(keys))]
        return sorted(order, key=lambda key: not film.truths[key])[: self._limit]
