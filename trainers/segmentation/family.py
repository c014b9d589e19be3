"""Segmentation as a family: the chapter's table of contents, in the order in which a model lives."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core.annotations import NewPrediction
from core.findings import Finding
from core.masks import stats
from core.recipes import BadRecipe, Recipe, SegmentationRecipe
from core.reports import Report
from core.snapshots import Manifest
from core.studies import Image, Split, View
from data.images import mask_png
from trainers.contract import (
    Case,
    FindingNotLearned,
    Measured,
    ModelFacts,
    NothingToMeasure,
    Shelf,
    ViewNotRead,
    Watch,
    recipe_of,
)
from trainers.datasets import FilmCache
from trainers.segmentation import model as models
from trainers.segmentation.data import SegmentationData, films_of, learnable_findings
from trainers.segmentation.evaluation import ASIDE, Calibration, details_of, metrics_of, notes_of, outline
from trainers.segmentation.figures import draw_figures
from trainers.segmentation.floors import FLOOR, floor_metric
from trainers.segmentation.model import SegmentationModel, at_native_size, expected_dice
from trainers.segmentation.module import SegmentationModule
from trainers.segmentation.prompts import Words, prompt_for, words_on


class Segmentation:
    """The text-conditioned U-Net, through the family contract."""

    name = "segmentation"
    headline = "dice"
    higher_is_better = True

    def prepare(self, recipe: Recipe, manifest: Manifest, shelf: Shelf, watch: Watch) -> SegmentationData:
        ours = recipe_of(SegmentationRecipe, recipe)
        findings = learnable_findings(manifest, ours.findings)
        if missing := set(ours.exclusive) - {finding.key for finding in findings}:
            raise BadRecipe(
                f"exclusive names {', '.join(sorted(missing))}, which no training film bears a mask of. Leave it out."
            )
        data = SegmentationData(
            findings=findings,
            training=films_of(manifest, Split.TRAIN, findings),
            validation=films_of(manifest, Split.VALIDATION, findings),
            films=shelf.films(ours),
            start=shelf.start(ours.start_from),
            weights=shelf.weights,
        )
        films = data.training + data.validation
        masks = [sha for film in films for shas in film.truths.values() for sha in shas]
        total = len(films) + len(masks)
        data.films.warm([film.sha for film in films], masks, lambda n: watch.report(n, total, "Reading films"))
        return data

    def module(self, recipe: Recipe, data: SegmentationData) -> SegmentationModule:
        return SegmentationModule(recipe_of(SegmentationRecipe, recipe), data)

    def save(self, model: SegmentationModel, folder: Path) -> None:
        models.save(model, folder)

    def load(self, folder: Path) -> SegmentationModel:
        return models.load(folder)

    def warm(self, model: SegmentationModel) -> None:
        side = model.recipe.image_size
        text = model.read([Words(prompt_for(model.findings[0]))])
        model.answer(model.encode([np.zeros((side, side), np.uint8)]), text, [0])
        model.text(["whatever a reader may write"])

    def facts(self, model: SegmentationModel) -> ModelFacts:
        parameters = sum(parameter.numel() for parameter in model.network.parameters())
        return ModelFacts(model.findings, model.origins, parameters)

    def evaluate(
        self,
        model: SegmentationModel,
        manifest: Manifest,
        split: Split | None,
        shelf: Shelf,
        figures: Path | None,
        watch: Watch,
    ) -> Measured:
        films = films_of(manifest, split, model.findings)
        if not films:
            raise NothingToMeasure(
                f"No frontal film of {f'the {split} split' if split else 'the snapshot'} has a known truth for "
                f"{', '.join(finding.key for finding in model.findings)}, which is what this model answers for."
            )
        cache, calibration, scores = shelf.films(model.recipe), Calibration(), []
        stressed = figures is not None
        measuring = outline(model, films, cache, lambda n: watch.report(n, len(films), "Measuring"), stressed=stressed)
        for outlined in measuring:
            scores.append(outlined.score)
            calibration.add(outlined.film.patient, outlined.finding, outlined.probability, outlined.truth)
        details = details_of(scores, calibration)
        if figures is not None:
            draw_figures(
                figures, model, films, cache, scores, details,
                lambda done, total: watch.report(done, total, "Drawing"),
            )  # fmt: skip
        metrics = metrics_of(scores, calibration, stressed)
        if stressed:
            metrics[FLOOR] = floor_metric(manifest, films, model.findings, cache)
        return Measured(tuple(scores), metrics, len(films), details, notes_of(metrics), frozenset(ASIDE))

    def predict(
        self,
        model: SegmentationModel,
        cases: Sequence[Case],
        prompts: Mapping[str, str | None] | None,
        shelf: Shelf,
    ) -> list[NewPrediction]:
        images = [(image, case.study.report) for case in cases for image in case.images]
        if prompts is None:
            asked: dict[str, str | None] = {finding.key: None for finding in model.findings}
        else:
            asked = dict(prompts)
            in_words = any(phrase is not None for phrase in prompts.values())
            if in_words and any(image.view is View.LATERAL for image, _ in images):
                raise ViewNotRead(self.name)
        findings = {key: self._finding(model, key) for key in asked}
        cache = shelf.films(model.recipe)
        answers = []
        for image, report in images:
            if image.view is not View.LATERAL:
                # A reader's own words stand for themselves: the report is not asked for others.
                words = {
                    key: Words(phrase) if phrase is not None else words_on(findings[key], report, model.recipe.text)
                    for key, phrase in asked.items()
                }
                answers += _answers(model, image, words, asked, report, cache)
        return answers

    def _finding(self, model: SegmentationModel, key: str) -> Finding:
        finding = model.finding(key)
        if finding is None:
            raise FindingNotLearned("This model", key, [known.key for known in model.findings])
        return finding


def _answers(
    model: SegmentationModel,
    image: Image,
    words: Mapping[str, Words],
    asked: Mapping[str, str | None],
    report: Report | None,
    cache: FilmCache,
) -> list[NewPrediction]:
    features = model.warm_features(image.sha, cache.film(image.sha))
    logits = model.outline(features, words, report)
    probabilities = at_native_size(logits, image.facts.height, image.facts.width, cache.fit).numpy()
    masks = probabilities > 0.5
    names = cache.store.put_many(mask_png(mask) for mask in masks if mask.any())
    kept = iter(names)
    return [
        NewPrediction(
            image_id=image.id,
            image_sha=image.sha,
            finding=key,
            sha=next(kept) if mask.any() else None,
            stats=stats(mask) if mask.any() else None,
            confidence=expected_dice(probability, mask) if mask.any() else None,
            prompt=asked[key],
        )
        for key, mask, probability in zip(asked, masks, probabilities, strict=True)
    ]
