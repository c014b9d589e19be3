"""What the words around a mention do to it: denial, doubt, and how far either reaches."""

from collections.abc import Sequence
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


def state_of(hit: Hit, sentence: Words, cues: Sequence[Hit], rules: Rules) -> State | None:
    """The state in which a finding is mentioned here; None where it is not spoken of after all.

    `cues` are in the order of the words. A denial counts before a doubt.
    """
    inside = {cue.meaning for cue in cues if _is_in_gap(cue.place, hit.place)}
    if Cue.ENDS in inside:
        return None
    is_denied = bool(inside & {Cue.DENIES_BEFORE, Cue.DENIES_AFTER})
    is_doubted = bool(inside & {Cue.DOUBTS_BEFORE, Cue.DOUBTS_AFTER})
    if hit.meaning is Role.ABSENT:
        return State.UNCERTAIN if is_denied or is_doubted else State.ABSENT
    if rules.findings[hit.finding].kind is Kind.ANATOMY:
        return State.PRESENT
    ahead = None if Cue.VERBS in inside else _from_before(hit.place, sentence, cues)
    if ahead is Cue.SETS_ASIDE:
        return None
    behind = _from_after(hit.place, sentence, cues)
    if is_denied or ahead is Cue.DENIES_BEFORE or behind is Cue.DENIES_AFTER:
        return State.ABSENT
    if is_doubted or ahead or behind or hit.meaning is Role.DOUBTFUL:
        return State.UNCERTAIN
    return State.PRESENT


def _is_in_gap(cue: Found, mention: Found) -> bool:
    return any(start <= cue.start and cue.end <= end for start, end in mention.gaps)


def _from_before(place: Found, sentence: Words, cues: Sequence[Hit]) -> Cue | None:
    """The cue that reaches a mention from before it: SETS_ASIDE, DENIES_BEFORE, DOUBTS_BEFORE or none."""
    doubt: Cue | None = None
    opening = max(0, place.start - REACH_AHEAD)
    for cue in reversed([cue for cue in cues if cue.place.end <= place.start]):
        pause = sentence.pause(cue.place.end - 1, place.start)
        if cue.place.start < opening or pause is Pause.STOP or cue.meaning in (Cue.ENDS, Cue.AFFIRMS):
            break
        if cue.meaning is Cue.CLOSES and sentence.pauses[cue.place.end] is not Pause.NONE:
            break
        if cue.meaning is Cue.OPENS and sentence.pauses[cue.place.start] is not Pause.NONE:
            opening = cue.place.start
        if cue.meaning is Cue.SETS_ASIDE and doubt is None and pause is Pause.NONE:
            return Cue.SETS_ASIDE
        if cue.meaning is Cue.DENIES_BEFORE:
            return Cue.DENIES_BEFORE
        if cue.meaning is Cue.DOUBTS_BEFORE:
            doubt = Cue.DOUBTS_BEFORE
    return doubt


def _from_after(place: Found, sentence: Words, cues: Sequence[Hit]) -> Cue | None:
    """The cue that reaches a mention from behind it: DENIES_AFTER, DOUBTS_AFTER or none."""
    for cue in cues:
        if cue.place.start < place.end:
            continue
        if cue.meaning in (Cue.ENDS, Cue.DENIES_BEFORE) or not _reaches_back(cue.place, place, sentence):
            return None
        if cue.meaning in (Cue.DENIES_AFTER, Cue.DOUBTS_AFTER):
            return Cue(cue.meaning)
    return None


def _reaches_back(cue: Found, place: Found, sentence: Words) -> bool:
    """Whether what follows is said of a mention too, and not of the last of several alone: "effusion and atelectasis
    have resolved", but "effusion and atelectasis has resolved"; "effusion, atelectasis, and edema are not seen", but
    "effusion, atelectasis has resolved"."""
    between = sentence.words[place.end : cue.start]
    pause = sentence.pause(place.end - 1, cue.start)
    if len(between) > REACH_BACK or pause is Pause.STOP:
        return False
    if "and" in between and sentence.words[cue.start] in _SINGULAR:
        return False
    if pause is Pause.NONE:
        return True
    last = max(at for at in range(place.end, cue.start + 1) if sentence.pauses[at] is Pause.COMMA)
    return sentence.words[last] in _JOINING
