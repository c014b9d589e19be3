"""Findings asked for in words, with nothing learned for it: prompts and phrases from their files, and their scores."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from core.bootstrap import Values
from core.findings import Finding
from trainers.retrieval.data import split_text
from trainers.retrieval.embedding import Embedder
from trainers.retrieval.model import Vectors


@dataclass(frozen=True)
class Prompts:
    """What says that a finding is present, and what says that it is absent."""

    present: tuple[str, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True)
class Phrase:
    """What a reader might search for, and the findings of which a study that answers it has one."""

    text: str
    findings: tuple[str, ...]


def prompts_for(finding: Finding) -> Prompts:
    """The file's words for a finding, or else its names in the vocabulary in the file's templates."""
    told = _prompts()
    own: Mapping[str, Sequence[str]] = told.get("findings", {}).get(finding.key, {})
    names = own.get("names", (finding.name.lower(), *finding.prompts))
    present, absent = (own.get(side, told[side]) for side in ("present", "absent"))
    return Prompts(_filled(present, names), _filled(absent, names))


@cache
def phrases() -> tuple[Phrase, ...]:
    told = tomllib.loads(_read("phrases.toml"))
    return tuple(Phrase(entry["text"], tuple(entry["findings"])) for entry in told["phrases"])


def zero_shot(model: Embedder, findings: Sequence[Finding], studies: Vectors) -> dict[str, Values]:
    """By finding (N,): how much nearer studies are to its positive prompts than to its negative ones, each averaged
    into one point (Radford et al. 2021; in pairs as by Tiu et al. 2022)."""
    told = {}
    for finding in findings:
        prompts = prompts_for(finding)
        present, absent = (_middle(model, texts) for texts in (prompts.present, prompts.absent))
        told[finding.key] = studies.astype(np.float64) @ (present - absent).astype(np.float64)
    return told


def suite(model: Embedder, studies: Vectors) -> dict[Phrase, Values]:
    """By phrase (N,): how near studies are to it."""
    said = model.texts([split_text(phrase.text) for phrase in phrases()])
    near = studies.astype(np.float64) @ said.astype(np.float64).T
    return dict(zip(phrases(), near.T, strict=True))


def _middle(model: Embedder, texts: Sequence[str]) -> Vectors:
    mean = model.texts([split_text(text) for text in texts]).mean(axis=0)
    middle: Vectors = mean / np.linalg.norm(mean)
    return middle


def _filled(templates: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    filled = (template.format(name) for template in templates for name in names)
    return tuple(dict.fromkeys(text[0].upper() + text[1:] for text in filled))


@cache
def _prompts() -> dict[str, Any]:
    return tomllib.loads(_read("prompts.toml"))


def _read(name: str) -> str:
    return files("trainers.retrieval").joinpath(name).read_text("utf-8")
