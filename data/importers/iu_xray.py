"""The Indiana University chest X-rays (OpenI) in the layout of the public Kaggle release.

`indiana_reports.csv` and `indiana_projections.csv` lie at the top; the images below `images/`, joined by stem whatever
their extension (the table says .png; copies in .jpg exist). `uid` is the study and, since the release says no more,
the patient. Where a `masked/` folder is present, `masked/<finding>/<stem>` is a mask of that finding and
`masked/<stem>` one of both lungs. `finding_labels.csv`, when it lies beside the reports, gives imported labels: a
column for each finding, 1, 0, -1 or blank, by `uid`.

Demner-Fushman et al. 2016, "Preparing a collection of radiology examinations for distribution and retrieval".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from core.reports import Report
from core.studies import IncomingImage, IncomingLabel, IncomingMask, IncomingStudy, Skipped, View
from data.importers import films
from data.importers.labels import LabelColumns, new_findings
from data.importers.plan import ImportOptions, ImportPlan, NothingToImport
from data.pixels import UnreadableImage
from data.tables import Row, Table, open_table

REPORTS: Final = "indiana_reports.csv"
PROJECTIONS: Final = "indiana_projections.csv"
LABELS: Final = "finding_labels.csv"
_WHOLE_LUNGS: Final = "lungs"

Projections = dict[str, list[tuple[str, View]]]


def plan(path: Path, options: ImportOptions) -> ImportPlan:
    """Raises MissingTable, MissingColumns, and NothingToImport when no image is there."""
    reports, projections = open_table(path / REPORTS), open_table(path / PROJECTIONS)
    reports.require("uid", "findings", "impression")
    projections.require("uid", "filename", "projection")
    labels = open_table(path / LABELS) if (path / LABELS).is_file() else None
    if labels:
        labels.require("uid")
    files, skipped = _image_files(path)
    if not files:
        raise NothingToImport(f"No image lies below {path / 'images'}. The release keeps them in images_normalized.")
    views = _projections(projections, skipped)
    warnings = [table.note for table in (reports, projections, labels) if table and table.note]
    source = _Source(
        views=views,
        files=files,
        masks=_mask_files(path, skipped),
        reports=_reports(reports, views, skipped),
        labels=_labels(labels, views, skipped, warnings) if labels else {},
    )
    return ImportPlan(len(views), source.studies(skipped, options.workers), warnings)


@dataclass(frozen=True)
class _Source:
    """The tables joined, the images still on disk."""

    views: Projections
    files: Mapping[str, Path]
    masks: Mapping[str, Mapping[str, Path]]
    reports: Mapping[str, Report]
    labels: Mapping[str, tuple[IncomingLabel, ...]]

    def studies(self, skipped: list[Skipped], workers: int) -> Iterator[IncomingStudy | Skipped]:
        yield from skipped
        for made in films.ahead(self.study, self.views, workers):
            yield from made

    def study(self, uid: str) -> list[IncomingStudy | Skipped]:
        """The study, after whatever of it had to be left out."""
        images: list[IncomingImage] = []
        made: list[IncomingStudy | Skipped] = []
        for stem, view in self.views[uid]:
            try:
                image = films.film(self.files[stem], stem, view)
            except KeyError:
                made.append(Skipped(stem, f"{PROJECTIONS} names it, but no file of this name is below images"))
            except UnreadableImage as error:
                made.append(Skipped(self.files[stem].name, str(error)))
            else:
                images.append(replace(image, masks=self._drawn(image, made)))
        if not images:
            return [*made, Skipped(f"study {uid}", "none of its images could be read")]
        report, labels = self.reports.get(uid), self.labels.get(uid, ())
        return [*made, IncomingStudy(uid, uid, tuple(images), report, labels=labels)]

    def _drawn(self, image: IncomingImage, made: list[IncomingStudy | Skipped]) -> tuple[IncomingMask, ...]:
        drawn: list[IncomingMask] = []
        for finding, path in self.masks.get(image.name, {}).items():
            mask = films.drawn(finding, path.read_bytes(), image, f"masked/{path.name}")
            if isinstance(mask, Skipped):
                made.append(mask)
            else:
                drawn.append(mask)
        return tuple(drawn)


def _image_files(path: Path) -> tuple[dict[str, Path], list[Skipped]]:
    """Every image by its bare stem, wherever below `images/` it lies; the masks' folder is not looked into."""
    folder = path / "images"
    found: dict[str, Path] = {}
    skipped: list[Skipped] = []
    for file in films.files_below(folder) if folder.is_dir() else []:
        if "masked" in file.relative_to(folder).parts[:-1]:
            continue
        if file.stem in found:
            item = file.relative_to(path).as_posix()
            skipped.append(Skipped(item, f"{found[file.stem].name} has the same name; the first was kept"))
        found.setdefault(file.stem, file)
    return found, skipped


