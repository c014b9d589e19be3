"""A classifier all the way, as a person goes: trained from the screen, put in use, tried on a film, its picture saved.

The tests of this module follow one another over one workstation.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from playwright.sync_api import Page, expect

from app.house import House
from app.services import snapshots
from app.services.demo import DATASET, load_demo
from core.jobs import Job, JobKind, JobState
from core.registry import ModelState
from core.workspace import Workspace
from data.passing import Passing
from data.phantom import simulate
from data.store import Store
from db import audit, jobs, models, tries
from db.engine import Database
from tests.browser.conftest import Workstation

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]

LONG = 400_000
CONTEXT = "Shortness of breath and swollen ankles for two weeks."


@pytest.fixture(scope="module")
def house(workstation: Workstation) -> Iterator[House]:
    """The workstation's own workspace: simulated studies with labels, frozen as "labelled"."""
    place = Workspace(workstation.home)
    database = Database(place.database_url)
    house = House(place, database, Store(place.store_url))
    load_demo(house, lambda _: None, studies=24, size=96)
    snapshots.freeze(house, "labelled", [DATASET], "tester")
    yield house
    database.close()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frontal = simulate(3, seed=5, size=256).images[0]
    place = tmp_path_factory.mktemp("films") / "Jane Doe.png"
    PIL.Image.fromarray((frontal.pixels >> 4).astype(np.uint8)).save(place)
    return place


def test_before_there_is_a_model_the_screen_says_what_to_do(page: Page, house: House) -> None:
    go_to(page, "Try")
    expect(page.get_by_text("No classification model is here yet.")).to_be_visible()
    page.get_by_role("button", name="Train a model").click()
    expect(page.get_by_role("combobox", name="Family")).to_be_visible()


def test_a_classifier_is_trained_from_the_screen(page: Page, house: House) -> None:
    choose(page, "Family", "Classification")
    # The form is drawn anew with what the family asks, then with what the preset says.
    expect(page.get_by_role("combobox", name="Modality")).to_be_visible()
    page.get_by_role("radio", name="smoke").click()
    expect(page.locator("input[aria-label='Learning rate'][value='0.005']")).to_be_visible()
    page.get_by_text("Advanced").click()
    expect(page.get_by_role("combobox", name="Class weighting")).to_be_visible()
    page.get_by_label("Minimum steps", exact=True).fill("30")
    page.get_by_label("Minimum steps", exact=True).press("Enter")
    nothing_is_cut_off(page)
    page.get_by_role("button", name="Start training").click()
    page.get_by_role("link", name="See classification-v1").click(timeout=LONG)
    expect(page.get_by_role("radio", name="Columns", exact=True)).to_be_visible()
    expect(page.get_by_role("columnheader", name="film alone").first).to_be_visible()
    nothing_is_cut_off(page)


