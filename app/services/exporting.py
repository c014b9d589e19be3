"""Handing data out: a frozen snapshot, or what a dataset holds now, as files that other tools read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.house import House
from app.services import snapshots
from core.errors import ReadingRoomError
from core.jobs import Job, JobKind, JobRequest, Report
from data.exporters import EXPORTERS
from data.exporters.output import Exported
from db import audit, jobs
from db.work import Ticket


class UnknownExporter(ReadingRoomError):
    def __init__(self, form: str) -> None:
        super().__init__(f'"{form}" is no export format. There are: {", ".join(EXPORTERS)}.')


class SnapshotOrDataset(ReadingRoomError):
    def __init__(self) -> None:
        super().__init__("Export either a snapshot or a dataset: name one of the two.")


def hand_out(
    house: House, form: str, out: Path, actor: str, report: Report, *, snapshot: str | None, dataset: str | None
) -> Exported:
    """Write an export into a folder that does not exist yet. One that fails leaves nothing behind.

    Raises UnknownExporter, SnapshotOrDataset, NotFound, OutputNotEmpty, DiskFull, BlobMissing and BlobCorrupt.
    """
    _check(form, snapshot, dataset)
    manifest = snapshots.read(house, snapshot)[1] if snapshot is not None else snapshots.present(house, dataset or "")
    made = EXPORTERS[form](manifest, house.store, out, report)
    with house.database.writing() as session:
        audit.record(session, actor, f"export {form}", snapshot or dataset or "", made.manifest_sha256)
    return made


def request(
    house: House, form: str, out: Path, actor: str, *, snapshot: str | None = None, dataset: str | None = None
) -> Job:
    """Queue an export for the clerk. Raises UnknownExporter, SnapshotOrDataset."""
    _check(form, snapshot, dataset)
    parameters = {"form": form, "out": str(out.resolve()), "snapshot": snapshot, "dataset": dataset}
    with house.database.writing() as session:
        return jobs.enqueue(session, JobRequest(JobKind.EXPORT, parameters), actor)


def handle(house: House, ticket: Ticket) -> Mapping[str, Any]:
    """Do a queued export; the job's result tells what was written."""
    p, actor = ticket.job.parameters, ticket.job.requested_by
    source = {"snapshot": p["snapshot"], "dataset": p["dataset"]}
    made = hand_out(house, p["form"], Path(p["out"]), actor, ticket.report, **source)
    return {
        "form": p["form"],
        "out": str(made.folder),
        **source,
        "studies": made.studies,
        "images": made.images,
        "masks": made.masks,
        "bytes": made.size,
        "manifest_sha256": made.manifest_sha256,
    }


def _check(form: str, snapshot: str | None, dataset: str | None) -> None:
    if form not in EXPORTERS:
        raise UnknownExporter(form)
    if (snapshot is None) is (dataset is None):
        raise SnapshotOrDataset
