"""Freezing: which masks count where, what is left out and why, and that equal content has one hash."""

import pytest

from core.annotations import NewMask, NewPrediction, Origin
from core.findings import Side, State
from core.labels import NewLabel, Source, Statement, effective_of
from core.manifests import content_hash, from_bytes, to_bytes
from core.reports import Cleaning, Report
from core.snapshots import EmptySnapshot, Fold, Manifest, SnapshotFilter, disjoint
from core.studies import IncomingLabel, IncomingStudy, Split, View
from db import intake, masks, models, predictions, snapshots
from db import labels as label_versions
from db.engine import Database
from db.intake import StoredImage
from db.models import NewModel
from db.people import ensure_reader
from db.snapshots import SnapshotExists
from tests.db.conftest import SMALL, bring, film


def collect(database: Database, wanted: SnapshotFilter | None = None, fold: Fold | None = None) -> Manifest:
    with database.reading() as session:
        return snapshots.collect(session, ["chest"], wanted, fold=fold)


def draw(database: Database, sha: str, image: int = 1, suggestion: int | None = None) -> int:
    origin = Origin.CORRECTED if suggestion else Origin.MANUAL
    with database.writing() as session:
        reader = ensure_reader(session, "Ann")
        new = NewMask(image, "heart", sha, SMALL)
        parent = masks.current(session, image).get("heart")
        return masks.add_version(
            session, new, origin, reader, parent_id=parent.id if parent else None, prediction_id=suggestion
        ).id


def suggest(database: Database, image: int = 1) -> int:
    with database.writing() as session:
        model = models.register(session, NewModel("segmentation", "f", {}, ("heart",), "dice", {}), "Ann")
        sha = "pixels-chest-s1"
        return predictions.add_predictions(session, model.id, [NewPrediction(image, sha, "heart", "guess", SMALL)])[0]


def heart(manifest: Manifest) -> list[str]:
    return [mask.sha for study in manifest.studies for image in study.images for mask in image.masks]


def test_a_readers_mask_counts_before_an_imported_one(database: Database) -> None:
    bring(database, "s1", masks=("heart",), split=Split.TRAIN)
    assert heart(collect(database)) == ["heart-s1"]
    draw(database, "ann's")
    assert heart(collect(database)) == ["ann's"]


@pytest.mark.parametrize(("split", "counts"), [(Split.TRAIN, "after a suggestion"), (Split.TEST, "heart-s1")])
def test_a_mask_that_a_model_had_a_hand_in_teaches_but_never_judges(
    database: Database, split: Split, counts: str
) -> None:
    bring(database, "s1", masks=("heart",), split=split)
    draw(database, "after a suggestion", suggestion=suggest(database))
    assert heart(collect(database)) == [counts]


def test_a_drawing_upon_a_corrected_suggestion_still_counts_as_suggested(database: Database) -> None:
    bring(database, "s1", masks=("heart",), split=Split.VALIDATION)
    draw(database, "corrected", suggestion=suggest(database))
    draw(database, "drawn upon it")
    assert heart(collect(database)) == ["heart-s1"]


def absent(manifest: Manifest) -> list[tuple[str, ...]]:
    return [image.absent for study in manifest.studies for image in study.images]


def test_what_an_import_states_absent_on_a_film_is_absent_in_the_snapshot(database: Database) -> None:
    bring(database, "s1", masks=("heart",), absent=("pneumothorax", "a_finding_of_their_own"))
    bring(database, "s2")
    found = collect(database)
    assert absent(found) == [("a_finding_of_their_own", "pneumothorax"), ()]
    assert "a_finding_of_their_own" in {finding.key for finding in found.vocabulary}


def test_a_mask_that_counts_overrules_the_statement_that_its_finding_is_absent(database: Database) -> None:
    bring(database, "s1", absent=("heart",), split=Split.TRAIN)
    draw(database, "ann's")
    assert absent(collect(database)) == [()]
    assert absent(collect(database, SnapshotFilter(findings=("edema",)))) == [()]


def test_where_models_are_judged_only_a_mask_without_a_models_hand_overrules_that_statement(database: Database) -> None:
    bring(database, "s1", absent=("heart",), split=Split.TEST)
    draw(database, "after a suggestion", suggestion=suggest(database))
    assert absent(collect(database)) == [("heart",)]


def test_a_finding_absent_by_label_and_by_film_is_listed_once(database: Database) -> None:
    label = IncomingLabel("edema", State.ABSENT)
    study = IncomingStudy("p", "s", (film(absent=("edema",)),), labels=(label,))
    with database.writing() as session:
        intake.add_study(session, "chest", study, [StoredImage("pixels", ())], "tester")
    assert absent(collect(database)) == [("edema",)]


