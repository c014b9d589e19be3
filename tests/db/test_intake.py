"""Studies coming in: new things are kept, known things add nothing, contradictions are told."""

from dataclasses import replace

from core.annotations import Origin
from core.manifests import from_bytes, to_bytes
from core.reports import Report
from core.shapes import Shape, ShapeKind
from core.studies import IncomingRegion, IncomingStudy, Turn, View, WorklistFilter
from db import intake, masks, orientation, regions, snapshots, studies, worklist
from db.engine import Database
from db.intake import Added, StoredImage
from tests.db.conftest import bring, film

BOX = IncomingRegion("nodule", Shape(ShapeKind.BOX, ((1.0, 2.0), (4.5, 6.0))), "ada")


def test_a_study_comes_in_with_its_films_masks_and_report(database: Database) -> None:
    added = bring(database, "s1", masks=("heart",), report=Report(findings="The heart is enlarged."))
    assert added == Added(studies=1, images=1, masks=1, reports=1)
    with database.reading() as session:
        study = studies.get_study(session, 1)
        (version,) = masks.versions(session, study.images[0].id)
    assert study.report == Report(findings="The heart is enlarged.")
    assert version.origin is Origin.IMPORTED
    assert version.is_current


def test_a_second_import_adds_nothing(database: Database) -> None:
    bring(database, "s1", masks=("heart",), report=Report(findings="Clear."))
    again = bring(database, "s1", masks=("heart",), report=Report(findings="Clear."))
    assert again == Added(duplicates=1)


def test_a_film_of_a_known_name_with_other_pixels_is_skipped_and_the_first_kept(database: Database) -> None:
    bring(database, "s1", sha="first")
    again = bring(database, "s1", sha="second")
    assert again.images == 0
    assert "first one was kept" in again.skipped[0].reason
    with database.reading() as session:
        assert studies.get_study(session, 1).images[0].sha == "first"


def test_a_report_that_differs_is_skipped_and_the_first_kept(database: Database) -> None:
    bring(database, "s1", report=Report(findings="Clear."))
    again = bring(database, "s1", report=Report(findings="Not clear."))
    assert again.reports == 0
    assert [skipped.item for skipped in again.skipped] == ["s1 report"]
    with database.reading() as session:
        assert studies.get_study(session, 1).report == Report(findings="Clear.")


def test_the_same_content_in_two_studies_is_kept_twice_and_counted_as_a_duplicate(database: Database) -> None:
    assert bring(database, "s1", sha="same").duplicates == 0
    assert bring(database, "s2", sha="same") == Added(studies=1, images=1, duplicates=1)


def test_a_mask_that_is_new_to_a_known_film_is_added(database: Database) -> None:
    bring(database, "s1", masks=("heart",))
    assert bring(database, "s1", masks=("heart", "left_lung")).masks == 1


def test_what_is_absent_is_learned_of_known_films_too_and_only_once(database: Database) -> None:
    bring(database, "s1", absent=("edema",))
    for _ in range(2):
        assert bring(database, "s1", absent=("edema", "fracture")) == Added(duplicates=1)
    with database.reading() as session:
        manifest = snapshots.collect(session, ["chest"])
    assert manifest.studies[0].images[0].absent == ("edema", "fracture")


def test_unmarked_studies_are_read_before_marked_ones(database: Database) -> None:
    bring(database, "marked", masks=("heart",))
    bring(database, "unmarked")
    with database.reading() as session:
        found = worklist.next_in_queue(session, WorklistFilter())
    assert found is not None
    assert found[0] == 2


def test_a_study_of_two_views_keeps_their_order(database: Database) -> None:
    study = IncomingStudy("p", "s", (film("b.png", View.LATERAL), film("a.png", View.PA)))
    with database.writing() as session:
        intake.add_study(session, "chest", study, [StoredImage("1", ()), StoredImage("2", ())], "tester")
    with database.reading() as session:
        assert [image.view for image in studies.get_study(session, 1).images] == [View.LATERAL, View.PA]


def test_other_studies_of_a_patient_come_newest_first(database: Database) -> None:
    for order, key in enumerate(("first", "second", "third")):
        study = replace(IncomingStudy("p", key, (film(),)), order=order)
        with database.writing() as session:
            intake.add_study(session, "chest", study, [StoredImage(key, ())], "tester")
    with database.reading() as session:
        assert [study.key for study in studies.other_studies(session, 2)] == ["third", "first"]


def bring_boxes(database: Database, *boxes: IncomingRegion) -> Added:
    shot = replace(film(absent=("nodule", "edema")), regions=boxes)
    with database.writing() as session:
        return intake.add_study(
            session, "chest", IncomingStudy("p", "s", (shot,)), [StoredImage("pixels", ())], "tester"
        )


def test_boxes_come_in_with_their_author_and_only_once(database: Database) -> None:
    bring_boxes(database, BOX, BOX)
    bring_boxes(database, BOX, replace(BOX, author=None, finding="mass"))
    with database.reading() as session:
        kept = regions.regions(session, [1])
        assert worklist.page(session, WorklistFilter(finding="mass")).total == 1
    assert [(each.finding, each.shape, each.points, each.author) for each in kept] == [
        ("nodule", "box", BOX.shape.points, "ada"),
        ("mass", "box", BOX.shape.points, "import"),
    ]


def test_a_box_that_a_reader_removed_does_not_come_back(database: Database) -> None:
    bring_boxes(database, BOX)
    with database.writing() as session:
        regions.remove_region(session, 1)
    bring_boxes(database, BOX)
    with database.reading() as session:
        assert regions.regions(session, [1]) == ()


def test_a_box_turns_with_its_film(database: Database) -> None:
    bring_boxes(database, BOX)
    with database.writing() as session:
        orientation.turn_image(session, 1, "turned", "image/png", (10, 10), Turn.MIRROR, {}, "tester")
    with database.reading() as session:
        (kept,) = regions.regions(session, [1])
    assert kept.points == ((9.0, 2.0), (5.5, 6.0))
    assert kept.author == "ada"


def test_a_snapshot_holds_the_boxes_and_what_they_show_is_not_absent(database: Database) -> None:
    bring_boxes(database, BOX)
    with database.reading() as session:
        (image,) = snapshots.collect(session, ["chest"]).studies[0].images
        manifest = snapshots.collect(session, ["chest"])
    assert [(each.finding, each.shape, each.author) for each in image.regions] == [("nodule", BOX.shape, "ada")]
    assert image.absent == ("edema",)
    assert from_bytes(to_bytes(manifest)) == manifest
