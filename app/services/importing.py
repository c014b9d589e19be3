"""Bringing data in: as a rehearsal that changes nothing, or for real, as a job with progress."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from app.house import House
from app.security import workspace_secret
from app.services import labelling_reports
from core.errors import ReadingRoomError
from core.jobs import Job, JobKind, JobRequest, Report
from core.studies import IncomingStudy, Skipped, View, torn_labels
from data.importers import IMPORTERS
from data.importers.plan import ImportOptions, ImportPlan
from data.quality import QualityReport, Tally
from db import audit, intake, jobs, promotion
from db.intake import StoredImage
from db.work import Ticket

BATCH_STUDIES = 64
BATCH_BYTES = 128 * 2**20
"""What is kept in one go, whichever is full first: flushed together by the store, committed together."""


class UnknownImporter(ReadingRoomError):
    def __init__(self, name: str) -> None:
        super().__init__(f'"{name}" is no kind of import. There are: {", ".join(IMPORTERS)}.')


@dataclass(frozen=True)
class Choices:
    """What a person may say of an import: the view of films that state none, the table that counts, whether a folder of
    loose films is a patient, and whether a finding is absent wherever it is not marked."""

    view: View | None = None
    table: str | None = None
    patient_per_folder: bool = False
    unmarked_absent: bool = False


def plan(house: House, kind: str, path: Path, choices: Choices | None = None) -> ImportPlan:
    """What an importer finds at a path, study by study. Raises UnknownImporter and the importer's own errors."""
    if kind not in IMPORTERS:
        raise UnknownImporter(kind)
    said = choices or Choices()
    options = ImportOptions(
        secret=workspace_secret(house.workspace),
        table=Path(said.table) if said.table else None,
        patient_per_folder=said.patient_per_folder,
        unmarked_absent=said.unmarked_absent,
        scratch=house.workspace.cache,
        view=said.view,
    )
    return IMPORTERS[kind](path, options)


def rehearse(
    house: House, kind: str, path: Path, dataset: str, report: Report, choices: Choices | None = None
) -> QualityReport:
    """What an import would bring, and what not and why; nothing is kept."""
    found = plan(house, kind, path, choices)
    tally = Tally(dataset)
    for number, item in enumerate(found.studies, 1):
        tally.saw(item)
        if isinstance(item, IncomingStudy):
            has_report = item.report is not None and not item.report.is_empty
            masks, torn = sum(len(image.masks) for image in item.images), torn_labels(item.key, item.labels)
            tally.added(1, len(item.images), masks, int(has_report), skipped=torn)
        report(number, found.total, "looking")
    return tally.report(found.warnings)


def bring_in(
    house: House, kind: str, path: Path, dataset: str, actor: str, report: Report, choices: Choices | None = None
) -> QualityReport:
    """Import what lies at a path. A bad item never stops the rest; importing twice adds nothing.

    Bytes are on disk before their rows are committed. `report` may raise to stop between two batches: what was
    committed until then stays, whole studies only. Raises DiskFull.
    """
    return take_in(house, kind, plan(house, kind, path, choices), dataset, actor, report)


def take_in(house: House, kind: str, found: ImportPlan, dataset: str, actor: str, report: Report) -> QualityReport:
    """Import what a plan brings, wherever it came from; new reports are read by the labeler, and new films are queued
    for the models in use to look at.

    Raises DiskFull, and BadRules before anything is kept.
    """
    labelling_reports.rules_of(house)
    tally = Tally(dataset)
    done = 0
    for batch in _batches(found.studies):
        report(done, found.total, f"importing {kind}")
        _keep(house, dataset, actor, batch, tally)
        done += len(batch)
    report(done, max(done, found.total), "done")
    told = tally.report(found.warnings)
    with house.database.writing() as session:
        audit.record(session, actor, f"import {kind}", dataset, f"{told.studies} studies, {told.images} images")
        if told.images:
            promotion.suggest_for(session, dataset, actor)
    return told


def request(
    house: House,
    kind: str,
    path: Path,
    dataset: str,
    actor: str,
    rehearsal: bool = False,
    choices: Choices | None = None,
) -> Job:
    """Queue an import, or its rehearsal, for the clerk. Raises UnknownImporter."""
    if kind not in IMPORTERS:
        raise UnknownImporter(kind)
    parameters = {
        "kind": kind,
        "path": str(path.resolve()),
        "dataset": dataset,
        "rehearsal": rehearsal,
        "choices": asdict(choices or Choices()),
    }
    with house.database.writing() as session:
        return jobs.enqueue(session, JobRequest(JobKind.IMPORT, parameters), actor)


def request_again(house: House, rehearsal: Job, actor: str) -> Job:
    """Queue in earnest what was rehearsed."""
    parameters = {**rehearsal.parameters, "rehearsal": False}
    with house.database.writing() as session:
        return jobs.enqueue(session, JobRequest(JobKind.IMPORT, parameters), actor)


def handle(house: House, ticket: Ticket) -> Mapping[str, Any]:
    """Do a queued import; the job's result is the quality report."""
    p = ticket.job.parameters
    view = p["choices"]["view"]
    said = Choices(**{**p["choices"], "view": View(view) if view else None})
    if p["rehearsal"]:
        return rehearse(house, p["kind"], Path(p["path"]), p["dataset"], ticket.report, said).to_json()
    actor = ticket.job.requested_by
    return bring_in(house, p["kind"], Path(p["path"]), p["dataset"], actor, ticket.report, said).to_json()


def _keep(house: House, dataset: str, actor: str, batch: list[IncomingStudy | Skipped], tally: Tally) -> None:
    studies = [item for item in batch if isinstance(item, IncomingStudy)]
    bodies = [body for s in studies for i in s.images for body in (i.payload, *(m.png for m in i.masks))]
    places = iter(house.store.put_many(bodies))
    with house.database.writing() as session:
        added = [intake.add_study(session, dataset, study, _stored(study, places), actor) for study in studies]
    labelling_reports.label_new(house, dataset, [study.key for study in studies if study.report is not None])
    for item in batch:
        tally.saw(item)
    for each in added:
        tally.added(each.studies, each.images, each.masks, each.reports, each.duplicates, each.skipped)


def _stored(study: IncomingStudy, places: Iterator[str]) -> list[StoredImage]:
    return [StoredImage(next(places), tuple(islice(places, len(image.masks)))) for image in study.images]


def _batches(items: Iterator[IncomingStudy | Skipped]) -> Iterator[list[IncomingStudy | Skipped]]:
    batch: list[IncomingStudy | Skipped] = []
    size = 0
    for item in items:
        batch.append(item)
        size += sum(len(image.payload) for image in item.images) if isinstance(item, IncomingStudy) else 0
        if len(batch) >= BATCH_STUDIES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
