"""Exports that the Data screen asks for: where they lie in the workspace, and how they are taken away."""

import os
import tempfile
import zipfile
from datetime import datetime
from pathlib import Path

from app.house import House
from app.services import exporting, training
from core.errors import NotFound
from core.findings import slug
from core.jobs import Job, JobKind, JobState


def ask(house: House, form: str, actor: str, *, snapshot: str | None = None, dataset: str | None = None) -> Job:
    """Queue an export into a folder of the workspace. Raises UnknownExporter, SnapshotOrDataset."""
    source = slug(snapshot or dataset or "nothing")
    out = house.workspace.home / "exports" / f"{source}-{form}-{datetime.now():%Y%m%d-%H%M%S-%f}"
    out.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return exporting.request(house, form, out, actor, snapshot=snapshot, dataset=dataset)


def as_zip(house: House, job_id: int) -> tuple[str, Path]:
    """What an export job wrote, packed into a temporary file that the caller removes; gives its name and place.

    Raises NotFound.
    """
    job = training.job(house, job_id)
    if job.kind is not JobKind.EXPORT or job.state is not JobState.SUCCEEDED:
        raise NotFound(f"Job {job_id} is no finished export. The Data screen lists those there are.")
    folder = Path(str(job.result["out"]))
    if not folder.is_dir():
        raise NotFound(f"The export {folder.name} is no longer in the workspace. Run it again.")
    handle, place = tempfile.mkstemp(suffix=".zip", dir=house.workspace.cache)
    with os.fdopen(handle, "wb") as body, zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, Path(folder.name) / file.relative_to(folder))
    return folder.name, Path(place)
