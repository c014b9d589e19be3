"""The brush editor in a real Chromium: what is drawn is what is saved, and nothing drawn is lost."""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from playwright.sync_api import Browser, BrowserContext, expect
from scipy import ndimage

from app.mask_editor import ActionKind, Orientation, parse_action
from core import masks
from tests.browser.editor_driver import (
    BackendClient,
    EditorOnPage,
    Point,
    draw_capsules,
    film,
    layer,
    mask_of,
    until,
    winding,
)

pytestmark = pytest.mark.browser

SHAPE = (300, 260)
EFFUSION = layer()
NODULE = layer("nodule", "Nodule", "#E0B84F")


def show(server: BackendClient, *images: dict[str, Any], study_id: str = "first", **more: object) -> None:
    server.control(study={"study_id": study_id, "active_finding": "effusion", "images": list(images), **more})


@pytest.fixture
def editor(server: BackendClient, context: BrowserContext) -> Iterator[EditorOnPage]:
    """One frontal film with two empty findings; any uncaught error on the page fails the test."""
    show(server, server.image(film(), 12, layers=[EFFUSION, NODULE]))
    opened = EditorOnPage.open(context, server)
    yield opened
    assert opened.errors == []


def stroke(editor: EditorOnPage, path: list[Point], diameter: int = 8) -> np.ndarray:
    """Draw on an empty finding and give what must now be marked."""
    editor.set_brush(diameter)
    exact = editor.drag(path)
    expected = np.zeros(SHAPE, dtype=bool)
    draw_capsules(expected, exact, diameter, True)
    return expected


# Drawing


@pytest.mark.parametrize("diameter", [1, 2, 7, 8])
def test_a_drawn_stroke_is_saved_pixel_for_pixel(editor: EditorOnPage, diameter: int) -> None:
    expected = stroke(editor, [(60, 80), (90, 100), (88, 140), (200, 143.5), (259, 299)], diameter)
    [draft] = editor.wait_for_drafts(1)
    assert np.array_equal(mask_of(draft, SHAPE), expected)
    assert (draft["image"], draft["finding"]) == (1, "effusion")


def test_a_click_marks_a_disc(editor: EditorOnPage) -> None:
    expected = stroke(editor, [(100, 100)], 7)
    [draft] = editor.wait_for_drafts(1)
    assert np.array_equal(mask_of(draft, SHAPE), expected)
    assert expected.sum() > 30


def test_a_stroke_that_leaves_the_film_keeps_to_it(editor: EditorOnPage) -> None:
    expected = stroke(editor, [(20, 20), (-15, 40), (30, 60)], 8)
    [draft] = editor.wait_for_drafts(1)
    assert np.array_equal(mask_of(draft, SHAPE), expected)


def test_the_eraser_takes_away_what_it_covers(editor: EditorOnPage) -> None:
    expected = stroke(editor, [(60, 80), (160, 80), (160, 160)])
    editor.press("e")
    draw_capsules(expected, editor.drag([(110, 60), (112, 120)]), 8, False)
    drafts = editor.wait_for_drafts(2)
    assert np.array_equal(mask_of(drafts[-1], SHAPE), expected)
    assert drafts[-1]["parent"] == drafts[0]["id"]


def test_a_lasso_fills_what_it_goes_around_and_with_alt_cuts_it(editor: EditorOnPage) -> None:
    editor.press("l")
    around = [(60.0, 60.0), (200.0, 70.0), (180.0, 220.0), (90.0, 200.0), (120.0, 130.0)]
    expected = winding(SHAPE, editor.drag(around)) != 0
    editor.wait_for_drafts(1)
    editor.page.keyboard.down("Alt")
    expected &= winding(SHAPE, editor.drag([(100, 100), (150, 100), (150, 150), (100, 150)])) == 0
    editor.page.keyboard.up("Alt")
    drafts = editor.wait_for_drafts(2)
    assert np.array_equal(mask_of(drafts[0], SHAPE), winding(SHAPE, editor_path(editor, around)) != 0)
    assert np.array_equal(mask_of(drafts[1], SHAPE), expected)


def editor_path(editor: EditorOnPage, path: list[Point]) -> list[Point]:
    return [editor.to_image(*editor.to_screen(*point)) for point in path]


def test_a_click_in_a_hole_fills_it_and_alt_click_removes_an_island(editor: EditorOnPage) -> None:
    ring = stroke(editor, [(60, 60), (140, 60), (140, 140), (60, 140), (60, 60)])
    island = editor.drag([(200, 220), (220, 220)])
    editor.press("f")
    editor.drag([(100, 100)])
    drafts = editor.wait_for_drafts(3)
    filled = ndimage.binary_fill_holes(mask_of(drafts[1], SHAPE))
    assert np.array_equal(mask_of(drafts[2], SHAPE), filled)
    editor.page.keyboard.down("Alt")
    editor.drag([island[0]])
    editor.page.keyboard.up("Alt")
    assert np.array_equal(mask_of(editor.wait_for_drafts(4)[-1], SHAPE), ndimage.binary_fill_holes(ring))


def test_filling_open_ground_changes_nothing_and_says_why(editor: EditorOnPage) -> None:
    stroke(editor, [(60, 60), (140, 60)])
    editor.wait_for_drafts(1)
    editor.press("f")
    editor.drag([(200, 200)])
    expect(editor.page.get_by_test_id("editor-notice-hint")).to_contain_text("not enclosed")
    assert len(editor.server.report()["drafts"]) == 1


def test_shift_f_fills_every_hole(editor: EditorOnPage) -> None:
    stroke(editor, [(40, 40), (90, 40), (90, 90), (40, 90), (40, 40)])
    editor.drag([(140, 140), (190, 140), (190, 190), (140, 190), (140, 140)])
    editor.press("Shift+F")
    drafts = editor.wait_for_drafts(3)
    assert np.array_equal(mask_of(drafts[-1], SHAPE), ndimage.binary_fill_holes(mask_of(drafts[1], SHAPE)))


