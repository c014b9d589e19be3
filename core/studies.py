"""A study as it comes in and as it is read: patient, views, images."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import combinations

from core.findings import State
from core.labels import Source, Statement, contradict
from core.masks import MaskStats
from core.reports import Report
from core.reviews import ReviewState
from core.shapes import Shape


class View(StrEnum):
    PA = "PA"
    AP = "AP"
    FRONTAL = "frontal"
    LATERAL = "lateral"
    UNKNOWN = "unknown"

    @property
    def is_frontal(self) -> bool:
        return self in (View.PA, View.AP, View.FRONTAL)

    @classmethod
    def parse(cls, text: str) -> "View":
        """The view that a projection column or a DICOM ViewPosition names; UNKNOWN when it names none."""
        word = text.strip().lower()
        known = {"pa": cls.PA, "ap": cls.AP, "ap supine": cls.AP, "frontal": cls.FRONTAL, "lateral": cls.LATERAL}
        sides = {"ll": cls.LATERAL, "rl": cls.LATERAL, "lat": cls.LATERAL, "l": cls.LATERAL}
        return (known | sides).get(word, cls.UNKNOWN)


class Split(StrEnum):
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class Photometric(StrEnum):
    """How stored values map to brightness: MONOCHROME1 draws the highest value black (DICOM PS3.3 C.7.6.3.1.2)."""

    MONOCHROME1 = "MONOCHROME1"
    MONOCHROME2 = "MONOCHROME2"


@dataclass(frozen=True)
class Window:
    """A display window over stored values (DICOM PS3.3 C.11.2.1.2)."""

    center: float
    width: float


class Turn(StrEnum):
    """How stored pixels are turned to stand upright, patient's right on the left of the image. Rotations are clockwise.

    FLIP turns upside down; TRANSPOSE swaps rows and columns; TRANSVERSE does so about the other diagonal.
    """

    NONE = "none"
    MIRROR = "mirror"
    ROTATE_90 = "rotate_90"
    ROTATE_180 = "rotate_180"
    ROTATE_270 = "rotate_270"
    FLIP = "flip"
    TRANSPOSE = "transpose"
    TRANSVERSE = "transverse"


@dataclass(frozen=True)
class PixelFacts:
    """What is known of an image's pixels without reading them. `spacing_mm` is the row spacing at the detector."""

    width: int
    height: int
    bits: int = 8
    photometric: Photometric = Photometric.MONOCHROME2
    spacing_mm: float | None = None
    window: Window | None = None


@dataclass(frozen=True)
class IncomingMask:
    """A mask as an importer found it: packed bytes of a 1-bit PNG already of the image's size.

    `suggested` is what an export of ours said of it: that a model's suggestion is among its ancestors.
    """

    finding: str
    png: bytes
    stats: MaskStats
    author: str | None = None
    suggested: bool = False


@dataclass(frozen=True)
class IncomingRegion:
    """A box or a polygon of a finding as an importer found it, its points in pixels of the image."""

    finding: str
    shape: Shape
    author: str | None = None


@dataclass(frozen=True)
class IncomingImage:
    """An image as an importer found it. `name` is unique within its study; `payload` is what the store keeps.

    `absent` lists findings that its annotators looked for and did not find on this film.
    """

    name: str
    view: View
    facts: PixelFacts
    payload: bytes
    media_type: str
    masks: tuple[IncomingMask, ...] = ()
    turn: Turn = Turn.NONE
    turn_reason: str | None = None
    absent: tuple[str, ...] = ()
    regions: tuple[IncomingRegion, ...] = ()


@dataclass(frozen=True)
class IncomingLabel(Statement):
    """A statement as an importer found it. Its source is IMPORTED unless an export of ours names another."""

    source: Source = Source.IMPORTED


@dataclass(frozen=True)
class IncomingStudy:
    """A study as an importer found it, de-identified, ready to be kept."""

    patient: str
    key: str
    images: tuple[IncomingImage, ...]
    report: Report | None = None
    age: int | None = None
    sex: str | None = None
    notes: str | None = None
    split: Split | None = None
    labels: tuple[IncomingLabel, ...] = ()
    order: int = 0


@dataclass(frozen=True)
class Skipped:
    """Something an import left out, and why, in a sentence."""

    item: str
    reason: str


def torn_labels(study: str, statements: Iterable[Statement]) -> tuple[Skipped, ...]:
    """The findings of a study whose imported labels contradict each other, for the quality report."""
    imported: dict[str, list[Statement]] = {}
    for statement in statements:
        if statement.source is Source.IMPORTED and statement.state is not State.UNASSESSED:
            imported.setdefault(statement.finding, []).append(statement)
    torn = {
        finding: next((pair for pair in combinations(group, 2) if contradict(*pair)), None)
        for finding, group in imported.items()
    }
    return tuple(
        Skipped(
            f"{study} {finding}",
            f"it is imported as {_plainly(pair[0])} and as {_plainly(pair[1])}; both are kept apart, and it counts as "
            "uncertain until a reader says which",
        )
        for finding, pair in torn.items()
        if pair is not None
    )


@dataclass(frozen=True)
class Image:
    """An image as the house knows it. Pixels lie in the store under `sha`; `turn` has already been applied to them."""

    id: int
    study_id: int
    name: str
    sha: str
    view: View
    facts: PixelFacts
    media_type: str = "image/png"


@dataclass(frozen=True)
class Study:
    id: int
    dataset: str
    patient: str
    key: str
    split: Split
    state: ReviewState
    images: tuple[Image, ...]
    report: Report | None
    age: int | None = None
    sex: str | None = None
    notes: str | None = None
    blind: bool = False
    labels: tuple[Statement, ...] = ()


@dataclass(frozen=True)
class StudyRow:
    """A line of the worklist."""

    id: int
    dataset: str
    patient: str
    key: str
    views: tuple[View, ...]
    thumbnails: tuple[str, ...]
    state: ReviewState
    reader: str | None
    changed_at: datetime
    has_mask: bool
    has_report: bool
    has_suggestion: bool
    findings: tuple[str, ...] = ()
    disagrees: bool = False


@dataclass(frozen=True)
class WorklistFilter:
    """What the worklist shows. Empty fields do not filter."""

    state: ReviewState | None = None
    dataset: str | None = None
    finding: str | None = None
    view: View | None = None
    has_mask: bool | None = None
    has_report: bool | None = None
    has_suggestion: bool | None = None
    reader: str | None = None
    search: str = ""
    disagrees: bool | None = None


class WorklistSort(StrEnum):
    QUEUE = "queue"
    CHANGED = "changed"
    PATIENT = "patient"


@dataclass(frozen=True)
class WorklistPage:
    rows: tuple[StudyRow, ...]
    total: int


@dataclass(frozen=True)
class DatasetSummary:
    name: str
    patients: int
    studies: int
    images: int
    masks: int
    reports: int
    blind: bool
    by_state: Mapping[ReviewState, int] = field(default_factory=dict)
    by_split: Mapping[Split, int] = field(default_factory=dict)


def _plainly(statement: Statement) -> str:
    return " ".join(word for word in (statement.state, statement.side, statement.zone) if word)
