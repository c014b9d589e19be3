"""DICOM files, one or a tree of them, sorted into studies and patients by pseudonyms (see data.deidentify)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.studies import IncomingStudy, Skipped
from data import dicom
from data.deidentify import CannotDeidentify
from data.importers import films
from data.importers.plan import ImportOptions, ImportPlan, NothingToImport
from data.pixels import UnreadableImage


@dataclass(frozen=True)
class _Files:
    """Where the films lie; items are named by their path below `top`."""

    top: Path
    secret: bytes
    warnings: list[str]

    def named(self, path: Path) -> str:
        return path.relative_to(self.top).as_posix()

    def head(self, path: Path) -> dicom.Head | Skipped:
        try:
            return dicom.head(path, self.secret)
        except UnreadableImage as error:
            return Skipped(self.named(path), str(error))

    def study(self, heads: tuple[dicom.Head, ...]) -> list[IncomingStudy | Skipped]:
        read: list[dicom.DicomFilm] = []
        made: list[IncomingStudy | Skipped] = []
        for head in heads:
            try:
                film = dicom.film(head.path, self.secret)
            except (UnreadableImage, CannotDeidentify) as error:
                made.append(Skipped(self.named(head.path), str(error)))
                continue
            if any(film.image.name == other.image.name for other in read):
                reason = "the same film (by its DICOM identity) lies in another file of this study; the first was kept"
                made.append(Skipped(self.named(head.path), reason))
                continue
            read.append(film)
            self.warnings.extend(f"{self.named(head.path)}: {warning}" for warning in film.warnings)
        if not read:
            return made
        keys = heads[0].keys
        study = IncomingStudy(
            patient=keys.patient,
            key=keys.study,
            images=tuple(film.image for film in read),
            age=films.age_in_years(read[0].age),
            sex=films.sex_letter(read[0].sex),
            order=keys.order,
        )
        return [*made, study]


def plan(path: Path, options: ImportOptions) -> ImportPlan:
    """Reads every header first, to sort the films into studies. Raises NothingToImport."""
    found = films.files_below(path) if path.is_dir() else [path]
    if not found or not path.exists():
        raise NothingToImport(f"There is no file at {path}.")
    warnings: list[str] = []
    files = _Files(path if path.is_dir() else path.parent, options.secret, warnings)
    skipped: list[Skipped] = []
    studies: dict[str, list[dicom.Head]] = {}
    for head in films.ahead(files.head, found, options.workers):
        if isinstance(head, Skipped):
            skipped.append(head)
        else:
            studies.setdefault(head.keys.study, []).append(head)
    in_order = [
        tuple(sorted(heads, key=lambda head: (not head.is_frontal, head.place, head.path)))
        for heads in sorted(studies.values(), key=lambda heads: (heads[0].keys.patient, heads[0].keys.order))
    ]

    def stream() -> Iterator[IncomingStudy | Skipped]:
        yield from skipped
        for made in films.ahead(files.study, in_order, options.workers):
            yield from made

    return ImportPlan(len(in_order), stream(), warnings)
