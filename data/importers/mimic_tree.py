"""Where films and reports of MIMIC-CXR lie: `files/p10/p10000032/s50414267/<dicom id>.jpg` and `...s50414267.txt`."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from core.reports import Report, parse_sections
from core.studies import Skipped
from data.archives import BadArchive
from data.importers.plan import NothingToImport

_GROUPS: Final = "p[0-9][0-9]"
_REPORT: Final = re.compile(r"(.*?)p\d\d/p\d+/s\d+\.txt", re.ASCII)
_ENDINGS: Final = (".jpg", ".jpeg", ".png", ".dcm")
_LONGEST: Final = 1 << 20
_LOOKED_AT: Final = 200
"""Patients among whom a tree shows whether it holds reports."""


@dataclass(frozen=True)
class Tree:
    """The folders that hold p10, p11 and so on, those of films and of reports alike."""

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, folder: Path) -> "Tree":
        """Those in a folder or in one within it, or else beside it. Raises NothingToImport."""
        for place in (folder, folder.parent):
            within = (place, *sorted(place.glob("*")))
            found = tuple(each for inner in within for each in (inner, inner / "files") if any(each.glob(_GROUPS)))
            if found:
                return cls(tuple(dict.fromkeys(found)))
        raise NothingToImport(
            f"No films of MIMIC-CXR are in {folder} or beside it. Put the folder files there, with the films as "
            "files/p10/p10000032/s50414267/<dicom id>.jpg (or .dcm) below it."
        )

    def has(self, patient: str) -> bool:
        """Whether anything of a patient, known by digits, is here."""
        return any((folder / _patient(patient)).is_dir() for folder in self.folders)

    def film(self, patient: str, study: str, name: str) -> Path | None:
        places = (folder / _patient(patient) / f"s{study}" / name for folder in self.folders)
        files = (place.with_name(f"{name}{ending}") for place in places for ending in _ENDINGS)
        return next((file for file in files if file.is_file()), None)


@dataclass(frozen=True)
class ReportTree:
    """Reports that lie in folders."""

    tree: Tree

    def read(self, patient: str, study: str) -> Report | Skipped:
        path = f"{_patient(patient)}/s{study}.txt"
        file = next((each for folder in self.tree.folders if (each := folder / path).is_file()), None)
        if file is None:
            return Skipped(f"study s{study}", f"its report {path} is missing")
        with file.open("rb") as opened:
            return _report(opened.read(_LONGEST + 1), f"s{study}.txt")

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class ReportZip:
    """Reports in `mimic-cxr-reports.zip`, read out of it one by one; `top` is what stands before p10."""

    archive: zipfile.ZipFile
    name: str
    top: str

    @classmethod
    def of(cls, path: Path) -> "ReportZip":
        """Raises BadArchive, and NothingToImport when no report is in it."""
        try:
            archive = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise BadArchive(f"{path.name} is no zip archive that can be read ({error}). Copy it again.") from error
        top = next((match.group(1) for name in archive.NameToInfo if (match := _REPORT.fullmatch(name))), None)
        if top is None:
            archive.close()
            raise NothingToImport(f"{path.name} holds no report such as files/p10/p10000032/s50414267.txt.")
        return cls(archive, path.name, top)

    def read(self, patient: str, study: str) -> Report | Skipped:
        path = f"{self.top}{_patient(patient)}/s{study}.txt"
        try:
            with self.archive.open(path) as entry:
                return _report(entry.read(_LONGEST + 1), f"s{study}.txt")
        except KeyError:
            return Skipped(f"study s{study}", f"its report {path} is not in {self.name}")
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            return Skipped(f"{self.name}/{path}", f"the report cannot be unpacked ({error})")

    def close(self) -> None:
        self.archive.close()


Reports = ReportTree | ReportZip


def reports(folder: Path, tree: Tree) -> Reports | None:
    """Where the reports are: in a zip in this folder or beside it, or in the tree; None when there are none.

    Raises BadArchive and NothingToImport for a zip of reports that is none.
    """
    for place in (folder, folder.parent):
        for archive in sorted(place.glob("*reports*.zip")):
            return ReportZip.of(archive)
    within = (patient for each in tree.folders for patient in islice(_patients(each), _LOOKED_AT))
    return ReportTree(tree) if any(next(patient.glob("s*.txt"), None) for patient in within) else None


def _report(body: bytes, name: str) -> Report | Skipped:
    if len(body) > _LONGEST:
        return Skipped(name, f"with more than {_LONGEST >> 20} MiB it is no report")
    report = parse_sections(body.decode("utf-8-sig", errors="replace"))
    return Skipped(name, "the report is empty") if report.is_empty else report


def _patient(digits: str) -> str:
    return f"p{digits[:2]}/p{digits}"


def _patients(folder: Path) -> Iterator[Path]:
    return folder.glob(f"{_GROUPS}/p*")