def said(state: State, source: Source, reader: str | None = None, side: Side | None = None) -> Statement:
    return Statement("edema", state, source, side, reader=reader)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([said(State.ABSENT, Source.IMPORTED)], ("edema",)),
        ([said(State.ABSENT, Source.READER, "Ann")], ("edema",)),
        ([said(State.PRESENT, Source.IMPORTED), said(State.ABSENT, Source.READER, "Ann")], ("edema",)),
        ([said(State.ABSENT, Source.LABELER)], ()),
        ([said(State.ABSENT, Source.READER, "Ann", Side.LEFT)], ()),
        ([said(State.ABSENT, Source.IMPORTED), said(State.PRESENT, Source.READER, "Ann")], ()),
        ([said(State.ABSENT, Source.IMPORTED), said(State.PRESENT, Source.IMPORTED)], ()),
        ([said(State.ABSENT, Source.READER, "Ann"), said(State.PRESENT, Source.ADJUDICATED, "Lead")], ()),
    ],
)
def test_a_finding_is_absent_from_the_films_where_somebody_who_looked_says_so_of_the_whole_study(
    database: Database, labels: list[Statement], expected: tuple[str, ...]
) -> None:
    bring(database, "s1", labels=tuple(labels))
    assert absent(collect(database)) == [expected]


def test_a_snapshot_holds_every_statement_that_stands_and_none_that_was_passed(database: Database) -> None:
    both = said(State.PRESENT, Source.IMPORTED), said(State.UNCERTAIN, Source.LABELER, side=Side.LEFT)
    bring(database, "s1", labels=both)
    with database.writing() as session:
        ann = ensure_reader(session, "Ann")
        for state in (State.PRESENT, State.ABSENT):
            label_versions.add_version(session, NewLabel(1, "edema", state), Source.READER, reader_id=ann)
    (study,) = collect(database).studies
    assert study.labels == (*both, said(State.ABSENT, Source.READER, "Ann"))
    assert effective_of(study)["edema"].source is Source.READER


@pytest.mark.parametrize(("split", "counts"), [(Split.TRAIN, State.PRESENT), (Split.VALIDATION, State.ABSENT)])
def test_a_label_set_in_sight_of_a_probability_teaches_but_never_judges(
    database: Database, split: Split, counts: State
) -> None:
    bring(database, "s1", split=split)
    with database.writing() as session:
        ann = ensure_reader(session, "Ann")
        for state, suggested in ((State.ABSENT, False), (State.PRESENT, True)):
            new = NewLabel(1, "edema", state)
            label_versions.add_version(session, new, Source.READER, reader_id=ann, suggested=suggested)
    assert [label.state for label in collect(database).studies[0].labels] == [counts]


def test_equal_content_has_one_hash_and_survives_the_way_to_bytes_and_back(database: Database) -> None:
    bring(database, "s1", masks=("heart",), report=Report(findings="Clear."))
    one, other = collect(database), collect(database)
    assert content_hash(one) == content_hash(other)
    assert content_hash(from_bytes(to_bytes(one))) == content_hash(one)
    draw(database, "new")
    assert content_hash(collect(database)) != content_hash(one)


def test_filters_leave_out_and_say_why(database: Database) -> None:
    bring(database, "with", masks=("heart",), report=Report(findings="The lungs are clear of any disease."))
    bring(database, "without")
    found = collect(database, SnapshotFilter(with_masks=True))
    assert [study.key for study in found.studies] == ["with"]
    assert found.excluded == (("chest/without", "no mask"),)
    assert [s.key for s in collect(database, SnapshotFilter(with_report=True)).studies] == ["with"]
    assert [s.key for s in collect(database, SnapshotFilter(min_report_characters=10)).studies] == ["with", "without"]


def test_views_that_are_not_wanted_stay_out(database: Database) -> None:
    bring(database, "frontal")
    bring(database, "lateral", view=View.LATERAL)
    assert [s.key for s in collect(database, SnapshotFilter(views=(View.PA,))).studies] == ["frontal"]


def test_a_filter_that_leaves_nothing_is_refused_with_the_reasons(database: Database) -> None:
    bring(database, "s1")
    with pytest.raises(EmptySnapshot, match="no mask"):
        collect(database, SnapshotFilter(with_masks=True))


def test_only_frontal_films_come_in_and_the_others_are_counted(database: Database) -> None:
    bring(database, "lateral", view=View.LATERAL)
    both = IncomingStudy("p", "both", (film("a", View.AP), film("b", View.LATERAL), film("c", View.UNKNOWN)))
    with database.writing() as session:
        intake.add_study(session, "chest", both, [StoredImage(name, ()) for name in "abc"], "tester")
    found = collect(database, SnapshotFilter(frontal_only=True))
    assert [(study.key, [image.view for image in study.images]) for study in found.studies] == [("both", [View.AP])]
    assert found.excluded == (("chest/lateral", "no image of the wanted views"),)
    assert found.left_out == {"films: of another view": 2}
    assert found.counts().left_out == {"films: of another view": 2, "studies: no image of the wanted views": 1}


