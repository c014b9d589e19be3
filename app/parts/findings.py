"""The list of findings beside the film: what the model, the report and readers say of each.

What the reader says there, picks and answers goes to the editor, in the browser, and from it to Python: a component's
own word to its script is lost when another follows quickly.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from app.parts.part import register

KEY = "review-findings"

_mount = register("findings")


@dataclass(frozen=True)
class Offer:
    """A suggestion that waits for an answer. `says` names its model and how sure it is."""

    id: int
    says: str


@dataclass(frozen=True)
class ModelWord:
    """What the model says: a probability in short, and the state it takes it for, empty where it takes it for none."""

    text: str
    says: str
    title: str
    has_map: bool = False


@dataclass(frozen=True)
class ReportWord:
    """What the report says, in words for a tooltip too. `evidence` is the sentence that says so."""

    state: str
    title: str
    evidence: str = ""


@dataclass(frozen=True)
class Voice:
    """Somebody's word on a finding; `more` is when, how sure, or the sentence that says so."""

    who: str
    state: str
    side: str | None = None
    zone: str | None = None
    more: str = ""
    is_reader: bool = False


@dataclass(frozen=True)
class FindingLine:
    """A finding as Python knows it. What the reader says of it, and whether a draft is drawn, is the editor's to tell.

    `assessed`: it can be said to be present, unlike anatomy, which is only drawn. `drawn`: a mask of it counts; `by`
    is who else drew that. `voices` are all who say anything of it but the reader. `torn`: readers contradict each
    other; `disputed`: anybody does. `settled_by` tells who settled that, and when.
    """

    key: str
    name: str
    colour: str
    assessed: bool = True
    has_side: bool = True
    has_zone: bool = True
    model: ModelWord | None = None
    report: ReportWord | None = None
    drawn: bool = False
    by: str = ""
    suggestion: Offer | None = None
    voices: tuple[Voice, ...] = ()
    torn: bool = False
    disputed: bool = False
    settled_by: str = ""


def findings(
    lines: Sequence[FindingLine],
    *,
    study: str,
    reader: str,
    active: str | None,
    reasons: Sequence[str],
    settles: bool,
) -> None:
    """Show the list. `active` is in hand until the editor says otherwise; with `settles`, disagreements lie open."""
    data = {
        "rows": [asdict(line) for line in lines],
        "study": study,
        "reader": reader,
        "active": active,
        "reasons": list(reasons),
        "settles": settles,
    }
    _mount(key=KEY, data=data)
