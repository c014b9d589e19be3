"""The family contract: what the training loop, the worker and the inference process ask of a kind of model.

A family is a chapter of its own (prepare, module, evaluate, predict); everything that is the same for all of them is
written once, against this contract. What crosses it are types of `core`, paths and the family's own model.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from core.annotations import NewPrediction
from core.errors import NotFound, ReadingRoomError
from core.findings import Finding
from core.jobs import CurvePoint
from core.metrics import ItemScore, Metric
from core.recipes import BadRecipe, Recipe
from core.recipes.films import FilmRecipe
from core.snapshots import Manifest
from core.studies import Image, Split, Study
from data.store import Store
from trainers.backbones import WeightOrigin
from trainers.datasets import FilmCache

FRAMES = "frames"


class NothingToLearn(ReadingRoomError):
    """A snapshot that holds nothing which this family could be trained on."""


class NothingToMeasure(ReadingRoomError):
    """A split that holds nothing on which this model could be judged."""


class FindingNotLearned(ReadingRoomError):
    """A model is asked for a finding that it was never trained on."""

    def __init__(self, model: str, finding: str, known: Iterable[str]) -> None:
        super().__init__(f"{model} was not trained on {finding}; it answers for: {', '.join(known)}.")


class ViewNotRead(ReadingRoomError):
    """A model is asked about a film of a view that it does not read."""

    def __init__(self, family: str) -> None:
        super().__init__(f"The {family} model reads frontal films only; this is a lateral one.")


class Watch(Protocol):
    """Whoever waits for the work: hears how far it is, and may stop it. A job's ticket is one."""

    def report(self, done: int, total: int, message: str = "") -> None:
        """Raises JobCancelled, or whatever else stops the work."""

    def points(self, points: Iterable[CurvePoint]) -> None: ...

    def check(self) -> None:
        """Raises JobCancelled, or whatever else stops the work."""


def _knows_no_model(name: str) -> Path:
    raise NotFound(f"There is no model {name} here to start from.")


@dataclass(frozen=True)
class InUse:
    """The model of a family that is in use: its name, its folder, and what it was measured at when it was made."""

    name: str
    folder: Path
    metrics: Mapping[str, Metric]


def _none_in_use(family: str) -> InUse | None:
    return None


@dataclass(frozen=True)
class Shelf:
    """Where films come from: the store, and the folder in which what was made from them is kept. `weights` are folders
    in which pretrained weights may lie; `model_folder` gives the folder of a model on record, or raises NotFound;
    `in_use` the model of another family that is in use, or None."""

    store: Store
    cache: Path
    weights: tuple[Path, ...] = ()
    model_folder: Callable[[str], Path] = _knows_no_model
    in_use: Callable[[str], InUse | None] = _none_in_use

    def films(self, recipe: FilmRecipe) -> FilmCache:
        """Films as this recipe's network sees them."""
        return FilmCache(self.cache, self.store, recipe.image_size, recipe.fit)

    def start(self, model: str) -> Path | None:
        """The folder of the model that training goes on from; None where none is named. Raises NotFound."""
        return self.model_folder(model) if model else None


@dataclass(frozen=True)
class Case:
    """A study to answer for. `images` are those of its films that are asked about; the study brings what else a family
    reads: the other views, the report, the notes."""

    study: Study
    images: tuple[Image, ...]


@dataclass(frozen=True)
class Measured:
    """How a model did on one split: scores by item, metrics with intervals, and how many studies' films were read.

    Promotion pairs the items of two models and averages the differences of the headline. A headline that is no mean of
    its items is given by item all the same: for AUROC each positive's placement among the negatives, whose mean is the
    AUROC (DeLong et al. 1988).

    `details` is what a person may want to look into besides: tables and counts, kept as `details.json` beside the
    figures. `notes` are lines for the model's card, which leaves the metrics named in `aside` to them.
    """

    scores: tuple[ItemScore, ...]
    metrics: Mapping[str, Metric]
    n: int
    details: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    aside: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ModelFacts:
    """What a model's card tells of it besides its numbers. `for_readers` is False for a model that was made to show
    something and may never answer readers."""

    findings: tuple[Finding, ...]
    origins: tuple[WeightOrigin, ...]
    parameters: int
    notes: tuple[str, ...] = ()
    for_readers: bool = True


class TrainingModule(Protocol):
    """A LightningModule that brings its own loaders and logs "train_loss" and "validation_<headline>".

    `has_validation` is False when the snapshot holds nothing to validate on. After each validation it may leave a small
    PNG of how it stands, a frame, in the folder `FRAMES` of its trainer's, named by the step so that a repeated epoch
    overwrites its own: the model's `training.gif` is made of them.
    """

    has_validation: bool

    def publishable(self) -> Any:
        """The model as it now stands, ready to be saved and to answer."""


Trained = TypeVar("Trained")
Kind = TypeVar("Kind", bound=Recipe)


def recipe_of(kind: type[Kind], recipe: Recipe) -> Kind:
    """The recipe as one of the kind that a family trains by. Raises BadRecipe."""
    if not isinstance(recipe, kind):
        raise BadRecipe(f"A recipe of {recipe.family} cannot train a {kind.family} model.")
    return recipe


class Family(Protocol[Trained]):
    """One kind of model. `headline` names the metric that promotion compares."""

    name: str
    headline: str
    higher_is_better: bool

    def prepare(self, recipe: Recipe, manifest: Manifest, shelf: Shelf, watch: Watch) -> Any:
        """The snapshot as this family learns from it. Raises NothingToLearn, UnknownFinding, BadRecipe."""

    def module(self, recipe: Recipe, data: Any) -> TrainingModule:
        """What Lightning trains. Raises WeightsNotFound. Two modules of one recipe and data begin equal."""

    def save(self, model: Trained, folder: Path) -> None:
        """Write all that `load` needs: safetensors and JSON, nothing pickled."""

    def load(self, folder: Path) -> Trained:
        """Raises CorruptModel, WeightsNotFound."""

    def warm(self, model: Trained) -> None:
        """Load and try whatever the first question would have to wait for. Raises WeightsNotFound."""

    def facts(self, model: Trained) -> ModelFacts: ...

    def evaluate(
        self, model: Trained, manifest: Manifest, split: Split | None, shelf: Shelf, figures: Path | None, watch: Watch
    ) -> Measured:
        """Measure on one split (None: on every study), and draw figures into a folder. Raises NothingToMeasure."""

    def predict(
        self, model: Trained, cases: Sequence[Case], prompts: Mapping[str, str | None] | None, shelf: Shelf
    ) -> list[NewPrediction]:
        """Suggestions for some studies' films: masks at their own size, already in the store; whatever else a family
        says goes into the prediction's payload. What is said of a whole study is said of its first film.

        `prompts` maps the findings wanted to the words to ask with (None: the finding's own name); None asks for all
        that the model knows. Films of views that the family does not read get no suggestion; asked about in words,
        they raise ViewNotRead. Raises FindingNotLearned.
        """


@dataclass
class Silent:
    """A watch that listens to everything and stops nothing: for the command line and for tests."""

    heard: list[CurvePoint] = field(default_factory=list)

    def report(self, done: int, total: int, message: str = "") -> None:
        return

    def points(self, points: Iterable[CurvePoint]) -> None:
        self.heard.extend(points)

    def check(self) -> None:
        return
