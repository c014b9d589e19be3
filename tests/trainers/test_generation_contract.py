from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from core.findings import State
from core.recipes import GenerationRecipe, preset
from core.reports import Report, ReportOrigin
from core.snapshots import Manifest
from core.studies import Split, View
from core.writing import Decoding, NewWriting
from tests.trainers.conftest import House
from tests.trainers.family_contract import FamilyContract
from tests.trainers.reported import add_reported, learn
from trainers.checkpoints import CorruptModel
from trainers.contract import Silent
from trainers.generation.cropping import Views
from trainers.generation.data import IGNORED, Collate, GenerationData, readings_of
from trainers.generation.family import Generation
from trainers.generation.model import GenerationModel
from trainers.generation.module import GenerationModule
from trainers.generation.pieces import FILE
from trainers.generation.writing import CUT


def smoke(**changes: Any) -> GenerationRecipe:
    recipe = preset("generation", "smoke")
    assert isinstance(recipe, GenerationRecipe)
    return replace(recipe, **changes)


class TestGeneration(FamilyContract):
    family = Generation()
    recipe = smoke()
    fits_to = 0.9
    finding = None

    def fill(self, house: House) -> Manifest:
        add_reported(house, "drawn", 80)
        return house.freeze("drawn-1", "drawn")

    def nothing_to_learn(self, manifest: Manifest) -> Iterable[Manifest]:
        bare = tuple(replace(study, report=None) for study in manifest.studies)
        alike = tuple(replace(study, report=manifest.studies[0].report) for study in manifest.studies)
        return [*super().nothing_to_learn(manifest), *(replace(manifest, studies=some) for some in (bare, alike))]

    def trained(self, house: House, manifest: Manifest, folder: Path, **changes: Any) -> GenerationModel:
        model = self.train(house, manifest, folder, **changes).module.publishable()
        assert isinstance(model, GenerationModel)
        return model

    def written(self, house: House, model: GenerationModel, how: Decoding | None = None) -> list[NewWriting]:
        studies = [case.study for case in self.some_cases(house)]
        return self.family.write(model, studies, how, house.shelf)

    def test_what_it_writes_is_seen_on_the_films_and_stands_beside_its_floors(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=150)
        measured = self.family.evaluate(model, manifest, Split.TEST, house.shelf, tmp_path / "figures", Silent())

        def value(name: str) -> float:
            told = measured.metrics[name].overall.value
            assert told is not None
            return told

        assert value("report_f1") > 0.8
        assert value("report_f1") > value("report_f1_shuffled") + 0.2
        assert value("bleu4") > value("constant_bleu4") and value("bleu4") > value("random_bleu4")
        assert {"nearest_rouge_l", "cider", "label_micro_f1", "label_macro_f1", "normal_f1", "invented_rate"} <= {
            *measured.metrics
        }
        assert {"ssim_frontal", "ssim_lateral", "psnr_frontal", "mse_lateral", "accuracy", "auroc"} <= {
            *measured.metrics
        }
        assert measured.metrics["bleu1"].per_finding.keys() == {"normal", "abnormal"}
        assert {path.name for path in (tmp_path / "figures").iterdir()} == {"reports.json", "redrawn.png"}
        assert any("of other films" in line for line in measured.notes)

    def test_each_sentence_says_what_it_finds_and_where_it_looked(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=150)
        for case, one in zip(self.some_cases(house), self.written(house, model), strict=True):
            assert one.study == case.study.id
            last = one.sentences[-1]
            assert last.section == "impression" and "heart" in last.text.lower()
            assert last.text[0].isupper() and last.text.endswith(".")
            told = {finding: state for finding, state in last.heard if finding == "cardiomegaly"}
            assert told == {"cardiomegaly": State.PRESENT if "enlarged" in last.text else State.ABSENT}
            assert {gaze.image for gaze in last.gaze} == {image.id for image in case.study.images}
            assert max(value for gaze in last.gaze for row in gaze.map for value in row) == 255

    @pytest.mark.parametrize("conditioning", ["additive", "prefix"])
    def test_where_words_attend_to_no_places_the_gradient_says_where_they_looked(
        self, house: House, manifest: Manifest, tmp_path: Path, conditioning: str
    ) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=60, conditioning=conditioning)
        sentences = [sentence for one in self.written(house, model) for sentence in one.sentences]
        assert sentences and all(len(sentence.gaze) == 2 for sentence in sentences)
        assert any(value for sentence in sentences for gaze in sentence.gaze for row in gaze.map for value in row)

    def test_a_prompt_begins_the_report_and_equal_seeds_write_equal_reports(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=60)
        how = Decoding(temperature=1.5, top_k=20, prompt="There is a <b>huge</b>", seed=3)
        first, again = self.written(house, model, how), self.written(house, model, how)
        assert first == again
        assert first != self.written(house, model, replace(how, seed=4))
        assert all(one.sentences[0].text.startswith("There is a <b>huge</b>") for one in first)

    @pytest.mark.parametrize("how", [Decoding(most_tokens=5), Decoding(most_tokens=5, beams=3)], ids=["one", "beams"])
    def test_a_report_that_never_ends_is_ended_and_says_so(
        self, house: House, manifest: Manifest, tmp_path: Path, how: Decoding
    ) -> None:
        model = self.trained(house, manifest, tmp_path / "run", minimum_steps=60)
        written = self.written(house, model, how)
        assert all(CUT in one.remarks for one in written)
        assert all(len(model.pieces.spell(one.sentences[0].text)) <= 7 for one in written if one.sentences)

    def test_a_tokenizer_that_is_not_that_of_the_weights_is_refused(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        for name, changes in (("one", {}), ("other", {"vocabulary": 300})):
            model = self.trained(house, manifest, tmp_path / f"run-{name}", minimum_steps=4, **changes)
            (tmp_path / name).mkdir()
            self.family.save(model, tmp_path / name)
        (tmp_path / "one" / FILE).write_bytes((tmp_path / "other" / FILE).read_bytes())
        with pytest.raises(CorruptModel, match="tokenizer is not the one"):
            self.family.load(tmp_path / "one")

    def test_studies_without_the_wanted_section_are_left_out_and_counted(
        self, house: House, manifest: Manifest
    ) -> None:
        first, second, *rest = manifest.studies
        odd = (
            replace(first, report=Report(findings="  ...  ", impression="")),
            replace(second, report=Report(impression="No acute disease.")),
        )
        kept, left_out = readings_of(replace(manifest, studies=(*odd, *rest)), None, smoke(target="findings"))
        assert len(kept) == len(rest)
        assert left_out == {"no findings": 2}

    def test_a_report_of_5000_words_is_learned_from_as_far_as_it_goes(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        first, *rest = manifest.studies
        long = replace(first, report=Report(findings="The heart is large. " * 1250, impression="Large heart."))
        model = self.trained(house, replace(manifest, studies=(long, *rest)), tmp_path / "run", minimum_steps=10)
        assert self.written(house, model)


@pytest.mark.parametrize(
    "changes",
    [
        {"conditioning": "additive"},
        {"conditioning": "prefix"},
        {"reads": "indication"},
        {"skips": False},
        {"frontal_weight": 0.0, "lateral_weight": 0.0, "normal_weight": 0.0},
        {"target": "impression", "beams": 2},
    ],
    ids=lambda changes: next(iter(changes)) + "=" + str(next(iter(changes.values()))),
)
def test_every_way_of_learning_writes_and_comes_back_from_disk(
    house: House, tmp_path: Path, changes: dict[str, Any]
) -> None:
    of = TestGeneration()
    of.recipe = smoke(**changes)
    model = of.trained(house, of.fill(house), tmp_path / "run", minimum_steps=30)
    (tmp_path / "model").mkdir()
    of.family.save(model, tmp_path / "model")
    assert of.written(house, of.family.load(tmp_path / "model")) == of.written(house, model)


def test_a_study_of_one_view_is_read_and_the_missing_one_is_told(house: House, tmp_path: Path) -> None:
    of = TestGeneration()
    add_reported(house, "both", 40)
    model = of.trained(house, house.freeze("both-1", "both"), tmp_path / "run", minimum_steps=30)
    add_reported(house, "lateral", 1, views=(View.LATERAL,))
    add_reported(house, "frontals", 1, views=(View.PA, View.AP, View.PA))
    lateral, frontals = of.cases_of(house)[-2:]
    one, three = of.family.write(model, [lateral.study, frontals.study], None, house.shelf)
    assert one.remarks[0].startswith("There is no frontal film")
    assert three.remarks[0].startswith("There is no lateral film")
    assert [gaze.image for gaze in three.sentences[0].gaze] == [frontals.study.images[0].id]


def test_losses_are_told_one_by_one(house: House, tmp_path: Path) -> None:
    of, watch = TestGeneration(), Silent()
    of.train(house, of.fill(house), tmp_path / "run", watch, minimum_steps=6)
    told = {point.name for point in watch.heard}
    assert {f"train_{name}" for name in ("language", "frontal", "lateral", "normal", "loss")} <= told
    assert torch.is_grad_enabled()


def test_other_models_are_measured_beside_as_floors(house: House, tmp_path: Path) -> None:
    of = TestGeneration()
    manifest = of.fill(house)
    learn(house, manifest, "searcher")
    for name, changes in (("blind", {"reads": "indication"}), ("writer", {"nearest_by": "s", "text_only_by": "blind"})):
        model = of.trained(house, manifest, tmp_path / name, minimum_steps=30, **changes)
        (house.workspace.models / name).mkdir(parents=True)
        of.family.save(model, house.workspace.models / name)
    folders = {"s": house.workspace.models / "searcher", "blind": house.workspace.models / "blind"}
    shelf = replace(house.shelf, model_folder=folders.__getitem__)
    metrics = of.family.evaluate(model, manifest, Split.TEST, shelf, None, Silent()).metrics
    assert {"nearest_bleu4", "text_only_bleu4", "text_only_report_f1"} <= metrics.keys()
    # What lies nearest to a searcher that has learned has a large heart where the study has one.
    assert (metrics["nearest_report_f1"].overall.value or 0) > 0.8


def test_a_report_counts_in_learning_as_its_origin_says(house: House) -> None:
    add_reported(house, "drawn", 6)
    first, second, *_ = house.freeze("drawn-1", "drawn").studies
    manifest = replace(
        house.freeze("drawn-1", "drawn"),
        studies=(first, replace(second, report_origin=ReportOrigin.CORRECTED)),
    )
    ours = smoke(corrected_weight=5.0)
    readings, _ = readings_of(manifest, None, ours)
    assert [one.weight for one in readings] == [1.0, 5.0]

    data = GenerationData(readings, readings, Views(house.shelf.films(ours), None))
    module = GenerationModule(ours, data)
    batch = Collate(data.films, module.pieces, ours, varied=False)(readings, np.random.default_rng(0))
    logits = torch.randn(*batch.wanted.shape, len(module.pieces), generator=torch.Generator().manual_seed(0))
    pieces = (batch.wanted != IGNORED).sum(dim=1)
    apart = [functional.cross_entropy(logits[row][: pieces[row]], batch.wanted[row][: pieces[row]]) for row in (0, 1)]
    expected = (pieces[0] * apart[0] + 5 * pieces[1] * apart[1]) / (pieces[0] + 5 * pieces[1])
    torch.testing.assert_close(module._language(logits, batch), expected)
