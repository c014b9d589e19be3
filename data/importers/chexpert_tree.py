"""CheXpert's tree of films: `patient64541/study1/view1_frontal.jpg` below `train`, `valid` or `test`."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from data.importers.plan import NothingToImport

PATIENT: Final = r"patient\d{1,9}"
STUDY: Final = r"study\d{1,9}"
VIEW: Final = r"view\d{1,9}_(?:frontal|lateral)"

_PATIENTS: Final = "patient[0-9]*"
_DEEPEST: Final = 3
"""Folders between the one that is imported and those that hold patients."""

_ENDINGS: Final = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class FilmName:
    """What the name of a film's file says: `view` is view1_frontal."""

    patient: str
    study: str
    view: str

    @property
    def key(self) -> str:
        """The study's, alone in the collection."""
        return f"{self.patient}_{self.study}"

    @property
    def order(self) -> int:
        return int(self.study.removeprefix("study"))

    @property
    def is_lateral(self) -> bool:
        return self.view.endswith("_lateral")


def film_name(text: str, between: str) -> FilmName | None:
    """The film that a text names, its parts divided by `between`; None when it names none."""
    match = re.fullmatch(rf"({PATIENT}){between}({STUDY}){between}({VIEW})", text, re.ASCII)
    return FilmName(*match.groups()) if match else None


def trees(folder: Path) -> tuple[Path, ...]:
    """The folders that hold patients, below a folder or else beside it. Raises NothingToImport."""
    for place in (folder, folder.parent):
        for depth in range(_DEEPEST + 1):
            patients = place.glob("*/" * depth + _PATIENTS)
            found = sorted({patient.parent for patient in patients if patient.is_dir()})
            if found:
                return tuple(found)
    raise NothingToImport(
        f"No CheXpert films are in {folder} or beside it. Put the folders of CheXpert there (train and valid, or val "
        "and test), with the films as patient64541/study1/view1_frontal.jpg below them."
    )


def place_of(film: FilmName, within: tuple[Path, ...]) -> Path | None:
    """Where a film lies in the first of these trees that has it."""
    folders = (tree / film.patient / film.study for tree in within)
    places = (folder / f"{film.view}{ending}" for folder in folders for ending in _ENDINGS)
    return next((place for place in places if place.is_file()), None)
