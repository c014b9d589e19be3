"""Where on the chest each mention of a finding lies: which words of side and zone belong to which mention."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from core.findings import Side
from core.labeler.phrases import Found
from core.labeler.words import Pause, Words
from core.labels import Zone

NEAR: Final = 5
"""A place stands as an adjective ("left small pleural effusion") with at most this many words up to its finding."""

_PREPOSITIONS: Final = frozenset(("in", "at", "on", "of", "within", "involving", "along", "over", "overlying", "near"))
_JOINING: Final = frozenset(("and", "or", "versus", "vs", "with"))
_ARTICLES: Final = frozenset(("the", "a", "an", "both"))
_VERBS: Final = frozenset(("is", "are", "was", "were", "has", "have", "remains", "shows", "demonstrates"))


@dataclass(frozen=True)
class Named:
    """Words of a sentence that name a side or a zone."""

    place: Found
    meaning: Side | Zone


@dataclass(eq=False)
class Site:
    """Words that mention a finding, and the places that belong to them.

    `is_firm`: the finding is not denied. `likely` are places before it in the sentence that belong to no other mention.
    """

    place: Found
    is_firm: bool
    places: list[Side | Zone] = field(default_factory=list)
    likely: list[Side | Zone] = field(default_factory=list)

    @property
    def side(self) -> Side | None:
        return joined_side(place for place in self.places if isinstance(place, Side))

    @property
    def zone(self) -> Zone | None:
        return joined_zone(place for place in self.places if isinstance(place, Zone))


def joined_side(sides: Iterable[Side]) -> Side | None:
    """The side that several make together: left and right are both."""
    found = set(sides)
    return found.pop() if len(found) == 1 else Side.BOTH if found else None


def joined_zone(zones: Iterable[Zone]) -> Zone | None:
    """The zone, where all agree on one."""
    found = set(zones)
    return found.pop() if len(found) == 1 else None


def settle(sentence: Words, sites: Sequence[Site], named: Iterable[Named], ends: Collection[int]) -> None:
    """Give each place to the mention it belongs to. `sites` are in order; `ends` are words at which a thought ends.

    An adjective belongs to the mention after it, what a preposition governs to the mention before it. A mention without
    a place of its own shares that of the mention it is joined to.
    """
    cuts = {at for at in ends if sentence.words[at] not in _JOINING}
    places = tuple(named)
    placed = {at for each in places for at in range(each.place.start, each.place.end)}
    for each in places:
        _give(each, sentence, sites, placed, cuts)
    for site in sites:
        for kind in (Side, Zone):
            if not any(isinstance(place, kind) for place in site.places):
                site.places += (place for place in site.likely if isinstance(place, kind))
    for before, site in pairwise(sites):
        is_joined = not _is_cut(sentence, range(before.place.end, site.place.start), cuts)
        if is_joined and before.is_firm and site.is_firm and not site.places:
            site.places = list(before.places)
    for site, after in reversed(list(pairwise(sites))):
        if not site.places and _JOINING.issuperset(sentence.words[site.place.end : after.place.start]):
            site.places = list(after.places)


def _give(named: Named, sentence: Words, sites: Sequence[Site], placed: Collection[int], cuts: Collection[int]) -> None:
    start, end = named.place.start, named.place.end
    within = next((site for site in sites if site.place.covers(named.place)), None)
    before = [site for site in sites if site.place.end <= start]
    before = [site for site in before if not _is_cut(sentence, range(site.place.end, start), cuts)]
    after = next((site for site in sites if site.place.start >= end), None)
    if after and _is_cut(sentence, range(end, after.place.start), cuts):
        after = None
    if within:
        within.places.append(named.meaning)
    elif (
        after
        and _is_adjective(sentence, range(end, after.place.start), placed)
        and not _is_governed(sentence, start, placed)
    ):
        after.places.append(named.meaning)
    elif before:
        before[-1].places.append(named.meaning)
    elif after:
        after.likely.append(named.meaning)


def _is_cut(sentence: Words, between: range, cuts: Collection[int]) -> bool:
    """Whether a thought ends on the way past these words."""
    return sentence.pause(between.start - 1, between.stop) is Pause.STOP or any(at in cuts for at in between)


def _is_adjective(sentence: Words, between: range, placed: Collection[int]) -> bool:
    """Whether a place stands close before a mention, with nothing between but adjectives and further places."""
    words = [sentence.words[at] for at in between if not (sentence.words[at] in _JOINING and at + 1 in placed)]
    is_unbroken = sentence.pause(between.start - 1, between.stop) is Pause.NONE
    return len(words) <= NEAR and is_unbroken and not any(w in _PREPOSITIONS | _JOINING | _VERBS for w in words)


def _is_governed(sentence: Words, start: int, placed: Collection[int]) -> bool:
    """Whether a preposition stands before a place, with articles, other places and at most one word more between."""
    others = 0
    for at in reversed(range(start)):
        word = sentence.words[at]
        if word in _PREPOSITIONS or word in _JOINING:
            return word in _PREPOSITIONS
        others += word not in _ARTICLES and at not in placed
        if others > 1:
            return False
    return False
