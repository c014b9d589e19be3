"""CheXlocalize: segmentations by radiologists of CheXpert's validation and test films, beside a tree of the films.

`gt_segmentations_val.json` and `gt_segmentations_test.json` give, for each film (`patient64541_study1_view1_frontal`),
ten findings by name, each in COCO run lengths of the film's size. All that stands there was judged: run lengths in
which nothing is marked state that the finding is absent, and a finding that is not named is unknown. The film itself
lies at `patient64541/study1/view1_frontal.jpg` below `CheXpert/val` (`valid` in older copies) or `CheXpert/test`. That
folder's name gives the split, or else the name of the JSON.

Saporta et al. 2022, "Benchmarking saliency methods for chest X-ray interpretation".
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from core.findings import VOCABULARY, by_key
from core.studies import IncomingImage, IncomingMask, IncomingStudy, Skipped, Split, View
from data import records
from data.importers import films
from data.importers.chexpert_tree import FilmName, film_name, place_of, trees
from data.importers.classes import finding_of
from data.importers.plan import ImportOptions, ImportPlan, MaskOfAnotherSize, NothingToImport
from data.pixels import UnreadableImage

_SEGMENTATIONS: Final = "gt_segmentations*.json"
_MOST_TOLD: Final = 3
"""Reasons named when files hold no segmentation at all."""


@dataclass(frozen=True)
class _Film:
    """A film that the segmentations name. `findings` has the run lengths as they stand in the JSON called `source`."""

    name: str
    place: FilmName
    findings: Mapping[str, Any]
    source: str


@dataclass(frozen=True)
class _Release:
    """The films named, by study, and the folders that hold patients."""

    studies: Mapping[str, list[_Film]]
    trees: tuple[Path, ...]

    def stream(self, skipped: list[Skipped], warnings: list[str], workers: int) -> Iterator[IncomingStudy | Skipped]:
        yield from skipped
        unfit = 0
        for made in films.ahead(self._study, self.studies, workers):
            unfit += sum(isinstance(item, MaskOfAnotherSize) for item in made)
            yield from made
        if unfit:
            warnings.append(
                f"{unfit} segmentations are of another size than their films. They were drawn on CheXpert's films at "
                "full size, not on those of CheXpert-v1.0-small. Import them beside the films at full size."
            )

    def _study(self, key: str) -> list[IncomingStudy | Skipped]:
        made: list[IncomingStudy | Skipped] = []
        images: list[IncomingImage] = []
        split: Split | None = None
        named = sorted(self.studies[key], key=lambda film: (film.place.is_lateral, film.place.view))
        for film in named:
            place = film.place
            path = place_of(place, self.trees)
            if path is None:
                reason = f"{place.patient}/{place.study}/{place.view}.jpg is in none of the folders that hold patients"
                made.append(Skipped(film.name, reason))
                continue
            try:
                image = films.film(path, place.view, View.LATERAL if place.is_lateral else View.FRONTAL)
            except UnreadableImage as error:
                made.append(Skipped(film.name, str(error)))
                continue
            images.append(_marked(image, film, made))
            tree = path.parents[2]
            split = split or films.split_named(tree.name) or films.split_named(Path(film.source).stem.split("_")[-1])
        if images:
            first = named[0].place
            made.append(IncomingStudy(first.patient, key, tuple(images), split=split, order=first.order))
        return made


def plan(path: Path, options: ImportOptions) -> ImportPlan:
    """`path` holds the films, the JSON, or both; what it lacks is looked for beside it. Raises NothingToImport."""
    folder = path if path.is_dir() else path.parent
    files = _segmentations(path, options.table)
    within = trees(folder)
    skipped: list[Skipped] = []
    named = _named(files, skipped)
    if not named:
        why = "; ".join(f"{each.item}: {each.reason}" for each in skipped[:_MOST_TOLD])
        raise NothingToImport(f"No segmentations are in {', '.join(file.name for file in files)}. {why}".rstrip())
    studies: dict[str, list[_Film]] = {}
    for film in named.values():
        studies.setdefault(film.place.key, []).append(film)
    findings = {finding_of(name) for film in named.values() for name in film.findings}
    new = sorted(findings - by_key(VOCABULARY).keys() - {""})
    warnings = [f"The segmentations name findings that are new to the vocabulary: {', '.join(new)}."] if new else []
    release = _Release(studies, within)
    return ImportPlan(len(studies), release.stream(skipped, warnings, options.workers), warnings)


def _segmentations(path: Path, named: Path | None) -> list[Path]:
    if named is not None:
        place = named if named.is_absolute() or named.is_file() else path / named
        if not place.is_file():
            raise NothingToImport(f"{place} is not there. Name the JSON that holds the segmentations.")
        return [place]
    if path.is_file():
        return [path]
    for folder in (path, path.parent):
        found = sorted((*folder.glob(_SEGMENTATIONS), *folder.glob(f"*/{_SEGMENTATIONS}")))
        if found:
            return found
    raise NothingToImport(
        f"No gt_segmentations_val.json or gt_segmentations_test.json is in {path} or beside it. Put the segmentations "
        "of CheXlocalize there, or name their JSON as the table."
    )


def _named(files: list[Path], skipped: list[Skipped]) -> dict[str, _Film]:
    """The films that the files name, by name; what cannot be read goes to `skipped`."""
    named: dict[str, _Film] = {}
    for file in files:
        try:
            body = json.loads(file.read_bytes())
        except (ValueError, RecursionError) as error:
            skipped.append(Skipped(file.name, f"it is no JSON that can be read ({error})"))
            continue
        if not isinstance(body, dict):
            skipped.append(Skipped(file.name, "it does not list segmentations by film"))
            continue
        for name, findings in body.items():
            place = film_name(name, between="_")
            if place is None:
                skipped.append(
                    Skipped(name, f"{file.name} names it, but films have names like patient1_study1_view1_frontal")
                )
            elif not isinstance(findings, dict):
                skipped.append(Skipped(name, f"{file.name} does not list its findings by name"))
            elif name in named:
                skipped.append(
                    Skipped(name, f"it is in {named[name].source} already; what stands in {file.name} was left")
                )
            else:
                named[name] = _Film(name, place, findings, file.name)
    return named


def _marked(image: IncomingImage, film: _Film, made: list[IncomingStudy | Skipped]) -> IncomingImage:
    """The image with what is marked on it and what is not; masks that cannot be read go to `made`."""
    masks: dict[str, IncomingMask] = {}
    absent: set[str] = set()
    for name, segmentation in film.findings.items():
        finding = finding_of(name)
        item = f"{name} on {film.name}"
        if not finding or finding in masks or finding in absent:
            reason = "this finding is on the film already; the first was kept" if finding else "the finding has no name"
            made.append(Skipped(item, reason))
            continue
        mask = films.decoded(segmentation, image, item)
        if isinstance(mask, Skipped):
            made.append(mask)
        elif mask.any():
            masks[finding] = records.incoming_mask(finding, mask, {})
        else:
            absent.add(finding)
    return replace(image, masks=tuple(masks.values()), absent=tuple(sorted(absent)))
