"""One study all the way round, as a person goes: from files on a disk to a better model and an exported dataset.

The tests of this module follow one another over one workstation, each going on where the one before stopped.
"""

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from app.house import House
from core.annotations import Decision, Origin
from core.jobs import Job, JobKind, JobState
from core.manifests import from_bytes
from core.masks import dice
from core.registry import ModelState
from core.reviews import ReviewState
from core.studies import Split, WorklistFilter
from core.workspace import Workspace
from data.images import read, read_mask
from data.phantom import simulate
from data.store import Store
from db import audit, drafts, jobs, masks, models, people, predictions, snapshots, studies, worklist
from db.engine import Database
from tests.browser.conftest import PATIENCE, Workstation
from tests.making import image, put, study

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

FILMS = 24
SIZE = 128
LONG = 180_000


@pytest.fixture(scope="module")
def house(workstation: Workstation) -> Iterator[House]:
    """The same workspace from outside, to see what is really on record."""
    place = Workspace(workstation.home)
    database = Database(place.database_url)
    yield House(place, database, Store(place.store_url))
    database.close()


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated frontal films on a disk, each with its heart drawn but the first three, and one file that is none."""
    folder = tmp_path_factory.mktemp("films")
    (folder / "images").mkdir()
    (folder / "masks" / "heart").mkdir(parents=True)
    for index in range(FILMS):
        frontal = simulate(index, seed=5, size=SIZE).images[0]
        Image.fromarray((frontal.pixels >> 4).astype(np.uint8)).save(folder / "images" / f"film{index:02d}.png")
        if index >= 3:
            Image.fromarray(frontal.masks["heart"]).save(folder / "masks" / "heart" / f"film{index:02d}.png")
    (folder / "images" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    return folder


def test_a_folder_is_looked_at_first_and_then_imported(page: Page, house: House, films: Path) -> None:
    page.get_by_role("button", name="Import studies").click()
    choose(page, "Kind", "Folder with masks")
    page.get_by_label("Dataset", exact=True).fill("hearts")
    page.get_by_label("Path", exact=True).fill(str(films))
    page.get_by_label("Path", exact=True).press("Enter")
    page.get_by_role("button", name="Look first").click()
    expect(page.get_by_role("columnheader", name="Would come in")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("torn")).to_be_visible()
    assert studies_of(house) == []
    page.get_by_role("button", name=f"Import {FILMS} studies").click()
    page.get_by_role("button", name="To the worklist").click(timeout=LONG)
    expect(row(page, "film00")).to_be_visible()
    assert len(studies_of(house)) == FILMS


def test_a_study_opens_from_its_row_and_a_stroke_is_saved_by_itself(page: Page, house: House) -> None:
    row(page, "film00").click()
    expect(editor(page)).to_be_visible()
    expect(page.get_by_test_id("bar-patient")).to_have_text("film00")
    pick(page, "heart")
    drag(page, (0.45, 0.55), (0.60, 0.60))
    saved(page)
    assert area_of_draft(house, "film00") > 0
    expect(page.locator(".bar .step.here")).to_have_text("draft")


def test_erasing_and_undoing_change_what_is_saved(page: Page, house: House) -> None:
    drawn = area_of_draft(house, "film00")
    page.keyboard.press("e")
    drag(page, (0.50, 0.50), (0.50, 0.65))
    saved(page)
    erased = area_of_draft(house, "film00")
    assert 0 < erased < drawn
    page.keyboard.press("z")
    wait_until(page, lambda: area_of_draft(house, "film00") == drawn)
    page.keyboard.press("y")
    wait_until(page, lambda: area_of_draft(house, "film00") == erased)
    page.keyboard.press("b")


def test_a_reload_brings_the_study_and_the_drawing_back(page: Page, house: House) -> None:
    before = area_of_draft(house, "film00")
    page.reload()
    expect(page.get_by_test_id("bar-patient")).to_have_text("film00")
    expect(page.get_by_test_id("finding-heart")).to_contain_text("draft")
    expect(page.locator(".bar .step.here")).to_have_text("draft")
    assert area_of_draft(house, "film00") == before


def test_submitting_makes_a_version_and_the_queue_goes_on(page: Page, house: House) -> None:
    drawn = area_of_draft(house, "film00")
    page.get_by_test_id("bar-submit").click()
    expect(page.locator(".bar .step.here")).to_have_text("submitted")
    number = study_called(house, "film00")
    with house.database.reading() as session:
        version = masks.current(session, number)["heart"]
        assert studies.get_study(session, number).state is ReviewState.SUBMITTED
    assert (version.stats.area, version.origin) == (drawn, Origin.MANUAL)
    page.keyboard.press("n")
    expect(page.get_by_test_id("bar-patient")).to_have_text("film01")


def test_a_box_becomes_a_stroke_of_the_mask(page: Page, house: House) -> None:
    pick(page, "heart")
    page.get_by_role("button", name="Box or polygon").click()
    expect(page.get_by_role("dialog").get_by_role("combobox", name="Finding")).to_have_value("Heart")
    canvas = page.locator(".canvas-root canvas").first
    expect(canvas).to_be_visible()
    place = canvas.bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + 0.4 * place["width"], place["y"] + 0.5 * place["height"])
    page.mouse.down()
    page.mouse.move(place["x"] + 0.6 * place["width"], place["y"] + 0.7 * place["height"], steps=6)
    page.mouse.up()
    page.get_by_role("button", name="Add 1 shape").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    wait_until(page, lambda: area_of_draft(house, "film01") > 0)
    # A fifth of the film each way, to a pixel or two on either edge.
    assert area_of_draft(house, "film01") == pytest.approx((0.2 * SIZE) ** 2, rel=0.15)


def test_a_model_is_trained_from_a_snapshot_and_its_curves_are_seen(page: Page, house: House) -> None:
    go_to(page, "Train")
    page.get_by_role("button", name="New snapshot").click()
    page.get_by_label("Name", exact=True).fill("hearts-1")
    page.get_by_label("Name", exact=True).press("Tab")
    page.get_by_role("button", name="Freeze").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("radio", name="smoke").click()
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("link", name="See segmentation-v1")).to_be_visible(timeout=LONG)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    assert job_of(house, JobKind.TRAIN).state is JobState.SUCCEEDED
    page.get_by_role("link", name="See segmentation-v1").click()


def test_it_is_promoted_and_suggests_for_what_is_not_yet_read(page: Page, house: House) -> None:
    page.get_by_role("button", name="Promote").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Or by hand, because").fill("the first one")
    dialog.get_by_label("Or by hand, because").press("Enter")
    dialog.get_by_role("button", name="Promote by hand").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    with house.database.reading() as session:
        assert models.get_model(session, "segmentation-v1").state is ModelState.CHAMPION
    wait_until(page, lambda: job_of(house, JobKind.PREDICT).state is JobState.SUCCEEDED, LONG)


def test_a_suggestion_is_accepted_with_one_key_and_stays_marked_as_one(page: Page, house: House) -> None:
    name = suggested_study(house)
    go_to(page, "Worklist")
    row(page, name).click()
    expect(page.get_by_test_id("bar-patient")).to_have_text(name)
    expect(page.get_by_test_id("panel-accept")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_test_id("finding-heart")).to_contain_text("draft")
    page.keyboard.press("Enter")
    expect(page.locator(".bar .step.here")).to_have_text("submitted")
    with house.database.reading() as session:
        version = masks.current(session, study_called(house, name))["heart"]
        suggestion = predictions.get_prediction(session, version.prediction_id or 0)
    assert (version.origin, version.suggested, version.edit_dice) == (Origin.ACCEPTED, True, 1.0)
    assert suggestion.decision is Decision.ACCEPTED


def test_a_suggestion_is_rejected_with_a_reason_of_ones_own(page: Page, house: House) -> None:
    expect(page.get_by_text("This study has no report.")).to_be_visible()
    name = suggested_study(house)
    number = study_called(house, name)
    page.goto(f"{page.url.split('/review')[0]}/review?study={number}")
    expect(page.get_by_test_id("bar-patient")).to_have_text(name)
    page.get_by_test_id("panel-reject").click()
    page.get_by_test_id("panel-reason").fill("the border is blurred")
    page.get_by_test_id("panel-reason").press("Enter")
    expect(page.get_by_test_id("panel-reject")).to_have_count(0)
    wait_until(page, lambda: not open_suggestions_of(house, number))
    with house.database.reading() as session:
        told = [event for event in audit.events(session) if event.action == "suggestion rejected"]
    assert [event.detail for event in told] == ["the border is blurred"]


def test_a_sentence_of_the_report_is_answered_by_the_model_in_use(page: Page, house: House) -> None:
    pixels = (simulate(FILMS, seed=5, size=SIZE).images[0].pixels >> 4).astype(np.uint8)
    told = study("told", [image("pa", pixels=pixels)], report="The heart is enlarged.", split=Split.TRAIN)
    put(house, "told", told)
    page.goto(f"{page.url.split('/review')[0]}/review?study={study_called(house, 'patient-told')}")
    page.get_by_test_id("sentence-0").click()
    expect(page.get_by_text("segmentation-v1 marked Heart")).to_be_visible()


def test_the_mask_of_a_sentence_is_corrected_and_submitted(page: Page, house: House) -> None:
    number = study_called(house, "patient-told")
    expect(page.get_by_test_id("panel-accept")).to_be_visible()
    expect(page.get_by_test_id("finding-heart")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("t")
    expect(page.get_by_test_id("panel-accept")).to_have_count(0)
    wait_until(page, lambda: area_of_draft(house, "patient-told") > 0)
    drag(page, (0.2, 0.2), (0.3, 0.3))
    saved(page)
    page.keyboard.press("Enter")
    expect(page.locator(".bar .step.here")).to_have_text("submitted")
    with house.database.reading() as session:
        version = masks.current(session, studies.get_study(session, number).images[0].id)["heart"]
        suggestion = predictions.get_prediction(session, version.prediction_id or 0)
    assert (version.origin, suggestion.prompt) == (Origin.CORRECTED, "The heart is enlarged.")
    assert version.edit_dice is not None and version.edit_dice < 1


def test_a_film_that_hangs_wrong_is_turned_after_a_word(page: Page, house: House) -> None:
    number = study_called(house, "film05")
    page.goto(f"{page.url.split('/review')[0]}/review?study={number}")
    with house.database.reading() as session:
        before = studies.get_study(session, number).images[0].sha
    page.get_by_test_id("editor-orientation").select_option("mirror")
    page.get_by_role("dialog").get_by_role("button", name="Turn it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    with house.database.reading() as session:
        after = studies.get_study(session, number).images[0]
        heart = masks.current(session, after.id)["heart"]
        first = masks.versions(session, after.id, "heart")[-1]
    mirrored = read(house.store.get(before))[:, ::-1]
    np.testing.assert_array_equal(read(house.store.get(after.sha)), mirrored)
    np.testing.assert_array_equal(read_mask(house.store.get(heart.sha)), read_mask(house.store.get(first.sha))[:, ::-1])


def test_another_reader_begins_with_a_clean_film_and_is_remembered(page: Page, house: House) -> None:
    number = study_called(house, "film01")
    page.goto(f"{page.url.split('/review')[0]}/review?study={number}")
    expect(page.get_by_test_id("finding-heart")).to_contain_text("draft")
    page.get_by_test_id("stPopover").get_by_role("button").click()
    page.get_by_label("Another reader").fill("Ada")
    page.get_by_role("button", name="Add and switch").click()
    expect(page.get_by_test_id("finding-heart")).not_to_contain_text("draft")
    page.reload()
    expect(page.get_by_test_id("stPopover").get_by_role("button")).to_contain_text("Ada")
    expect(page.get_by_test_id("finding-heart")).not_to_contain_text("draft")


def test_the_second_training_learns_from_the_correction_and_is_compared_with_the_first(
    page: Page, house: House
) -> None:
    go_to(page, "Train")
    page.get_by_role("button", name="New snapshot").click()
    for dataset in ("hearts", "told"):
        choose(page, "Datasets", dataset)
    page.get_by_label("Name", exact=True).fill("hearts-2")
    page.get_by_label("Name", exact=True).press("Tab")
    page.get_by_role("button", name="Freeze").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    with house.database.reading() as session:
        manifest = from_bytes(house.store.get(snapshots.get_snapshot(session, "hearts-2").sha))
    (corrected,) = [each for each in manifest.studies if each.patient == "patient-told"]
    assert [mask.origin for film in corrected.images for mask in film.masks] == [Origin.CORRECTED]
    page.get_by_role("radio", name="smoke").click()
    page.get_by_role("button", name="Start training").click()
    page.get_by_role("link", name="See segmentation-v2").click(timeout=LONG)
    expect(page.get_by_text("segmentation-v2 minus segmentation-v1 on the same films")).to_be_visible()


def test_an_export_is_taken_away_and_holds_the_masks_that_were_drawn(page: Page, house: House, tmp_path: Path) -> None:
    go_to(page, "Data")
    page.get_by_role("radio", name="Exports").click()
    choose(page, "What", "Dataset: hearts")
    choose(page, "Format", "COCO, run lengths")
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download(timeout=LONG) as waiting:
        page.get_by_role("link", name="Download").first.click(timeout=LONG)
    with zipfile.ZipFile(waiting.value.path()) as archive:
        named = {Path(name).name: name for name in archive.namelist()}
        manifest = next(name for key, name in named.items() if "manifest" in key)
        assert "film00" in archive.read(manifest).decode()
        assert any(json.loads(archive.read(name)).get("annotations") for name in named.values() if _is_coco(name))


def test_what_was_accepted_is_what_the_model_drew(house: House) -> None:
    """The last look, from outside: no pixel was lost on the way round."""
    with house.database.reading() as session:
        accepted = [
            version
            for study in studies_of(house)
            for version in masks.versions(session, study)
            if version.origin is Origin.ACCEPTED
        ]
        offered = [predictions.get_prediction(session, version.prediction_id or 0) for version in accepted]
    assert accepted
    for version, suggestion in zip(accepted, offered, strict=True):
        assert suggestion.sha is not None
        assert dice(read_mask(house.store.get(version.sha)), read_mask(house.store.get(suggestion.sha))) == 1.0


def _is_coco(name: str) -> bool:
    return name.endswith(".json") and "manifest" not in Path(name).name


def editor(page: Page) -> Locator:
    return page.get_by_test_id("mask-editor")


def row(page: Page, patient: str) -> Locator:
    return page.locator("a.row").filter(has_text=patient)


def go_to(page: Page, screen: str) -> None:
    page.get_by_test_id("stPageLink-NavLink").filter(has_text=re.compile(f"^{screen}$")).click()


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).click()


def pick(page: Page, finding: str) -> None:
    page.get_by_test_id(f"finding-{finding}").click()
    expect(page.get_by_test_id(f"finding-{finding}")).to_have_attribute("aria-pressed", "true")


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag over the film, in shares of the stage."""
    stage = page.locator(".editor .stage").bounding_box()
    assert stage is not None
    points = [(stage["x"] + x * stage["width"], stage["y"] + y * stage["height"]) for x, y in (start, end)]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=8)
    page.mouse.up()