def test_undo_and_redo_restore_every_stroke_exactly(editor: EditorOnPage) -> None:
    stroke(editor, [(60, 80), (160, 80)])
    editor.drag([(100, 40), (100, 180)])
    editor.press("e")
    editor.drag([(90, 70), (120, 100)])
    first, second, third = (mask_of(draft, SHAPE) for draft in editor.wait_for_drafts(3))
    for count, keys, expected in [
        (4, "z", second),
        (5, "z", first),
        (6, "Control+z", np.zeros(SHAPE, dtype=bool)),
        (7, "y", first),
        (8, "Control+Shift+Z", second),
        (9, "y", third),
    ]:
        editor.press(keys)
        assert np.array_equal(mask_of(editor.wait_for_drafts(count)[-1], SHAPE), expected)


def test_a_new_stroke_after_undo_leaves_nothing_to_redo(editor: EditorOnPage) -> None:
    stroke(editor, [(60, 80), (160, 80)])
    editor.press("z")
    editor.drag([(60, 180), (160, 180)])
    expect(editor.page.get_by_test_id("editor-redo")).to_be_disabled()


def test_zooming_at_the_pointer_keeps_the_pixel_under_it_and_strokes_hit_the_right_pixels(editor: EditorOnPage) -> None:
    x, y = editor.to_screen(180, 90)
    before = editor.to_image(x, y)
    editor.wheel(*before, -240, -240, -240)
    assert editor.to_image(x, y) == pytest.approx(before, abs=1e-6)
    expected = stroke(editor, [(175, 85), (190, 96)], 2)
    assert np.array_equal(mask_of(editor.wait_for_drafts(1)[-1], SHAPE), expected)


def test_space_drag_and_middle_drag_move_the_film_and_fit_brings_it_back(editor: EditorOnPage) -> None:
    whole = editor.view()
    start = editor.to_image(500, 400)
    editor.page.keyboard.down(" ")
    editor.drag([(100, 100), (130, 120)])
    editor.page.keyboard.up(" ")
    editor.drag([(100, 100), (110, 110)], button="middle")
    editor.settle()
    moved = editor.to_image(500, 400)
    assert start[0] - moved[0] == pytest.approx(40, abs=2)
    assert start[1] - moved[1] == pytest.approx(30, abs=2)
    editor.press("0")
    editor.settle()
    assert editor.view() == whole
    assert editor.server.report()["drafts"] == []


def test_escape_drops_the_stroke_under_way(editor: EditorOnPage) -> None:
    editor.page.mouse.move(*editor.to_screen(60, 60))
    editor.page.mouse.down()
    editor.page.mouse.move(*editor.to_screen(150, 60))
    editor.press("Escape")
    editor.page.mouse.move(*editor.to_screen(150, 200))
    editor.page.mouse.up()
    expected = stroke(editor, [(60, 200), (100, 200)])
    assert np.array_equal(mask_of(editor.wait_for_drafts(1)[-1], SHAPE), expected)


def test_drawing_never_reruns_the_page(editor: EditorOnPage) -> None:
    runs = editor.server.report()["runs"]
    stroke(editor, [(60, 80), (160, 80)])
    editor.press("z", "y", "i", "o", "v", "0", "]", "Shift+Digit2", "l", "b")
    editor.drag([(100, 100), (120, 140)], button="right")
    editor.wait_for_drafts(1)
    assert editor.server.report()["runs"] == runs


# Fingers and pens


class Fingers:
    """Real touches, sent below Playwright's own mouse."""

    def __init__(self, editor: EditorOnPage) -> None:
        self.editor = editor
        self.session = editor.page.context.new_cdp_session(editor.page)

    def send(self, kind: str, *points: Point) -> None:
        screen = [self.editor.to_screen(*point) for point in points]
        touches = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(screen)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def test_one_finger_draws(editor: EditorOnPage) -> None:
    editor.set_brush(8)
    path: list[Point] = [(60, 80), (100, 80), (100, 130)]
    fingers = Fingers(editor)
    fingers.send("touchStart", path[0])
    fingers.send("touchMove", path[1])
    fingers.send("touchMove", path[2])
    fingers.send("touchEnd")
    expected = np.zeros(SHAPE, dtype=bool)
    draw_capsules(expected, editor_path(editor, path), 8, True)
    assert np.array_equal(mask_of(editor.wait_for_drafts(1)[-1], SHAPE), expected)


def test_two_fingers_zoom_and_leave_no_mark(editor: EditorOnPage) -> None:
    scale = float(editor.view().split()[0])
    first, second = editor.to_screen(100, 150), editor.to_screen(140, 150)
    fingers = Fingers(editor)
    fingers.send("touchStart", (100, 150))
    fingers.send("touchStart", (100, 150), (140, 150))
    apart = (editor.to_image(first[0] - 60, first[1]), editor.to_image(second[0] + 60, second[1]))
    fingers.send("touchMove", *apart)
    fingers.send("touchEnd")
    editor.settle()
    now = float(editor.view().split()[0])
    wanted = (second[0] - first[0] + 120) / (second[0] - first[0])
    assert now / scale == pytest.approx(wanted, rel=0.02)
    expected = stroke(editor, [(115, 150), (120, 150)], 2)
    assert np.array_equal(mask_of(editor.wait_for_drafts(1)[-1], SHAPE), expected)


class Pen:
    """A stylus, as the browser's own input."""

    def __init__(self, editor: EditorOnPage) -> None:
        self.editor = editor
        self.session = editor.page.context.new_cdp_session(editor.page)

    def draw(self, path: list[Point]) -> None:
        kinds = ["mousePressed", *["mouseMoved"] * (len(path) - 1), "mouseReleased"]
        for kind, point in zip(kinds, [*path, path[-1]], strict=True):
            x, y = self.editor.to_screen(*point)
            message = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1, "pointerType": "pen"}
            buttons = {} if kind == "mouseReleased" else {"buttons": 1}
            self.session.send("Input.dispatchMouseEvent", {**message, **buttons})


def test_a_pen_draws_and_from_then_on_a_resting_finger_only_moves_the_film(editor: EditorOnPage) -> None:
    editor.set_brush(8)
    path: list[Point] = [(60, 80), (100, 80), (100, 130)]
    exact = editor_path(editor, path)
    Pen(editor).draw(path)
    expected = np.zeros(SHAPE, dtype=bool)
    draw_capsules(expected, exact, 8, True)
    assert np.array_equal(mask_of(editor.wait_for_drafts(1)[-1], SHAPE), expected)
    before = editor.view()
    fingers = Fingers(editor)
    fingers.send("touchStart", (60, 180))
    fingers.send("touchMove", (120, 180))
    fingers.send("touchEnd")
    until(lambda: editor.view() != before)
    assert len(editor.server.report()["drafts"]) == 1


