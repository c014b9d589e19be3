"""Any importer, given a zip: unpacked beside the workspace while the import runs, and gone after it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from core.studies import IncomingStudy, Skipped
from data import archives
from data.importers.plan import Importer, ImportOptions, ImportPlan, NothingToImport


def accepting_zip(importer: Importer) -> Importer:
    """The importer, taking a zip of what it takes as a folder. Raises NothingToImport when nothing is at the path."""

    def plan(path: Path, options: ImportOptions) -> ImportPlan:
        if not path.exists():
            raise NothingToImport(f"There is nothing at {path}.")
        if not archives.is_archive(path):
            return importer(path, options)
        room = tempfile.TemporaryDirectory(prefix="reading-room-import-", dir=options.scratch)
        try:
            unpacked = archives.unpack(path, Path(room.name))
            inner = importer(unpacked.folder, options)
        except BaseException:
            room.cleanup()
            raise
        return ImportPlan(inner.total, _within(room, unpacked.refused, inner), inner.warnings)

    return plan


def _within(
    room: tempfile.TemporaryDirectory[str], refused: tuple[Skipped, ...], inner: ImportPlan
) -> Iterator[IncomingStudy | Skipped]:
    with room:
        yield from refused
        yield from inner.studies
