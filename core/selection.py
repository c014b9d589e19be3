"""What a snapshot takes of the curated data, what it leaves out and why: the rules behind `SnapshotFilter`.

A filter only chooses what a snapshot holds. What it leaves out stays on record as it was.
"""

from collections.abc import Collection, Mapping, Sequence

from core.findings import LUNG_FINDINGS, NO_FINDING, SUPPORT_DEVICES, VOCABULARY, Kind, State
from core.labels import Statement, effective
from core.snapshots import SnapshotFilter, SnapshotStudy
from core.splits import DEFAULT_SPLIT_SEED, unit_interval
from core.studies import Split, View

OTHER_VIEW = "films: of another view"
NOT_POSITIVE = "labels: not of a finding that is present"
BEYOND = "patients: beyond the number asked for"
_NO_MATTER = frozenset(
    {*LUNG_FINDINGS, NO_FINDING, SUPPORT_DEVICES, *(each.key for each in VOCABULARY if each.kind is not Kind.FINDING)}
)
"""What may be present where only findings of the lungs are wanted: these, anatomy and devices."""


def wants_view(view: View, wanted: SnapshotFilter) -> bool:
    return (not wanted.views or view in wanted.views) and (view.is_frontal or not wanted.frontal_only)


def active(labels: Sequence[Statement], wanted: SnapshotFilter) -> tuple[Statement, ...]:
    """The statements that come in of those that stand.

    Of positive ones only, those that say present of a finding that counts as present: one that a better source
    overrules would otherwise count again.
    """
    if not wanted.positive_only:
        return tuple(labels)
    counted = effective(labels)
    return tuple(
        label for label in labels if label.state is State.PRESENT and counted[label.finding].state is State.PRESENT
    )


def left_out(study: SnapshotStudy, wanted: SnapshotFilter) -> str | None:
    """Why a study, its films and labels already chosen and its report cleaned, does not come in; None when it does."""
    report = study.report
    if not study.images:
        return "no image of the wanted views"
    views = {image.view for image in study.images}
    if wanted.paired_views and not (View.LATERAL in views and any(view.is_frontal for view in views)):
        return "no pair of a frontal and a lateral film"
    if wanted.lung_findings_only and _elsewhere(study.labels):
        return "a finding outside the lungs"
    if wanted.with_masks and not any(image.masks for image in study.images):
        return "no mask"
    if wanted.with_report and report is None:
        return "no report"
    if wanted.image_and_text and (report is None or not report.narrative.strip()):
        return "no text"
    if wanted.full_narrative and (report is None or not (report.findings and report.impression)):
        return "no report with findings and impression"
    if report is not None and len(report.narrative) < wanted.min_report_characters:
        return f"report under {wanted.min_report_characters} characters"
    return None


def _elsewhere(labels: Sequence[Statement]) -> bool:
    """Whether something is found that is not of the lungs. A finding of the project's own counts as such."""
    return any(said.state is State.PRESENT and finding not in _NO_MATTER for finding, said in effective(labels).items())


def chosen_patients(dataset: str, splits: Mapping[str, Split], most: int | None) -> Collection[str]:
    """At most so many of a dataset's patients, given with their splits; all of them when `most` is None.

    Each split keeps its share as nearly as whole patients allow, and at least one where there is room for all. Who of a
    split is taken is settled by a hash, so that a smaller choice is part of a larger one.
    """
    if most is None or len(splits) <= most:
        return splits.keys()
    members = {split: [patient for patient, of in splits.items() if of is split] for split in Split}
    places = _places({split: len(patients) for split, patients in members.items()}, most)

    def lot(patient: str) -> float:
        return unit_interval("take", dataset, patient, str(DEFAULT_SPLIT_SEED))

    return {patient for split, patients in members.items() for patient in sorted(patients, key=lot)[: places[split]]}


def _places(counts: Mapping[Split, int], most: int) -> dict[Split, int]:
    total = sum(counts.values())
    exact = {split: most * count / total for split, count in counts.items()}
    places = {split: min(count, max(int(exact[split]), 1)) for split, count in counts.items()}
    while sum(places.values()) > most:
        # The last patient of a split goes only when there is no room for one of each.
        fullest = max(places, key=lambda split: (places[split] > 1, places[split] - exact[split]))
        places[fullest] -= 1
    while sum(places.values()) < most:
        open_ones = [split for split in places if places[split] < counts[split]]
        places[max(open_ones, key=lambda split: exact[split] - places[split])] += 1
    return places
