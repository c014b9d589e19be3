"""Data in and out: importing, the findings vocabulary, freezing snapshots, exporting."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from app.clerk import handlers
from app.cli.output import AsJson, answer, say, table
from app.cli.shapes import finding_shape, snapshot_shape
from app.cli.waiting import do_here
from app.house import local_reader, open_house
from app.services import exporting, importing, snapshots
from app.services.vocabulary import vocabulary
from core.errors import NotFound, ReadingRoomError
from core.registry import RESEARCH_ONLY
from core.reports import Cleaning
from core.snapshots import Snapshot, SnapshotFilter
from core.splits import SplitPolicy
from core.studies import View
from data.exporters import EXPORTERS
from data.importers import IMPORTERS

commands = typer.Typer()

IMPORT_SHAPE = ("dataset", "studies", "images", "masks", "reports", "duplicates", "skipped")
"""The keys of an import's JSON, which others rely on. The job holds the whole quality report."""


class SplitOrFolds(ReadingRoomError):
    def __init__(self) -> None:
        super().__init__("--folds makes a split of its own for each fold; leave --split out.")


@commands.command("import")
def bring_in(
    kind: Annotated[str, typer.Argument(help=f"What lies there: {', '.join(IMPORTERS)}.")],
    path: Annotated[Path, typer.Argument(help="The folder, file or zip.")],
    dataset: Annotated[str, typer.Option(help="The dataset it goes into; made when new.")],
    table: Annotated[
        Path | None, typer.Option(help="The CSV that counts, where a folder holds several; the JSON of chexlocalize.")
    ] = None,
    view: Annotated[View | None, typer.Option(help="The view of films that state none.")] = None,
    patient_per_folder: Annotated[
        bool, typer.Option("--patient-per-folder", help="Take each folder of loose images for a patient.")
    ] = False,
    unmarked_absent: Annotated[
        bool,
        typer.Option("--unmarked-absent", help="What is marked on some film is absent on those where it is not."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would come in, and keep nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import studies. What is there already adds nothing, so an import can be repeated.

    Example: python -m app import iu-xray ~/data/iu-xray --dataset iu
    """
    house = open_house()
    if not path.exists():
        raise NotFound(f"There is no {path}.")
    # The clerk, should it be quicker, works in a folder of its own.
    named = str(table.resolve() if table.is_file() else table) if table else None
    choices = importing.Choices(view, named, patient_per_folder, unmarked_absent)
    job = importing.request(house, kind, path, dataset, local_reader(), dry_run, choices)
    told = do_here(house, job, handlers(house))
    fixed = {key: told[key] for key in IMPORT_SHAPE}
    for sentence in told["warnings"]:
        say(sentence)
    answer(fixed, as_json, lambda out: _show_import(out, told, dry_run))


@commands.command()
def findings(
    retired: Annotated[bool, typer.Option("--retired", help="Also those no longer offered.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the findings vocabulary. Findings are added and retired on the Data screen.

    Example: python -m app findings
    """
    known = vocabulary(open_house(), include_retired=retired)
    rows = [(f.key, f.name, f.kind, ", ".join(f.parts), "retired" if f.retired else "") for f in known]
    data = {"findings": [finding_shape(finding) for finding in known]}
    answer(data, as_json, lambda out: table(out, ("key", "name", "kind", "made of", ""), rows, "No finding is known."))


@commands.command()
def snapshot(
    name: Annotated[str, typer.Argument(help="The snapshot's name.")],
    dataset: Annotated[list[str], typer.Option(help="A dataset to freeze; may be given more than once.")],
    split: Annotated[str | None, typer.Option(help="Shares for training, validation and test: 0.8,0.1,0.1.")] = None,
    folds: Annotated[int | None, typer.Option(help="Make this many evaluation folds instead.", min=2, max=20)] = None,
    finding: Annotated[list[str] | None, typer.Option(help="Only masks of this finding; may be repeated.")] = None,
    with_masks: Annotated[bool, typer.Option("--with-masks", help="Only studies that have a mask.")] = False,
    with_report: Annotated[bool, typer.Option("--with-report", help="Only studies that have a report.")] = False,
    clean_reports: Annotated[
        bool, typer.Option("--clean-reports", help="Clean XXXX marks and templated normals.")
    ] = False,
    frontal_only: Annotated[bool, typer.Option("--frontal-only", help="Only frontal films (PA, AP).")] = False,
    full_narrative: Annotated[
        bool, typer.Option("--full-narrative", help="Only studies whose report has findings and impression.")
    ] = False,
    positive_only: Annotated[
        bool, typer.Option("--positive-only", help="Only labels of findings that are present.")
    ] = False,
    paired_views: Annotated[
        bool, typer.Option("--paired-views", help="Only studies with a frontal and a lateral film.")
    ] = False,
    lung_findings_only: Annotated[
        bool,
        typer.Option("--lung-findings-only", help="Only studies without a finding outside the lungs and the pleura."),
    ] = False,
    image_and_text: Annotated[
        bool, typer.Option("--image-and-text", help="Only studies with an image, looked up in the store, and a text.")
    ] = False,
    min_report_characters: Annotated[
        int, typer.Option(help="Leave out studies whose report is shorter than this.", min=0)
    ] = 0,
    max_patients: Annotated[int | None, typer.Option(help="At most this many patients of each dataset.", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """Freeze what datasets hold now, for training and for judging. A patient keeps one split for ever.

    Example: python -m app snapshot lungs-1 --dataset demo --split 0.8,0.1,0.1
    """
    wanted = SnapshotFilter(
        findings=tuple(finding or ()),
        with_masks=with_masks,
        with_report=with_report,
        min_report_characters=min_report_characters,
        max_patients=max_patients,
        frontal_only=frontal_only,
        full_narrative=full_narrative,
        positive_only=positive_only,
        image_and_text=image_and_text,
        paired_views=paired_views,
        lung_findings_only=lung_findings_only,
    )
    cleaning = Cleaning(True, True) if clean_reports else Cleaning()
    if folds is not None and split is not None:
        raise SplitOrFolds
    policy = SplitPolicy.parse(split) if split is not None else None
    house, actor = open_house(), local_reader()
    if folds is not None:
        made = snapshots.freeze_folds(house, name, dataset, actor, folds, wanted=wanted, cleaning=cleaning)
    else:
        made = (snapshots.freeze(house, name, dataset, actor, split=policy, wanted=wanted, cleaning=cleaning),)
    answer({"snapshots": [snapshot_shape(each) for each in made]}, as_json, lambda out: _show_snapshots(out, made))


@commands.command()
def export(
    form: Annotated[str, typer.Argument(help=f"The format: {', '.join(EXPORTERS)}.")],
    out: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")],
    snapshot: Annotated[str | None, typer.Option("--snapshot", help="The snapshot to export.")] = None,
    dataset: Annotated[str | None, typer.Option(help="The dataset to export as it stands now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a snapshot or a dataset as files, with a manifest of hashes. Two exports of one snapshot are the same.

    Example: python -m app export coco ./lungs-1-coco --snapshot lungs-1
    """
    house = open_house()
    job = exporting.request(house, form, out, local_reader(), snapshot=snapshot, dataset=dataset)
    told = do_here(house, job, handlers(house))

    def show(out: Console) -> None:
        kept = f"{told['studies']} studies, {told['images']} images and {told['masks']} masks"
        out.print(f"Wrote {kept} to {told['out']} ({told['bytes'] / 2**20:.1f} MiB). {RESEARCH_ONLY}", markup=False)

    answer(told, as_json, show)


def _show_import(out: Console, told: Any, dry_run: bool) -> None:
    verb = "Would import" if dry_run else "Imported"
    what = f"{told['studies']} studies, {told['images']} images, {told['masks']} masks, {told['reports']} reports"
    out.print(f"{verb} into {told['dataset']}: {what}.", markup=False)
    rows = [
        ("images whose content was there already", told["duplicates"]),
        ("studies without a report", told["without_report"]),
        ("reports under 30 characters", told["short_reports"]),
        ("masks of another size than their image", told["size_mismatches"]),
        ("left out", len(told["skipped"])),
    ]
    table(out, ("", ""), [row for row in rows if row[1]], "")
    table(out, ("left out", "why"), [(each["item"], each["reason"]) for each in told["skipped"]], "")


def _show_snapshots(out: Console, made: tuple[Snapshot, ...]) -> None:
    columns = ("snapshot", "patients", "studies", "images", "masks", "train", "validation", "test", "content")
    rows = [
        (
            s.name,
            s.counts.patients,
            s.counts.studies,
            s.counts.images,
            s.counts.masks,
            *s.counts.by_split.values(),
            s.sha[:12],
        )
        for s in made
    ]
    table(out, columns, rows, "")
    for s in made:
        table(out, (f"left out of {s.name}", "number"), list(s.counts.left_out.items()), "")
