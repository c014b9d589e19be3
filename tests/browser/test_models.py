"""The models screen as an engineer walks it: what two measured versions left behind is all there to be seen."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from app.house import House, open_house
from app.services import snapshots
from app.services.demo import DATASET, load_demo
from core.registry import ModelVersion
from core.workspace import Workspace
from tests.app.conftest import put_model
from tests.browser.conftest import Workstation

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

MORE = {"dice_dropped": 0.1, "dice_shuffled": 0.05, "dice_negated": 0.02, "dice_wrong_prompt": 0.01, "ece": 0.01}
DETAILS = {
    "prompts": {"heart": {"heart": 0.85, "left_lung": 0.02}, "left_lung": {"heart": 0.01, "left_lung": 0.9}},
    "reliability": {"heart": [[900, 0.01, 0.02], [100, 0.9, 0.8]]},
    "sureness": {"heart": [[0.8, 0.9], [0.7, 0.5]]},
}


@pytest.fixture(scope="module")
def house(workstation: Workstation) -> Iterator[House]:
    """The workstation's own workspace, with two models that were measured on the same films."""
    house = open_house(Workspace(workstation.home))
    load_demo(house, lambda _: None, studies=8, size=64)
    snapshots.freeze(house, "first", [DATASET], "tester")
    for number, dice in enumerate(([0.9, 0.8, 0.7], [0.8, 0.9, 0.3])):
        leave_figures(house, put_model(house, dice, folder=f"segmentation-{number}", more=MORE), dice)
    yield house
    house.database.close()


def leave_figures(house: House, model: ModelVersion, dice: list[float]) -> None:
    folder = house.workspace.models / model.folder
    (folder / "figures" / "films").mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"snapshot": "first", "split": "validation"}), encoding="utf-8")
    (folder / "details.json").write_text(json.dumps(DETAILS), encoding="utf-8")
    (folder / "model_card.md").write_text(f"# {model.name}\n\n<b id=markup>Bold</b>", encoding="utf-8")
    for name in ("heart-worst-1", "heart-best-1", "overlay-heart-1", "gradcam-heart-1"):
        picture(folder / "figures" / f"{name}.png")
    frames = [Image.new("RGB", (320, 100), (shade, shade, shade)) for shade in (20, 60, 100)]
    frames[0].save(folder / "figures" / "training.gif", save_all=True, append_images=frames[1:], duration=200, loop=0)
    rows = [
        {"item": f"film-{i}", "finding": "heart", "dice": value, "picture": f"heart-{i}.png"}
        for i, value in enumerate(dice)
    ]
    (folder / "figures" / "films" / "films.json").write_text(json.dumps(rows), encoding="utf-8")
    for row in rows:
        picture(folder / "figures" / "films" / str(row["picture"]))


def picture(place: Path) -> None:
    Image.new("RGB", (320, 344), (70, 80, 90)).save(place)


def turn_to(page: Page, view: str) -> None:
    page.get_by_role("radio", name=view, exact=True).click()


def shown(page: Page, count: int) -> None:
    """So many pictures stand on the screen, each of them loaded."""
    pictures = page.get_by_test_id("stImage").locator("img")
    expect(pictures).to_have_count(count)
    for place in range(count):
        expect(pictures.nth(place)).to_have_js_property("complete", True)
        page.wait_for_function("img => img.naturalWidth > 0", arg=pictures.nth(place).element_handle())


def nothing_is_cut_off(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_scores_stand_in_a_matrix_beside_the_paired_difference(page: Page, house: House) -> None:
    page.get_by_test_id("stPageLink-NavLink").filter(has_text="Models").click()
    expect(page.get_by_text("segmentation-v2 minus segmentation-v1 on the same films")).to_be_visible()
    cell = page.locator(".rr-matrix td[title='N 3']").first
    expect(cell).to_contain_text("0.667")
    nothing_is_cut_off(page)


def test_words_and_probabilities_are_drawn(page: Page) -> None:
    for view in ("Words", "Calibration"):
        turn_to(page, view)
        expect(page.locator(".js-plotly-plot")).to_have_count(4)
        nothing_is_cut_off(page)
    expect(page.get_by_text("Expected calibration error").first).to_be_visible()


def test_the_gallery_shows_each_kind_of_picture(page: Page) -> None:
    turn_to(page, "Pictures")
    for kind in ("Failures", "Usual and best", "Outlines", "Where it looked", "Training"):
        turn_to(page, kind)
        shown(page, 2)
        nothing_is_cut_off(page)


def test_the_same_films_stand_side_by_side_the_worst_first(page: Page) -> None:
    turn_to(page, "Same films")
    shown(page, 6)
    told = page.get_by_text("· film-")
    expect(told).to_have_text(
        ["heart 0.300 | 0.700 · film-2", "heart 0.800 | 0.900 · film-0", "heart 0.900 | 0.800 · film-1"]
    )
    nothing_is_cut_off(page)


def test_a_card_is_read_without_its_markup(page: Page) -> None:
    turn_to(page, "Card")
    expect(page.get_by_role("heading", name="segmentation-v2")).to_be_visible()
    expect(page.locator("#markup")).to_have_count(0)
