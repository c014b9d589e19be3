"""Exports that the Data screen asks for: where they lie in the workspace, and how they are taken away."""

import io
import zipfile
from datetime import datetime
from pathlib import Path

from app.house import House
from app.services import exporting
from core.errors import NotFound
from core.findings import slug
from core.jobs import Job


def ask(house: House, form: str, actor: str, *, snapshot: str | None = None, dataset: str | None = None) -> Job:
    """Queue an export into a folder of the workspace. Raises UnknownExporter, SnapshotOrDataset."""
    source = slug(snapshot or dataset or "nothing")
    out = house.workspace.home / "exports" / f"{source}-{form}-{datetime.now():%Y%m%d-%H%M%S-%f}"
    out.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return exporting.request(house, form, out, actor, snapshot=snapshot, dataset=dataset)


def as_zip(folder: Path) -> bytes:
    """A finished export as one zip file. Raises NotFound."""
    if not folder.is_dir():
        raise NotFound(f"The export {folder.name} is no longer in the workspace. Run it again.")
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for place in sorted(folder.rglob("*")):
            if place.is_file():
                archive.write(place, Path(folder.name) / place.relative_to(folder))
    return body.getvalue()
