"""What is said of a finding on a study, who says it, and whose word counts.

Sources stay apart: what a reader says never replaces what the report's labeler found or what an import brought. The
effective label of a study is the word of the first source in `EFFECTIVE_ORDER` that says anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import combinations
from typing import Protocol, TypeVar

from core.findings import NO_FINDING, SUPPORT_DEVICES, VOCABULARY, Kind, Side, State


class Source(StrEnum):
    """Whose word a statement is. A model's word lives with its predictions and is never a label."""

    ADJUDICATED = "adjudicated"
    READER = "reader"
    IMPORTED = "imported"
    LABELER = "labeler"
    MODEL = "model"


EFFECTIVE_ORDER = (Source.ADJUDICATED, Source.READER, Source.IMPORTED, Source.LABELER)
_ON_NORMAL_FILMS = frozenset(
    {NO_FINDING, SUPPORT_DEVICES, *(each.key for each in VOCABULARY if each.kind is not Kind.FINDING)}
)


class Zone(StrEnum):
    """A third of the lung's height."""

    UPPER = "upper"
    MID = "mid"
    LOWER = "lower"


@dataclass(frozen=True)
class Statement:
    """That a finding is present, absent or uncertain on a study, and whose word it is.

    UNASSESSED takes back what the same source said before. `reader` names the person where there is one, `evidence` is
    the sentence that says so. `suggested` tells whether a model's probability was in sight when it was said, or when
    what it was made from was said.
    """

    finding: str
    state: State
    source: Source
    side: Side | None = None
    zone: Zone | None = None
    reader: str | None = None
    evidence: str = ""
    suggested: bool = False


class Said(Protocol):
    """What a statement and a version on record have in common."""

    @property
    def finding(self) -> str: ...
    @property
    def state(self) -> State: ...
    @property
    def source(self) -> Source: ...
    @property
    def side(self) -> Side | None: ...
    @property
    def zone(self) -> Zone | None: ...
    @property
    def reader(self) -> str | None: ...


SaidT = TypeVar("SaidT", bound=Said)


class Labelled(Protocol):
    """Anything with statements, oldest first: a study, a snapshot's study."""

    @property
    def labels(self) -> Sequence[Said]: ...


@dataclass(frozen=True)
class Effective:
    """What counts for a finding, and where it came from.

    `in_conflict`: others of the same source contradict it. Of readers the newest word counts; imports that contradict
    each other count as uncertain.
    """

    state: State
    source: Source
    side: Side | None = None
    zone: Zone | None = None
    reader: str | None = None
    in_conflict: bool = False


@dataclass(frozen=True)
class NewLabel:
    """A statement about to be put on record."""

    study_id: int
    finding: str
    state: State
    side: Side | None = None
    zone: Zone | None = None


@dataclass(frozen=True)
class LabelVersion:
    """An immutable version of one finding's label on one study; the tree of a finding holds those of all sources.

    `is_current` marks the word that stands of each source and reader, `in_conflict` those that contradict each other.
    """

    id: int
    study_id: int
    finding: str
    state: State
    source: Source
    created_at: datetime
    side: Side | None = None
    zone: Zone | None = None
    reader: str | None = None
    evidence: str = ""
    suggested: bool = False
    parent_id: int | None = None
    is_current: bool = False
    in_conflict: bool = False

    @property
    def statement(self) -> Statement:
        return Statement(
            self.finding,
            self.state,
            self.source,
            self.side,
            self.zone,
            self.reader,
            self.evidence,
            self.suggested,
        )


@dataclass(frozen=True)
class LabelDraft:
    """A reader's word on a finding, not yet submitted. Drafts of a finding form a tree; `branch` names the line."""

    id: int
    study_id: int
    finding: str
    reader: str
    branch: int
    state: State
    saved_at: datetime
    side: Side | None = None
    zone: Zone | None = None
    parent_id: int | None = None
    base_version_id: int | None = None


@dataclass(frozen=True)
class SavedLabel:
    """A draft on record. `conflict` says, in a sentence, that another line of the same finding exists and is kept."""

    draft: LabelDraft
    conflict: str | None = None


