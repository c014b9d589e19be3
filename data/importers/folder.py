"""Images and masks in folders: `images/<stem>`, `masks/<finding>/<stem>`, and, where there is one, a CSV about them.

The CSV is `cases.csv`, or the only CSV at the top, or the one that the person names. Its columns are found by the names
in COLUMNS; `image` alone is needed. Rows with the same `study` are one study; without that column each image is a study
of its own. Without a CSV each image is its own patient, named by its stem. A mask in which nothing is marked states
that the finding is absent on that film; a missing mask states so only where the person says that it does.

What Reading Room exports as PNG has this layout, with a `manifest.json` that says so; then formula escapes are undone,
and `masks.csv`, `labels.csv` and `regions.csv` restore authors, findings stated absent, whose statement each label is,
and boxes and polygons.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from core.findings import slug
from core.reports import Report, parse_sections
from core.studies import IncomingImage, IncomingLabel, IncomingMask, IncomingRegion, IncomingStudy, Skipped, View
from data import csvsafe, manifests
from data.images import mask_from_file
from data.importers import absence, export_tables, films
from data.importers.given import GivenSplits
from data.importers.plan import VIEW_ASSUMED, ImportOptions, ImportPlan, NothingToImport
from data.layouts import CASES, LABELS, MASKS, REGIONS, SEPARATOR
from data.pixels import UnreadableImage
from data.tables import Row, Table, open_table

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "image": ("image", "file", "filename", "image_path", "image_id"),
    "patient": ("patient", "patient_id", "patientid", "subject", "subject_id"),
    "study": ("study", "study_id", "uid"),
    "name": ("name",),
    "dataset": ("dataset",),
    "view": ("view", "projection", "view_position", "viewposition"),
    "age": ("age", "patient_age"),
    "sex": ("sex", "gender", "patient_sex"),
    "split": ("split",),
    "order": ("order",),
    "notes": ("notes", "clinical_notes", "clinical_note", "note"),
    "indication": ("indication", "history"),
    "comparison": ("comparison",),
    "technique": ("technique",),
    "findings": ("findings",),
    "impression": ("impression", "conclusion"),
    "report": ("report", "report_text"),
    "text": ("text",),
    "absent": ("absent",),
}
"""What a CSV's columns mean, by any of their names in lower case."""


@dataclass(frozen=True)
class _Case:
    """An image on disk and what the CSV says of it."""

    path: Path
    stem: str
    cells: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, meaning: str) -> str:
        return next((self.cells[name] for name in COLUMNS[meaning] if self.cells.get(name)), "")


@dataclass(frozen=True)
class _MaskFile:
    """A mask on disk; `origin` is its row in our own export's `masks.csv`."""

    finding: str
    path: Path
    origin: Row | None = None


@dataclass(frozen=True)
class _Group:
    """The images of one study, and whose they are."""

    patient: str
    cases: tuple[_Case, ...]


