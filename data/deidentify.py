"""Who a DICOM file is about, taken out of it before anything else looks at it.

The header goes through the Basic Application Level Confidentiality Profile of DICOM PS3.15 annex E (edition 2026c, by
the library dicom-anonymizer), with the Retain Patient Characteristics option for sex and age in years (90 and above
count as 90), private elements removed. All that the house learns of a film it reads from the cleaned header, and of
that it keeps only facts about pixels; no DICOM header is ever stored.

Patients, studies and images are known by pseudonyms: HMAC-SHA-256 of what the file calls them, under a secret of the
workspace. The same patient keeps one key in every import, two workspaces cannot be joined, and without the secret
nobody finds the way back. Study dates are shifted by days that the patient's key determines, so that a patient's
studies keep their order and distances and lose their dates.

Text burned into the pixels cannot be removed here; `burned_in_warning` says when a file admits to it. Free text from
tables (notes, reports) is kept as it came, because taking words out of a report changes what it says; the quality
report counts texts in which a date or an identifier seems to stand.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

import pydicom
from dicomanonymizer.simpledicomanonymizer import anonymize_dataset, initialize_actions, keep

from core.errors import ReadingRoomError

_EDITION: Final = "dicomfields_2026c"
_SEX: Final = (0x0010, 0x0040)
_AGE: Final = (0x0010, 0x1010)
_OLDEST_TOLD: Final = 90
_LONGEST_SHIFT_DAYS: Final = 3650
_MINUTES_A_DAY: Final = 1440


class CannotDeidentify(ReadingRoomError):
    """A header that the profile cannot be applied to; such a film is left out."""


@dataclass(frozen=True)
class Pseudonyms:
    """Keys that name nobody. `order` sorts a patient's studies by time: minutes on a shifted calendar, 0 undated."""

    patient: str
    study: str
    image: str
    order: int


def pseudonyms(dataset: pydicom.Dataset, secret: bytes) -> Pseudonyms:
    """The keys of a film's patient, study and image, from its header as it came.

    A file without a patient ID is told apart by name and date of birth, and failing those by its study.
    """
    study = _text(dataset, "StudyInstanceUID") or _text(dataset, "SOPInstanceUID")
    person = _text(dataset, "PatientID")
    if person:
        person = f"{_text(dataset, 'IssuerOfPatientID')}\x1f{person}"
    elif _text(dataset, "PatientName"):
        person = f"{_text(dataset, 'PatientName')}\x1f{_text(dataset, 'PatientBirthDate')}"
    else:
        person = f"study\x1f{study}"
    patient = _keyed(secret, "patient", person)
    return Pseudonyms(
        patient=f"P{patient[:12]}",
        study=f"S{_keyed(secret, 'study', study)[:12]}",
        image=f"I{_keyed(secret, 'image', _text(dataset, 'SOPInstanceUID') or study)[:12]}",
        order=_shifted_minutes(dataset, patient),
    )


def deidentify(dataset: pydicom.Dataset, secret: bytes) -> None:
    """Apply the profile to a dataset in place. Raises CannotDeidentify."""
    age = _years(_text(dataset, "PatientAge"))
    try:
        anonymize_dataset(dataset, base_rules_gen=lambda: _rules(secret))
    except (NotImplementedError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise CannotDeidentify(
            f"The DICOM header cannot be de-identified ({error}), so the film was left out."
        ) from error
    if "PatientAge" in dataset:
        dataset.PatientAge = "" if age is None else f"{min(age, _OLDEST_TOLD):03d}Y"


def burned_in_warning(dataset: pydicom.Dataset) -> str | None:
    """A sentence when the file says that text is burned into its pixels."""
    if _text(dataset, "BurnedInAnnotation").upper() == "YES":
        return "The film says that text is burned into its pixels; look whether it names the patient."
    return None


def calendar_minutes(day: str, clock: str) -> int:
    """A date and a time as DICOM writes them (20160229, 0830), in minutes; 0 when the date is none."""
    try:
        days = date(int(day[:4]), int(day[4:6]), int(day[6:8])).toordinal()
    except ValueError:
        return 0
    minutes = int(clock[:2]) * 60 + int(clock[2:4]) if clock[:4].isdigit() and len(clock) >= 4 else 0
    return days * _MINUTES_A_DAY + minutes


def _rules(secret: bytes) -> dict[Any, Callable[..., None]]:
    def keyed_uid(dataset: pydicom.Dataset, tag: Any) -> None:
        element = dataset.get(tag)
        if element is not None and element.value:
            number = int(_keyed(secret, "uid", str(element.value))[:32], 16)
            element.value = f"2.25.{number}"

    rules = dict(_profile())
    for tag, rule in rules.items():
        if rule.__name__ == "replace_UID":
            rules[tag] = keyed_uid
    return rules | {_SEX: keep, _AGE: keep}


@cache
def _profile() -> dict[Any, Callable[..., None]]:
    return dict(initialize_actions(_EDITION))


def _keyed(secret: bytes, kind: str, value: str) -> str:
    return hmac.new(secret, f"{kind}\x1f{value}".encode(), hashlib.sha256).hexdigest()


def _text(dataset: pydicom.Dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    return "" if value is None else str(value).strip()


def _shifted_minutes(dataset: pydicom.Dataset, patient: str) -> int:
    day = _text(dataset, "StudyDate") or _text(dataset, "AcquisitionDate")
    minutes = calendar_minutes(day, _text(dataset, "StudyTime"))
    shift = int(patient[-8:], 16) % _LONGEST_SHIFT_DAYS
    return minutes + shift * _MINUTES_A_DAY if minutes else 0


def _years(age: str) -> int | None:
    """Whole years in DICOM's age string ("046Y", "008M"), or in the bare number that some systems write."""
    unit = age[-1:].upper()
    digits = age[:-1] if unit in "YMWD" and unit else age
    if not digits.isdigit():
        return None
    return int(digits) // {"M": 12, "W": 52, "D": 365}.get(unit, 1)
