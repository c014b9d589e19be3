"""Curated data, frozen: which patient learns, which judges, and the manifest that says what a model saw.

A patient keeps one split for ever. The split is a pure function of dataset, patient and seed, except that a split
given by the dataset's makers wins, and that patients who share an identical image move together.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from core.errors import ReadingRoomError
from core.findings import Finding, Kind, State
from core.labels import Statement, effective_of, from_plain, plain
from core.masks import Box, MaskStats
from core.reports import Cleaning, Report, ReportOrigin
from core.shapes import Shape
from core.shapes import from_plain as from_plain_shape
from core.studies import Split, View

DEFAULT_SPLIT_SEED = 1895
"""The year of the first radiograph; fixed before anything was trained."""

_ALWAYS_WRITTEN = frozenset({"findings", "views", "with_masks", "with_report", "min_report_characters", "max_patients"})
"""The fields of a filter that the first manifests held whatever their value; later ones are written where they filter,
so that those manifests keep their hash."""


class BadSplit(ReadingRoomError):
    """Fractions that are no split."""


class SplitContradicts(ReadingRoomError):
    """A split other than the one that earlier snapshots of the dataset froze."""

    def __init__(self, dataset: str, frozen: "SplitPolicy", asked: "SplitPolicy") -> None:
        super().__init__(
            f'Dataset "{dataset}" is already split {frozen} by an earlier snapshot; {asked} would move patients '
            "between training and test. Leave --split out to use the frozen one."
        )


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


class MalformedManifest(ReadingRoomError):
    """Bytes that are no manifest of ours, or whose hash is not the one on record."""


@dataclass(frozen=True)
class SplitPolicy:
    """Shares of patients for training, validation and test, which add up to one, and the seed."""

    train: float = 0.8
    validation: float = 0.1
    test: float = 0.1
    seed: int = DEFAULT_SPLIT_SEED

    def __post_init__(self) -> None:
        shares = (self.train, self.validation, self.test)
        if not all(share >= 0 for share in shares) or abs(sum(shares) - 1) > 1e-6 or self.train == 0:
            raise BadSplit(f"A split is three shares that add up to 1, such as 0.8,0.1,0.1; not {self}.")

    def __str__(self) -> str:
        return f"{self.train:g},{self.validation:g},{self.test:g}"

    @classmethod
    def parse(cls, text: str, seed: int = DEFAULT_SPLIT_SEED) -> "SplitPolicy":
        """The policy that "0.8,0.1,0.1" states. Raises BadSplit."""
        try:
            train, validation, test = (float(part) for part in text.split(","))
        except ValueError:
            raise BadSplit(f'"{text}" is no split. Write three shares that add up to 1, such as 0.8,0.1,0.1.') from None
        return cls(train, validation, test, seed)


def split_of(dataset: str, patient: str, policy: SplitPolicy) -> Split:
    """Where a patient falls: a hash of dataset, patient and seed, cut by the policy's shares."""
    place = unit_interval("split", dataset, patient, str(policy.seed))
    if place < policy.train:
        return Split.TRAIN
    return Split.VALIDATION if place < policy.train + policy.validation else Split.TEST


def fold_of(dataset: str, patient: str, folds: int, seed: int = DEFAULT_SPLIT_SEED) -> int:
    """Which of `folds` evaluation folds tests this patient, 0 .. folds-1."""
    return int(unit_interval("fold", dataset, patient, str(seed)) * folds)


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


def to_bytes(manifest: Manifest) -> bytes:
    """Canonical JSON: sorted keys, sorted studies, no spaces, so that equal content gives equal bytes."""
    ordered = sorted(manifest.studies, key=lambda study: (study.dataset, study.patient, study.key))
    data = asdict(manifest) | {"studies": [_plain_study(study) for study in ordered], "format": 1}
    data["filter"] = _plain_filter(manifest.filter)
    # As with what a study leaves unsaid, so that manifests from before these were written keep their hash.
    if not manifest.left_out:
        del data["left_out"]
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def content_hash(manifest: Manifest) -> str:
    """SHA-256 of the canonical bytes, 64 hex digits."""
    return hashlib.sha256(to_bytes(manifest)).hexdigest()