# Saving


def test_a_reload_shows_the_saved_mask_and_draws_on(editor: EditorOnPage) -> None:
    expected = stroke(editor, [(60, 80), (160, 80)])
    [draft] = editor.wait_for_drafts(1)
    editor.page.reload()
    editor.wait_for_film()
    expect(editor.page.get_by_test_id("editor-finding-effusion")).to_have_attribute(
        "title", f"Draw Effusion ({int(expected.sum())} px)  ·  1"
    )
    editor.set_brush(8)
    draw_capsules(expected, editor.drag([(60, 180), (160, 180)]), 8, True)
    last = editor.wait_for_drafts(2)[-1]
    assert np.array_equal(mask_of(last, SHAPE), expected)
    assert last["parent"] == draft["id"]


def test_quick_strokes_are_saved_one_after_the_other_and_only_the_newest_state_follows(editor: EditorOnPage) -> None:
    editor.server.control(delay=2.5)
    expected = stroke(editor, [(40, 40), (200, 40)])
    for row in (80, 120, 160, 200):
        draw_capsules(expected, editor.drag([(40, row), (200, row)]), 8, True)
    drafts = editor.wait_for_drafts(2)
    editor.page.wait_for_timeout(3500)
    drafts = editor.server.report()["drafts"]
    assert len(drafts) < 5
    assert [draft["parent"] for draft in drafts] == [None, *(draft["id"] for draft in drafts[:-1])]
    assert np.array_equal(mask_of(drafts[-1], SHAPE), expected)


def test_the_light_says_saved_only_after_the_server_said_so(editor: EditorOnPage) -> None:
    editor.server.control(delay=0.5)
    stroke(editor, [(60, 80), (160, 80)])
    light = editor.page.get_by_test_id("editor-save-status")
    expect(light).to_have_attribute("data-state", "saving")
    expect(light).to_have_attribute("data-state", "saved")
    assert len(editor.server.report()["drafts"]) == 1


@pytest.mark.parametrize(
    ("status", "says", "shown"),
    [
        (500, "The database is locked.", "The database is locked."),
        (507, "The disk is full. Make room and the drawing is saved by itself.", "The disk is full."),
        (403, "no", "Reload the page"),
    ],
)
def test_a_refused_save_is_told_and_sent_again(editor: EditorOnPage, status: int, says: str, shown: str) -> None:
    editor.server.control(failing=status, says=says)
    expected = stroke(editor, [(60, 80), (160, 80)])
    expect(editor.page.get_by_test_id("editor-save-status")).to_have_attribute("data-state", "failed")
    expect(editor.page.get_by_test_id("editor-notice-save")).to_contain_text(shown)
    editor.server.control(failing=0)
    [draft] = editor.wait_for_drafts(1)
    assert np.array_equal(mask_of(draft, SHAPE), expected)
    expect(editor.page.get_by_test_id("editor-notice-save")).to_have_count(0)


def test_a_dead_server_is_told_and_the_drawing_follows_when_it_is_back(editor: EditorOnPage) -> None:
    editor.page.route("**/fake/drafts/**", lambda route: route.abort())
    expected = stroke(editor, [(60, 80), (160, 80)])
    expect(editor.page.get_by_test_id("editor-notice-save")).to_contain_text("The server does not answer.")
    editor.page.unroute("**/fake/drafts/**")
    assert np.array_equal(mask_of(editor.wait_for_drafts(1)[-1], SHAPE), expected)


def test_a_conflict_is_told_and_drawing_goes_on(editor: EditorOnPage) -> None:
    editor.server.control(conflict="Another tab drew on this too; both drawings are kept.")
    stroke(editor, [(60, 80), (160, 80)])
    expect(editor.page.get_by_test_id("editor-notice-conflict-effusion")).to_contain_text("both drawings are kept")
    editor.drag([(60, 180), (160, 180)])
    drafts = editor.wait_for_drafts(2)
    assert drafts[1]["parent"] == drafts[0]["id"]


