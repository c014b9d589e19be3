"""Splits: a patient keeps one for ever, and patients who share an image move together."""

import pytest
from sqlalchemy import insert, select

from core.splits import SplitContradicts, SplitPolicy, split_of
from core.studies import Split
from db import snapshots
from db.engine import Database
from db.splits import PinnedFilmsJudge, pin
from db.tables import PatientRow, PinnedImageRow
from tests.db.conftest import bring

EVEN = SplitPolicy(0.4, 0.3, 0.3)


def splits(database: Database) -> dict[str, str]:
    with database.reading() as session:
        return dict(session.execute(select(PatientRow.key, PatientRow.split)).tuples().all())


def freeze(database: Database, asked: SplitPolicy | None = None) -> None:
    with database.writing() as session:
        snapshots.freeze_splits(session, ["chest"], asked)


def test_a_patient_falls_where_the_hash_says(database: Database) -> None:
    for number in range(30):
        bring(database, f"p{number}")
    assert splits(database) == {f"p{n}": split_of("chest", f"p{n}", SplitPolicy()) for n in range(30)}


def test_patients_who_share_an_image_fall_together(database: Database) -> None:
    for number in range(20):
        bring(database, f"a{number}", sha=f"shared {number}")
        bring(database, f"b{number}", sha=f"shared {number}")
    found = splits(database)
    assert all(found[f"a{n}"] == found[f"b{n}"] for n in range(20))
    assert len(set(found.values())) > 1


def test_a_chain_of_shared_images_falls_together(database: Database) -> None:
    freeze_policy = SplitPolicy(0.34, 0.33, 0.33)
    for number in range(12):
        bring(database, f"p{number}-film", patient=f"p{number}", sha=f"link {number}")
        bring(database, f"p{number}-copy", patient=f"p{number}", sha=f"link {number + 1}")
    freeze(database, freeze_policy)
    assert len(set(splits(database).values())) == 1


def test_a_split_given_by_the_datasets_makers_wins(database: Database) -> None:
    for number in range(10):
        bring(database, f"p{number}", split=Split.TEST)
    assert set(splits(database).values()) == {"test"}


def test_a_study_that_puts_its_patient_into_another_split_is_refused_and_listed(database: Database) -> None:
    bring(database, "s1", patient="p", split=Split.TRAIN)
    for _ in range(2):
        told = bring(database, "s2", patient="p", split=Split.TEST)
        assert (told.studies, told.images) == (0, 0)
        (skipped,) = told.skipped
        assert skipped.item == "s2"
        assert "patient p is in train" in skipped.reason
    assert bring(database, "s3", patient="p", split=Split.TRAIN).studies == 1
    assert bring(database, "s4", patient="p").studies == 1
    assert splits(database) == {"p": "train"}


def test_a_known_study_that_now_says_another_split_changes_nothing_and_is_listed(database: Database) -> None:
    bring(database, "s1", patient="p", split=Split.TRAIN)
    freeze(database)
    assert len(bring(database, "s1", patient="p", split=Split.TEST).skipped) == 1
    assert splits(database) == {"p": "train"}


def test_a_patient_who_moved_with_others_is_not_taken_for_torn(database: Database) -> None:
    bring(database, "a", sha="shared", split=Split.TRAIN)
    bring(database, "b", sha="shared", split=Split.TEST)
    assert bring(database, "b2", patient="b", split=Split.TEST).skipped == ()
    assert set(splits(database).values()) == {"train"}


def test_a_first_snapshot_may_choose_the_shares(database: Database) -> None:
    for number in range(40):
        bring(database, f"p{number}")
    freeze(database, EVEN)
    assert splits(database) == {f"p{n}": split_of("chest", f"p{n}", EVEN) for n in range(40)}


def test_a_later_split_that_contradicts_the_frozen_one_is_refused(database: Database) -> None:
    bring(database, "p1")
    freeze(database, EVEN)
    with pytest.raises(SplitContradicts, match="Leave --split out"):
        freeze(database, SplitPolicy(0.5, 0.25, 0.25))
    freeze(database, EVEN)
    freeze(database)


def test_a_frozen_patient_never_moves_even_when_a_newcomer_shares_its_image(database: Database) -> None:
    bring(database, "zz", sha="shared")
    freeze(database)
    before = splits(database)["zz"]
    for number in range(10):
        bring(database, f"aa{number}", sha="shared")
    assert set(splits(database).values()) == {before}


def test_a_patient_torn_between_two_frozen_splits_is_left_out_of_snapshots(database: Database) -> None:
    bring(database, "a", sha="one", split=Split.TRAIN)
    bring(database, "b", sha="two", split=Split.TEST)
    freeze(database)
    bring(database, "a-copy", patient="a", sha="two")
    bring(database, "c", sha="three")
    with database.reading() as session:
        manifest = snapshots.collect(session, ["chest"])
    assert {reason for _, reason in manifest.excluded} == {
        "shares an image with a patient whose split was frozen otherwise"
    }
    assert {study.patient for study in manifest.studies} == {"c"}


def test_a_patient_who_taught_a_shipped_model_stays_in_training(database: Database) -> None:
    with database.writing() as session:
        session.execute(insert(PinnedImageRow), [{"sha": f"film {n}", "reason": "starter model"} for n in range(30)])
    for number in range(30):
        bring(database, f"p{number}", sha=f"film {number}")
    assert set(splits(database).values()) == {"train"}


def test_a_split_stated_again_does_not_take_a_pinned_patient_out_of_training(database: Database) -> None:
    with database.writing() as session:
        pin(session, ["film"], "starter model")
    for _ in range(2):
        bring(database, "p", sha="film", split=Split.TEST)
    assert splits(database) == {"p": "train"}


def test_pinning_moves_those_on_record_with_all_who_share_their_images(database: Database) -> None:
    for number in range(10):
        bring(database, f"a{number}", sha=f"film {number}", split=Split.TEST)
        bring(database, f"b{number}", sha=f"film {number}")
    bring(database, "c", sha="another", split=Split.TEST)
    with database.writing() as session:
        pin(session, [f"film {number}" for number in range(10)], "starter model")
        pin(session, ["film 1", "film 2"], "starter model")
    found = splits(database)
    assert found.pop("c") == "test"
    assert set(found.values()) == {"train"}


def test_films_of_patients_frozen_to_judge_cannot_be_pinned(database: Database) -> None:
    bring(database, "judge", sha="film", split=Split.TEST)
    bring(database, "pupil", sha="other film", split=Split.TRAIN)
    freeze(database)
    with database.writing() as session:
        pin(session, ["other film"], "starter model")
    with pytest.raises(PinnedFilmsJudge, match="1 patients of chest"), database.writing() as session:
        pin(session, ["film", "other film"], "starter model")
    with database.reading() as session:
        assert set(session.scalars(select(PinnedImageRow.sha))) == {"other film"}