def _mask_files(path: Path, skipped: list[Skipped]) -> dict[str, dict[str, Path]]:
    """For each image's stem, its mask files by finding."""
    found: dict[str, dict[str, Path]] = {}
    for folder in (path / "masked", path / "images" / "masked"):
        by_finding, doubles = films.finding_folders(folder)
        skipped += doubles
        loose = [file for file in folder.iterdir() if file.is_file()] if folder.is_dir() else []
        by_finding.setdefault(_WHOLE_LUNGS, {}).update({file.stem: file for file in sorted(loose)})
        for finding, files in by_finding.items():
            for stem, file in files.items():
                found.setdefault(stem, {})[finding] = file
    return found


def _projections(table: Table, skipped: list[Skipped]) -> Projections:
    views: Projections = {}
    seen: set[str] = set()
    for row in table.rows():
        if isinstance(row, Skipped):
            skipped.append(row)
            continue
        uid, stem = row["uid"], Path(row["filename"]).stem
        item = f"{table.name} line {row.line}"
        if not uid or not stem:
            skipped.append(Skipped(item, "the row names no study or no file"))
        elif stem in seen:
            skipped.append(Skipped(item, f"{row['filename']} is on an earlier line already; the first was kept"))
        else:
            seen.add(stem)
            views.setdefault(uid, []).append((stem, View.parse(row["projection"])))
    return views


def _reports(table: Table, views: Projections, skipped: list[Skipped]) -> dict[str, Report]:
    reports: dict[str, Report] = {}
    for row, uid in _rows_by_uid(table, skipped):
        reports[uid] = Report(
            indication=row["indication"],
            comparison=row["comparison"],
            technique=row["image"],
            findings=row["findings"],
            impression=row["impression"],
        )
        if uid not in views:
            skipped.append(Skipped(f"study {uid}", f"it has a report, but {PROJECTIONS} names no image of it"))
    return {uid: report for uid, report in reports.items() if _says_something(report)}


def _says_something(report: Report) -> bool:
    """The name of the examination alone is no report."""
    return not replace(report, technique="").is_empty


def _labels(
    table: Table, views: Projections, skipped: list[Skipped], warnings: list[str]
) -> dict[str, tuple[IncomingLabel, ...]]:
    """Rows of one study that contradict each other are all kept: whoever takes them in tells of it."""
    columns = LabelColumns.of(table.name, (column for column in table.columns if column != "uid"))
    warnings += new_findings(table.name, columns.findings.values())
    labels: dict[str, tuple[IncomingLabel, ...]] = {}
    nowhere: set[str] = set()
    for row in table.rows():
        if isinstance(row, Skipped):
            skipped.append(row)
            continue
        uid, item = row["uid"], f"{table.name} line {row.line}"
        if not uid:
            skipped.append(Skipped(item, "the row has no uid"))
        elif uid not in views:
            nowhere.add(uid)
        else:
            said = columns.said(row, skipped)
            if uid in labels and not set(said) - set(labels[uid]):
                skipped.append(Skipped(item, f"uid {uid} is on an earlier line already, which says the same"))
            labels[uid] = tuple(dict.fromkeys((*labels.get(uid, ()), *said)))
    if nowhere:
        warnings.append(f"{table.name} has labels of {len(nowhere)} studies of which {PROJECTIONS} names no image.")
    return labels


def _rows_by_uid(table: Table, skipped: list[Skipped]) -> Iterator[tuple[Row, str]]:
    seen: set[str] = set()
    for row in table.rows():
        if isinstance(row, Skipped):
            skipped.append(row)
            continue
        uid = row["uid"]
        if not uid or uid in seen:
            reason = f"uid {uid} is on an earlier line already; the first was kept" if uid else "the row has no uid"
            skipped.append(Skipped(f"{table.name} line {row.line}", reason))
        else:
            seen.add(uid)
            yield row, uid