def test_an_unsaved_drawing_survives_a_reload_and_is_offered_back(editor: EditorOnPage) -> None:
    asked: list[str] = []

    def leave(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.accept()

    editor.page.on("dialog", leave)
    editor.server.control(failing=500, says="The database is locked.")
    expected = stroke(editor, [(60, 80), (160, 80)])
    editor.wait_for_status("not saved")
    editor.page.reload()
    editor.server.control(failing=0)
    assert asked == ["beforeunload"]
    notice = editor.page.get_by_test_id("editor-notice-unsaved-effusion")
    expect(notice).to_contain_text("Effusion")
    assert editor.server.report()["drafts"] == []
    notice.get_by_role("button", name="Bring it back").click()
    [draft] = editor.wait_for_drafts(1)
    assert np.array_equal(mask_of(draft, SHAPE), expected)


def test_what_was_drawn_while_a_save_failed_is_offered_back_too(editor: EditorOnPage) -> None:
    editor.page.on("dialog", lambda dialog: dialog.accept())
    editor.server.control(failing=500, says="The database is locked.", delay=0.8)
    expected = stroke(editor, [(60, 80), (160, 80)])
    draw_capsules(expected, editor.drag([(60, 180), (160, 180)]), 8, True)
    editor.wait_for_status("not saved")
    editor.page.reload()
    editor.server.control(failing=0, delay=0)
    editor.page.get_by_test_id("editor-notice-unsaved-effusion").get_by_role("button", name="Bring it back").click()
    assert np.array_equal(mask_of(editor.wait_for_drafts(1)[-1], SHAPE), expected)


def test_an_unsaved_drawing_that_is_thrown_away_stays_away(editor: EditorOnPage) -> None:
    editor.page.on("dialog", lambda dialog: dialog.accept())
    editor.server.control(failing=500, says="The database is locked.")
    stroke(editor, [(60, 80), (160, 80)])
    editor.wait_for_status("not saved")
    editor.page.reload()
    notice = editor.page.get_by_test_id("editor-notice-unsaved-effusion")
    notice.get_by_role("button", name="Throw it away").click()
    editor.page.reload()
    editor.wait_for_film()
    editor.page.wait_for_timeout(300)
    expect(notice).to_have_count(0)


def test_a_mask_that_cannot_be_loaded_is_not_drawn_over(server: BackendClient, context: BrowserContext) -> None:
    sha = server.put_mask(np.ones(SHAPE, dtype=bool))
    server.control(failing_masks=True)
    show(server, server.image(film(), 12, layers=[{**EFFUSION, "mask_sha": sha}]))
    editor = EditorOnPage.open(context, server)
    notice = editor.page.get_by_test_id("editor-notice-load-1")
    expect(notice).to_contain_text("not in the store")
    editor.drag([(60, 80), (160, 80)])
    expect(editor.page.get_by_test_id("editor-notice-hint")).to_contain_text("could not be loaded")
    server.control(failing_masks=False)
    notice.get_by_role("button", name="Try again").click()
    expect(notice).to_have_count(0)
    editor.press("e")
    editor.drag([(60, 80), (160, 80)])
    assert mask_of(editor.wait_for_drafts(1)[-1], SHAPE).sum() > SHAPE[0] * SHAPE[1] * 0.9


# Studies, reruns and other views


def test_the_next_study_gets_none_of_this_study_s_strokes_and_keeps_them_for_the_way_back(
    server: BackendClient, context: BrowserContext
) -> None:
    one = server.image(film(), 12, id=1, layers=[EFFUSION])
    two = server.image(film(seed=3), 12, id=2, layers=[EFFUSION])
    there = {"study_id": "second", "active_finding": "effusion", "images": [two]}
    back = {"study_id": "first", "active_finding": "effusion", "images": [one]}
    show(server, one, then={**there, "then": back})
    editor = EditorOnPage.open(context, server)
    first = stroke(editor, [(60, 80), (160, 80)])
    editor.press("n")
    expect(editor.page.get_by_test_id("editor-finding-effusion")).to_have_attribute("title", "Draw Effusion  ·  1")
    second = stroke(editor, [(60, 180), (220, 180)])
    drafts = editor.wait_for_drafts(2)
    assert [draft["image"] for draft in drafts] == [1, 2]
    assert np.array_equal(mask_of(drafts[1], SHAPE), second)
    editor.press("n")
    expect(editor.page.get_by_test_id("editor-finding-effusion")).to_have_attribute(
        "title", f"Draw Effusion ({int(first.sum())} px)  ·  1"
    )
    editor.press("z")
    last = editor.wait_for_drafts(3)[-1]
    assert last["image"] == 1
    assert not mask_of(last, SHAPE).any()


def test_the_next_study_opens_with_the_same_zoom(server: BackendClient, context: BrowserContext) -> None:
    two = server.image(film(seed=3), 12, id=2, view="Lateral", layers=[EFFUSION])
    there = {"study_id": "second", "active_finding": "effusion", "images": [two]}
    show(server, server.image(film(), 12, layers=[EFFUSION]), then=there)
    editor = EditorOnPage.open(context, server)
    editor.wheel(200, 100, -480)
    zoomed = [float(part) for part in editor.view().split()]
    editor.press("n")
    expect(editor.page.get_by_test_id("editor-film")).to_have_attribute("aria-label", re.compile("Lateral film"))
    editor.wait_for_film()
    assert [float(part) for part in editor.view().split()] == pytest.approx(zoomed, abs=1e-6)


def test_a_rerun_disturbs_neither_strokes_nor_undo_nor_zoom(editor: EditorOnPage) -> None:
    stroke(editor, [(60, 80), (160, 80)])
    editor.wheel(200, 100, -240)
    editor.drag([(150, 150), (200, 150)])
    before = mask_of(editor.wait_for_drafts(2)[0], SHAPE)
    view = editor.view()
    runs = editor.server.report()["runs"]
    editor.page.get_by_role("button", name="Rerun").click()
    until(lambda: editor.server.report()["runs"] > runs)
    editor.page.wait_for_timeout(300)
    assert editor.view() == view
    editor.press("z")
    assert np.array_equal(mask_of(editor.wait_for_drafts(3)[-1], SHAPE), before)


def test_an_editor_that_is_mounted_anew_takes_up_strokes_undo_and_zoom(editor: EditorOnPage) -> None:
    stroke(editor, [(60, 80), (160, 80)])
    editor.drag([(60, 180), (160, 180)])
    before = mask_of(editor.wait_for_drafts(2)[0], SHAPE)
    editor.page.get_by_test_id("mask-editor").evaluate("root => { root.dataset.old = 'yes'; }")
    image = editor.server.image(film(), 12, layers=[EFFUSION, NODULE])
    show(editor.server, image, moved=True)
    editor.page.get_by_role("button", name="Rerun").click()
    expect(editor.page.locator("[data-testid=mask-editor]:not([data-old])")).to_be_visible()
    expect(editor.page.get_by_test_id("mask-editor")).to_have_count(1)
    editor.wait_for_film()
    editor.press("z")
    assert np.array_equal(mask_of(editor.wait_for_drafts(3)[-1], SHAPE), before)


def test_the_next_film_is_fetched_ahead_and_only_once(server: BackendClient, context: BrowserContext) -> None:
    two = server.image(film(seed=3), 12, id=2, view="Lateral", layers=[EFFUSION])
    there = {"study_id": "second", "active_finding": "effusion", "images": [two]}
    asked: list[str] = []
    context.on("request", note := lambda request: asked.append(request.url))
    show(server, server.image(film(), 12, layers=[EFFUSION]), then=there, prefetch=[two["sha"]])
    editor = EditorOnPage.open(context, server)
    pixels = f"{server.url}/fake/pixels/{two['sha']}"
    until(lambda: editor.page.evaluate("1") == 1 and pixels in asked)
    editor.press("n")
    expect(editor.page.get_by_test_id("editor-film")).to_have_attribute("aria-label", re.compile("Lateral film"))
    editor.wait_for_film()
    context.remove_listener("request", note)
    assert asked.count(pixels) == 1


def test_a_film_visited_long_ago_comes_back_with_its_undo(server: BackendClient, context: BrowserContext) -> None:
    studies = [
        {
            "study_id": str(n),
            "active_finding": "effusion",
            "images": [server.image(film(seed=n), 12, id=n, view=f"View {n}", layers=[EFFUSION])],
        }
        for n in range(1, 9)
    ]
    chain: dict[str, Any] = studies[0]
    for study in reversed(studies[1:]):
        chain = {**study, "then": chain}
    server.control(study={**studies[0], "then": chain})
    editor = EditorOnPage.open(context, server)
    stroke(editor, [(60, 80), (160, 80)])
    editor.wait_for_drafts(1)
    for n in [*range(2, 9), 1]:
        editor.press("n")
        expect(editor.page.get_by_test_id("editor-film")).to_have_attribute("aria-label", re.compile(f"View {n} film"))
        editor.wait_for_film()
    editor.press("z")
    assert not mask_of(editor.wait_for_drafts(2)[-1], SHAPE).any()


def test_a_mask_changed_elsewhere_arrives_as_a_step_that_can_be_undone(editor: EditorOnPage) -> None:
    mine = stroke(editor, [(60, 80), (160, 80)])
    editor.wait_for_drafts(1)
    theirs = np.zeros(SHAPE, dtype=bool)
    theirs[200:240, 100:150] = True
    sha = editor.server.put_mask(theirs)
    changed = editor.server.image(film(), 12, layers=[{**EFFUSION, "finding": "effusion"}, NODULE])
    # The stand-in lets a draft win over what the study says; a new study description without drafts is what accept is.
    editor.server.control(drafts=[])
    changed["layers"][0] |= {"mask_sha": sha, "base_version_id": 9}
    show(editor.server, changed)
    editor.page.get_by_role("button", name="Rerun").click()
    expect(editor.page.get_by_test_id("editor-finding-effusion")).to_have_attribute(
        "title", "Draw Effusion (2,000 px)  ·  1"
    )
    editor.press("z")
    last = editor.wait_for_drafts(1)[-1]
    assert np.array_equal(mask_of(last, SHAPE), mine)
    assert last["base"] == "9"


def test_digits_pick_the_finding_that_is_drawn(editor: EditorOnPage) -> None:
    editor.press("2")
    expected = stroke(editor, [(60, 80), (160, 80)])
    [draft] = editor.wait_for_drafts(1)
    assert draft["finding"] == "nodule"
    assert np.array_equal(mask_of(draft, SHAPE), expected)
    expect(editor.page.get_by_text("In hand: nodule")).to_be_visible()
    editor.press("1")
    editor.drag([(60, 180), (160, 180)])
    assert editor.wait_for_drafts(2)[-1]["finding"] == "effusion"
    assert mask_of(editor.server.report()["drafts"][-1], SHAPE).sum() > 0


def test_two_views_are_drawn_apart_as_tabs_and_side_by_side(server: BackendClient, context: BrowserContext) -> None:
    lateral = server.image(film(seed=5), 12, id=2, view="Lateral", layers=[EFFUSION])
    show(server, server.image(film(), 12, layers=[EFFUSION]), lateral)
    editor = EditorOnPage.open(context, server)
    editor.press("v")
    editor.wait_for_film()
    expected = stroke(editor, [(60, 80), (160, 80)])
    editor.press("v")
    expect(editor.page.get_by_test_id("editor-pane")).to_have_count(2)
    editor.wait_for_film(1)
    editor.drag([(60, 180), (160, 180)], pane=0)
    draw_capsules(expected, editor.drag([(60, 220), (160, 220)], pane=1), 8, True)
    drafts = editor.wait_for_drafts(3)
    assert [draft["image"] for draft in drafts] == [2, 1, 2]
    assert np.array_equal(mask_of(drafts[2], SHAPE), expected)


def test_sides_are_marked_on_a_frontal_film_and_not_on_a_lateral_one(
    server: BackendClient, context: BrowserContext
) -> None:
    lateral = server.image(film(seed=5), 12, id=2, view="Lateral", layers=[EFFUSION])
    show(server, server.image(film(), 12, layers=[EFFUSION]), lateral)
    editor = EditorOnPage.open(context, server)
    marked = "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, 60).data.some((v) => v > 0)"
    assert editor.page.get_by_test_id("editor-film").evaluate(marked)
    editor.press("v")
    editor.wait_for_film()
    editor.settle()
    assert not editor.page.get_by_test_id("editor-film").evaluate(marked)


# Suggestions and answers


@pytest.fixture
def suggested(server: BackendClient, context: BrowserContext) -> Iterator[tuple[EditorOnPage, np.ndarray]]:
    mask = np.zeros(SHAPE, dtype=bool)
    mask[100:150, 60:140] = True
    suggestion = {**EFFUSION, "prediction_id": 7, "mask_sha": server.put_mask(mask), "model": "lung-seg v7"}
    reasons = ["Wrong place", "Too rough"]
    show(server, server.image(film(), 12, layers=[EFFUSION], suggestions=[suggestion]), reject_reasons=reasons)
    editor = EditorOnPage.open(context, server)
    expect(editor.page.get_by_test_id("editor-suggestion")).to_contain_text("lung-seg v7")
    yield editor, mask
    assert editor.errors == []


def test_correcting_a_suggestion_copies_it_and_remembers_where_it_came_from(
    suggested: tuple[EditorOnPage, np.ndarray],
) -> None:
    editor, mask = suggested
    editor.press("t")
    [draft] = editor.wait_for_drafts(1)
    assert draft["suggestion"] == "7"
    assert np.array_equal(mask_of(draft, SHAPE), mask)
    expect(editor.page.get_by_test_id("editor-suggestion")).to_be_hidden()
    editor.set_brush(8)
    draw_capsules(mask, editor.drag([(60, 200), (140, 200)]), 8, True)
    last = editor.wait_for_drafts(2)[-1]
    assert last["suggestion"] == "7"
    assert np.array_equal(mask_of(last, SHAPE), mask)


def test_undoing_a_correction_forgets_the_suggestion(suggested: tuple[EditorOnPage, np.ndarray]) -> None:
    editor, _ = suggested
    editor.press("t")
    editor.wait_for_drafts(1)
    editor.press("z")
    last = editor.wait_for_drafts(2)[-1]
    assert last["suggestion"] == ""
    assert not mask_of(last, SHAPE).any()
    expect(editor.page.get_by_test_id("editor-suggestion")).to_be_visible()


def test_accepting_waits_until_every_stroke_is_saved(suggested: tuple[EditorOnPage, np.ndarray]) -> None:
    editor, _ = suggested
    editor.server.control(delay=0.8)
    stroke(editor, [(60, 80), (160, 80)])
    editor.press("a")
    editor.page.wait_for_timeout(200)
    assert editor.server.report()["actions"] == []
    action = editor.wait_for_action()
    assert (action["kind"], action["prediction_id"], action["image_id"]) == ("accept", 7, 1)
    assert len(editor.server.report()["drafts"]) == 1


def test_without_its_bar_a_suggestion_still_takes_every_answer(server: BackendClient, context: BrowserContext) -> None:
    suggestion = {**EFFUSION, "prediction_id": 7, "mask_sha": server.put_mask(np.ones(SHAPE, dtype=bool)), "model": "m"}
    image = server.image(film(), 12, layers=[EFFUSION], suggestions=[suggestion])
    show(server, image, reject_reasons=["Wrong place"], suggestion_bar=False)
    editor = EditorOnPage.open(context, server)
    expect(editor.page.get_by_test_id("editor-suggestion")).to_be_hidden()
    editor.press("x")
    expect(editor.page.get_by_test_id("editor-reason-0")).to_be_visible()
    editor.press("1")
    assert editor.wait_for_action()["reason"] == "Wrong place"
    expect(editor.page.get_by_test_id("editor-suggestion")).to_be_hidden()


def test_rejecting_asks_for_a_reason_by_number(suggested: tuple[EditorOnPage, np.ndarray]) -> None:
    editor, _ = suggested
    editor.press("x")
    expect(editor.page.get_by_test_id("editor-reason-1")).to_be_visible()
    editor.press("2")
    action = editor.wait_for_action()
    assert (action["kind"], action["prediction_id"], action["reason"]) == ("reject", 7, "Too rough")


@pytest.mark.parametrize(("key", "kind"), [("Enter", "submit"), ("n", "next"), ("p", "previous")])
def test_the_study_s_keys_reach_python(editor: EditorOnPage, key: str, kind: str) -> None:
    editor.press(key)
    action = editor.wait_for_action()
    assert (action["kind"], action["study_id"], action["finding"]) == (kind, "first", "effusion")


def test_nothing_is_submitted_while_a_stroke_is_not_saved(editor: EditorOnPage) -> None:
    editor.server.control(failing=500, says="The database is locked.")
    stroke(editor, [(60, 80), (160, 80)])
    editor.press("Enter")
    expect(editor.page.get_by_test_id("editor-notice-send")).to_contain_text("Not submitted.")
    assert editor.server.report()["actions"] == []


def test_a_film_that_hangs_wrong_is_reported(editor: EditorOnPage) -> None:
    editor.page.get_by_test_id("editor-orientation").select_option("mirror")
    action = editor.wait_for_action()
    assert (action["kind"], action["orientation"], action["image_id"]) == ("orient", "mirror", 1)


def test_a_study_open_for_reading_only_is_not_drawn_on(server: BackendClient, context: BrowserContext) -> None:
    show(server, server.image(film(), 12, layers=[EFFUSION]), read_only=True)
    editor = EditorOnPage.open(context, server)
    editor.drag([(60, 80), (160, 80)])
    expect(editor.page.get_by_test_id("editor-notice-hint")).to_contain_text("reading only")
    expect(editor.page.get_by_test_id("editor-brush")).to_be_hidden()
    editor.press("Enter")
    editor.page.wait_for_timeout(300)
    report = server.report()
    assert (report["drafts"], report["actions"]) == ([], [])


def test_a_study_shown_beside_disturbs_neither_the_finding_in_hand_nor_the_keys(
    server: BackendClient, context: BrowserContext
) -> None:
    earlier = server.image(film(seed=4), 12, id=9, layers=[layer("heart", "Heart", "#E07A5F")])
    show(server, server.image(film(), 12, layers=[EFFUSION, NODULE]), beside=[earlier])
    editor = EditorOnPage.open(context, server)
    expect(editor.page.get_by_test_id("mask-editor")).to_have_count(2)
    editor.wait_for_film(1)
    editor.press("2")
    main = editor.page.get_by_test_id("mask-editor").first
    expect(main.get_by_test_id("editor-finding-nodule")).to_have_attribute("aria-pressed", "true")
    editor.drag([(60, 80), (160, 80)])
    until(lambda: len(server.report()["drafts"]) > 0)
    drafts = server.report()["drafts"]
    assert [(draft["image"], draft["finding"]) for draft in drafts] == [(1, "nodule")]


# The keyboard, and text from outside


def test_typing_in_a_text_box_is_only_typing(editor: EditorOnPage) -> None:
    box = editor.page.get_by_label("Search reports")
    box.click()
    editor.page.keyboard.type("belfozyhinp[]0123 atx?")
    assert box.input_value() == "belfozyhinp[]0123 atx?"
    expect(editor.page.get_by_test_id("editor-brush")).to_have_attribute("aria-pressed", "true")
    expect(editor.page.get_by_test_id("editor-help-card")).to_be_hidden()
    report = editor.server.report()
    assert (report["actions"], report["drafts"]) == ([], [])


def test_keys_of_the_editor_are_kept_from_streamlit_and_others_are_not(editor: EditorOnPage) -> None:
    editor.page.evaluate("() => { window.heard = []; document.addEventListener('keydown', (e) => heard.push(e.key)); }")
    editor.press("b", "e", "l", "f", "z", "i", "1", "?", "Escape", "j", "c")
    assert editor.page.evaluate("heard") == ["j", "c"]


def test_enter_on_a_focused_button_presses_the_button_and_submits_nothing(editor: EditorOnPage) -> None:
    editor.page.get_by_test_id("editor-outline").focus()
    editor.press("Enter")
    expect(editor.page.get_by_test_id("editor-outline")).to_have_attribute("aria-pressed", "true")
    editor.page.wait_for_timeout(300)
    assert editor.server.report()["actions"] == []


def test_the_help_card_lists_every_key(editor: EditorOnPage) -> None:
    editor.press("?")
    card = editor.page.get_by_test_id("editor-help-card")
    for words in ("Lasso", "Zoom at the pointer", "Hide everything drawn", "Submit the study", "Accept the suggestion"):
        expect(card).to_contain_text(words)
    editor.press("Escape")
    expect(card).to_be_hidden()


def test_holding_h_hides_everything_drawn(editor: EditorOnPage) -> None:
    stroke(editor, [(60, 80), (160, 80)])
    colours = (
        "pane => { const c = pane.querySelector('canvas'); const d = c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data; let n = 0;"
        " for (let i = 0; i < d.length; i += 4) if (Math.abs(d[i] - d[i + 2]) > 20) n++; return n; }"
    )
    pane = editor.page.get_by_test_id("editor-pane")
    editor.settle()
    assert pane.evaluate(colours) > 500
    editor.page.keyboard.down("h")
    editor.settle()
    assert pane.evaluate(colours) == 0
    editor.page.keyboard.up("h")
    editor.settle()
    assert pane.evaluate(colours) > 500


def test_a_hostile_name_is_shown_as_text(server: BackendClient, context: BrowserContext) -> None:
    name = '<img src=x onerror="window.broken = 1"><b>Nodule</b>'
    sha = server.put_mask(np.ones(SHAPE, dtype=bool))
    hostile = layer("nodule", name, 'red;background:url("javascript:1")')
    suggestion = {**hostile, "prediction_id": 1, "mask_sha": sha, "model": "<script>window.broken = 1</script>"}
    image = server.image(film(), 12, view="<b>PA</b>", layers=[hostile], suggestions=[suggestion])
    show(server, image, server.image(film(seed=2), 12, id=2, view="<i>L</i>", layers=[hostile]))
    editor = EditorOnPage.open(context, server)
    expect(editor.page.get_by_test_id("editor-finding-nodule")).to_contain_text(name)
    expect(editor.page.get_by_test_id("editor-suggestion")).to_contain_text("<script>")
    expect(editor.page.get_by_test_id("editor-view-0")).to_have_text("<b>PA</b>")
    assert editor.page.evaluate("window.broken") is None
    assert editor.page.get_by_test_id("mask-editor").locator("img, script, b, i").count() == 0


# Looks


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720), (1024, 768)])
def test_the_editor_fills_the_window_and_nothing_is_cut_off(editor: EditorOnPage, width: int, height: int) -> None:
    editor.page.set_viewport_size({"width": width, "height": height})
    editor.page.wait_for_timeout(300)
    whole = editor.page.get_by_test_id("mask-editor").bounding_box()
    picture = editor.page.get_by_test_id("editor-film").bounding_box()
    assert whole and picture
    assert height - 20 <= whole["y"] + whole["height"] <= height
    assert picture["height"] > 0.85 * whole["height"]
    for button in (
        editor.page.get_by_test_id("mask-editor").locator("footer button:visible, header button:visible").all()
    ):
        box = button.bounding_box()
        assert box
        assert box["x"] >= 0 and box["x"] + box["width"] <= whole["x"] + whole["width"] + 0.5
        assert box["y"] + box["height"] <= height


