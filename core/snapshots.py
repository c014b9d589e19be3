"""Curated data, frozen: what a model sees of each study, and that nobody who judges it was learned from.

Who learns and who judges is decided in `splits`; a snapshot becomes bytes in `manifests`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.errors import ReadingRoomError
from core.findings import Finding, State
from core.labels import Statement, effective_of
from core.masks import MaskStats
from core.reports import Cleaning, Report, ReportOrigin
from core.shapes import Shape
from core.splits import SplitPolicy
from core.studies import Split, View


class EmptySnapshot(ReadingRoomError):
    """Nothing passed the snapshot's filters."""


class PatientsTorn(ReadingRoomError):
    """Patients in two splits of one snapshot: who trains cannot judge."""

    def __init__(self, patients: Sequence[str]) -> None:
        super().__init__(
            f"{len(patients)} patients would be in two splits of this snapshot ({', '.join(patients[:3])}), so nothing "
            "was frozen. Run `python -m app doctor` and report what it finds."
        )


class LearnedFromJudges(ReadingRoomError):
    """A training would go on from a model that has learned from patients who are to judge it."""

    def __init__(self, model: str, patients: int) -> None:
        who = "a patient who validates or tests" if patients == 1 else f"{patients} patients who validate or test"
        super().__init__(
            f"{model} has learned from {who} in this snapshot, so what goes on from it could not be judged honestly. "
            "Choose another start_from, or train its like on this snapshot first."
        )


@dataclass(frozen=True)
class SnapshotMask:
    """One curated mask. `origin` and `suggested` say whether a model had a hand in it."""

    finding: str
    sha: str
    stats: MaskStats
    version: int
    origin: str
    suggested: bool
    author: str


@dataclass(frozen=True)
class SnapshotRegion:
    """A box or a polygon of a finding that stands on an image."""

    finding: str
    shape: Shape
    author: str


@dataclass(frozen=True)
class SnapshotImage:
    """An image with all that is known of it. `absent` lists findings stated not to be on this film, none of `masks` and
    none of `regions`."""

    sha: str
    name: str
    view: View
    width: int
    height: int
    bits: int
    masks: tuple[SnapshotMask, ...] = ()
    absent: tuple[str, ...] = ()
    regions: tuple[SnapshotRegion, ...] = ()


@dataclass(frozen=True)
class SnapshotStudy:
    """A study with every statement that stands, oldest first; `core.labels.effective_of` says which of them counts.
    `report_origin` is whose the findings and impression of its report are."""

    dataset: str
    patient: str
    key: str
    split: Split
    images: tuple[SnapshotImage, ...]
    report: Report | None = None
    labels: tuple[Statement, ...] = ()
    age: int | None = None
    sex: str | None = None
    notes: str | None = None
    report_origin: ReportOrigin = ReportOrigin.ORIGINAL


@dataclass(frozen=True)
class SnapshotFilter:
    """What of the curated data comes in; `core.selection` applies it. Empty fields do not filter.

    `findings` are those whose masks and regions come in; `views` and `frontal_only` choose films. `full_narrative`
    wants findings and impression in the report, `image_and_text` an image and a text for every study, the image in the
    store. `paired_views` wants a frontal and a lateral film; `lung_findings_only` leaves out studies on which a finding
    is present that is not of the lungs or the pleura: normal ones stay, and devices do not count. `positive_only`
    leaves out every label but those of findings that count as present. Studies whose report has a narrative under
    `min_report_characters` stay out. `max_patients` holds for each dataset, of those whom the other fields leave.
    """

    findings: tuple[str, ...] = ()
    views: tuple[View, ...] = ()
    with_masks: bool = False
    with_report: bool = False
    min_report_characters: int = 0
    max_patients: int | None = None
    frontal_only: bool = False
    full_narrative: bool = False
    positive_only: bool = False
    image_and_text: bool = False
    paired_views: bool = False
    lung_findings_only: bool = False


@dataclass(frozen=True)
class Fold:
    index: int
    of: int


