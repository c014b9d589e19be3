"""What every model family must keep to. A family's test module subclasses `FamilyContract` and fills in its data."""

import shutil
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core.errors import ReadingRoomError
from core.jobs import CurvePoint, JobCancelled
from core.recipes import Recipe
from core.snapshots import Manifest
from core.studies import Split
from core.workspace import Workspace
from db import studies
from db.engine import Database
from tests.trainers.conftest import House
from trainers.checkpoints import CorruptModel
from trainers.contract import Case, Family, FindingNotLearned, NothingToLearn, NothingToMeasure, Silent
from trainers.loop import Trained, train


class StopsAt(Silent):
    """A watch that cancels once so many steps are done."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps, self.last = steps, 0

    def report(self, done: int, total: int, message: str = "") -> None:
        if message.startswith("Epoch"):
            self.last = done
            if done >= self.steps:
                raise JobCancelled


class FamilyContract:
    """`family` and `recipe` are the class's; `recipe` trains in seconds and fits the films of `fill` closely.
    `finding` is one that its models answer for; None where they answer for none."""

    family: Family[Any]
    recipe: Recipe
    fits_to: float
    finding: str | None

    @abstractmethod
    def fill(self, house: House) -> Manifest:
        """Put a handful of studies on record and freeze them."""

    @pytest.fixture(scope="class")
    def filled(self, tmp_path_factory: pytest.TempPathFactory, fresh_database: Path) -> tuple[House, Manifest]:
        """A workspace that was filled once, and its snapshot."""
        place = Workspace(tmp_path_factory.mktemp("filled")).prepare()
        shutil.copy(fresh_database, place.home / fresh_database.name)
        house = House(place, Database(place.database_url))
        manifest = self.fill(house)
        house.database.close()
        return house, manifest

    @pytest.fixture
    def manifest(self, house: House, filled: tuple[House, Manifest]) -> Manifest:
        """The test's own copy of what was filled in."""
        kept, manifest = filled
        house.database.close()
        shutil.copytree(kept.workspace.home, house.workspace.home, dirs_exist_ok=True)
        return manifest

    def train(self, house: House, manifest: Manifest, folder: Path, watch: Any = None, **changes: Any) -> Trained:
        recipe = replace(self.recipe, **changes)
        data = self.family.prepare(recipe, manifest, house.shelf, Silent())
        return train(
            lambda wanted: self.family.module(wanted, data),
            recipe,
            self.family.headline,
            self.family.higher_is_better,
            folder,
            watch or Silent(),
        )

    def weights(self, trained: Trained) -> dict[str, Any]:
        return dict(trained.module.state_dict())  # type: ignore[attr-defined]

    def some_cases(self, house: House) -> list[Case]:
        return self.cases_of(house)[:3]

    def cases_of(self, house: House) -> list[Case]:
        """Every study on record, in order, asked about with its first film."""
        with house.database.reading() as session:
            found = [studies.get_study(session, number) for number in studies.study_numbers(session)]
        return [Case(study, study.images[:1]) for study in found]

    def headline(self, house: House, manifest: Manifest, model: Any, split: Split | None) -> float:
        measured = self.family.evaluate(model, manifest, split, house.shelf, None, Silent())
        value = measured.metrics[self.family.headline].overall.value
        assert value is not None
        return value

    def test_it_fits_a_handful_of_studies(self, house: House, manifest: Manifest, tmp_path: Path) -> None:
        trained = self.train(house, manifest, tmp_path / "run")
        assert self.headline(house, manifest, trained.module.publishable(), Split.TRAIN) > self.fits_to

    def test_a_saved_model_loads_and_answers_exactly_the_same(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.train(house, manifest, tmp_path / "run", minimum_steps=10).module.publishable()
        folder = tmp_path / "model"
        folder.mkdir()
        self.family.save(model, folder)
        loaded = self.family.load(folder)
        cases = self.some_cases(house)
        assert self.family.predict(loaded, cases, None, house.shelf) == self.family.predict(
            model, cases, None, house.shelf
        )
        assert self.family.facts(loaded) == self.family.facts(model)
        assert not [path for path in folder.iterdir() if path.suffix not in (".safetensors", ".json")]

    @pytest.mark.parametrize("share", [0.5, 0.7], ids=["after an epoch", "in an epoch"])
    def test_a_training_broken_off_and_resumed_equals_an_unbroken_one(
        self, house: House, manifest: Manifest, tmp_path: Path, share: float
    ) -> None:
        changes: dict[str, Any] = {
            "minimum_steps": 24,
            "epochs": 2,
            "checkpoint_minutes": 0.01,
            "precision": "32",
            "averaging": 0.8,
        }
        unbroken = self.train(house, manifest, tmp_path / "unbroken", **changes)
        watch = StopsAt(int(unbroken.steps * share) + 1)
        with pytest.raises(JobCancelled), at_every_batch():
            self.train(house, manifest, tmp_path / "broken", watch, **changes)
        with at_every_batch():
            resumed = self.train(house, manifest, tmp_path / "broken", **changes)
        assert resumed.steps == unbroken.steps
        assert resumed.best_epoch == unbroken.best_epoch
        ours, theirs = self.weights(resumed), self.weights(unbroken)
        assert ours.keys() == theirs.keys()
        for name in ours:
            torch.testing.assert_close(ours[name], theirs[name], msg=lambda text, name=name: f"{name}: {text}")

    def test_it_stops_when_told_to(self, house: House, manifest: Manifest, tmp_path: Path) -> None:
        watch = StopsAt(3)
        with pytest.raises(JobCancelled):
            self.train(house, manifest, tmp_path / "run", watch)
        assert watch.last == 3

    def test_it_tells_its_curves(self, house: House, manifest: Manifest, tmp_path: Path) -> None:
        watch = Silent()
        self.train(house, manifest, tmp_path / "run", watch, minimum_steps=10)
        assert {"train_loss", f"validation_{self.family.headline}"} <= {point.name for point in watch.heard}
        assert all(isinstance(point, CurvePoint) and point.step >= 0 for point in watch.heard)

    def test_an_evaluation_scores_every_film_of_its_split(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.train(house, manifest, tmp_path / "run", minimum_steps=10).module.publishable()
        for split in (Split.VALIDATION, Split.TEST, None):
            expected = manifest.studies if split is None else manifest.of(split)
            measured = self.family.evaluate(model, manifest, split, house.shelf, tmp_path / "figures", Silent())
            assert measured.n == len(expected)
            assert {score.patient for score in measured.scores} == {f"{s.dataset}/{s.patient}" for s in expected}
            estimate = measured.metrics[self.family.headline].overall
            assert estimate.low is not None and estimate.high is not None and estimate.value is not None
            assert estimate.low <= estimate.value <= estimate.high
        assert list((tmp_path / "figures").glob("*.png"))

    def test_a_finding_never_trained_is_refused_and_the_known_ones_are_named(
        self, house: House, manifest: Manifest, tmp_path: Path
    ) -> None:
        model = self.train(house, manifest, tmp_path / "run", minimum_steps=10).module.publishable()
        if self.finding is None:
            assert self.family.facts(model).findings == ()
            assert self.family.predict(model, self.some_cases(house), {"pneumothorax": None}, house.shelf) == []
            return
        with pytest.raises(FindingNotLearned, match=f"pneumothorax.*{self.finding}"):
            self.family.predict(model, self.some_cases(house), {"pneumothorax": None}, house.shelf)

    def test_a_snapshot_with_nothing_to_learn_is_refused(self, house: House, manifest: Manifest) -> None:
        for empty in self.nothing_to_learn(manifest):
            with pytest.raises(NothingToLearn):
                self.family.prepare(self.recipe, empty, house.shelf, Silent())

    def nothing_to_learn(self, manifest: Manifest) -> Iterable[Manifest]:
        yield replace(manifest, studies=())
        yield replace(manifest, studies=manifest.of(Split.TEST))

    def test_a_split_with_nothing_to_measure_is_refused(self, house: House, manifest: Manifest, tmp_path: Path) -> None:
        model = self.train(house, manifest, tmp_path / "run", minimum_steps=10).module.publishable()
        without = replace(manifest, studies=manifest.of(Split.TRAIN))
        with pytest.raises(NothingToMeasure):
            self.family.evaluate(model, without, Split.TEST, house.shelf, None, Silent())

    @pytest.mark.parametrize("damage", [b"", b"not a model", None])
    def test_a_damaged_model_is_refused_with_a_sentence(
        self, house: House, manifest: Manifest, tmp_path: Path, damage: bytes | None
    ) -> None:
        model = self.train(house, manifest, tmp_path / "run", minimum_steps=4).module.publishable()
        for name in ("weights.safetensors", "model.json"):
            folder = tmp_path / f"model-{name}"
            folder.mkdir()
            self.family.save(model, folder)
            if damage is None:
                (folder / name).unlink()
            else:
                (folder / name).write_bytes(damage)
            with pytest.raises(CorruptModel, match="cannot be loaded"):
                self.family.load(folder)

    def test_two_trainings_of_one_recipe_give_one_model(self, house: House, manifest: Manifest, tmp_path: Path) -> None:
        first = self.weights(self.train(house, manifest, tmp_path / "a", minimum_steps=8))
        second = self.weights(self.train(house, manifest, tmp_path / "b", minimum_steps=8))
        for name in first:
            torch.testing.assert_close(first[name], second[name])

    def test_every_refusal_is_a_sentence_for_a_person(self) -> None:
        for error in (FindingNotLearned("This model", "x", ["y"]), CorruptModel(Path("folder"), "reason")):
            assert isinstance(error, ReadingRoomError)
            assert str(error).endswith(".")


def at_every_batch() -> Any:
    """Checkpoints as often as the loop allows, so that a break falls in the middle of an epoch."""
    patch = pytest.MonkeyPatch.context()
    return _Patched(patch)


class _Patched:
    def __init__(self, context: Any) -> None:
        self._context = context

    def __enter__(self) -> None:
        patch = self._context.__enter__()
        patch.setattr("trainers.loop.Checkpointing._age", lambda _: float("inf"))

    def __exit__(self, *error: Any) -> None:
        self._context.__exit__(*error)