def test_every_control_has_a_name_and_every_tool_shows_its_key(editor: EditorOnPage) -> None:
    tree = editor.page.get_by_test_id("mask-editor").evaluate(
        "root => [...root.querySelectorAll('button, select, input')].map((each) =>"
        " [each.tagName, each.getAttribute('aria-label') || each.textContent.trim()])"
    )
    assert tree and all(name for _, name in tree), tree
    for tool, key in {"brush": "B", "erase": "E", "lasso": "L", "fill": "F", "undo": "Z", "fit": "0"}.items():
        assert str(editor.page.get_by_test_id(f"editor-{tool}").get_attribute("data-tip")).endswith(f"·  {key}")


def test_a_narrow_window_on_sixteen_bits_shows_every_stored_step(
    server: BackendClient, context: BrowserContext
) -> None:
    # 256 stored values side by side in the middle of 65,536: on an 8-bit copy they would be one grey.
    steps = np.tile(np.arange(30000, 30256, dtype=np.uint16), (256, 1))
    window = {"name": "Narrow", "center": 30128, "width": 256}
    show(server, server.image(steps, 16, view="Lateral", layers=[EFFUSION], window=window))
    editor = EditorOnPage.open(context, server)
    greys = editor.page.get_by_test_id("editor-pane").evaluate(
        "pane => { const c = pane.querySelector('canvas'); const row = c.getContext('2d')"
        ".getImageData(0, c.height >> 1, c.width, 1).data;"
        " return new Set([...row].filter((_, i) => i % 4 === 0)).size; }"
    )
    assert greys > 200


