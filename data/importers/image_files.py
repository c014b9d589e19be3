"""Loose films: PNG, JPEG and TIFF files, one or a tree of them. Each file is a study with one image.

Nothing says whose films they are, so each file is its own patient, named by its path without extension. Where every
folder holds one patient the person says so (`patient_per_folder`), and the split then keeps a patient's films together.
"""

from functools import partial
from pathlib import Path

from core.studies import IncomingStudy, Skipped
from data.importers import films
from data.importers.plan import VIEW_ASSUMED, ImportOptions, ImportPlan, NothingToImport
from data.pixels import UnreadableImage


def plan(path: Path, options: ImportOptions) -> ImportPlan:
    """Raises NothingToImport."""
    top = path if path.is_dir() else path.parent
    files = films.files_below(path) if path.is_dir() else [path]
    if not files or not path.exists():
        raise NothingToImport(f"There is no file at {path}.")
    warnings = [] if options.view else [VIEW_ASSUMED]
    folders = {file.parent for file in files} - {top}
    if folders and not options.patient_per_folder:
        warnings.append(
            f"The films lie in {len(folders)} folders, and each film was taken for its own patient. "
            "If a folder is a patient, import with one patient per folder, so that no patient is in two splits."
        )
    study = partial(_study, top, options)
    return ImportPlan(len(files), films.ahead(study, files, options.workers), warnings)


def _study(top: Path, options: ImportOptions, file: Path) -> IncomingStudy | Skipped:
    relative = file.relative_to(top)
    key = relative.with_suffix("").as_posix()
    try:
        image = films.film(file, file.stem, options.fallback_view)
    except UnreadableImage as error:
        return Skipped(relative.as_posix(), str(error))
    folder = relative.parent.as_posix()
    return IncomingStudy(folder if options.patient_per_folder and folder != "." else key, key, (image,))
