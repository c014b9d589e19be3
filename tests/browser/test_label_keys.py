"""Findings assessed by key in a real Chromium, over a backend that fails when a test asks it to: no word is lost."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.editor_driver import BackendClient, EditorOnPage, film, layer, until

pytestmark = pytest.mark.browser

FINDINGS = {"effusion": "Effusion", "nodule": "Nodule", "edema": "Edema"}
NOBODY = {"state": "unassessed", "side": None, "zone": None}


def label(finding: str, **more: object) -> dict[str, Any]:
    return {"finding": finding, "name": FINDINGS[finding], "has_zone": finding != "effusion", **more}


def show(server: BackendClient, study_id: str = "7", **more: object) -> None:
    layers = [layer(key, name) for key, name in FINDINGS.items()] + [layer("heart", "Heart")]
    study = {
        "study_id": study_id,
        "active_finding": "effusion",
        "images": [server.image(film(), 12, layers=layers)],
        "labels": [label("effusion"), label("nodule"), label("edema", has_side=False, has_zone=False)],
        "settled": [label("effusion"), label("nodule"), label("edema")],
    }
    server.control(study=study | more)


@pytest.fixture
def editor(server: BackendClient, context: BrowserContext) -> Iterator[EditorOnPage]:
    show(server)
    opened = EditorOnPage.open(context, server)
    yield opened
    assert opened.errors == []


def said(editor: EditorOnPage, count: int) -> list[dict[str, Any]]:
    """All words on the server, once there are `count` and the page knows it."""
    until(lambda: len(editor.server.report()["labels"]) >= count, lambda: f"{editor.server.report()['labels']}")
    editor.wait_for_status("saved")
    labels: list[dict[str, Any]] = editor.server.report()["labels"]
    assert len(labels) == count
    return labels


def last_words(editor: EditorOnPage) -> dict[str, dict[str, Any]]:
    return {each["finding"]: each["word"] for each in editor.server.report()["labels"]}


def in_hand(editor: EditorOnPage, finding: str) -> None:
    expect(editor.page.get_by_test_id(f"editor-finding-{finding}")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize(("key", "state"), [("s", "present"), ("d", "absent"), ("g", "uncertain")])
def test_a_key_says_what_the_finding_in_hand_is(editor: EditorOnPage, key: str, state: str) -> None:
    editor.press(key)
    [word] = said(editor, 1)
    assert (word["study"], word["finding"], word["word"]) == ("7", "effusion", {**NOBODY, "state": state})
    editor.press("u")
    assert said(editor, 2)[-1]["word"] == NOBODY
    assert said(editor, 2)[-1]["parent"] == word["id"]


def test_a_key_pressed_twice_says_it_once(editor: EditorOnPage) -> None:
    editor.press("d", "d")
    said(editor, 1)
    editor.page.wait_for_timeout(200)
    said(editor, 1)


def test_the_side_and_the_zone_go_round(editor: EditorOnPage) -> None:
    editor.press("2")
    in_hand(editor, "nodule")
    editor.press("s")
    said(editor, 1)
    for count, side in enumerate(("right", "left", "both", None), 2):
        editor.press("q")
        assert said(editor, count)[-1]["word"]["side"] == side
    for count, zone in enumerate(("upper", "mid", "lower", None), 6):
        editor.press("Shift+Q")
        assert said(editor, count)[-1]["word"]["zone"] == zone


def test_what_is_absent_lies_nowhere(editor: EditorOnPage) -> None:
    editor.press("s", "q", "d")
    until(lambda: last_words(editor).get("effusion", {}).get("state") == "absent")
    assert last_words(editor)["effusion"]["side"] is None
    editor.press("q")
    expect(editor.page.get_by_test_id("editor-notice-hint")).to_contain_text("Say first that Effusion is present")


@pytest.mark.parametrize(("finding", "key", "what"), [("1", "Shift+Q", "Effusion has no zone"), ("3", "q", "no side")])
def test_a_place_that_says_nothing_is_not_asked_for(editor: EditorOnPage, finding: str, key: str, what: str) -> None:
    editor.press(finding, "s", key)
    expect(editor.page.get_by_test_id("editor-notice-hint")).to_contain_text(what)


def test_anatomy_is_drawn_and_not_assessed(editor: EditorOnPage) -> None:
    editor.press("4")
    in_hand(editor, "heart")
    editor.press("s")
    expect(editor.page.get_by_test_id("editor-notice-hint")).to_contain_text("Heart is drawn, not assessed.")
    assert editor.server.report()["labels"] == []


@pytest.mark.parametrize(("forth", "back"), [("w", "Shift+W"), ("ArrowDown", "ArrowUp")])
def test_one_walks_through_what_is_assessed_and_round(editor: EditorOnPage, forth: str, back: str) -> None:
    for finding in ("nodule", "edema", "effusion"):
        editor.press(forth)
        in_hand(editor, finding)
    editor.press(back)
    in_hand(editor, "edema")
    editor.press("4", forth)
    in_hand(editor, "effusion")


def test_a_normal_film_takes_one_key_and_that_is_undone_with_another(editor: EditorOnPage) -> None:
    editor.press("2", "s")
    said(editor, 1)
    editor.press("Shift+D")
    said(editor, 3)
    assert {key: word["state"] for key, word in last_words(editor).items()} == {
        "nodule": "present",
        "effusion": "absent",
        "edema": "absent",
    }
    expect(editor.page.get_by_test_id("editor-notice-rest")).to_contain_text("2 findings marked absent.")
    editor.press("z")
    said(editor, 5)
    assert (last_words(editor)["effusion"], last_words(editor)["edema"]) == (NOBODY, NOBODY)
    assert last_words(editor)["nodule"]["state"] == "present"
    editor.press("y")
    said(editor, 7)
    assert last_words(editor)["edema"]["state"] == "absent"
    editor.press("Shift+D")
    expect(editor.page.get_by_test_id("editor-notice-hint")).to_contain_text("Every finding is assessed.")


def test_undo_takes_back_words_and_strokes_in_the_order_they_were_made(editor: EditorOnPage) -> None:
    editor.press("s")
    said(editor, 1)
    editor.drag([(60, 80), (160, 80)])
    editor.wait_for_drafts(1)
    editor.press("g")
    said(editor, 2)
    editor.press("z")
    assert said(editor, 3)[-1]["word"]["state"] == "present"
    editor.press("z")
    assert editor.wait_for_drafts(2)[-1]["runs"] == [300 * 260]
    editor.press("z")
    assert said(editor, 4)[-1]["word"] == NOBODY
    editor.press("y", "y")
    editor.wait_for_drafts(3)
    assert said(editor, 5)[-1]["word"]["state"] == "present"


def test_the_light_is_green_only_when_the_server_has_the_word(editor: EditorOnPage) -> None:
    editor.server.control(delay=0.8)
    editor.press("s")
    light = editor.page.get_by_test_id("editor-save-status")
    expect(light).to_have_attribute("data-state", "saving")
    expect(light).to_have_attribute("data-state", "saved")
    assert len(editor.server.report()["labels"]) == 1


def test_only_the_newest_word_follows_one_that_is_on_its_way(editor: EditorOnPage) -> None:
    editor.server.control(delay=0.8)
    editor.press("s", "g", "d", "g")
    first, last = said(editor, 2)
    assert (first["word"]["state"], last["word"]["state"]) == ("present", "uncertain")
    assert last["parent"] == first["id"]


def test_a_word_that_is_refused_is_told_and_sent_again(editor: EditorOnPage) -> None:
    editor.server.control(failing=503, says="The database is busy.")
    editor.press("s")
    expect(editor.page.get_by_test_id("editor-notice-save")).to_contain_text("The database is busy.")
    expect(editor.page.get_by_test_id("editor-save-status")).to_have_attribute(
        "data-tip", re.compile("One label is kept")
    )
    editor.server.control(failing=0)
    assert said(editor, 1)[0]["word"]["state"] == "present"
    expect(editor.page.get_by_test_id("editor-notice-save")).to_have_count(0)


def test_nothing_is_submitted_while_a_word_is_not_saved(editor: EditorOnPage) -> None:
    editor.server.control(failing=500, says="The database is locked.")
    editor.press("s", "Enter")
    expect(editor.page.get_by_test_id("editor-notice-send")).to_contain_text("Not submitted. A label is not saved yet")
    assert editor.server.report()["actions"] == []


def test_submitting_waits_until_every_word_is_saved(editor: EditorOnPage) -> None:
    editor.server.control(delay=0.8)
    editor.press("Shift+D", "Enter")
    assert editor.wait_for_action()["kind"] == "submit"
    said(editor, 3)


def test_a_second_tab_is_told_of(editor: EditorOnPage) -> None:
    editor.server.control(conflict="This finding is also being set in another tab. Both are kept; look under Versions.")
    editor.press("s")
    expect(editor.page.get_by_test_id("editor-notice-conflict-effusion")).to_contain_text(
        "Effusion: This finding is also"
    )


def test_a_word_that_never_arrived_goes_on_its_way_after_a_reload(editor: EditorOnPage) -> None:
    editor.page.on("dialog", lambda dialog: dialog.accept())
    editor.server.control(failing=500, says="The database is locked.")
    editor.press("s", "q", "2", "g")
    editor.wait_for_status("not saved")
    editor.page.reload()
    editor.server.control(failing=0)
    expect(editor.page.get_by_test_id("editor-notice-returned")).to_contain_text("2 labels had not reached the server")
    said(editor, 2)
    assert last_words(editor) == {
        "effusion": {"state": "present", "side": "right", "zone": None},
        "nodule": {**NOBODY, "state": "uncertain"},
    }
    editor.page.reload()
    editor.wait_for_film()
    editor.page.wait_for_timeout(300)
    expect(editor.page.get_by_test_id("editor-notice-returned")).to_have_count(0)


def test_a_word_that_something_newer_overtook_is_offered_and_not_forced(editor: EditorOnPage) -> None:
    editor.page.on("dialog", lambda dialog: dialog.accept())
    editor.server.control(failing=500, says="The database is locked.")
    editor.press("s")
    editor.wait_for_status("not saved")
    newer = {"finding": "effusion", "word": {**NOBODY, "state": "absent"}, "id": 1, "settled": False, "study": "7"}
    editor.server.control(labels=[newer])
    editor.page.reload()
    editor.server.control(failing=0)
    notice = editor.page.get_by_test_id("editor-notice-unsaved-labels")
    expect(notice).to_contain_text("Effusion present")
    assert len(editor.server.report()["labels"]) == 1
    notice.get_by_role("button", name="Say it again").click()
    until(lambda: last_words(editor)["effusion"]["state"] == "present")


def test_words_of_one_study_do_not_reach_the_next(server: BackendClient, context: BrowserContext) -> None:
    show(server)
    server.control(study={**server.report()["study"], "then": {**server.report()["study"], "study_id": "8"}})
    editor = EditorOnPage.open(context, server)
    editor.server.control(delay=0.5)
    editor.press("s", "n")
    until(lambda: editor.server.report()["study"]["study_id"] == "8")
    until(lambda: editor.page.get_by_test_id("editor-save-status").get_attribute("data-state") == "saved")
    editor.page.wait_for_timeout(500)
    editor.press("d")
    until(lambda: len(editor.server.report()["labels"]) == 2)
    assert [(each["study"], each["word"]["state"]) for each in editor.server.report()["labels"]] == [
        ("7", "present"),
        ("8", "absent"),
    ]


def test_two_keys_settle_what_is_disputed(editor: EditorOnPage) -> None:
    editor.press("k")
    expect(editor.page.get_by_test_id("editor-notice-settling")).to_contain_text("Settle Effusion")
    editor.press("d")
    [word] = said(editor, 1)
    assert (word["settled"], word["word"]) == (True, {**NOBODY, "state": "absent"})
    editor.press("s")
    assert not said(editor, 2)[-1]["settled"], "only the next word settles"
    editor.press("k", "Escape", "g")
    assert not said(editor, 3)[-1]["settled"]
    editor.press("k", "2", "g")
    assert [said(editor, 4)[-1][name] for name in ("finding", "settled")] == ["nodule", False]


def test_a_study_open_for_reading_only_takes_no_word(server: BackendClient, context: BrowserContext) -> None:
    show(server, read_only=True)
    editor = EditorOnPage.open(context, server)
    editor.press("s", "Shift+D", "k")
    expect(editor.page.get_by_test_id("editor-notice-hint")).to_contain_text("reading only")
    assert server.report()["labels"] == []


def test_the_map_lies_over_the_film_while_its_key_is_held(server: BackendClient, context: BrowserContext) -> None:
    image = server.image(
        film(), 12, layers=[layer(), layer("nodule", "Nodule")], maps=[{"finding": "effusion", "sha": "a"}]
    )
    show(server, images=[image])
    editor = EditorOnPage.open(context, server)
    pane = editor.page.get_by_test_id("editor-pane")
    editor.page.keyboard.down("m")
    expect(pane).to_have_attribute("data-map", "effusion")
    editor.page.keyboard.up("m")
    expect(pane).to_have_attribute("data-map", "")
    editor.press("2", "m")
    expect(editor.page.get_by_test_id("editor-notice-hint")).to_contain_text("No model has left a map")


def test_typing_in_a_text_box_says_nothing_of_findings(editor: EditorOnPage) -> None:
    box = editor.page.get_by_label("Search reports")
    box.click()
    editor.page.keyboard.type("sdguqwkmSDGUQWKM")
    assert box.input_value() == "sdguqwkmSDGUQWKM"
    assert editor.server.report()["labels"] == []