@dataclass(frozen=True)
class _Folder:
    """All that the folder holds, the images and masks still on disk."""

    groups: Mapping[str, _Group]
    masks: Mapping[str, tuple[_MaskFile, ...]]
    labels: Mapping[str, tuple[IncomingLabel, ...]]
    regions: Mapping[str, tuple[IncomingRegion, ...]]
    view: View
    looked_for: Collection[str] = ()

    def studies(self, skipped: list[Skipped], workers: int) -> Iterator[IncomingStudy | Skipped]:
        yield from skipped
        for made in films.ahead(self._study, self.groups, workers):
            yield from made

    def _study(self, key: str) -> list[IncomingStudy | Skipped]:
        made: list[IncomingStudy | Skipped] = []
        group = self.groups[key]
        images = [image for case in group.cases if (image := self._image(case, made)) is not None]
        if not images:
            return made
        first = group.cases[0]
        study = IncomingStudy(
            patient=group.patient,
            key=key,
            images=tuple(images),
            report=_report(first),
            age=films.age_in_years(first["age"]),
            sex=films.sex_letter(first["sex"]),
            notes=first["notes"] or None,
            split=films.split_named(first["split"]),
            labels=self.labels.get(key, ()),
            order=int(first["order"]) if first["order"].lstrip("-").isdigit() else 0,
        )
        return [*made, study]

    def _image(self, case: _Case, made: list[IncomingStudy | Skipped]) -> IncomingImage | None:
        view = View.parse(case["view"]) if case["view"] else self.view
        try:
            image = films.film(case.path, case["name"] or case.stem, view)
        except UnreadableImage as error:
            made.append(Skipped(f"images/{case.path.name}", str(error)))
            return None
        masks: list[IncomingMask] = []
        files = self.masks.get(case.stem, ())
        for file in files:
            mask = films.drawn(file.finding, file.path.read_bytes(), image, f"masks/{file.finding}/{file.path.name}")
            if isinstance(mask, Skipped):
                made.append(mask)
                continue
            if file.origin:
                mask = replace(mask, author=file.origin["author"] or None, suggested=file.origin["suggested"] == "yes")
            masks.append(mask)
        stated = {slug(key) for key in case["absent"].split(SEPARATOR) if slug(key)}
        empty = {mask.finding for mask in masks if mask.stats.area == 0}
        # A mask that cannot be read marks its finding all the same.
        unmarked = absence.unmarked(self.looked_for, {file.finding for file in files} - empty)
        absent = tuple(sorted(stated | empty | unmarked))
        return replace(image, masks=tuple(masks), absent=absent, regions=self.regions.get(case.stem, ()))


def plan(path: Path, options: ImportOptions) -> ImportPlan:
    """Raises NothingToImport, MissingTable and MissingColumns."""
    if not (path / "images").is_dir():
        raise NothingToImport(
            f"There is no folder images in {path}. Put the films there, and masks into masks/FINDING."
        )
    files, skipped = films.by_stem(path / "images")
    if not files:
        raise NothingToImport(f"The folder {path / 'images'} is empty.")
    head = manifests.read(path)
    ours = head is not None and head.form == "png"
    warnings: list[str] = []
    table = _table(path, options.table, warnings)
    cases = _cases(table, files, ours, skipped, warnings) if table else [_Case(files[stem], stem) for stem in files]
    if options.view is None and any(not case["view"] for case in cases):
        warnings.append(VIEW_ASSUMED)
    several = head is not None and head.has_several_datasets
    grouped = _grouped(cases, several, skipped)
    masks = _masks(path, set(files), export_tables.origins(open_table(path / MASKS), skipped) if ours else {}, skipped)
    looked_for = _marked_anywhere(masks) if options.unmarked_absent else set()
    warnings += absence.told(looked_for)
    folder = _Folder(
        groups=grouped,
        masks=masks,
        labels=export_tables.labels(open_table(path / LABELS), several, skipped) if ours else {},
        regions=export_tables.regions(path / REGIONS, skipped) if ours else {},
        view=options.fallback_view,
        looked_for=looked_for,
    )
    return ImportPlan(len(grouped), folder.studies(skipped, options.workers), warnings)


def _table(path: Path, named: Path | None, warnings: list[str]) -> Table | None:
    if named is not None:
        return open_table(named if named.is_absolute() or named.is_file() else path / named)
    if (path / CASES).is_file():
        return open_table(path / CASES)
    tables = sorted(path.glob("*.csv"))
    if len(tables) == 1:
        return open_table(tables[0])
    if tables:
        names = ", ".join(table.name for table in tables)
        warnings.append(f"Several tables lie beside the images ({names}); none was used. Name the one that counts.")
    return None


