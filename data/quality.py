"""The quality report that every import ends in: what came in, what did not and why, and what a lead should look at."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from core.studies import IncomingStudy, Skipped
from data.importers.plan import MaskOfAnotherSize

_DATE: Final = re.compile(r"\b(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d{2}|(?:19|20)\d{2}[./-]\d{1,2}[./-]\d{1,2})\b")
_CONTACT: Final = re.compile(r"[\w.+-]+@[\w-]+\.\w+|\b(?:tel|phone|mobile)[.:]?\s*\+?\d[\d ()/-]{5,}", re.IGNORECASE)
_IDENTIFIER: Final = re.compile(r"\b(?:MRN|DOB|SSN|NHS)\b|\bdate of birth\b", re.IGNORECASE)


@dataclass(frozen=True)
class QualityReport:
    """What one import run added (`studies` to `reports`), found twice, and left out.

    `short_reports` have fewer than 30 characters of narrative; `size_mismatches` counts masks left out because their
    size is not their image's; `identifying_texts` counts notes and reports in which a date, an address or an
    identifier seems to stand, which no import changes.
    """

    dataset: str
    studies: int = 0
    images: int = 0
    masks: int = 0
    reports: int = 0
    duplicates: int = 0
    skipped: tuple[Skipped, ...] = ()
    without_report: int = 0
    short_reports: int = 0
    size_mismatches: int = 0
    identifying_texts: int = 0
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The command line's shape: the fixed keys, then the rest."""
        return {
            "dataset": self.dataset,
            "studies": self.studies,
            "images": self.images,
            "masks": self.masks,
            "reports": self.reports,
            "duplicates": self.duplicates,
            "skipped": [{"item": each.item, "reason": each.reason} for each in self.skipped],
            "without_report": self.without_report,
            "short_reports": self.short_reports,
            "size_mismatches": self.size_mismatches,
            "identifying_texts": self.identifying_texts,
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "QualityReport":
        """The report that `to_json` wrote."""
        skipped = tuple(Skipped(each["item"], each["reason"]) for each in body["skipped"])
        return cls(**{**body, "skipped": skipped, "warnings": tuple(body["warnings"])})


@dataclass
class Tally:
    """Counts an import as it goes. What was added is the database's to say; the rest is seen on the way in."""

    dataset: str
    _studies: int = 0
    _images: int = 0
    _masks: int = 0
    _reports: int = 0
    _duplicates: int = 0
    _skipped: list[Skipped] = field(default_factory=list)
    _without_report: int = 0
    _short_reports: int = 0
    _size_mismatches: int = 0
    _identifying_texts: int = 0

    def saw(self, item: IncomingStudy | Skipped) -> None:
        """Something came out of the plan."""
        if isinstance(item, Skipped):
            self._skipped.append(item)
            self._size_mismatches += isinstance(item, MaskOfAnotherSize)
            return
        report = item.report
        if report is None or report.is_empty:
            self._without_report += 1
        elif report.is_short:
            self._short_reports += 1
        texts = [item.notes or "", *(vars(report).values() if report else ())]
        self._identifying_texts += any(_identifies(text) for text in texts)

    def added(
        self,
        studies: int = 0,
        images: int = 0,
        masks: int = 0,
        reports: int = 0,
        duplicates: int = 0,
        skipped: Sequence[Skipped] = (),
    ) -> None:
        """The database took this much of it."""
        self._studies += studies
        self._images += images
        self._masks += masks
        self._reports += reports
        self._duplicates += duplicates
        self._skipped += skipped

    def report(self, warnings: Sequence[str] = ()) -> QualityReport:
        """The report, with the plan's warnings."""
        if self._identifying_texts:
            warnings = [
                *warnings,
                f"{self._identifying_texts} notes or reports seem to hold a full date, a contact or an identifier. "
                "Texts are kept as they came; check them before sharing.",
            ]
        return QualityReport(
            dataset=self.dataset,
            studies=self._studies,
            images=self._images,
            masks=self._masks,
            reports=self._reports,
            duplicates=self._duplicates,
            skipped=tuple(Skipped(each.item, each.reason) for each in self._skipped),
            without_report=self._without_report,
            short_reports=self._short_reports,
            size_mismatches=self._size_mismatches,
            identifying_texts=self._identifying_texts,
            warnings=tuple(warnings),
        )


def _identifies(text: str) -> bool:
    return any(pattern.search(text) for pattern in (_DATE, _CONTACT, _IDENTIFIER))