def standing(statements: Iterable[SaidT]) -> tuple[SaidT, ...]:
    """What stands of statements given oldest first: of each reader, the labeler and the adjudication the last word on a
    finding; of imports every one. What was taken back is gone."""
    last: dict[tuple[object, ...], SaidT] = {}
    for statement in statements:
        voice = _voice(statement)
        last.pop(voice, None)
        last[voice] = statement
    return tuple(statement for statement in last.values() if statement.state is not State.UNASSESSED)


def by_source(statements: Iterable[Said]) -> dict[str, dict[Source, Effective]]:
    """What each source says of each finding, of statements given oldest first."""
    said: dict[str, dict[Source, list[Said]]] = {}
    for statement in standing(statements):
        said.setdefault(statement.finding, {}).setdefault(statement.source, []).append(statement)
    return {
        finding: {source: _counted(words) for source, words in sources.items()} for finding, sources in said.items()
    }


def effective(statements: Iterable[Said]) -> dict[str, Effective]:
    """What counts, by finding, of statements given oldest first. Findings that nobody speaks of are not in it.

    That there is no finding gives way where a source that counts before the one that says so has found something.
    """
    counted = {
        finding: said[first]
        for finding, said in by_source(statements).items()
        if (first := next((source for source in EFFECTIVE_ORDER if source in said), None)) is not None
    }
    normal = counted.get(NO_FINDING)
    if normal is None or normal.state is not State.PRESENT:
        return counted
    before = EFFECTIVE_ORDER[: EFFECTIVE_ORDER.index(normal.source)]
    for finding, found in counted.items():
        if found.state is State.PRESENT and found.source in before and finding not in _ON_NORMAL_FILMS:
            return counted | {NO_FINDING: Effective(State.ABSENT, found.source, reader=found.reader)}
    return counted


def effective_of(study: Labelled) -> dict[str, Effective]:
    return effective(study.labels)


def contradict(one: Said, other: Said) -> bool:
    """Whether two statements on the same finding cannot both be meant. To say less is no contradiction."""
    if one.state is not other.state:
        return True
    sides, zones = (one.side, other.side), (one.zone, other.zone)
    return any(None not in pair and pair[0] is not pair[1] for pair in (sides, zones))


def _counted(said: Sequence[Said]) -> Effective:
    newest = said[-1]
    torn = any(contradict(one, other) for one, other in combinations(said, 2))
    if torn and newest.source is Source.IMPORTED:
        return Effective(State.UNCERTAIN, newest.source, in_conflict=True)
    return Effective(newest.state, newest.source, newest.side, newest.zone, newest.reader, torn)


def _voice(statement: Said) -> tuple[object, ...]:
    if statement.source is Source.READER:
        return statement.finding, statement.source, statement.reader
    if statement.source is Source.IMPORTED:
        return statement.finding, statement.source, statement.reader, statement.state, statement.side, statement.zone
    return statement.finding, statement.source


def plain(statement: Statement) -> Mapping[str, str | bool]:
    """The statement as a JSON record in which what was not said is left out."""
    record: dict[str, str | bool] = {"finding": statement.finding, "state": statement.state, "source": statement.source}
    more = {"side": statement.side, "zone": statement.zone, "reader": statement.reader, "evidence": statement.evidence}
    record |= {name: str(value) for name, value in more.items() if value}
    return record | ({"suggested": True} if statement.suggested else {})


def from_plain(record: Mapping[str, object]) -> Statement:
    """The statement that `plain` wrote. Raises KeyError, ValueError."""
    side, zone, reader = record.get("side"), record.get("zone"), record.get("reader")
    return Statement(
        finding=str(record["finding"]),
        state=State(str(record["state"])),
        source=Source(str(record["source"])),
        side=Side(str(side)) if side else None,
        zone=Zone(str(zone)) if zone else None,
        reader=str(reader) if reader else None,
        evidence=str(record.get("evidence") or ""),
        suggested=bool(record.get("suggested", False)),
    )