def test_right_drag_changes_the_window_and_shift_digit_brings_a_preset(editor: EditorOnPage) -> None:
    readings = editor.page.get_by_test_id("editor-readings")
    before = readings.inner_text()
    editor.drag([(100, 100), (160, 140)], button="right")
    editor.settle()
    assert readings.inner_text() != before
    editor.press("Shift+Digit1")
    editor.settle()
    assert readings.inner_text() == before


# The algebra, in the browser against NumPy and SciPy


@pytest.fixture(scope="module")
def modules(running: BackendClient, browser: Browser) -> Iterator[Any]:
    page = browser.new_page()
    page.goto(f"{running.url}/fake/report")
    page.evaluate(
        "async () => { window.masks = await import('/fake/js/masks.js');"
        " window.steps = await import('/fake/js/history.js');"
        " window.windowing = await import('/fake/js/windowing.js'); }"
    )
    yield page
    page.close()


small_masks = arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))


@settings(max_examples=60, deadline=None)
@given(mask=small_masks)
def test_run_lengths_are_those_of_the_house_both_ways(modules: Any, mask: np.ndarray) -> None:
    runs, back = modules.evaluate(
        "flat => { const runs = masks.encodeRuns(Uint8Array.from(flat));"
        " const wire = masks.bytesToRuns(masks.runsToBytes(runs));"
        " return [[...wire], [...masks.decodeRuns(wire, flat.length)]]; }",
        mask.reshape(-1).astype(int).tolist(),
    )
    assert runs == masks.runs(mask).tolist()
    assert back == mask.reshape(-1).astype(int).tolist()