def from_bytes(body: bytes) -> Manifest:
    """The manifest that `to_bytes` wrote. Raises MalformedManifest."""
    try:
        data = json.loads(body)
        return Manifest(
            datasets=tuple(data["datasets"]),
            policies={name: SplitPolicy(**policy) for name, policy in data["policies"].items()},
            studies=tuple(_study(entry) for entry in data["studies"]),
            filter=_filter(data["filter"]),
            cleaning=Cleaning(**data["cleaning"]),
            fold=Fold(**data["fold"]) if data["fold"] else None,
            excluded=tuple((item, reason) for item, reason in data["excluded"]),
            vocabulary=tuple(_vocable(entry) for entry in data["vocabulary"]),
            left_out={str(reason): int(count) for reason, count in data.get("left_out", {}).items()},
        )
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedManifest(f"This is no snapshot manifest that Reading Room wrote ({error}).") from error


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


def unit_interval(*parts: str) -> float:
    """A hash of these words as a number, 0 <= x < 1: always the same, and as good as drawn by lot."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _torn(studies: Sequence[SnapshotStudy]) -> list[str]:
    seen: dict[tuple[str, str], Split] = {}
    torn = (s for s in studies if seen.setdefault((s.dataset, s.patient), s.split) is not s.split)
    return sorted({f"{study.dataset}/{study.patient}" for study in torn})


def _plain_filter(wanted: SnapshotFilter) -> dict[str, Any]:
    chosen = {each.name: getattr(wanted, each.name) for each in fields(wanted)}
    return {name: value for name, value in chosen.items() if value or name in _ALWAYS_WRITTEN}


def _plain_study(study: SnapshotStudy) -> dict[str, Any]:
    # What is left unsaid is left out, so that manifests frozen before labels had sides and films regions keep their
    # hash; so are reports that are the study's own.
    images = [_plain_image(image) for image in study.images]
    record = asdict(study) | {"labels": [plain(label) for label in study.labels], "images": images}
    if study.report_origin is ReportOrigin.ORIGINAL:
        del record["report_origin"]
    return record


def _plain_image(image: SnapshotImage) -> dict[str, Any]:
    record = asdict(image)
    return record if image.regions else {name: value for name, value in record.items() if name != "regions"}


def _present(studies: Sequence[SnapshotStudy]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for study in studies:
        for finding, word in effective_of(study).items():
            if word.state is State.PRESENT:
                counted[finding] = counted.get(finding, 0) + 1
    return dict(sorted(counted.items()))


def _study(data: Mapping[str, Any]) -> SnapshotStudy:
    return SnapshotStudy(
        **{
            **data,
            "split": Split(data["split"]),
            "images": tuple(_image(entry) for entry in data["images"]),
            "report": Report(**data["report"]) if data["report"] else None,
            "labels": tuple(from_plain(label) for label in data["labels"]),
            "report_origin": ReportOrigin(data.get("report_origin", ReportOrigin.ORIGINAL)),
        }
    )


def _image(data: Mapping[str, Any]) -> SnapshotImage:
    masks = tuple(SnapshotMask(**{**x, "stats": _stats(x["stats"])}) for x in data["masks"])
    regions = tuple(_region(entry) for entry in data.get("regions", ()))
    lists = {"masks": masks, "absent": tuple(data["absent"]), "regions": regions}
    return SnapshotImage(**{**data, **lists, "view": View(data["view"])})


def _region(data: Mapping[str, Any]) -> SnapshotRegion:
    return SnapshotRegion(data["finding"], from_plain_shape(data["shape"]), data["author"])


def _stats(data: Mapping[str, Any]) -> MaskStats:
    return MaskStats(data["height"], data["width"], data["area"], Box(**data["box"]) if data["box"] else None)


def _vocable(data: Mapping[str, Any]) -> Finding:
    lists = {"kind": Kind(data["kind"]), "prompts": tuple(data["prompts"]), "parts": tuple(data["parts"])}
    return Finding(**{**data, **lists})


def _filter(data: Mapping[str, Any]) -> SnapshotFilter:
    views = tuple(View(view) for view in data["views"])
    return SnapshotFilter(**{**data, "findings": tuple(data["findings"]), "views": views})