@dataclass(frozen=True)
class Manifest:
    """A frozen dataset. Two manifests with the same content have the same hash, whoever made them and when.

    `excluded` names each study that was left out, and why; `left_out` counts by reason what is not named one by one:
    films and labels of the studies that came in, and patients beyond the number that was asked for.
    """

    datasets: tuple[str, ...]
    policies: Mapping[str, SplitPolicy]
    studies: tuple[SnapshotStudy, ...]
    filter: SnapshotFilter = field(default_factory=SnapshotFilter)
    cleaning: Cleaning = field(default_factory=Cleaning)
    fold: Fold | None = None
    excluded: tuple[tuple[str, str], ...] = ()
    vocabulary: tuple[Finding, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    def of(self, split: Split) -> tuple[SnapshotStudy, ...]:
        return tuple(study for study in self.studies if study.split is split)

    def counts(self) -> "SnapshotCounts":
        images = [image for study in self.studies for image in study.images]
        by_finding: dict[str, int] = {}
        for mask in (mask for image in images for mask in image.masks):
            by_finding[mask.finding] = by_finding.get(mask.finding, 0) + 1
        return SnapshotCounts(
            studies=len(self.studies),
            patients=len({(study.dataset, study.patient) for study in self.studies}),
            images=len(images),
            masks=sum(by_finding.values()),
            reports=sum(study.report is not None for study in self.studies),
            by_split={split: sum(study.split is split for study in self.studies) for split in Split},
            by_finding=dict(sorted(by_finding.items())),
            by_label=_present(self.studies),
            curated=dict(
                Counter(
                    str(study.report_origin)
                    for study in self.studies
                    if study.report_origin is not ReportOrigin.ORIGINAL
                )
            ),
            left_out=dict(
                sorted((Counter(f"studies: {why}" for _, why in self.excluded) + Counter(self.left_out)).items())
            ),
        )


@dataclass(frozen=True)
class SnapshotCounts:
    """`by_finding` counts masks, `by_label` the studies on which a finding is present by the word that counts,
    `left_out` what did not come in, by what it is and why, `curated` the reports that readers made or would sign, by
    origin (earlier versions did not count the last three)."""

    studies: int
    patients: int
    images: int
    masks: int
    reports: int
    by_split: Mapping[Split, int]
    by_finding: Mapping[str, int]
    by_label: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    curated: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """A manifest's entry on record: its name, its hash (also its place in the store) and what it counts."""

    id: int
    name: str
    sha: str
    datasets: tuple[str, ...]
    counts: SnapshotCounts
    created_by: str
    created_at: str
    fold: Fold | None = None


def disjoint(studies: Sequence[SnapshotStudy]) -> bool:
    """Whether no patient is in two splits."""
    return not _torn(studies)


def require_disjoint(studies: Sequence[SnapshotStudy]) -> None:
    """Raises PatientsTorn when a patient is in two splits."""
    if torn := _torn(studies):
        raise PatientsTorn(torn)


def require_unseen(model: str, learned: Manifest, judging: Manifest) -> None:
    """Raises LearnedFromJudges if a model that learned from the training patients of one snapshot has seen a validation
    or test patient of another, or one of that patient's films under whatever name."""
    training = learned.of(Split.TRAIN)
    patients = {(study.dataset, study.patient) for study in training}
    films = {image.sha for study in training for image in study.images}
    known = {
        (study.dataset, study.patient)
        for study in judging.studies
        if study.split is not Split.TRAIN
        and ((study.dataset, study.patient) in patients or any(image.sha in films for image in study.images))
    }
    if known:
        raise LearnedFromJudges(model, len(known))


def _torn(studies: Sequence[SnapshotStudy]) -> list[str]:
    seen: dict[tuple[str, str], Split] = {}
    torn = (s for s in studies if seen.setdefault((s.dataset, s.patient), s.split) is not s.split)
    return sorted({f"{study.dataset}/{study.patient}" for study in torn})


def _present(studies: Sequence[SnapshotStudy]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for study in studies:
        for finding, word in effective_of(study).items():
            if word.state is State.PRESENT:
                counted[finding] = counted.get(finding, 0) + 1
    return dict(sorted(counted.items()))
