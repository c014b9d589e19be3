"""A radiology report: its sections, its sentences, and the cleaning that a snapshot may ask for."""

import re
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from core.findings import Finding

_HEADINGS = {
    "indication": "indication",
    "indications": "indication",
    "clinical indication": "indication",
    "clinical information": "indication",
    "history": "indication",
    "clinical history": "indication",
    "patient history": "indication",
    "reason for exam": "indication",
    "reason for the exam": "indication",
    "reason for examination": "indication",
    "reason for the examination": "indication",
    "reason for study": "indication",
    "comparison": "comparison",
    "comparisons": "comparison",
    "comparison study": "comparison",
    "technique": "technique",
    "examination": "technique",
    "type of examination": "technique",
    "exam": "technique",
    "study": "technique",
    "procedure": "technique",
    "findings": "findings",
    "finding": "findings",
    "findings and impression": "findings",
    "findings/impression": "findings",
    "impression and findings": "findings",
    "impression": "impression",
    "impressions": "impression",
    "conclusion": "impression",
    "summary": "impression",
    "recommendation": "impression",
    "recommendations": "impression",
    "recommendation(s)": "impression",
    "notification": "text",
    "notifications": "text",
    "wet read": "text",
}
"""What lies under a notification tells who was told, not what was seen; a wet read is not the final word."""
_HEADING = re.compile(r"^[ \t]*([A-Za-z][A-Za-z ,/()-]{2,60}?)[ \t]*:[ \t]*", re.MULTILINE)
_FILMS = re.compile(
    r"(?=.*\bchest\b)(?=.*[ ,/])(?:(?:ap|pa|and|or|lateral|frontal|portable|supine|(?:semi[- ]?)?(?:upright|erect)"
    r"|single|one|two|views?|of|the|radiographs?|radiography|films?|images?|x-rays?|chest)(?:[ ,/()]+|$))+"
)
"""The name of the films, such as "PA and lateral views of the chest": the chest and at least one word more."""
_MARK = re.compile(r"\b(?:x-)?X{3,}s?\b|_{3,}|\[\*\*[^\[\]]*\*\*\]", re.IGNORECASE)
_NUMBERING = re.compile(r"\s*\d+[.)]")
_TITLE = re.compile(r"\b(?:dr|mr|mrs|ms|vs|approx|e\.g|i\.e)\.$", re.IGNORECASE)
_NEXT = re.compile(r"\S")
_LONGEST_TITLE = 16
"""Characters before a stop that hold any title or unit, and what stands before it."""
_UNIT = re.compile(r"\b(?:cm|mm|no)\.$", re.IGNORECASE)

TEMPLATED_NORMAL: tuple[str, ...] = (
    "the heart is normal in size",
    "heart size is normal",
    "heart size normal",
    "the lungs are clear",
    "lungs are clear",
    "no pleural effusion or pneumothorax",
    "no pneumothorax or pleural effusion",
    "no acute cardiopulmonary abnormality",
    "no acute cardiopulmonary disease",
    "no acute disease",
    "the mediastinum is unremarkable",
    "the cardiomediastinal silhouette is within normal limits",
)
"""Whole sentences that templates put into reports of normal films; matched without case, marks or spaces around."""

SHORT_REPORT = 30
"""A report with fewer characters than this says too little to learn from (the MIMIC-CXR habit)."""


class ReportOrigin(StrEnum):
    """Whose report it is: the one that came with the study, a reader's correction of what a model wrote, or what a
    model wrote and a reader would sign as it is."""

    ORIGINAL = "original"
    CORRECTED = "corrected"
    SIGNED = "signed"


@dataclass(frozen=True)
class Report:
    """A report in sections. `text` holds what lies under no heading we know."""

    indication: str = ""
    comparison: str = ""
    technique: str = ""
    findings: str = ""
    impression: str = ""
    text: str = ""

    @property
    def narrative(self) -> str:
        """Findings and impression, or the whole text when there are neither."""
        return " ".join(part for part in (self.findings, self.impression) if part) or self.text

    @property
    def priority(self) -> str:
        """The first that is there of findings, impression, text."""
        return self.findings or self.impression or self.text

    @property
    def is_empty(self) -> bool:
        return not any(asdict(self).values())

    @property
    def is_short(self) -> bool:
        return len(self.narrative.strip()) < SHORT_REPORT


