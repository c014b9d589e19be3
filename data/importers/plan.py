"""What every importer takes and gives: one shape, so that a new source is one more module and one more line."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from core.errors import ReadingRoomError
from core.studies import IncomingStudy, Skipped, View


class NothingToImport(ReadingRoomError):
    """A folder or file in which no study of the asked kind can be."""


class MaskOfAnotherSize(Skipped):
    """A mask left out because its size is not its image's; counted apart in the quality report."""


@dataclass(frozen=True)
class ImportOptions:
    """What a person may say about an import.

    `secret` keys the pseudonyms of DICOM patients and is the workspace's own. `table` names the CSV of a folder, or the
    JSON of CheXlocalize. `patient_per_folder` says that, in a tree of images, a folder is a patient. `unmarked_absent`
    says that the makers of a folder or a COCO file outlined all that they looked for: every finding that is marked
    anywhere in it is absent on the films on which it is not marked. `scratch` is where an archive is unpacked; the
    system's temporary folder when None. `view` is what films are taken for where nothing tells their view; None takes
    them for frontal and warns. `workers` is how many files are decoded ahead of the reader.
    """

    secret: bytes
    table: Path | None = None
    patient_per_folder: bool = False
    unmarked_absent: bool = False
    scratch: Path | None = None
    view: View | None = None
    workers: int = 2

    @property
    def fallback_view(self) -> View:
        return self.view or View.FRONTAL


@dataclass(frozen=True)
class ImportPlan:
    """What is about to come in.

    `total` is how many studies are expected, for the progress bar; some may turn out to be Skipped. `studies` is read
    once, holds a few studies at a time, and does the decoding as it goes. `warnings` are sentences for the quality
    report; the list is complete when `studies` is exhausted.
    """

    total: int
    studies: Iterator[IncomingStudy | Skipped]
    warnings: list[str] = field(default_factory=list)


VIEW_ASSUMED = "No view is stated for some films; they were taken for frontal ones. Name the view if they are not."


class Importer(Protocol):
    """Look at a path and plan its import. Raises when nothing there can be of this kind; bad rows become Skipped."""

    def __call__(self, path: Path, options: ImportOptions) -> ImportPlan: ...
