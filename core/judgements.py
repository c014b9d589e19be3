"""What a reader says of a report that a model wrote: what is wrong in it, its worth, and what should stand there.

Every save is a judgement of its own with its parent; the one that was submitted counts, and where it corrects the
report it makes a version of the report.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

from core.errors import ReadingRoomError
from core.grounding import Grounding, grounding_of, placed
from core.passages import Followed, Passage, follow
from core.ratings import Author, BadRating, ErrorKind, Preference, Quality, ReportError, Severity
from core.reports import Report, ReportOrigin
from core.writing import SECTIONS, Writing

MOST_CHARACTERS: Final = 60_000
"""Of a corrected section: more than a report of 5,000 words."""
MOST_ERRORS: Final = 200


class MalformedJudgement(ReadingRoomError):
    """What was sent, or stands on record, is no judgement of a report."""

    def __init__(self) -> None:
        super().__init__("This judgement cannot be read. Reload the report; what was saved before is kept.")


class NotRated(ReadingRoomError):
    """A judgement that is submitted without saying how good the report is."""

    def __init__(self) -> None:
        super().__init__("Say how good the report is, and whether you would sign it (1 to 5 each), then submit.")


class NotYourJudgement(ReadingRoomError):
    def __init__(self) -> None:
        super().__init__("This judgement is another reader's. Reload the report to judge it yourself.")


class JudgedOtherwise(ReadingRoomError):
    """An import would put another word beside the one that this reader gave here."""

    def __init__(self) -> None:
        super().__init__("This reader said something else of this report here; what stands here was kept.")


class AlreadyPreferred(ReadingRoomError):
    """A blind pair is blind once."""

    def __init__(self) -> None:
        super().__init__("You have compared these two reports already; who wrote them is no longer hidden from you.")


class NothingToCompare(ReadingRoomError):
    def __init__(self) -> None:
        super().__init__("This study has no report of its own that the draft could be compared with.")


@dataclass(frozen=True)
class Said:
    """What a reader says of one written report. `errors` are pinned to the report as the model wrote it; `quality` is
    None until it was rated; `corrected` holds the sections as they should read, and only those that were changed;
    `groundings` what its sentences speak of, each sentence once.

    Raises BadRating.
    """

    errors: tuple[ReportError, ...] = ()
    quality: Quality | None = None
    corrected: tuple[tuple[str, str], ...] = ()
    groundings: tuple[Grounding, ...] = ()

    def __post_init__(self) -> None:
        if len(self.errors) > MOST_ERRORS:
            raise BadRating(f"A report has at most {MOST_ERRORS} errors: correct it as a whole instead.")
        names = [name for name, _ in self.corrected]
        if len(set(names)) != len(names) or not set(names) <= set(SECTIONS):
            raise BadRating(f"A report is corrected by section: {', '.join(SECTIONS)}, each once.")
        if len({(each.section, each.sentence) for each in self.groundings}) != len(self.groundings):
            raise BadRating("A sentence is linked once, to as many places as it speaks of.")
        if any(len(text) > MOST_CHARACTERS for _, text in self.corrected):
            raise BadRating(f"A section holds at most {MOST_CHARACTERS:,} characters. Shorten it; your draft is kept.")

    def text_of(self, section: str, writing: Writing) -> str:
        """A section as this reader would have it."""
        return dict(self.corrected).get(section, writing.section(section))


@dataclass(frozen=True)
class Judgement:
    """A judgement on record, a child of the one that the reader went on from. `writing` is the report it is of."""

    id: int
    study: int
    writing: int
    reader: str
    said: Said
    parent: int | None
    submitted: bool
    saved_at: datetime


@dataclass(frozen=True)
class SavedJudgement:
    """`conflict` says what another tab did meanwhile; both judgements are kept."""

    judgement: Judgement
    conflict: str | None = None


@dataclass(frozen=True)
class Revision:
    """A version of a study's report: what a reader made of what a model wrote. Nothing is overwritten: the next
    version has this one as its parent. `sections` are whole, changed or not."""

    id: int
    study: int
    writing: int
    judgement: int
    parent: int | None
    reader: str
    sections: tuple[tuple[str, str], ...]
    created_at: datetime


@dataclass(frozen=True)
class Curated:
    """What the findings and the impression of a study's report are by a reader's word; `sections` are those it has."""

    sections: tuple[tuple[str, str], ...]
    origin: ReportOrigin

    def over(self, report: Report | None) -> Report:
        """The report with these sections in place of its own."""
        return replace(report or Report(), **(dict.fromkeys(SECTIONS, "") | dict(self.sections)))


def curated(
    revisions: Sequence[Revision], judged: Sequence[tuple[Judgement, Writing]], has_report: bool
) -> Curated | None:
    """The report of a study that counts by its readers' word, None where that of the study itself does.

    `revisions` and `judged`, each submitted judgement with the report it is of, are oldest first. The newest correction
    counts. A draft that a reader would sign as it is, with no significant error, stands in only where the study has no
    report of its own: where it has one, a model would else learn from itself what a radiologist has written.
    """
    if revisions:
        return Curated(revisions[-1].sections, ReportOrigin.CORRECTED)
    if has_report:
        return None
    for judgement, writing in reversed(judged):
        said = judgement.said
        if said.quality is not None and said.quality.is_signable and not any(each.significant for each in said.errors):
            return Curated(writing.sections, ReportOrigin.SIGNED)
    return None


@dataclass(frozen=True)
class Pair:
    """A blind pair that was judged: who wrote A and who wrote B, and which was better."""

    study: int
    writing: int
    reader: str
    order: tuple[Author, Author]
    preference: Preference
    judged_at: datetime


def pinned(said: Said, writing: Writing) -> tuple[Followed | None, ...]:
    """Where each error's passage stands in the corrected report; None for what stands nowhere. Raises BadPassage."""
    return tuple(
        None
        if error.passage is None
        else follow(
            error.passage,
            writing.section(error.passage.section),
            said.text_of(error.passage.section, writing),
        )
        for error in said.errors
    )