@dataclass(frozen=True)
class Cleaning:
    """What a snapshot does to report text before anything learns from it; recorded in the snapshot."""

    drop_marks: bool = False
    drop_templated_normals: bool = False


@dataclass(frozen=True)
class Sentence:
    """A sentence and where it stands: `section` text[start:end]."""

    section: str
    start: int
    end: int
    text: str


def parse_sections(text: str) -> Report:
    """Cut a report into sections by its headings ("FINDINGS:", "IMPRESSION:" and their kin, one to a line).

    Words before the first known heading go to `text`; a heading not known here is part of the section it stands in.
    The name of the films ("PA and lateral views of the chest:") heads the findings, as it often does in MIMIC-CXR.
    """
    pieces: dict[str, list[str]] = {}
    section, position = "text", 0
    for heading in _HEADING.finditer(text):
        target = _section(heading.group(1))
        if target is None:
            continue
        pieces.setdefault(section, []).append(text[position : heading.start()])
        section, position = target, heading.end()
    pieces.setdefault(section, []).append(text[position:])
    joined = {name: _tidy(" ".join(parts)) for name, parts in pieces.items()}
    return Report(**{name: value for name, value in joined.items() if value})


def sentences(report: Report) -> tuple[Sentence, ...]:
    """The sentences of findings and impression (of `text` when there are neither), with their places."""
    sections = [name for name in ("findings", "impression") if getattr(report, name)] or ["text"]
    return tuple(found for name in sections for found in _split(name, getattr(report, name)))


def sentences_on(report: Report, finding: Finding) -> tuple[Sentence, ...]:
    """The sentences that mention a finding, present or not, by its name or another of the vocabulary's words for it."""
    names = sorted((finding.name, *finding.prompts), key=len, reverse=True)
    mention = re.compile(r"\b(?:" + "|".join(re.escape(name) for name in names) + r")s?\b", re.IGNORECASE)
    return tuple(sentence for sentence in sentences(report) if mention.search(sentence.text))


def clean(report: Report, cleaning: Cleaning) -> Report:
    """The report with de-identification marks and templated normal sentences taken out where `cleaning` asks."""
    cleaned = report
    for name in asdict(report):
        cleaned = replace(cleaned, **{name: _clean_text(getattr(report, name), cleaning)})
    return cleaned


def _section(heading: str) -> str | None:
    name = " ".join(heading.lower().split())
    return "findings" if _FILMS.fullmatch(name) else _HEADINGS.get(name)


def _clean_text(text: str, cleaning: Cleaning) -> str:
    if cleaning.drop_templated_normals:
        kept = (s.text for s in _split("text", text) if _bare(s.text) not in TEMPLATED_NORMAL)
        text = " ".join(kept)
    if cleaning.drop_marks:
        text = re.sub(r" ([.,;:])", r"\1", _tidy(_MARK.sub(" ", text)))
    return text


def _bare(sentence: str) -> str:
    return re.sub(r"[^a-z ]", "", sentence.lower()).strip()


def _tidy(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _split(section: str, text: str) -> list[Sentence]:
    found: list[Sentence] = []
    start = 0
    for stop in re.finditer(r"[.!?](?=\s|$)|\n+", text):
        if _goes_on(text, start, stop.end()):
            continue
        _append(found, section, text, start, stop.end())
        start = stop.end()
    _append(found, section, text, start, len(text))
    return found


def _goes_on(text: str, start: int, end: int) -> bool:
    """Whether the stop before `end` is none: of a title, of a unit with no new sentence behind it, of a number in a
    list."""
    following = _NEXT.search(text, end)
    if following is None:
        return False
    last_words = text[max(start, end - _LONGEST_TITLE) : end]
    if _TITLE.search(last_words) or _NUMBERING.fullmatch(text, start, end):
        return True
    return bool(_UNIT.search(last_words)) and not following.group().isupper()


def _append(found: list[Sentence], section: str, text: str, start: int, end: int) -> None:
    piece = text[start:end]
    inner = piece.strip()
    if inner and re.search(r"\w", inner):
        begin = start + piece.index(inner)
        found.append(Sentence(section, begin, begin + len(inner), inner))
