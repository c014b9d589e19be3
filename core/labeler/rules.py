"""What the labeler goes by: which phrases speak of a finding, and what the words around them do to it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from core.errors import ReadingRoomError
from core.findings import SUPPORT_DEVICES, Finding, Kind, Side
from core.labeler.lexicon import Entry, Lexicon
from core.labeler.phrases import Phrase, read_phrase
from core.labeler.words import Spelling, read_words
from core.labels import Zone


class BadRules(ReadingRoomError):
    """Rules that cannot be followed."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"The labeler's rules cannot be followed. In {where}: {why}.")


class Cue(StrEnum):
    """What words around a mention do to it."""

    DENIES_BEFORE = "denies_before"
    DENIES_AFTER = "denies_after"
    DOUBTS_BEFORE = "doubts_before"
    DOUBTS_AFTER = "doubts_after"
    AFFIRMS = "affirms"
    VERBS = "verbs"
    SETS_ASIDE = "sets_aside"
    NEUTRAL = "neutral"
    OPENS = "opens"
    CLOSES = "closes"
    ENDS = "ends"


class Role(StrEnum):
    """What a phrase says of its finding."""

    MENTIONS = "mentions"
    ABSENT = "absent"
    DOUBTFUL = "doubtful"
    IGNORED = "ignored"


@dataclass(frozen=True)
class FindingRules:
    """How one finding is heard.

    `mentions` speak of it, and the words around them say in which state; `absent` and `doubtful` say the state by
    themselves; a mention inside one of `ignored` is none. Where the finding is present or uncertain, so are those that
    it `implies`. Where it has a place, the words of side and zone around a mention belong to it.
    """

    kind: Kind = Kind.FINDING
    mentions: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    implies: tuple[str, ...] = ()
    has_place: bool = True

    @property
    def is_placed(self) -> bool:
        return self.has_place and self.kind is not Kind.ANATOMY

    @property
    def phrases(self) -> Iterator[tuple[Role, str]]:
        for role, texts in (
            (Role.MENTIONS, self.mentions),
            (Role.ABSENT, self.absent),
            (Role.DOUBTFUL, self.doubtful),
            (Role.IGNORED, self.ignored),
        ):
            yield from ((role, text) for text in texts)


@dataclass(frozen=True, eq=False)
class Rules:
    """A whole set of rules, checked as it is made. Raises BadRules, BadPhrase.

    `spoken` are the findings that the labeler may name; the others are heard all the same, for what they imply.
    """

    spelling: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    context: Mapping[Cue, tuple[str, ...]] = field(default_factory=dict)
    places: Mapping[Side | Zone, tuple[str, ...]] = field(default_factory=dict)
    findings: Mapping[str, FindingRules] = field(default_factory=dict)
    spoken: frozenset[str] | None = None

    def __post_init__(self) -> None:
        for key, rules in self.findings.items():
            unknown = sorted(set(rules.implies) - self.findings.keys())
            if unknown:
                raise BadRules(f"findings.{key}", f"it implies {', '.join(unknown)}, for which there are no rules")
        for key in self.findings:
            if key in self.implied_by(key):
                raise BadRules(f"findings.{key}", "what it implies comes round to itself")
        _ = self.lexicon

    @cached_property
    def spelled(self) -> Spelling:
        return Spelling(self.spelling)

    @cached_property
    def lexicon(self) -> Lexicon:
        return Lexicon(self._entries())

    def may_name(self, key: str) -> bool:
        return self.spoken is None or key in self.spoken

    def implied_by(self, key: str) -> tuple[str, ...]:
        """Every finding that follows from this one, at however many removes."""
        reached: dict[str, None] = {}
        waiting = list(self.findings[key].implies)
        while waiting:
            parent = waiting.pop(0)
            if parent not in reached:
                reached[parent] = None
                waiting += self.findings[parent].implies
        return tuple(reached)

    def _entries(self) -> Iterator[Entry]:
        spelled = self.spelled.of
        names = {name: tuple(spelled(text.lower()) for text in texts) for name, texts in self.names.items()}

        def read(text: str) -> Phrase:
            return read_phrase(spelled(text.lower()), names)

        for meaning, texts in (*self.context.items(), *self.places.items()):
            yield from (Entry(read(text), meaning) for text in texts)
        for key, rules in self.findings.items():
            yield from (Entry(read(text), role, key) for role, text in rules.phrases)


def rules_for(vocabulary: Iterable[Finding], rules: Rules) -> Rules:
    """The rules for a project: only findings of its vocabulary are named, and those without rules of their own are
    heard by their name and their prompts."""
    named = [finding for finding in vocabulary if not finding.retired]
    new = {finding.key: _by_name(finding, rules) for finding in named if finding.key not in rules.findings}
    return replace(rules, findings={**rules.findings, **new}, spoken=frozenset(finding.key for finding in named))


def _by_name(finding: Finding, rules: Rules) -> FindingRules:
    said = (" ".join(read_words(text, rules.spelled).words) for text in (finding.name, *finding.prompts))
    is_device = finding.kind is Kind.DEVICE and SUPPORT_DEVICES in rules.findings
    return FindingRules(
        finding.kind,
        mentions=tuple(dict.fromkeys(words for words in said if words)),
        implies=(SUPPORT_DEVICES,) if is_device else (),
    )
