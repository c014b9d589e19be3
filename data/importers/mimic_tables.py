"""MIMIC-CXR's three tables joined: who is whose film, in which split, with which labels.

Of 377,110 films no row is held. What has to be known of all of them before the first comes in is kept in arrays of a
few bytes a film, and each table is read from the disk as often as it is needed.
"""

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.studies import IncomingLabel, Skipped
from data.importers import films
from data.importers.given import GivenSplits
from data.importers.labels import LabelColumns
from data.tables import Row, Table

_FILM: Final = re.compile(r"[0-9A-Za-z]+(?:-[0-9A-Za-z]+)*")
_NUMBER: Final = re.compile(r"\d{2,15}", re.ASCII)

Labels = tuple[IncomingLabel, ...]


@dataclass(frozen=True)
class Film:
    """A row that names a film; `number` counts such rows from 0. Patient and study are digits."""

    number: int
    row: Row
    item: str

    @property
    def name(self) -> str:
        return self.row["dicom_id"]

    @property
    def patient(self) -> str:
        return self.row["subject_id"]

    @property
    def study(self) -> str:
        return self.row["study_id"]


def named(table: Table) -> Iterator[Film | Skipped]:
    """The rows that name a film, its study and its patient."""
    number = 0
    for row in table.rows():
        if isinstance(row, Skipped):
            yield row
            continue
        item = f"{table.name} line {row.line}"
        ids = _NUMBER.fullmatch(row["subject_id"]), _NUMBER.fullmatch(row["study_id"])
        if None in ids or not _FILM.fullmatch(row["dicom_id"]):
            yield Skipped(item, "the row names no film, study or patient as MIMIC-CXR does")
        else:
            yield Film(number, row, item)
            number += 1


@dataclass(frozen=True)
class Places:
    """On which rows each number stands."""

    numbers: NDArray[np.uint64]
    rows: NDArray[np.intp]

    @classmethod
    def of(cls, numbers: "array[int]") -> "Places":
        """`numbers` has one for each row, as array("Q")."""
        held = np.frombuffer(numbers, np.uint64) if numbers else np.empty(0, np.uint64)
        rows = np.argsort(held, kind="stable")
        return cls(held[rows], rows)

    def all(self, number: int) -> list[int]:
        start, end = (np.searchsorted(self.numbers, np.uint64(number), side) for side in ("left", "right"))
        return [int(row) for row in self.rows[start:end]]

    def first(self, number: int) -> int | None:
        start = np.searchsorted(self.numbers, np.uint64(number))
        is_here = start < len(self.numbers) and self.numbers[start] == number
        return int(self.rows[start]) if is_here else None

    @property
    def different(self) -> int:
        return len(np.unique(self.numbers))


@dataclass(frozen=True)
class Survey:
    """What the metadata say of all films: whose each is, and which rows are to be left out."""

    table: Table
    films: Places
    studies: Places
    patient_of: "array[int]"
    study_of: "array[int]"
    refused: bytearray

    @classmethod
    def of(cls, table: Table) -> "Survey":
        names, study_of, patient_of = array("Q"), array("Q"), array("Q")
        for film in named(table):
            if isinstance(film, Film):
                names.append(_mark(film.name))
                study_of.append(int(film.study))
                patient_of.append(int(film.patient))
        return cls(table, Places.of(names), Places.of(study_of), patient_of, study_of, bytearray(len(names)))

    def objection(self, film: Film) -> str | None:
        """Why a film is left out for what another row of the metadata says of it."""
        first = self.films.first(_mark(film.name))
        if first is not None and first != film.number:
            return f"{film.name} is on an earlier line already; the first was kept"
        earlier = self.studies.first(int(film.study))
        owner = self.patient_of[film.number if earlier is None else earlier]
        if owner != int(film.patient):
            return f"study {film.study} is of patient {owner} on an earlier line, here of {film.patient}"
        return None

    def place(self, name: str) -> int | None:
        return self.films.first(_mark(name))


def read_splits(table: Table, survey: Survey, skipped: list[Skipped], warnings: list[str]) -> GivenSplits:
    """The makers' split of each patient. Raises MissingColumns.

    Films that this table gives to another study or patient than the metadata do are refused: whose they are is not
    known, and who trains cannot judge.
    """
    table.require("dicom_id", "study_id", "subject_id", "split")
    splits, placed, nowhere = GivenSplits(), bytearray(len(survey.patient_of)), 0
    for film in named(table):
        if isinstance(film, Skipped):
            skipped.append(film)
            continue
        place, split = survey.place(film.name), films.split_named(film.row["split"])
        if place is None:
            nowhere += 1
            continue
        placed[place] = True
        study, patient = survey.study_of[place], survey.patient_of[place]
        if (int(film.study), int(film.patient)) != (study, patient):
            survey.refused[place] = True
            reason = (
                f"{film.name} is a film of study {film.study} of patient {film.patient} here, of study {study} of "
                f"patient {patient} in {survey.table.name}; it was left out"
            )
            skipped.append(Skipped(film.item, reason))
        elif split is None:
            skipped.append(Skipped(film.item, f'"{film.row["split"]}" is none of train, validate and test'))
        else:
            splits.saw(film.patient, split)
    if nowhere:
        warnings.append(f"{table.name} names {nowhere:,} films that {survey.table.name} does not.")
    if unplaced := placed.count(0):
        warnings.append(f"{table.name} gives no split for {unplaced:,} films of {survey.table.name}.")
    return splits


@dataclass(frozen=True)
class StudyLabels:
    """What the labels' table says of each study; equal rows are kept once."""

    places: Places
    code_of: "array[int]"
    said: list[Labels] = field(default_factory=list)

    def of(self, study: str) -> Labels:
        """Rows of one study that contradict each other are all kept: whoever takes them in tells of it."""
        rows = self.places.all(int(study))
        return tuple(dict.fromkeys(label for row in rows for label in self.said[self.code_of[row]]))


def read_labels(table: Table, survey: Survey, skipped: list[Skipped], warnings: list[str]) -> StudyLabels:
    """Raises MissingColumns."""
    table.require("subject_id", "study_id")
    columns = LabelColumns.of_chexpert(table, ("subject_id", "study_id"), warnings)
    studies, codes, nowhere = array("Q"), array("L"), 0
    known: dict[Labels, int] = {}
    for row in table.rows():
        if isinstance(row, Skipped):
            skipped.append(row)
            continue
        item, study, patient = f"{table.name} line {row.line}", row["study_id"], row["subject_id"]
        if not _NUMBER.fullmatch(study) or not _NUMBER.fullmatch(patient):
            skipped.append(Skipped(item, "the row names no study or no patient"))
            continue
        place = survey.studies.first(int(study))
        if place is None:
            nowhere += 1
        elif survey.patient_of[place] != int(patient):
            reason = f"study {study} is of patient {patient} here, in {survey.table.name} of {survey.patient_of[place]}"
            skipped.append(Skipped(item, reason))
        else:
            studies.append(int(study))
            codes.append(known.setdefault(columns.said(row, skipped), len(known)))
    if nowhere:
        warnings.append(f"{table.name} has labels of {nowhere:,} studies of which {survey.table.name} names no film.")
    return StudyLabels(Places.of(studies), codes, list(known))


def _mark(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