half = st.integers(-4, 44).map(lambda n: n / 2)


@settings(max_examples=120, deadline=None)
@given(a=st.tuples(half, half), b=st.tuples(half, half), diameter=st.integers(1, 15))
def test_a_capsule_is_every_pixel_within_reach_of_its_segment(modules: Any, a: Point, b: Point, diameter: int) -> None:
    drawn, rect = modules.evaluate(
        "([a, b, d]) => { const m = new Uint8Array(18 * 20);"
        " const at = (p) => masks.snapToBrush({x: p[0], y: p[1]}, d);"
        " const rect = masks.fillCapsule(m, 20, 18, at(a), at(b), d, 1); return [[...m], rect]; }",
        [a, b, diameter],
    )
    expected = np.zeros((18, 20), dtype=bool)
    draw_capsules(expected, [a, b], diameter, True)
    assert np.array_equal(np.array(drawn, dtype=bool).reshape(18, 20), expected)
    box = masks.bounding_box(expected)
    assert rect == (box and {"left": box.left, "top": box.top, "right": box.right, "bottom": box.bottom})


corner = st.tuples(*[st.floats(-3, 23, allow_nan=False).map(lambda v: round(v * 8) / 8)] * 2)


@settings(max_examples=120, deadline=None)
@given(path=st.lists(corner, min_size=3, max_size=9))
def test_a_lasso_is_every_pixel_it_winds_around(modules: Any, path: list[Point]) -> None:
    drawn = modules.evaluate(
        "path => { const m = new Uint8Array(18 * 20);"
        " masks.fillPolygon(m, 20, 18, path.map(([x, y]) => ({x, y})), 1); return [...m]; }",
        path,
    )
    assert np.array_equal(np.array(drawn, dtype=bool).reshape(18, 20), winding((18, 20), path) != 0)