def _cases(
    table: Table, files: Mapping[str, Path], ours: bool, skipped: list[Skipped], warnings: list[str]
) -> list[_Case]:
    """The images in the order of the table's rows, then those that it does not name."""
    if not any(name in table.columns for name in COLUMNS["image"]):
        table.require("image")
    used = {name for names in COLUMNS.values() for name in names}
    unused = [column for column in table.columns if column not in used]
    if unused and not ours:
        warnings.append(f"Columns of {table.name} that were not used: {', '.join(unused)}.")
    if table.note:
        warnings.append(table.note)
    cases: dict[str, _Case] = {}
    for row in table.rows(csvsafe.restored if ours else str.strip):
        if isinstance(row, Skipped):
            skipped.append(row)
            continue
        named = _Case(Path(), "", row.cells)["image"]
        stem = _stem(named, files)
        if stem is None:
            skipped.append(Skipped(f"{table.name} line {row.line}", f'no image "{named}" is in the folder images'))
        elif stem in cases:
            reason = f"{named} is on an earlier line already; the first was kept"
            skipped.append(Skipped(f"{table.name} line {row.line}", reason))
        else:
            cases[stem] = _Case(files[stem], stem, row.cells)
    unnamed = [stem for stem in files if stem not in cases]
    if unnamed:
        warnings.append(f"{len(unnamed)} of {len(files)} images are not in {table.name}; each is its own patient.")
    return [*cases.values(), *(_Case(files[stem], stem) for stem in unnamed)]


def _stem(named: str, files: Mapping[str, Path]) -> str | None:
    """The image that a cell means: with or without extension, with or without the folder images in front."""
    bare = named.replace("\\", "/").removeprefix("./").removeprefix("images/")
    candidates = (bare, Path(bare).with_suffix("").as_posix() if bare else bare)
    return next((stem for stem in candidates if stem in files), None)


def _grouped(cases: list[_Case], several_datasets: bool, skipped: list[Skipped]) -> dict[str, _Group]:
    """The cases by study key, but those of patients who are put into two splits. Where several datasets were exported
    together, the key begins with the dataset."""
    studies: dict[str, list[_Case]] = {}
    patients: dict[str, str] = {}
    splits = GivenSplits()
    for case in cases:
        before = f"{case['dataset']}/" if several_datasets else ""
        key, patient = before + (case["study"] or case.stem), before + (case["patient"] or case.stem)
        if patients.setdefault(key, patient) != patient:
            reason = f"study {key} belongs to patient {patients[key]} on an earlier line, here to {patient}"
            skipped.append(Skipped(f"images/{case.path.name}", reason))
            continue
        studies.setdefault(key, []).append(case)
        splits.saw(patient, films.split_named(case["split"]))
    skipped += splits.refused()
    groups = {key: _Group(patients[key], tuple(group)) for key, group in studies.items()}
    return {key: group for key, group in groups.items() if not splits.refuses(group.patient)}


def _masks(
    path: Path, stems: set[str], origins: Mapping[str, Row], skipped: list[Skipped]
) -> dict[str, tuple[_MaskFile, ...]]:
    """For each image's stem, its mask files; masks of no image are left out."""
    by_finding, doubles = films.finding_folders(path / "masks")
    skipped += doubles
    found: dict[str, list[_MaskFile]] = {}
    for finding, files in by_finding.items():
        for stem, file in files.items():
            origin = origins.get(file.relative_to(path).as_posix())
            of = Path(origin["image"]).stem if origin else stem
            if of in stems:
                found.setdefault(of, []).append(_MaskFile(finding, file, origin))
            else:
                skipped.append(Skipped(f"masks/{finding}/{file.name}", "no image has this name"))
    return {stem: tuple(files) for stem, files in found.items()}


def _marked_anywhere(masks: Mapping[str, tuple[_MaskFile, ...]]) -> set[str]:
    """The findings of which some mask is not empty; each is searched no further than to its first such mask."""
    marked: set[str] = set()
    for files in masks.values():
        marked.update(file.finding for file in files if file.finding not in marked and _marks(file.path))
    return marked


def _marks(path: Path) -> bool:
    try:
        return bool(mask_from_file(path.read_bytes()).any())
    except UnreadableImage:
        return False


def _report(case: _Case) -> Report | None:
    parsed = parse_sections(case["report"]) if case["report"] else Report()
    report = Report(
        indication=case["indication"] or parsed.indication,
        comparison=case["comparison"] or parsed.comparison,
        technique=case["technique"] or parsed.technique,
        findings=case["findings"] or parsed.findings,
        impression=case["impression"] or parsed.impression,
        text=case["text"] or parsed.text,
    )
    return None if report.is_empty else report
