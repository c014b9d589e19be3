"""Bringing data in: as a rehearsal that changes nothing, or for real, as a job with progress."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from data.quality import QualityReport

from app.house import House
from app.security import workspace_secret
from core.errors import ReadingRoomError
from core.jobs import Job, JobKind, JobRequest
from core.studies import IncomingStudy, Skipped
from data.importers import IMPORTERS, ImportOptions, ImportPlan
from db import audit, intake, jobs
from db.intake import StoredImage
from db.work import Ticket

BATCH = 64
"""Studies kept in one go: the store flushes them together and the database commits them together."""

Report = Callable[[int, int, str], None]


class UnknownImporter(ReadingRoomError):
    def __init__(self, name: str) -> None:
        super().__init__(f'"{name}" is no kind of import. There are: {", ".join(IMPORTERS)}.')


def plan(house: House, kind: str, path: Path) -> ImportPlan:
    """What an importer finds at a path, study by study. Raises UnknownImporter and the importer's own errors."""
    if kind not in IMPORTERS:
        raise UnknownImporter(kind)
    return IMPORTERS[kind](path, ImportOptions(secret=workspace_secret(house.workspace)))


def rehearse(house: House, kind: str, path: Path, dataset: str, report: Report) -> QualityReport:
    """What an import would bring, and what not and why; nothing is kept."""
    found = plan(house, kind, path)
    told = QualityReport(dataset)
    for number, item in enumerate(found.studies, 1):
        told = _skip(told, item) if isinstance(item, Skipped) else _count(told, item)
        report(number, found.total, "looking")
    return told


def bring_in(house: House, kind: str, path: Path, dataset: str, actor: str, report: Report) -> QualityReport:
    """Import what lies at a path. A bad item never stops the rest; importing twice adds nothing.

    Bytes are on disk before their rows are committed. `report` may raise to stop between two batches: what was
    committed until then stays, whole studies only. Raises DiskFull.
    """
    found = plan(house, kind, path)
    told = QualityReport(dataset)
    done = 0
    for batch in _batches(found.studies):
        report(done, found.total, f"importing {kind}")
        told = _keep(house, dataset, actor, batch, told)
        done += len(batch)
    report(done, max(done, found.total), "done")
    with house.database.writing() as session:
        audit.record(session, actor, f"import {kind}", dataset, f"{told.studies} studies, {told.images} images")
    return told


def request(house: House, kind: str, path: Path, dataset: str, actor: str) -> Job:
    """Queue an import for the clerk. Raises UnknownImporter."""
    if kind not in IMPORTERS:
        raise UnknownImporter(kind)
    parameters = {"kind": kind, "path": str(path.resolve()), "dataset": dataset}
    with house.database.writing() as session:
        return jobs.enqueue(session, JobRequest(JobKind.IMPORT, parameters), actor)


def handle(house: House, ticket: Ticket) -> Mapping[str, Any]:
    """Do a queued import; the job's result is the quality report."""
    p = ticket.job.parameters
    report = bring_in(house, p["kind"], Path(p["path"]), p["dataset"], ticket.job.requested_by, ticket.report)
    return report.to_json()


def _keep(
    house: House, dataset: str, actor: str, batch: list[IncomingStudy | Skipped], told: QualityReport
) -> QualityReport:
    studies = [item for item in batch if isinstance(item, IncomingStudy)]
    bodies = [body for s in studies for i in s.images for body in (i.payload, *(m.png for m in i.masks))]
    places = iter(house.store.put_many(bodies))
    with house.database.writing() as session:
        for item in batch:
            if isinstance(item, Skipped):
                told = _skip(told, item)
                continue
            stored = [StoredImage(next(places), tuple(islice(places, len(i.masks)))) for i in item.images]
            added = intake.add_study(session, dataset, item, stored, actor)
            told = _quality(told, item, added)
    return told


def _batches(items: Iterator[IncomingStudy | Skipped]) -> Iterator[list[IncomingStudy | Skipped]]:
    while batch := list(islice(items, BATCH)):
        yield batch


def _skip(told: QualityReport, skipped: Skipped) -> QualityReport:
    return replace(told, skipped=(*told.skipped, skipped))


def _count(told: QualityReport, study: IncomingStudy) -> QualityReport:
    masks = sum(len(image.masks) for image in study.images)
    has_report = study.report is not None and not study.report.is_empty
    return _quality(told, study, intake.Added(1, len(study.images), masks, int(has_report)))


def _quality(told: QualityReport, study: IncomingStudy, added: intake.Added) -> QualityReport:
    report = study.report
    return replace(
        told,
        studies=told.studies + added.studies,
        images=told.images + added.images,
        masks=told.masks + added.masks,
        reports=told.reports + added.reports,
        duplicates=told.duplicates + added.duplicates,
        skipped=(*told.skipped, *added.skipped),
        without_report=told.without_report + (report is None or report.is_empty),
        short_reports=told.short_reports + (report is not None and not report.is_empty and report.is_short),
    )
