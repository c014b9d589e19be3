"""What the words around a mention do to it: denial, doubt, and how far either reaches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.findings import Kind, State
from core.labeler.lexicon import Hit
from core.labeler.phrases import Found
from core.labeler.rules import Cue, Role, Rules
from core.labeler.words import Pause, Words

REACH_AHEAD: Final = 30
"""How many words a cue such as "no" reaches ahead, unless a thought ends before."""

REACH_BACK: Final = 12
"""How many words a cue such as "has resolved" reaches back."""

_JOINING: Final = frozenset(("and", "or", "nor"))
_SINGULAR: Final = frozenset(("is", "was", "has", "does"))


@dataclass(frozen=True)
class Sign:
    """Words that do something to the mentions around them: every cue that they are."""

    place: Found
    cues: frozenset[Cue]


def state_of(hit: Hit, sentence: Words, signs: Sequence[Sign], rules: Rules) -> State | None:
    """The state in which a finding is mentioned here; None where it is not spoken of after all.

    `signs` are in the order of the words. A denial counts before a doubt.
    """
    inside = {cue for sign in signs if _is_in_gap(sign.place, hit.place) for cue in sign.cues}
    if Cue.ENDS in inside:
        return None
    is_denied = bool(inside & {Cue.DENIES_BEFORE, Cue.DENIES_AFTER})
    is_doubted = bool(inside & {Cue.DOUBTS_BEFORE, Cue.DOUBTS_AFTER})
    if hit.meaning is Role.ABSENT:
        return State.UNCERTAIN if is_denied or is_doubted else State.ABSENT
    if rules.findings[hit.finding].kind is Kind.ANATOMY:
        return State.PRESENT
    ahead = None if Cue.VERBS in inside else _from_before(hit.place, sentence, signs)
    if ahead is Cue.SETS_ASIDE:
        return None
    behind = _from_after(hit.place, sentence, signs)
    if is_denied or ahead is Cue.DENIES_BEFORE or behind is Cue.DENIES_AFTER:
        return State.ABSENT
    if is_doubted or ahead or behind or hit.meaning is Role.DOUBTFUL:
        return State.UNCERTAIN
    return State.PRESENT


def _is_in_gap(sign: Found, mention: Found) -> bool:
    return any(start <= sign.start and sign.end <= end for start, end in mention.gaps)


def _from_before(place: Found, sentence: Words, signs: Sequence[Sign]) -> Cue | None:
    """The cue that reaches a mention from before it: SETS_ASIDE, DENIES_BEFORE, DOUBTS_BEFORE or none."""
    doubt: Cue | None = None
    opening = max(0, place.start - REACH_AHEAD)
    for sign in reversed([sign for sign in signs if sign.place.end <= place.start]):
        pause = sentence.pause(sign.place.end - 1, place.start)
        if sign.place.start < opening or pause is Pause.STOP or sign.cues & {Cue.ENDS, Cue.AFFIRMS}:
            break
        if Cue.CLOSES in sign.cues and sentence.pauses[sign.place.end] is not Pause.NONE:
            break
        if Cue.SETS_ASIDE in sign.cues and doubt is None and pause is Pause.NONE:
            return Cue.SETS_ASIDE
        if Cue.DENIES_BEFORE in sign.cues:
            return Cue.DENIES_BEFORE
        if Cue.DOUBTS_BEFORE in sign.cues:
            doubt = Cue.DOUBTS_BEFORE
        if Cue.OPENS in sign.cues and sentence.pauses[sign.place.start] is not Pause.NONE:
            opening = sign.place.start
    return doubt


def _from_after(place: Found, sentence: Words, signs: Sequence[Sign]) -> Cue | None:
    """The cue that reaches a mention from behind it: DENIES_AFTER, DOUBTS_AFTER or none."""
    for sign in signs:
        if sign.place.start < place.end:
            continue
        if Cue.ENDS in sign.cues or not _reaches_back(sign.place, place, sentence):
            return None
        for cue in (Cue.DENIES_AFTER, Cue.DOUBTS_AFTER):
            if cue in sign.cues:
                return cue
        if Cue.DENIES_BEFORE in sign.cues:
            return None
    return None


def _reaches_back(sign: Found, place: Found, sentence: Words) -> bool:
    """Whether what follows is said of a mention too, and not of the last of several alone: "effusion and atelectasis
    have resolved", but "effusion and atelectasis has resolved"; "effusion, atelectasis, and edema are not seen", but
    "effusion, atelectasis has resolved"."""
    between = sentence.words[place.end : sign.start]
    pause = sentence.pause(place.end - 1, sign.start)
    if len(between) > REACH_BACK or pause is Pause.STOP:
        return False
    if "and" in between and sentence.words[sign.start] in _SINGULAR:
        return False
    if pause is Pause.NONE:
        return True
    last = max(at for at in range(place.end, sign.start + 1) if sentence.pauses[at] is Pause.COMMA)
    return sentence.words[last] in _JOINING