@settings(max_examples=100, deadline=None)
@given(mask=small_masks, data=st.data())
def test_filling_and_removing_agree_with_connected_components(modules: Any, mask: np.ndarray, data: Any) -> None:
    height, width = mask.shape
    y, x = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    all_holes, one_hole, no_island = modules.evaluate(
        "([flat, w, h, x, y]) => { const copies = [0, 1, 2].map(() => Uint8Array.from(flat));"
        " masks.fillAllHoles(copies[0], w, h); masks.fillHoleAt(copies[1], w, h, x, y);"
        " masks.removeIslandAt(copies[2], w, h, x, y); return copies.map((copy) => [...copy]); }",
        [mask.reshape(-1).astype(int).tolist(), width, height, x, y],
    )
    filled = ndimage.binary_fill_holes(mask)
    assert np.array_equal(np.array(all_holes, dtype=bool).reshape(mask.shape), filled)
    holes, _ = ndimage.label(filled & ~mask)
    expected = mask | ((holes == holes[y, x]) & (holes[y, x] > 0))
    assert np.array_equal(np.array(one_hole, dtype=bool).reshape(mask.shape), expected)
    islands, _ = ndimage.label(mask, structure=np.ones((3, 3)))
    expected = mask & ~((islands == islands[y, x]) & (islands[y, x] > 0))
    assert np.array_equal(np.array(no_island, dtype=bool).reshape(mask.shape), expected)


@settings(max_examples=60, deadline=None)
@given(before=arrays(np.bool_, (7, 9)), after=arrays(np.bool_, (7, 9)))
def test_a_step_undoes_and_redoes_itself(modules: Any, before: np.ndarray, after: np.ndarray) -> None:
    undone, redone = modules.evaluate(
        "([b, a]) => { const rect = {left: 0, top: 0, right: 9, bottom: 7}; const mask = Uint8Array.from(a);"
        " const runs = steps.changedRuns(Uint8Array.from(b), mask, 9, rect);"
        " const out = []; for (let i = 0; i < 2; i++) {"
        " if (runs) steps.toggle(mask, 9, {rect, runs}); out.push([...mask]); }"
        " return out; }",
        [before.reshape(-1).astype(int).tolist(), after.reshape(-1).astype(int).tolist()],
    )
    assert undone == before.reshape(-1).astype(int).tolist()
    assert redone == after.reshape(-1).astype(int).tolist()


def test_undo_goes_back_a_hundred_strokes(modules: Any) -> None:
    steps = modules.evaluate(
        "() => { const h = new steps.History(100); for (let i = 0; i < 130; i++) h.push({n: i});"
        " const back = []; for (let s; (s = h.undo()); ) back.push(s.n); return back; }"
    )
    assert steps == list(range(129, 29, -1))


@settings(max_examples=40, deadline=None)
@given(center=st.floats(-50, 4200), width=st.floats(1, 5000), inverted=st.booleans())
def test_the_window_is_the_linear_function_of_the_standard(
    modules: Any, center: float, width: float, inverted: bool
) -> None:
    table = modules.evaluate("([c, w, i]) => [...windowing.windowTable(c, w, i, 4096)]", [center, width, inverted])
    values = np.arange(4096)
    expected = np.clip((values - (center - 0.5)) / max(1.0, width - 1) + 0.5, 0, 1) * 255
    expected = 255 - expected if inverted else expected
    assert np.abs(np.array(table) - expected).max() <= 0.5 + 1e-6


# What comes back to Python


def test_a_message_becomes_an_action() -> None:
    action = parse_action(
        {
            "kind": "orient",
            "study_id": "s",
            "image_id": 3,
            "finding": None,
            "prediction_id": None,
            "orientation": "mirror",
        }
    )
    assert (action.kind, action.image_id, action.orientation) == (ActionKind.ORIENT, 3, Orientation.MIRROR)


@pytest.mark.parametrize("change", [{"kind": "drop tables"}, {"image_id": "1"}, {"orientation": "sideways"}])
def test_a_message_that_means_nothing_is_refused(change: dict[str, Any]) -> None:
    message = {"kind": "submit", "study_id": "s", "image_id": 1, "finding": "effusion", **change}
    with pytest.raises(ValueError):
        parse_action(json.loads(json.dumps(message)))
