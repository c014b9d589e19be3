"""Where readers, report and model contradict each other on a finding, and how a person is told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.findings import State
from core.labels import Said, Source, by_source

_WORDS = {
    Source.READER: "reader",
    Source.IMPORTED: "imported label",
    Source.LABELER: "report",
    Source.MODEL: "model",
}
_OPPOSED = frozenset({State.PRESENT, State.ABSENT})
_PAIRS = (
    (Source.MODEL, Source.LABELER),
    (Source.MODEL, Source.IMPORTED),
    (Source.MODEL, Source.READER),
    (Source.READER, Source.LABELER),
    (Source.READER, Source.IMPORTED),
)
"""Who is compared with whom, what a lead wants to hear first in front. A report's labeler against an import says more
of the two than of the film."""


@dataclass(frozen=True)
class ModelWord:
    """What a model says of a finding at its own threshold, and the probability it gives."""

    state: State
    probability: float


@dataclass(frozen=True)
class Disagreement:
    """A finding of a study on which at least two contradict each other; `said` holds everyone's word."""

    study_id: int
    finding: str
    said: Mapping[Source, State]
    probability: float | None = None
    readers_differ: bool = False

    @property
    def between(self) -> tuple[Source, Source] | None:
        """The first pair of sources that contradict each other; None when only readers do among themselves."""
        if not _OPPOSED.issubset(self.said.values()):
            return None
        return next((pair for pair in _PAIRS if {self.said.get(source) for source in pair} == _OPPOSED), None)

    @property
    def before_reading(self) -> float:
        """How strongly the model contradicts the report or an import, 0 to 1; 0 when it does not."""
        pair = self.between
        if pair is None or self.probability is None or pair[1] is Source.READER or pair[0] is not Source.MODEL:
            return 0.0
        return self.probability if self.said[Source.MODEL] is State.PRESENT else 1 - self.probability

    def words(self, name: str) -> str:
        """The disagreement as a clause: "model and report disagree on pleural effusion"."""
        pair = self.between
        who = f"{_WORDS[pair[0]]} and {_WORDS[pair[1]]}" if pair else "readers"
        return f"{who} disagree on {name[:1].lower()}{name[1:]}"


@dataclass(frozen=True)
class Dispute:
    """A disagreement with the names of the study it is on."""

    dataset: str
    study: str
    disagreement: Disagreement


def disagreements(
    study_id: int, statements: Iterable[Said], model: Mapping[str, ModelWord]
) -> tuple[Disagreement, ...]:
    """Every finding of a study on which somebody contradicts somebody; `model` is its word by finding.

    To be uncertain contradicts nobody, and an adjudication ends the matter.
    """
    spoken = by_source(statements)
    found = []
    for finding in sorted(spoken.keys() | model.keys()):
        sources = spoken.get(finding, {})
        if Source.ADJUDICATED in sources:
            continue
        said = {source: effective.state for source, effective in sources.items()}
        word = model.get(finding)
        if word is not None:
            said[Source.MODEL] = word.state
        differ = Source.READER in sources and sources[Source.READER].in_conflict
        each = Disagreement(study_id, finding, said, word.probability if word else None, differ)
        if differ or each.between is not None:
            found.append(each)
    return tuple(found)