def test_a_full_narrative_has_findings_and_impression(database: Database) -> None:
    bring(database, "whole", report=Report(findings="Clear.", impression="Normal."))
    bring(database, "half", report=Report(impression="Normal."))
    bring(database, "loose", report=Report(text="Normal."))
    bring(database, "none")
    found = collect(database, SnapshotFilter(full_narrative=True))
    assert [study.key for study in found.studies] == ["whole"]
    assert found.counts().left_out == {"studies: no report with findings and impression": 3}


def test_every_study_may_be_asked_to_have_a_text(database: Database) -> None:
    bring(database, "said", report=Report(impression="Normal."))
    bring(database, "asked", report=Report(indication="Cough."))
    bring(database, "marks", report=Report(findings="___"))
    bring(database, "none")
    with database.reading() as session:
        wanted = SnapshotFilter(image_and_text=True)
        found = snapshots.collect(session, ["chest"], wanted, Cleaning(drop_marks=True))
    assert [study.key for study in found.studies] == ["said"]
    assert found.counts().left_out == {"studies: no text": 3}


def test_only_labels_of_findings_that_count_as_present_come_in_and_the_others_are_counted(database: Database) -> None:
    labels = (
        Statement("edema", State.PRESENT, Source.IMPORTED),
        Statement("edema", State.PRESENT, Source.LABELER),
        Statement("pneumonia", State.UNCERTAIN, Source.IMPORTED),
        Statement("fracture", State.ABSENT, Source.IMPORTED),
        Statement("nodule", State.PRESENT, Source.IMPORTED),
    )
    bring(database, "s1", labels=labels)
    with database.writing() as session:
        ann = ensure_reader(session, "Ann")
        label_versions.add_version(session, NewLabel(1, "nodule", State.ABSENT), Source.READER, reader_id=ann)
    found = collect(database, SnapshotFilter(positive_only=True))
    assert found.studies[0].labels == labels[:2]
    assert absent(found) == [()]
    assert found.left_out == {"labels: not of a finding that is present": 4}
    assert len(collect(database).studies[0].labels) == 6


def test_max_patients_takes_whole_patients_in_the_splits_own_shares(database: Database) -> None:
    for number in range(20):
        split = Split.TEST if number % 4 == 0 else Split.TRAIN
        bring(database, f"p{number}-a", patient=f"p{number}", split=split)
        bring(database, f"p{number}-b", patient=f"p{number}", split=split)
    found = collect(database, SnapshotFilter(max_patients=8))
    patients = {study.patient: study.split for study in found.studies}
    assert sorted(patients.values()) == [Split.TEST] * 2 + [Split.TRAIN] * 6
    assert len(found.studies) == 16
    assert found.left_out == {"patients: beyond the number asked for": 12}
    assert collect(database, SnapshotFilter(max_patients=8)) == found


def test_max_patients_counts_only_those_whom_the_other_filters_leave(database: Database) -> None:
    for number in range(6):
        bring(database, f"p{number}", report=Report(findings="Clear.") if number > 3 else None)
    found = collect(database, SnapshotFilter(with_report=True, max_patients=2))
    assert sorted(study.key for study in found.studies) == ["p4", "p5"]


def test_cleaning_is_recorded_and_done(database: Database) -> None:
    bring(database, "s1", report=Report(findings="Chest XXXX is clear."))
    with database.reading() as session:
        manifest = snapshots.collect(session, ["chest"], cleaning=Cleaning(drop_marks=True))
    assert manifest.cleaning == Cleaning(drop_marks=True)
    assert manifest.studies[0].report == Report(findings="Chest is clear.")


def test_the_same_name_with_other_content_is_refused(database: Database) -> None:
    bring(database, "s1")
    one = collect(database)
    with database.writing() as session:
        first = snapshots.record_snapshot(session, "a", content_hash(one), one, "Ann")
        assert snapshots.record_snapshot(session, "a", content_hash(one), one, "Bob") == first
        with pytest.raises(SnapshotExists):
            snapshots.record_snapshot(session, "a", "0" * 64, one, "Ann")


def test_every_patient_is_tested_in_one_fold_and_no_fold_lets_a_patient_be_in_two_splits(database: Database) -> None:
    for number in range(25):
        bring(database, f"p{number}-a", patient=f"p{number}")
        bring(database, f"p{number}-b", patient=f"p{number}")
    folds = [collect(database, fold=Fold(index, 5)) for index in range(5)]
    assert all(disjoint(fold.studies) for fold in folds)
    tested = [study.key for fold in folds for study in fold.of(Split.TEST)]
    assert sorted(tested) == sorted(f"p{n}-{x}" for n in range(25) for x in "ab")


def test_folds_leave_the_patients_own_split_alone(database: Database) -> None:
    bring(database, "s1", split=Split.TEST)
    collect(database, fold=Fold(0, 2))
    assert collect(database).studies[0].split is Split.TEST