def test_it_is_measured_on_the_studies_that_it_learned_from(page: Page, house: House) -> None:
    page.get_by_role("button", name="Measure").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name="train", exact=True).click()
    dialog.get_by_role("button", name="Measure").click()
    expect(dialog).to_have_count(0)
    for _ in range(LONG // 1000):
        if jobs_of(house)[0].kind is JobKind.EVALUATE and jobs_of(house)[0].state.is_over:
            break
        page.wait_for_timeout(1000)
    assert jobs_of(house)[0].state is JobState.SUCCEEDED
    page.reload()
    choose(page, "measured on", "labelled, train")


def test_its_curves_and_its_calibration_are_drawn(page: Page) -> None:
    for view, own in (("ROC and PR", "false alarms"), ("Calibration", "share that is present")):
        page.get_by_role("radio", name=view, exact=True).click()
        expect(page.locator(".js-plotly-plot").filter(has_text=own).first).to_be_visible()
        nothing_is_cut_off(page)


def test_it_is_put_in_use_by_hand(page: Page, house: House) -> None:
    page.get_by_role("button", name="Promote").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Or by hand, because").fill("the first one")
    dialog.get_by_label("Or by hand, because").press("Enter")
    dialog.get_by_role("button", name="Promote by hand").click()
    expect(dialog).to_have_count(0)
    with house.database.reading() as session:
        assert models.get_model(session, "classification-v1").state is ModelState.CHAMPION


def test_what_is_no_film_is_told_at_the_door(page: Page, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear colleague", encoding="utf-8")
    go_to(page, "Try")
    drop(page, letter)
    expect(page.get_by_text("The file is no PNG, JPEG, TIFF or DICOM image.")).to_be_visible()


def test_a_film_is_dropped_and_read_with_and_without_its_context(page: Page, house: House, film: Path) -> None:
    page.get_by_label("Context").fill(CONTEXT)
    page.get_by_label("Context").press("Tab")
    drop(page, film)
    rows = page.locator(".opinions button.row")
    expect(rows.first).to_be_visible(timeout=LONG)
    expect(page.locator(".opinions .head")).to_contain_text("film alone")
    expect(page.locator(".opinions .head")).to_contain_text("with context")
    expect(rows.first.locator(".share")).to_have_text([re.compile(r"^\d\.\d\d$")] * 2)
    expect(page.get_by_text("Differential", exact=True)).to_be_visible()
    shown = page.locator(".looked .film")
    expect(shown).to_have_js_property("complete", True)
    assert shown.evaluate("img => img.naturalWidth") == 256
    nothing_is_cut_off(page)


def test_another_finding_is_chosen_by_click_and_by_key(page: Page) -> None:
    rows = page.locator(".opinions button.row")
    rows.nth(1).click()
    expect(rows.nth(1)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowDown")
    expect(rows.nth(2)).to_have_attribute("aria-pressed", "true")
    name = rows.nth(2).locator(".name").inner_text()
    expect(page.get_by_test_id("looked-words")).to_contain_text(name)


def test_the_map_hides_while_h_is_held(page: Page) -> None:
    heat = page.get_by_test_id("looked-map")
    before = heat.evaluate("canvas => canvas.style.opacity")
    page.keyboard.down("h")
    expect(heat).to_have_css("opacity", "0")
    page.keyboard.up("h")
    expect(heat).to_have_css("opacity", before)


def test_the_picture_is_saved(page: Page) -> None:
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Save the picture").click()
    with PIL.Image.open(io.BytesIO(Path(waiting.value.path()).read_bytes())) as picture:
        assert picture.format == "PNG"
        assert picture.width > 1000
        assert not picture.info


def test_the_same_film_is_read_again_with_another_context(page: Page, house: House) -> None:
    page.get_by_label("Context").fill("Der Patient klagt über Husten und Fieber seit zwei Wochen.")
    page.get_by_label("Context").press("Tab")
    page.get_by_role("button", name="Read again").click()
    expect(page.get_by_test_id("try-waits")).to_have_count(0, timeout=LONG)
    expect(page.get_by_text("seems to be written in German").first).to_be_visible()
    expect(page.locator(".opinions .head")).to_contain_text("with context")
    assert len(list(Passing.of(house.workspace).places())) == 1


def test_once_forgotten_nothing_is_left_of_it(page: Page, house: House) -> None:
    page.get_by_role("button", name="Forget this film").click()
    expect(page.locator(".opinions")).to_have_count(0)
    expect(page.get_by_label("Context")).to_have_value("")
    assert list(Passing.of(house.workspace).places()) == []
    with house.database.reading() as session:
        assert tries.waiting(session, 5) == ()
        told = [f"{event.action} {event.subject} {event.detail}" for event in audit.events(session)]
    assert any("try a film classification-v1" in line for line in told)
    assert not any("Jane" in line or "breath" in line for line in told)
    left = [path for path in house.workspace.home.rglob("*") if "Jane" in path.name]
    assert left == []


def go_to(page: Page, screen: str) -> None:
    page.get_by_test_id("stPageLink-NavLink").filter(has_text=re.compile(f"^{screen}$")).click()


def drop(page: Page, place: Path) -> None:
    """Onto the door, once what was dropped before is gone from it."""
    inlet = page.locator("input[type=file]")
    expect(inlet).to_have_count(1)
    inlet.set_input_files(place)


def jobs_of(house: House) -> tuple[Job, ...]:
    """The newest first."""
    with house.database.reading() as session:
        return jobs.jobs(session)


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).click()


def nothing_is_cut_off(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
