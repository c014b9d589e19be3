"""A release of MIMIC-CXR in small, file for file as it is published; or its tables alone, as large as wanted."""

import gzip
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from core.findings import CHEXPERT

METADATA = "mimic-cxr-2.0.0-metadata.csv"
SPLIT = "mimic-cxr-2.0.0-split.csv"
LABELS = "mimic-cxr-2.0.0-chexpert.csv"
REPORTS = "mimic-cxr-reports.zip"
FINDINGS = (
    "Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum,Fracture,Lung Lesion,Lung Opacity,"
    "No Finding,Pleural Effusion,Pleural Other,Pneumonia,Pneumothorax,Support Devices"
)
_HEADS = {
    METADATA: "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate,"
    "StudyTime,ProcedureCodeSequence_CodeMeaning,ViewCodeSequence_CodeMeaning,PatientOrientationCodeSequence_CodeMeaning",
    SPLIT: "dicom_id,study_id,subject_id,split",
    LABELS: f"subject_id,study_id,{FINDINGS}",
}
_SPLITS = ("train", "train", "train", "train", "validate", "test")
_VIEWS = (("PA", "postero-anterior"), ("LATERAL", "lateral"), ("AP", "antero-posterior"))
_LABELS = (",,,,,,,,1.0,,,,,", ",1.0,,0.0,,,,,,-1.0,,,0.0,", "-1.0,,,,,,,1.0,,1.0,,,,1.0")
_READ = (
    ("The lungs are clear and the heart is of normal size.", "No acute cardiopulmonary process."),
    ("The heart is enlarged. There may be a small left pleural effusion.", "Cardiomegaly."),
    ("", "Opacity at the right base with an effusion; a line is in place."),
)
assert len(CHEXPERT) == FINDINGS.count(",") + 1


@dataclass(frozen=True)
class Film:
    """One of the made films."""

    subject: int
    study: int
    number: int
    taken: int

    @property
    def dicom_id(self) -> str:
        digits = sha256(f"{self.study}-{self.number}".encode()).hexdigest()
        return "-".join(digits[at : at + 8] for at in range(0, 40, 8))

    @property
    def folder(self) -> str:
        return f"files/p{str(self.subject)[:2]}/p{self.subject}/s{self.study}"


def films(patients: int, studies: int = 2, views: int = 2) -> Iterator[Film]:
    """Every patient has as many studies, every study as many films, in the order of the published table."""
    for patient in range(patients):
        for study in range(studies):
            number = patient * studies + study
            for view in range(views):
                yield Film(10_000_001 + patient, 50_000_001 + number, view, number)


def write(
    folder: Path,
    *,
    patients: int = 6,
    picture: bytes | Callable[[int], bytes] | None = None,
    ending: str = ".jpg",
    zipped: bool = True,
    gzipped: bool = True,
    shown: int | None = None,
    views: int = 2,
) -> Path:
    """The release: tables (gzipped or not), reports in the zip or in the tree, and films of the first `shown` patients,
    all of them where None. `picture` is what every film holds, or gives it by the film's number in the release; without
    it there are tables alone."""
    folder.mkdir(parents=True, exist_ok=True)
    _tables(folder, patients, views, gzipped)
    if picture is None:
        return folder
    present = [film for film in films(patients, views=views) if shown is None or film.subject <= 10_000_000 + shown]
    first: Path | None = None
    for number, film in enumerate(present):
        place = folder / film.folder / f"{film.dicom_id}{ending}"
        place.parent.mkdir(parents=True, exist_ok=True)
        if callable(picture):
            place.write_bytes(picture(number))
        elif first is None:
            first = place
            place.write_bytes(picture)
        else:
            os.link(first, place)
    texts = {f"{film.folder}.txt": report(film) for film in present}
    if zipped:
        with zipfile.ZipFile(folder / REPORTS, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in texts.items():
                archive.writestr(name, text)
    else:
        for name, text in texts.items():
            (folder / name).write_text(text)
    return folder


def report(film: Film) -> str:
    findings, impression = _READ[film.taken % len(_READ)]
    told = f" FINDINGS: \n \n {findings}\n \n" if findings else ""
    return (
        "                                 FINAL REPORT\n EXAMINATION:  CHEST (PA AND LAT)\n \n"
        " INDICATION:  History: ___F with cough  // eval for pneumonia\n \n TECHNIQUE:  Chest PA and lateral\n \n"
        f" COMPARISON:  ___\n \n{told} IMPRESSION: \n \n {impression}\n"
    )


def edit(folder: Path, name: str, old: str, new: str) -> None:
    """Change a table, plain or gzipped, in one place."""
    place = next(file for file in (folder / name, folder / f"{name}.gz") if file.is_file())
    is_packed = place.suffix == ".gz"
    text = gzip.decompress(place.read_bytes()).decode() if is_packed else place.read_text()
    assert text.count(old) == 1, text.count(old)
    changed = text.replace(old, new).encode()
    place.write_bytes(gzip.compress(changed) if is_packed else changed)


def rows(film: Film) -> dict[str, str]:
    """What each table says of a film, without the end of the line."""
    view, meaning = _VIEWS[film.number]
    split = _SPLITS[(film.subject - 1) % len(_SPLITS)]
    about = f"{view},3056,2544,2180{film.taken % 12 + 1:02d}06,83014.531,CHEST (PA AND LAT),{meaning},Erect"
    return {
        METADATA: f"{film.dicom_id},{film.subject},{film.study},CHEST (PA AND LAT),{about}",
        SPLIT: f"{film.dicom_id},{film.study},{film.subject},{split}",
        LABELS: f"{film.subject},{film.study},{_LABELS[film.taken % len(_LABELS)]}",
    }


def _tables(folder: Path, patients: int, views: int, gzipped: bool) -> None:
    for name, head in _HEADS.items():
        place = folder / (f"{name}.gz" if gzipped else name)
        with gzip.open(place, "wt") if gzipped else place.open("w") as file:
            file.write(f"{head}\n")
            for film in films(patients, views=views):
                if name != LABELS or film.number == 0:
                    file.write(f"{rows(film)[name]}\n")
