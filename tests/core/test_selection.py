"""Whom a snapshot of so many patients takes, always the same, in the shares of the splits; and which studies."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.findings import State
from core.labels import Source, Statement
from core.selection import chosen_patients, left_out
from core.snapshots import SnapshotFilter, SnapshotImage, SnapshotStudy
from core.studies import Split, View

TAKEN_FOR_EVER = {"p10", "p15", "p19"}
"""Of twenty; written down once, and never to change."""

everybody = st.dictionaries(st.text(max_size=6), st.sampled_from(Split), max_size=60)


def shares(train: int, validation: int, test: int) -> dict[str, Split]:
    numbers = {Split.TRAIN: train, Split.VALIDATION: validation, Split.TEST: test}
    return {f"{split}-{n}": split for split, count in numbers.items() for n in range(count)}


def taken(splits: dict[str, Split], most: int) -> dict[Split, int]:
    return dict(Counter(splits[patient] for patient in chosen_patients("mimic", splits, most)))


@given(everybody, st.integers(1, 70))
def test_so_many_are_taken_or_all_there_are(splits: dict[str, Split], most: int) -> None:
    chosen = chosen_patients("d", splits, most)
    assert len(chosen) == min(most, len(splits))
    assert set(chosen) <= splits.keys()
    assert chosen_patients("d", dict(reversed(splits.items())), most) == chosen


@given(everybody, st.integers(3, 70))
def test_no_split_is_emptied_where_there_is_room_for_each(splits: dict[str, Split], most: int) -> None:
    assert {splits[patient] for patient in chosen_patients("d", splits, most)} == set(splits.values())


@pytest.mark.parametrize(
    ("most", "expected"),
    [(100, (80, 10, 10)), (10, (8, 1, 1)), (15, (12, 2, 1)), (3, (1, 1, 1)), (1, (1, 0, 0))],
)
def test_each_split_keeps_its_share(most: int, expected: tuple[int, int, int]) -> None:
    found = taken(shares(800, 101, 99), most)
    assert tuple(found.get(split, 0) for split in Split) == expected


def test_a_split_of_few_among_very_many_keeps_one() -> None:
    found = taken(shares(64_586, 500, 293), 100)
    assert found == {Split.TRAIN: 98, Split.VALIDATION: 1, Split.TEST: 1}


def test_these_patients_are_taken_for_ever() -> None:
    splits = {f"p{n}": Split.TRAIN for n in range(20)}
    assert chosen_patients("mimic", splits, 3) == TAKEN_FOR_EVER
    assert set(chosen_patients("mimic", splits, 9)) >= TAKEN_FOR_EVER


def test_without_a_number_all_are_taken() -> None:
    splits = shares(3, 2, 1)
    assert set(chosen_patients("d", splits, None)) == splits.keys()


def seen_as(*views: View, labels: Sequence[Statement] = ()) -> SnapshotStudy:
    images = tuple(SnapshotImage(f"film-{view}", str(view), view, 8, 8, 8) for view in views)
    return SnapshotStudy("chest", "p", "s", Split.TRAIN, images, labels=tuple(labels))


@pytest.mark.parametrize(
    ("views", "comes_in"),
    [
        ((View.PA, View.LATERAL), True),
        ((View.AP, View.FRONTAL, View.LATERAL), True),
        ((View.PA, View.AP, View.FRONTAL), False),
        ((View.LATERAL,), False),
        ((View.UNKNOWN, View.LATERAL), False),
    ],
)
def test_a_pair_is_a_frontal_and_a_lateral_film(views: tuple[View, ...], comes_in: bool) -> None:
    reason = left_out(seen_as(*views), SnapshotFilter(paired_views=True))
    assert (reason is None) == comes_in
    assert reason in (None, "no pair of a frontal and a lateral film")


@pytest.mark.parametrize(
    ("present", "comes_in"),
    [
        ((), True),
        (("no_finding",), True),
        (("pleural_effusion", "nodule", "support_devices", "lungs"), True),
        (("pleural_effusion", "cardiomegaly"), False),
        (("fracture",), False),
        (("a_finding_of_ours",), False),
    ],
)
def test_only_studies_with_nothing_outside_the_lungs_come_in_where_that_is_asked(
    present: tuple[str, ...], comes_in: bool
) -> None:
    said = [Statement(finding, State.PRESENT, Source.LABELER) for finding in present]
    said.append(Statement("hernia", State.ABSENT, Source.LABELER))
    reason = left_out(seen_as(View.PA, labels=said), SnapshotFilter(lung_findings_only=True))
    assert (reason is None) == comes_in


def test_a_better_word_that_nothing_is_there_lets_a_study_in() -> None:
    said = [
        Statement("cardiomegaly", State.PRESENT, Source.LABELER),
        Statement("cardiomegaly", State.ABSENT, Source.READER),
    ]
    assert left_out(seen_as(View.PA, labels=said), SnapshotFilter(lung_findings_only=True)) is None
