"""MIMIC-CXR-JPG, or MIMIC-CXR with DICOM files: three tables, reports in a zip or a tree, and the tree of films.

`mimic-cxr-2.0.0-metadata.csv` has a row for each film (`dicom_id`, `subject_id`, `study_id`, `ViewPosition`,
`StudyDate`, `StudyTime`), `mimic-cxr-2.0.0-split.csv` the makers' split of each, `mimic-cxr-2.0.0-chexpert.csv` the
fourteen findings of each study as 1.0, 0.0, -1.0 or blank; each may be gzipped. Films lie as
`files/p10/p10000032/s50414267/<dicom_id>.jpg` (or `.dcm`), reports beside them or in `mimic-cxr-reports.zip` as
`files/p10/p10000032/s50414267.txt`.

Only the metadata and films have to be there. Every view, every report and every state of a label comes in; a snapshot
chooses. A film that is missing is listed and the rest of its study comes in. Patients of whom nothing was downloaded
are counted.

Johnson et al. 2019, "MIMIC-CXR-JPG, a large publicly available database of labeled chest radiographs".
"""

from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Final

from core.reports import Report
from core.studies import IncomingImage, IncomingStudy, Skipped, View
from data import dicom
from data.deidentify import CannotDeidentify, calendar_minutes
from data.importers import films
from data.importers.given import GivenSplits
from data.importers.mimic_tables import Film, StudyLabels, Survey, named, read_labels, read_splits
from data.importers.mimic_tree import Reports, Tree, reports
from data.importers.plan import ImportOptions, ImportPlan, NothingToImport
from data.pixels import UnreadableImage
from data.tables import Table, open_table

_METADATA: Final = "metadata.csv"
_SPLIT: Final = "split.csv"
_LABELS: Final = "chexpert.csv"


@dataclass
class _Release:
    """The tables joined; films and reports are still on disk. `absent` counts films of patients who are not here."""

    survey: Survey
    tree: Tree
    reports: Reports | None
    splits: GivenSplits
    labels: StudyLabels | None
    secret: bytes
    warnings: list[str]
    absent: int = field(default=0, init=False)

    def stream(self, skipped: list[Skipped], workers: int) -> Iterator[IncomingStudy | Skipped]:
        with closing(self.reports) if self.reports else nullcontext():
            yield from skipped
            yield from self.splits.refused()
            for made in films.ahead(self._made, self._studies(), workers):
                yield from made
        if self.absent:
            self.warnings.append(
                f"{self.absent:,} films in {self.survey.table.name} are of patients of whom nothing is here; they were "
                "left."
            )

    def _studies(self) -> Iterator[list[Film] | Skipped]:
        """Rows of a study that do not stand together come in one after the other."""
        for key, group in groupby(self._films(), lambda each: each if isinstance(each, Skipped) else each.study):
            if isinstance(key, Skipped):
                yield key
            else:
                yield [film for film in group if isinstance(film, Film)]

    def _films(self) -> Iterator[Film | Skipped]:
        patient, is_here = "", False
        for film in named(self.survey.table):
            if isinstance(film, Skipped):
                yield film
            elif reason := self.survey.objection(film):
                yield Skipped(film.item, reason)
            elif not self.survey.refused[film.number] and not self.splits.refuses(film.patient):
                if film.patient != patient:
                    patient, is_here = film.patient, self.tree.has(film.patient)
                if is_here:
                    yield film
                else:
                    self.absent += 1

    def _made(self, study: list[Film] | Skipped) -> list[IncomingStudy | Skipped]:
        if isinstance(study, Skipped):
            return [study]
        first, made = study[0], list[IncomingStudy | Skipped]()
        images = [image for film in study if (image := self._image(film, made)) is not None]
        if not images:
            return made
        images.sort(key=lambda image: not image.view.is_frontal)
        clock, _, _ = first.row["studytime"].partition(".")
        incoming = IncomingStudy(
            patient=f"p{first.patient}",
            key=f"s{first.study}",
            images=tuple(images),
            report=self._report(first, made),
            split=self.splits.of(first.patient),
            labels=self.labels.of(first.study) if self.labels else (),
            # The table's times are numbers that lost their leading zeros.
            order=calendar_minutes(first.row["studydate"], clock.zfill(6)),
        )
        return [*made, incoming]

    def _image(self, film: Film, made: list[IncomingStudy | Skipped]) -> IncomingImage | None:
        path = self.tree.film(film.patient, film.study, film.name)
        view = dicom.view_of(film.row["viewposition"], film.row["viewcodesequence_codemeaning"])
        if path is None:
            made.append(Skipped(film.item, f"the image {film.name} of study s{film.study} is missing"))
            return None
        try:
            if path.suffix != ".dcm":
                return films.film(path, film.name, view)
            read = dicom.film(path, self.secret)
        except (UnreadableImage, CannotDeidentify) as error:
            made.append(Skipped(path.name, str(error)))
            return None
        self.warnings.extend(f"{path.name}: {warning}" for warning in read.warnings)
        return replace(read.image, name=film.name, view=read.image.view if view is View.UNKNOWN else view)

    def _report(self, film: Film, made: list[IncomingStudy | Skipped]) -> Report | None:
        read = self.reports.read(film.patient, film.study) if self.reports else None
        if isinstance(read, Skipped):
            made.append(read)
            return None
        return read


def plan(path: Path, options: ImportOptions) -> ImportPlan:
    """`path` is the folder of the release or its table of metadata.

    Raises NothingToImport, MissingColumns, BrokenTable, and BadArchive for a zip of reports that cannot be read.
    """
    metadata = path if path.is_file() else _table(path, _METADATA)
    if metadata is None:
        raise NothingToImport(
            f"No mimic-cxr-2.0.0-metadata.csv (or .csv.gz) is in {path}. Name the folder of MIMIC-CXR that holds it."
        )
    folder, table = metadata.parent, open_table(metadata)
    table.require("dicom_id", "subject_id", "study_id")
    tree = Tree.of(folder)
    warnings = [table.note] if table.note else []
    if "viewposition" not in table.columns:
        warnings.append(f"{table.name} has no column ViewPosition, so the views of its films are unknown.")
    skipped: list[Skipped] = []
    survey = Survey.of(table)
    split, labels = (_opened(folder, name) for name in (_SPLIT, _LABELS))
    if split is None:
        warnings.append("No table of splits is there, so the makers' split is not known.")
    if labels is None:
        warnings.append("No table of CheXpert's labels is there, so the studies come in without imported labels.")
    splits = read_splits(split, survey, skipped, warnings) if split else GivenSplits()
    said = read_labels(labels, survey, skipped, warnings) if labels else None
    texts = reports(folder, tree)
    if texts is None:
        warnings.append("Neither mimic-cxr-reports.zip nor reports in the tree are there; studies come in without.")
    release = _Release(survey, tree, texts, splits, said, options.secret, warnings)
    return ImportPlan(survey.studies.different, release.stream(skipped, options.workers), warnings)


def _table(folder: Path, name: str) -> Path | None:
    """The table whose name ends so, plain or gzipped, in the folder or in one within it."""
    patterns = [f"{inside}*{name}{ending}" for inside in ("", "*/") for ending in ("", ".gz")]
    return next((file for pattern in patterns for file in sorted(folder.glob(pattern))), None)


def _opened(folder: Path, name: str) -> Table | None:
    found = _table(folder, name)
    return open_table(found) if found else None
