"""A snapshot as retrieval sees it: of each study its frontal film, its lateral one, and the sentences of its report."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.findings import NO_FINDING, Finding, Kind, State
from core.labels import effective
from core.recipes import RetrievalRecipe
from core.reports import Report, sentences
from core.snapshots import Manifest, SnapshotStudy
from core.studies import Split, View
from trainers.backbones import Read, TextTokens, padded
from trainers.backbones.words import words_in
from trainers.datasets import FilmCache
from trainers.mirroring import mirrored_text


class Pose(IntEnum):
    """How the patient stood; a study is made of at most one film of each. A film of which nobody said what it shows is
    taken for a frontal one."""

    FRONTAL = 0
    LATERAL = 1

    @classmethod
    def of(cls, view: View) -> "Pose":
        return cls.LATERAL if view is View.LATERAL else cls.FRONTAL


class Film(Protocol):
    @property
    def sha(self) -> str: ...
    @property
    def view(self) -> View: ...


@dataclass(frozen=True)
class Pair:
    """A study: its films by pose, its text sentence by sentence, and what is said of its findings.

    `item` names it in scores; `patient` groups studies that are no independent trials.
    """

    item: str
    patient: str
    dataset: str
    key: str
    films: Mapping[Pose, str]
    sentences: tuple[str, ...]
    states: Mapping[str, State]

    @property
    def text(self) -> str:
        return " ".join(self.sentences)

    @property
    def wording(self) -> str:
        """The text without case, marks and spaces: two studies with one wording share a text."""
        return " ".join(words_in(self.text))

    def known(self, finding: str) -> bool | None:
        """Whether a finding is present; None where that is not certain."""
        return {State.PRESENT: True, State.ABSENT: False}.get(self.states.get(finding, State.UNASSESSED))


@dataclass(frozen=True)
class RetrievalData:
    """What is learned and from what. `findings` are those by which studies are alike; `start` is the folder of the
    model that training goes on from."""

    findings: tuple[Finding, ...]
    training: tuple[Pair, ...]
    validation: tuple[Pair, ...]
    films: FilmCache
    start: Path | None = None
    weights: tuple[Path, ...] = ()


class PairBatch(NamedTuple):
    """B studies. `images` (B, 2, H, W) uint8, a place for each pose, and `seen` (B, 2), True where there is a film.
    `words` (B, T, D) float32, the states of the text's tokens, and `told` (B, T), True where there is one. `wordings`
    (B,): equal numbers share a text. `present` (B, F), True for findings that are present."""

    images: Tensor
    seen: Tensor
    words: Tensor
    told: Tensor
    wordings: Tensor
    present: Tensor


def films_by_pose(films: Sequence[Film], single: bool = False) -> dict[Pose, str]:
    """The films of a study that are read, by their SHA-256: the first of each pose, one that is known to be frontal
    before one of which nothing is known; `single`: the frontal one alone, or else the lateral."""
    found: dict[Pose, str] = {}
    for film in sorted(films, key=lambda film: film.view is View.UNKNOWN):
        found.setdefault(Pose.of(film.view), film.sha)
    kept = list(Pose)[: 1 if single and Pose.FRONTAL in found else None]
    return {pose: found[pose] for pose in kept if pose in found}


def pairs_of(manifest: Manifest, split: Split | None, recipe: RetrievalRecipe) -> tuple[Pair, ...]:
    """The studies of a split (None: of all) with a film and a text."""
    studies = manifest.studies if split is None else manifest.of(split)
    made = (_pair(study, recipe) for study in studies)
    return tuple(pair for pair in made if pair.films and pair.sentences)


def findings_of(manifest: Manifest) -> tuple[Finding, ...]:
    """By which studies are alike: findings and devices, "no finding" among them. Organs are on every film."""
    return tuple(finding for finding in manifest.vocabulary if finding.kind is not Kind.ANATOMY)


def present_on(pairs: Sequence[Pair], findings: Sequence[Finding]) -> NDArray[np.bool_]:
    """(N, F): what is present. Where something was said and nothing is present, there is no finding."""
    keys = [finding.key for finding in findings]
    marks = np.array([[pair.known(key) is True for key in keys] for pair in pairs], dtype=np.bool_)
    marks = marks.reshape(len(pairs), len(keys))
    if NO_FINDING in keys:
        empty = ~marks.any(axis=1) & np.array([bool(pair.states) for pair in pairs], dtype=np.bool_)
        marks[empty, keys.index(NO_FINDING)] = True
    return marks


def split_text(text: str) -> tuple[str, ...]:
    """The sentences of a text that hold a word."""
    return tuple(found.text for found in sentences(Report(text=text)) if words_in(found.text))


def _pair(study: SnapshotStudy, recipe: RetrievalRecipe) -> Pair:
    said = effective(label for label in study.labels if str(label.source) in recipe.label_sources)
    written = sentences(study.report) if study.report is not None else ()
    return Pair(
        item=f"{study.dataset}/{study.key}",
        patient=f"{study.dataset}/{study.patient}",
        dataset=study.dataset,
        key=study.key,
        films=films_by_pose(study.images, recipe.views == "single"),
        sentences=tuple(one.text for one in written if re.search(r"\w", one.text)),
        states={key: one.state for key, one in said.items()},
    )


class Collate:
    """Studies to a batch. `varied` is for learning: some are mirrored, films and words, and texts lose sentences."""

    def __init__(
        self, films: FilmCache, findings: Sequence[Finding], text: TextTokens, recipe: RetrievalRecipe, varied: bool
    ) -> None:
        self._films, self._findings, self._text = films, findings, text
        self._recipe, self._varied = recipe, varied

    def __call__(self, pairs: Sequence[Pair], chance: np.random.Generator) -> PairBatch:
        flips = chance.random(len(pairs)) < (self._recipe.flip_probability if self._varied else 0)
        images = np.zeros((len(pairs), len(Pose), self._films.side, self._films.side), np.uint8)
        for row, (pair, flip) in enumerate(zip(pairs, flips, strict=True)):
            for pose, sha in pair.films.items():
                film = self._films.film(sha)
                images[row, pose] = film[:, ::-1] if flip else film
        texts = [self._told(pair, flip, chance) for pair, flip in zip(pairs, flips, strict=True)]
        words, told = read_texts(texts, self._text, self._recipe.text_tokens)
        known: dict[str, int] = {}
        return PairBatch(
            images=torch.from_numpy(images),
            seen=torch.tensor([[pose in pair.films for pose in Pose] for pair in pairs]),
            words=words,
            told=told,
            wordings=torch.tensor([known.setdefault(pair.wording, len(known)) for pair in pairs]),
            present=torch.from_numpy(present_on(pairs, self._findings)),
        )

    def _told(self, pair: Pair, flip: bool, chance: np.random.Generator) -> tuple[str, ...]:
        told = pair.sentences
        if self._varied and self._recipe.sentence_share < 1:
            share = chance.uniform(self._recipe.sentence_share, 1)
            kept = chance.permutation(len(told))[: max(1, round(share * len(told)))]
            told = tuple(told[place] for place in sorted(kept))
        return tuple(mirrored_text(sentence) for sentence in told) if flip else told


def read_texts(texts: Sequence[Sequence[str]], text: TextTokens, tokens: int) -> tuple[Tensor, Tensor]:
    """States (B, T, D) of the tokens of texts, each given as its sentences, and (B, T), True where there is a token.

    Each sentence is read by itself and once, however many reports hold it. Raises EmptyText.
    """
    every = [sentence for sentences in texts for sentence in sentences]
    read = dict(zip(every, text(every), strict=True))
    return padded([_joined([read[sentence] for sentence in told], tokens) for told in texts], text.encoder.dimension)


def _joined(read: Sequence[Read], tokens: int) -> Read:
    """One after the other, as many tokens as are read."""
    states = torch.cat([one.states for one in read])[:tokens]
    return Read(states, (), (-1,) * len(states))
