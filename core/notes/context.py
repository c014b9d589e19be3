"""The real clinical context of a study: why it was asked for and what was known, and nothing of what was then seen."""

import re
from typing import Final

from core.findings import VOCABULARY, Kind
from core.notes.names import naming
from core.notes.synthetic import SYNTHETIC_MARK
from core.reports import Cleaning, Report, clean, parse_sections, sentences

_OF_THE_FILM: Final = re.compile(
    r"\b(?:x[- ]?rays?|xays?|radio(?:graph|gram|log)\w*|cxrs?|ct|tomogra\w*|scans?|imag(?:e|es|ing)|films?|projections?"
    r"|opaci\w*|opaque|lucen\w*|ground[- ]?glass|consolidat\w*|infiltrat\w*|thickening\w*|parenchym\w*|interstiti\w*"
    r"|subpleural|costo\w*phrenic|cardio\w*phrenic|hil(?:ar|um|us|i)|perihilar|lobes?|lobar|lung (?:fields?|bases?)"
    r"|lungs? (?:is|are) \w+|(?:upper|mid|middle|lower|basal|apical) zones?|fissures?|mediastin\w*|cardiomediastin\w*"
    r"|silhouette|contours?|granulomas?|calcif\w*|catheters?|within (?:normal )?limits|demonstrat\w*)\b",
    re.IGNORECASE,
)
"""Words by which a sentence of a note shows that it tells what the film shows."""

_HEADING_WITHIN: Final = re.compile(
    r"\s(?=(?:findings?|impression|conclusion|comparisons?|technique|indication|(?:clinical )?history)\s?:)",
    re.IGNORECASE,
)

_FINDING: Final = naming(finding for finding in VOCABULARY if finding.kind is not Kind.ANATOMY)

_MARKED: Final = "XXX"
"""What is left of a mark that runs into a word: "ComparisXXXX"."""

_STUMPS: Final = (
    (re.compile(r"(?<!\w)[-/]+(?=\w)"), ""),
    (re.compile(r"\b(?:with|and|of|the|a|an|for|in|on|to)(?=\s*(?:[.,;:]|$))", re.IGNORECASE), ""),
    (re.compile(r"\s+(?=[.,;:])"), ""),
    (re.compile(r"(?:[.,;:]\s*)+(?=[.,;:])"), ""),
    (re.compile(r"^[\s.,;:/?-]+"), ""),
)
"""What de-identification leaves standing about its marks: "XXXX-year-old male with XXXX." is "year-old male."."""


def context_of(report: Report | None, notes: str | None) -> str:
    """The indication and history of the report; where it has none, the notes; "" where nothing is known.

    De-identification marks are taken out. Comparison and technique are no context: they tell of films. An indication
    was written before the film was read and is taken as it stands, even where it names a finding ("follow up
    pneumothorax"). Notes are of unknown origin, and those of public collections often tell what the film showed, so
    only sentences are taken in which no word tells of that and no finding or device is named. Headings within either
    are heeded: what stands under findings, impression or comparison is left out. A synthetic note is returned whole,
    with its mark.
    """
    if report is not None and (asked := _cleaned(_before_reading(report.indication))):
        return asked
    if not notes:
        return ""
    if notes.startswith(SYNTHETIC_MARK):
        return notes
    told = sentences(Report(text=_before_reading(notes)))
    return _cleaned(" ".join(sentence.text for sentence in told if not _tells_of_the_film(sentence.text)))


def _before_reading(text: str) -> str:
    parts = parse_sections(_HEADING_WITHIN.sub("\n", text))
    return " ".join(part for part in (parts.text, parts.indication) if part)


def _tells_of_the_film(sentence: str) -> bool:
    return bool(_OF_THE_FILM.search(sentence) or _FINDING.search(sentence))


def _cleaned(text: str) -> str:
    whole = " ".join(text.split())
    bare = clean(Report(text=whole), Cleaning(drop_marks=True)).text
    if bare != whole:
        for stump, instead in _STUMPS:
            bare = stump.sub(instead, bare)
    bare = " ".join(word for word in bare.split() if _MARKED not in word)
    return bare if re.search(r"\w", bare) else ""