def require_within(said: Said, writing: Writing) -> None:
    """That all passages are of this report, word for word, and all linked sentences in it. Raises BadRating."""
    known = {place for place, _ in placed(writing.sentences)}
    if any((each.section, each.sentence) not in known for each in said.groundings):
        raise BadRating("A sentence that was linked is not in this report. Reload it and link again.")
    for error in said.errors:
        if (there := error.passage) is not None and writing.section(there.section)[
            there.start : there.end
        ] != there.words:
            raise BadRating(f'"{there.words[:60]}" does not stand there in this report. Mark the passage again.')


def tidy(text: str) -> str:
    """A correction as it is kept: no control characters, which neither screens nor exports can hold; lines stay, and
    so does all that looks like HTML or Markdown, which is text like any other."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(1)
    return re.sub(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]", "", lines).strip()


def plain(said: Said) -> dict[str, Any]:
    """As JSON holds it."""
    return {
        "errors": [asdict(error) for error in said.errors],
        "quality": asdict(said.quality) if said.quality else None,
        "corrected": dict(said.corrected),
        "groundings": [asdict(each) for each in said.groundings],
    }


def said_of(told: object) -> Said:
    """What JSON says. Raises MalformedJudgement where it is of another shape, BadRating where it contradicts itself."""
    if not isinstance(told, Mapping):
        raise MalformedJudgement
    try:
        quality, corrected = told.get("quality"), told.get("corrected") or {}
        return Said(
            tuple(_error(each) for each in _list(told.get("errors", []))),
            Quality(_whole(quality["overall"]), _whole(quality["would_sign"])) if quality else None,
            tuple((str(name), tidy(_words(text))) for name, text in corrected.items()),
            tuple(grounding_of(each) for each in _list(told.get("groundings", []))),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedJudgement from error


def _error(told: Mapping[str, Any]) -> ReportError:
    there = told.get("passage")
    if not isinstance(told["significant"], bool):
        raise MalformedJudgement
    return ReportError(
        ErrorKind(told["kind"]),
        told["significant"],
        Severity(_whole(told["severity"])),
        Passage(_words(there["section"]), _whole(there["start"]), _whole(there["end"]), _words(there["words"]))
        if there
        else None,
        tidy(_words(told.get("replacement") or "")),
        tidy(_words(told.get("stated") or "")),
        tidy(_words(told.get("true") or "")),
    )


def _list(told: object) -> Sequence[Any]:
    if not isinstance(told, list):
        raise MalformedJudgement
    return told


def _words(told: object) -> str:
    if not isinstance(told, str):
        raise MalformedJudgement
    return told


def _whole(told: object) -> int:
    if not isinstance(told, int) or isinstance(told, bool):
        raise MalformedJudgement
    return told
