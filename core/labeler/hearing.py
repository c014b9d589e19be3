"""What one sentence says: which findings it mentions, in which state, and where on the chest."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from core.findings import Side, State
from core.labeler.context import Sign, state_of
from core.labeler.lexicon import Hit
from core.labeler.phrases import Found
from core.labeler.places import Named, Site, settle
from core.labeler.rules import Cue, Role, Rules
from core.labeler.words import Words, read_words
from core.labels import Zone

LONGEST: Final = 300
"""A sentence of more words than this is read in pieces, so that the time it takes grows no faster than its length."""

REMEMBERED: Final = 4096
"""How many sentences are kept with what they say: templates make the same ones come again and again."""


@dataclass(frozen=True)
class Mention:
    """A finding in a sentence."""

    finding: str
    state: State
    side: Side | None = None
    zone: Zone | None = None


@lru_cache(REMEMBERED)
def hear(text: str, rules: Rules) -> tuple[Mention, ...]:
    """The findings that a sentence speaks of, in the order of its words; one may be there more than once."""
    sentence = read_words(text, rules.spelled)
    return tuple(mention for stretch in sentence.stretches(LONGEST) for mention in _hear(stretch, rules))


def _hear(sentence: Words, rules: Rules) -> Iterator[Mention]:
    hits = tuple(rules.lexicon.hits(sentence))
    signs = _signs(hits)
    told = [(hit, state_of(hit, sentence, signs, rules)) for hit in _mentions(hits)]
    spoken = [(hit, state) for hit, state in told if state is not None]
    sites = _sites(spoken, rules)
    named = [*_named(hits, Side), *_named(hits, Zone)]
    ends = {at for sign in signs if Cue.ENDS in sign.cues for at in range(sign.place.start, sign.place.end)}
    settle(sentence, tuple(dict.fromkeys(sites.values())), named, ends)
    for hit, state in spoken:
        site = sites.get(_words_of(hit))
        yield Mention(hit.finding, state, site.side, site.zone) if site else Mention(hit.finding, state)


def _apart(hits: Iterable[Hit]) -> Iterator[Hit]:
    """Hits that do not overlap, from left to right: of those that begin at a word the longest, then that with fewest
    words in gaps, in all its meanings."""
    last: Found | None = None
    for hit in sorted(hits, key=lambda hit: (hit.place.start, -hit.place.end, hit.place.slack)):
        if last is None or hit.place.start >= last.end or hit.place.equals(last):
            last = hit.place
            yield hit


def _signs(hits: Iterable[Hit]) -> Sequence[Sign]:
    signs: dict[tuple[int, int], Sign] = {}
    for hit in _apart(hit for hit in hits if isinstance(hit.meaning, Cue)):
        before = signs.get(_words_of(hit))
        cues = before.cues if before else frozenset()
        signs[_words_of(hit)] = Sign(hit.place, cues | {Cue(hit.meaning)})
    return tuple(signs.values())


def _named(hits: Iterable[Hit], kind: type[Side] | type[Zone]) -> Iterator[Named]:
    for hit in _apart(hit for hit in hits if isinstance(hit.meaning, kind)):
        yield Named(hit.place, kind(hit.meaning))


def _mentions(hits: Iterable[Hit]) -> Sequence[Hit]:
    """Where findings are spoken of, in the order of the words.

    Each finding is read by itself. Where two of its phrases claim the same words, the one with fewer words in its gaps
    has them, then the longer; what lies inside an ignored phrase is no mention.
    """
    by_finding: dict[str, list[Hit]] = {}
    for hit in hits:
        if isinstance(hit.meaning, Role):
            by_finding.setdefault(hit.finding, []).append(hit)
    kept = (hit for claims in by_finding.values() for hit in _undisputed(claims))
    return sorted(kept, key=lambda hit: (hit.place.start, hit.place.end))


def _undisputed(claims: Sequence[Hit]) -> Sequence[Hit]:
    ignored = [hit.place for hit in claims if hit.meaning is Role.IGNORED]
    kept: list[Hit] = []
    for hit in sorted(claims, key=lambda hit: (hit.place.slack, -hit.place.length, hit.place.start)):
        is_ignored = any(place.covers(hit.place) for place in ignored)
        if not is_ignored and not any(other.place.overlaps(hit.place) for other in kept):
            kept.append(hit)
    return kept


def _sites(spoken: Iterable[tuple[Hit, State]], rules: Rules) -> dict[tuple[int, int], Site]:
    """Where the sentence mentions what has a place. Findings that one word names share its site."""
    sites: dict[tuple[int, int], Site] = {}
    last: Site | None = None
    for hit, state in spoken:
        if not rules.findings[hit.finding].is_placed:
            continue
        if last is None or not last.place.overlaps(hit.place):
            last = Site(hit.place, state is not State.ABSENT)
        last.place = Found(last.place.start, max(last.place.end, hit.place.end))
        sites[_words_of(hit)] = last
    return sites


def _words_of(hit: Hit) -> tuple[int, int]:
    return hit.place.start, hit.place.end
