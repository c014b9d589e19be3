"""Words: how a finding is asked for, the same denied, and the same seen in a mirror.

What the network reads of one question is `Words`: the phrase that says what is wanted, and, for networks that read the
whole report, its two sections beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from core.findings import Finding
from core.reports import Report, sentences_on
from trainers.backbones import TextFeatures
from trainers.mirroring import mirrored_text

Mode = Literal["prompt", "sentences", "report"]

FRAMES = (
    "{}", "{}", "{}", "the {}", "outline the {}", "segment the {}", "find the {}", "mark the {}", "where is the {}?",
    "show the {}", "{} on this film", "the {} on this chest x-ray", "the area of the {}", "the region of the {}",
    "{} in this radiograph", "the outline of the {}", "a mask of the {}", "extent of the {}", "{} is seen", "{} region",
    "borders of the {}", "contour of the {}", "please draw the {}",
)  # fmt: skip
DENIALS = (
    "no {}", "without {}", "there is no {}", "no evidence of {}", "{} is absent", "{} is not seen", "negative for {}",
    "{} has resolved", "free of {}", "no {} is identified",
)  # fmt: skip


@dataclass(frozen=True)
class Words:
    """What is read for one question about one film. `findings` and `impression` are empty where nobody reads them."""

    prompt: str
    findings: str = ""
    impression: str = ""

    @property
    def mirrored(self) -> "Words":
        return Words(mirrored_text(self.prompt), mirrored_text(self.findings), mirrored_text(self.impression))


def words_on(finding: Finding, report: Report | None, mode: Mode, phrase: str | None = None) -> Words:
    """What the network reads to find something on a film of a study with this report.

    `phrase` stands for the finding's name. In the mode "sentences" the report's own sentences on the finding take its
    place; a study whose report has none, or that has no report, is asked by the phrase alone.
    """
    asked = Words(phrase or prompt_for(finding))
    if report is None or mode == "prompt":
        return asked
    if mode == "report":
        return replace(asked, findings=report.findings or report.text, impression=report.impression)
    said = " ".join(sentence.text for sentence in sentences_on(report, finding))
    return Words(said) if said else asked


def features_of(words: Sequence[Words], text: TextFeatures, sections: int) -> Tensor:
    """(N, 1 + sections, D) float32: the prompt's features, then those of findings and impression; a section without
    words is a row of zeros. Raises EmptyText for an empty prompt."""
    rows = text([one.prompt for one in words])[:, None]
    if not sections:
        return rows
    read = [section for one in words for section in (one.findings, one.impression)]
    said = [section for section in read if section]
    known = dict(zip(said, text(said), strict=True)) if said else {}
    blank = torch.zeros(rows.shape[-1])
    beside = torch.stack([known.get(section, blank) for section in read]).reshape(len(words), 2, -1)
    return torch.cat([rows, beside[:, :sections]], dim=1)


def prompt_for(finding: Finding) -> str:
    """The prompt of a finding's name: "Left lung" is asked for as "left lung"."""
    return finding.name.lower()


def names_of(finding: Finding) -> tuple[str, ...]:
    """The finding's name first, then the other ways of saying it that the vocabulary holds."""
    return tuple(dict.fromkeys((prompt_for(finding), *(text.lower() for text in finding.prompts))))


def phrases_for(finding: Finding) -> tuple[str, ...]:
    """Every way in which training asks for a finding: each of its names in each frame."""
    return tuple(dict.fromkeys(frame.format(name) for name in names_of(finding) for frame in FRAMES))


def denials_of(finding: Finding) -> tuple[str, ...]:
    """Ways of saying that the finding is not there."""
    return tuple(frame.format(name) for name in names_of(finding) for frame in DENIALS)
