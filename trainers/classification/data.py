"""A snapshot as classification sees it: of each study one frontal film, what was known before, and what is true."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from core.findings import Finding, Kind, State, UnknownFinding
from core.labels import effective
from core.notes import context_of, mode_of, synthesize, without_mark
from core.recipes import ClassificationRecipe
from core.recipes.classification import target_of
from core.reports import Report
from core.snapshots import Manifest, SnapshotStudy
from core.studies import Split, View
from trainers.backbones import TextTokens, padded
from trainers.classification.columns import reads_words
from trainers.contract import NothingToLearn
from trainers.datasets import FilmCache
from trainers.mirroring import mirrored_text


class Viewed(Protocol):
    @property
    def view(self) -> View: ...


Film = TypeVar("Film", bound=Viewed)

SELDOM = 5
"""Training studies on which a finding is present, and on which it is absent: with fewer it is not learned unasked."""


@dataclass(frozen=True)
class Exam:
    """A study with its film, its context ("" where there is none) and what is said of its findings.

    `item` names it in scores; `patient` groups films that are no independent trials. `torn` are the findings of which
    one source says two things.
    """

    sha: str
    item: str
    patient: str
    dataset: str
    key: str
    context: str
    states: Mapping[str, State]
    torn: frozenset[str] = frozenset()

    def known(self, finding: str) -> bool | None:
        """Whether a finding is present; None where that is not certain."""
        return {State.PRESENT: True, State.ABSENT: False}.get(self.states.get(finding, State.UNASSESSED))


@dataclass(frozen=True)
class ClassificationData:
    """What is learned and from what. `findings` are in the vocabulary's order; `left_out` says why other labelled ones
    cannot be learned; `start` is the folder of the model that training goes on from."""

    findings: tuple[Finding, ...]
    training: tuple[Exam, ...]
    validation: tuple[Exam, ...]
    films: FilmCache
    left_out: Mapping[str, str] = field(default_factory=dict)
    start: Path | None = None
    weights: tuple[Path, ...] = ()


class ExamBatch(NamedTuple):
    """B exams. `images` (B, 1, H, W) uint8. `words` (B, T, D) float32, the states of the context's tokens, and `told`
    (B, T), True where there is one. `targets` (B, F) float32, and `asked` (B, F), True where one is taught."""

    images: Tensor
    words: Tensor
    told: Tensor
    targets: Tensor
    asked: Tensor


def film_of(films: Sequence[Film]) -> Film | None:
    """The film of a study that is read: its first frontal one, or else the first of which nobody said what it shows."""
    for wanted in (lambda film: film.view.is_frontal, lambda film: film.view is View.UNKNOWN):
        found = next((film for film in films if wanted(film)), None)
        if found is not None:
            return found
    return None


def exams_of(manifest: Manifest, split: Split | None, recipe: ClassificationRecipe) -> tuple[Exam, ...]:
    """The studies of a split (None: of all) with a film to read and a label."""
    studies = manifest.studies if split is None else manifest.of(split)
    exams = (_exam(study, manifest.vocabulary, recipe) for study in studies)
    return tuple(exam for exam in exams if exam is not None)


def known_exams(exams: Sequence[Exam], findings: Sequence[Finding]) -> tuple[Exam, ...]:
    """Those of which one of the findings is known to be present or absent."""
    return tuple(exam for exam in exams if any(exam.known(finding.key) is not None for finding in findings))


def taught_exams(exams: Sequence[Exam], findings: Sequence[Finding], uncertain: str) -> tuple[Exam, ...]:
    """Those that teach something of one of the findings, by what uncertain labels teach."""
    return tuple(
        exam
        for exam in exams
        if any(target_of(exam.states.get(f.key, State.UNASSESSED), uncertain) is not None for f in findings)
    )


def real_context(report: Report | None, notes: str | None) -> str:
    """What was known before the film was read, as somebody wrote it; "" where nobody did."""
    context = context_of(report, notes)
    return "" if mode_of(context) else context


def learnable_findings(
    manifest: Manifest, exams: Sequence[Exam], wanted: Sequence[str]
) -> tuple[tuple[Finding, ...], dict[str, str]]:
    """The findings that a recipe names, or else all that can be learned from these exams, and why others cannot.

    A finding can be learned that is present on some and absent on others. Unasked, those are that are so often enough,
    where there are any. Raises UnknownFinding for a name that the snapshot's vocabulary does not hold, NothingToLearn
    where a named finding, or any at all, cannot be learned.
    """
    known = {finding.key: finding for finding in manifest.vocabulary}
    for key in wanted:
        if key not in known:
            raise UnknownFinding(key)
    counts = Counter((key, state) for exam in exams for key, state in exam.states.items())
    labelled = {key for key, _ in counts}
    hindered = {key: why for key in sorted(labelled) if (why := _why_not(key, counts))}
    for key in wanted:
        if key not in labelled or key in hindered:
            why = hindered.get(key, "labelled on no training study")
            raise NothingToLearn(f"{known[key].name} is {why}. Leave it out of the recipe's findings.")
    unasked = [key for key in sorted(labelled - hindered.keys()) if key in known and _is_learned_unasked(known[key])]
    seldom = {key: why for key in unasked if (why := _too_seldom(key, counts))}
    if wanted or len(seldom) == len(unasked):
        seldom = {}
    learned = wanted or [key for key in unasked if key not in seldom]
    if not learned:
        raise NothingToLearn(
            "No finding is present on one training study with a frontal film and absent on another. Label some studies "
            "or import labels, and freeze a new snapshot."
        )
    return tuple(finding for finding in manifest.vocabulary if finding.key in learned), hindered | seldom


def _exam(study: SnapshotStudy, vocabulary: Sequence[Finding], recipe: ClassificationRecipe) -> Exam | None:
    film = film_of(study.images)
    said = effective(label for label in study.labels if str(label.source) in recipe.label_sources)
    if film is None or not said:
        return None
    where = f"{study.dataset}/{study.key}"
    states = {key: one.state for key, one in said.items()}
    return Exam(
        sha=film.sha,
        item=f"{where}/{film.name}",
        patient=f"{study.dataset}/{study.patient}",
        dataset=study.dataset,
        key=study.key,
        context=_context(study, states, vocabulary, recipe, where),
        states=states,
        torn=frozenset(key for key, one in said.items() if one.in_conflict),
    )


def _context(
    study: SnapshotStudy,
    states: Mapping[str, State],
    vocabulary: Sequence[Finding],
    recipe: ClassificationRecipe,
    seed: str,
) -> str:
    if not reads_words(recipe):
        return ""
    if recipe.context == "symptoms" or recipe.context == "labels":
        return without_mark(synthesize(states, recipe.context, seed, vocabulary).text)
    return real_context(study.report, study.notes)


def _is_learned_unasked(finding: Finding) -> bool:
    """Organs are there on every film, whatever a report says of them."""
    return not finding.retired and finding.kind is not Kind.ANATOMY


def _why_not(key: str, counts: Mapping[tuple[str, State], int]) -> str | None:
    present, absent = counts.get((key, State.PRESENT), 0), counts.get((key, State.ABSENT), 0)
    if present and absent:
        return None
    if not present and not absent:
        return "only ever uncertain on the training studies"
    return "never absent on a training study" if present else "never present on a training study"


def _too_seldom(key: str, counts: Mapping[tuple[str, State], int]) -> str | None:
    for state in (State.PRESENT, State.ABSENT):
        if counts[key, state] < SELDOM:
            return (
                f"{state} on only {counts[key, state]} of the training studies; name it in the recipe to learn it still"
            )
    return None


class Collate:
    """Exams to a batch. `varied` is for learning: some films are mirrored, and their contexts with them."""

    def __init__(
        self,
        films: FilmCache,
        findings: Sequence[Finding],
        text: TextTokens | None,
        recipe: ClassificationRecipe,
        varied: bool,
    ) -> None:
        self._films, self._text, self._recipe, self._varied = films, text, recipe, varied
        self._keys = [finding.key for finding in findings]
        self._dimension = text.encoder.dimension if text is not None else 1

    def __call__(self, exams: Sequence[Exam], chance: np.random.Generator) -> ExamBatch:
        flips = chance.random(len(exams)) < (self._recipe.flip_probability if self._varied else 0)
        films = [self._films.film(exam.sha) for exam in exams]
        pixels = np.stack([film[:, ::-1] if flip else film for film, flip in zip(films, flips, strict=True)])
        contexts = [
            mirrored_text(exam.context) if flip else exam.context for exam, flip in zip(exams, flips, strict=True)
        ]
        words, told = read_contexts(contexts, self._text, self._dimension)
        taught = [[target_of(exam.states.get(key, State.UNASSESSED), self._recipe.uncertain) for key in self._keys]
                  for exam in exams]  # fmt: skip
        return ExamBatch(
            images=torch.from_numpy(pixels)[:, None],
            words=words,
            told=told,
            targets=torch.tensor([[target or 0.0 for target in row] for row in taught]),
            asked=torch.tensor([[target is not None for target in row] for row in taught]),
        )


def read_contexts(contexts: Sequence[str], text: TextTokens | None, dimension: int) -> tuple[Tensor, Tensor]:
    """States (B, T, dimension) of the contexts' tokens and (B, T) where there is one; none for an empty context."""
    written = [context for context in contexts if context]
    read = dict(zip(written, text(written), strict=True)) if text is not None and written else {}
    return padded([read.get(context) for context in contexts], dimension)