def saved(page: Page) -> None:
    expect(page.get_by_test_id("editor-save-status")).to_contain_text("saved")
    expect(page.get_by_test_id("editor-save-status")).not_to_contain_text("not")


def wait_until(page: Page, is_so: object, within: int = PATIENCE) -> None:
    assert callable(is_so)
    for _ in range(within // 200):
        if is_so():
            return
        page.wait_for_timeout(200)
    raise AssertionError("it did not come about")


def studies_of(house: House) -> list[int]:
    with house.database.reading() as session:
        return [each.id for each in worklist.page(session, WorklistFilter()).rows]


def study_called(house: House, patient: str) -> int:
    with house.database.reading() as session:
        return next(each.id for each in worklist.page(session, WorklistFilter()).rows if each.patient == patient)


def suggested_study(house: House) -> str:
    """A study that a suggestion for the heart waits on, not yet touched."""
    with house.database.reading() as session:
        rows = worklist.page(session, WorklistFilter(has_suggestion=True, state=ReviewState.UNREAD)).rows
        return next(
            each.patient
            for each in rows
            if not studies.get_study(session, each.id).blind
            and any(offer.finding == "heart" for offer in predictions.open_suggestions(session, [each.id]))
        )


def open_suggestions_of(house: House, number: int) -> int:
    with house.database.reading() as session:
        film = studies.get_study(session, number).images[0]
        return len(predictions.open_suggestions(session, [film.id]))


def area_of_draft(house: House, patient: str) -> int:
    """The marked pixels of the newest draft of the heart, as the store holds them."""
    with house.database.writing() as session:
        reader = next(name for name in people.reader_names(session) if name != "import")
        newest = drafts.open_drafts(session, people.ensure_reader(session, reader), [study_called(house, patient)])
    return int(read_mask(house.store.get(newest[0].sha)).sum()) if newest else 0


def job_of(house: House, kind: JobKind) -> Job:
    with house.database.reading() as session:
        return next(job for job in jobs.jobs(session) if job.kind is kind)
