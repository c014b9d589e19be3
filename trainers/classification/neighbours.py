"""Which labelled training studies look most like a film, and what they had: something that a reader can look up."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.findings import State
from trainers.classification.data import Exam

LOOKS = "neighbours.safetensors"
STUDIES = "neighbours.json"
NEAREST = 5


@dataclass(frozen=True)
class Known:
    """A training study and what was said of its findings."""

    dataset: str
    key: str
    states: Mapping[str, State]


@dataclass(frozen=True)
class Alike:
    """A training study that looks like a film, and what it has of one finding. `similarity` is the cosine."""

    dataset: str
    key: str
    state: State
    similarity: float


@dataclass(frozen=True)
class Neighbours:
    """`looks` (N, W) are of length one."""

    looks: Tensor
    studies: tuple[Known, ...]

    @classmethod
    def nobody(cls) -> "Neighbours":
        return cls(torch.zeros(0, 1), ())

    @classmethod
    def of(cls, exams: Sequence[Exam], looks: Tensor) -> "Neighbours":
        # In half precision, as they are kept.
        return cls(looks.cpu().half(), tuple(Known(exam.dataset, exam.key, exam.states) for exam in exams))

    def nearest(self, look: Tensor, finding: str) -> tuple[Alike, ...]:
        """The nearest to a film's look (W,) of those studies of which something is said of the finding."""
        rows = [row for row, study in enumerate(self.studies) if finding in study.states]
        if not rows:
            return ()
        similar = self.looks[rows].float() @ look.cpu().float()
        best = similar.topk(min(NEAREST, len(rows)))
        return tuple(
            Alike(study.dataset, study.key, study.states[finding], round(min(1.0, float(value)), 3))
            for value, place in zip(best.values, best.indices.tolist(), strict=True)
            for study in [self.studies[rows[place]]]
        )

    def save(self, folder: Path) -> None:
        save_file({"looks": self.looks.contiguous()}, folder / LOOKS)
        told = [[study.dataset, study.key, dict(study.states)] for study in self.studies]
        (folder / STUDIES).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Neighbours":
        """Raises OSError, ValueError, KeyError, TypeError, SafetensorError."""
        told = json.loads((folder / STUDIES).read_text(encoding="utf-8"))
        studies = tuple(
            Known(str(dataset), str(key), {str(finding): State(state) for finding, state in states.items()})
            for dataset, key, states in told
        )
        looks = load_file(folder / LOOKS)["looks"]
        if len(looks) != len(studies):
            raise ValueError(f"{LOOKS} holds {len(looks)} studies and {STUDIES} {len(studies)}")
        return cls(looks, studies)


def spread(exams: Sequence[Exam], count: int) -> tuple[Exam, ...]:
    """So many of the exams, evenly spread over their order; all where there are fewer."""
    if len(exams) <= count:
        return tuple(exams)
    return tuple(exams[place * len(exams) // count] for place in range(count))
