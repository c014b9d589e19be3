"""A reader assesses films, two readers differ, and a lead settles it: over one workstation, each test going on."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from app.house import House, open_house
from app.services import labelling, reviewing
from core.findings import Finding, Side, State
from core.labels import LabelDraft, LabelVersion, Source, Statement, Zone
from core.reviews import ReviewState
from core.studies import Split
from core.workspace import Workspace
from data.phantom import simulate
from db import findings, labels, people, studies
from tests.browser.conftest import PATIENCE, Workstation
from tests.judging import heat_map, judge, suggest
from tests.making import image, put, study

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

SIZE = 128
EFFUSION = "There is a small <b>left</b> pleural effusion."
TOLD = f"The heart is normal in size. {EFFUSION}"
KEYED, CLICKED, BLIND, DISPUTED = 1, 2, 3, 4


@pytest.fixture(scope="module")
def house(workstation: Workstation) -> Iterator[House]:
    """The workstation's own workspace: four films with reports, one of them read blind, and what a model says."""
    house = open_house(Workspace(workstation.home))
    for number, split in enumerate((Split.TRAIN, Split.TRAIN, Split.TEST, Split.TRAIN), 1):
        pixels = (simulate(number, seed=3, size=SIZE).images[0].pixels >> 4).astype(np.uint8)
        put(house, "films", study(f"film{number}", [image("pa", pixels=pixels)], report=TOLD, split=split))
        heard = [
            Statement("pleural_effusion", State.PRESENT, Source.LABELER, Side.LEFT, evidence=EFFUSION),
            Statement("cardiomegaly", State.ABSENT, Source.LABELER, evidence="The heart is normal in size."),
        ]
        with house.database.writing() as session:
            labels.keep_labeler_statements(session, number, heard)
        judge(house, number, "pleural_effusion", 0.91, State.PRESENT, heat_map(house))
    with house.database.writing() as session:
        findings.add_finding(session, Finding("odd", "<i id=odd>Odd</i>"), "tester")
    yield house
    house.database.close()


def go_to(page: Page, number: int, reader: str = "Ana") -> None:
    """Open a study as a reader; who has not read here before is put on record first."""
    address = urlsplit(page.url)
    page.context.add_cookies([{"name": "reading-room-reader", "value": reader, "url": f"http://{address.netloc}"}])
    page.goto(f"http://{address.netloc}/review?study={number}")
    expect(page.get_by_test_id("bar-patient")).to_have_text(f"patient-film{number}")
    expect(page.get_by_test_id("finding-pleural_effusion")).to_be_visible()
    # Keys reach the editor once its film lies there.
    page.locator("[data-testid=editor-pane][data-film=stored]").first.wait_for()


def pressed(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def in_hand(page: Page, finding: str) -> None:
    expect(page.get_by_test_id(f"finding-{finding}")).to_have_attribute("aria-pressed", "true")


def says(page: Page, finding: str, state: str, is_said: bool = True) -> None:
    expect(page.get_by_test_id(f"say-{finding}-{state}")).to_have_attribute("aria-pressed", str(is_said).lower())


def saved(page: Page) -> None:
    expect(page.get_by_test_id("editor-save-status")).to_have_attribute("data-state", "saved")


def drafts(house: House, number: int, reader: str = "Ana") -> dict[str, LabelDraft]:
    return {draft.finding: draft for draft in labelling.open_labels(house, reader, number).drafts}


def current(house: House, number: int, finding: str) -> list[LabelVersion]:
    return [each for each in labelling.history(house, number, finding) if each.is_current]


def wait_until(page: Page, is_so: Callable[[], bool]) -> None:
    for _ in range(PATIENCE // 200):
        if is_so():
            return
        page.wait_for_timeout(200)
    raise AssertionError("it did not come about")


@pytest.fixture(scope="module", autouse=True)
def readers(house: House) -> None:
    with house.database.writing() as session:
        for name in ("Ana", "Ben", "Lee"):
            people.ensure_reader(session, name)


def test_a_film_is_assessed_wholly_by_key(page: Page, house: House) -> None:
    go_to(page, KEYED)
    in_hand(page, "pleural_effusion")
    expect(page.locator(".bar .step.here")).to_have_text("unread")
    pressed(page, "s", "q", "q")
    expect(page.locator(".bar .step.here")).to_have_text("draft")
    expect(page.get_by_test_id("finding-pleural_effusion")).to_contain_text("Pleural effusion, L")
    pressed(page, "w", "g")
    pressed(page, "Shift+D")
    saved(page)
    said = drafts(house, KEYED)
    assert (said["pleural_effusion"].state, said["pleural_effusion"].side) == (State.PRESENT, Side.LEFT)
    states = [draft.state for key, draft in said.items() if key != "pleural_effusion"]
    assert sorted(states) == [State.ABSENT] * (len(states) - 1) + [State.UNCERTAIN]
    assert len(states) >= 13


def test_a_reload_brings_every_word_back(page: Page, house: House) -> None:
    page.reload()
    says(page, "pleural_effusion", "present")
    says(page, "support_devices", "absent")
    expect(page.locator(".bar .step.here")).to_have_text("draft")
    expect(page.get_by_test_id("finding-pleural_effusion")).to_contain_text(", L")


def test_enter_makes_versions_of_what_was_said(page: Page, house: House) -> None:
    page.locator("[data-testid=editor-pane][data-film=stored]").first.wait_for()
    pressed(page, "Enter")
    expect(page.locator(".bar .step.here")).to_have_text("submitted")
    [version] = [each for each in current(house, KEYED, "pleural_effusion") if each.source is Source.READER]
    assert (version.reader, version.state, version.side) == ("Ana", State.PRESENT, Side.LEFT)
    assert version.suggested, "the model's probability was in sight"
    assert drafts(house, KEYED) == {}
    says(page, "pleural_effusion", "present")


def test_one_click_says_it_and_another_takes_it_back(page: Page, house: House) -> None:
    go_to(page, CLICKED)
    page.get_by_test_id("say-nodule-present").click()
    says(page, "nodule", "present")
    in_hand(page, "nodule")
    page.get_by_test_id("side-right").click()
    page.get_by_test_id("zone-upper").click()
    wait_until(page, lambda: (d := drafts(house, CLICKED).get("nodule")) is not None and d.zone is Zone.UPPER)
    assert drafts(house, CLICKED)["nodule"].side is Side.RIGHT
    page.get_by_test_id("say-nodule-present").click()
    says(page, "nodule", "present", False)
    wait_until(page, lambda: drafts(house, CLICKED)["nodule"].state is State.UNASSESSED)
    assert drafts(house, CLICKED)["nodule"].side is None
    pressed(page, "z")
    says(page, "nodule", "present")
    wait_until(page, lambda: drafts(house, CLICKED)["nodule"].side is Side.RIGHT)


def test_a_click_on_a_word_leaves_enter_to_the_study(page: Page, house: House) -> None:
    page.get_by_test_id("say-edema-absent").click()
    says(page, "edema", "absent")
    pressed(page, "Enter")
    expect(page.locator(".bar .step.here")).to_have_text("submitted")
    assert [each.state for each in current(house, CLICKED, "edema")] == [State.ABSENT]


def test_a_row_picked_before_its_film_lies_in_the_editor_is_in_hand_when_it_does(page: Page) -> None:
    page.get_by_test_id("finding-heart").click()
    deed = {"kind": "pick", "study": str(BLIND), "finding": "edema"}
    page.evaluate("deed => dispatchEvent(new CustomEvent('reading-room-deed', { detail: deed }))", deed)
    in_hand(page, "heart")
    pressed(page, "n")
    expect(page.get_by_test_id("bar-patient")).to_have_text(f"patient-film{BLIND}")
    in_hand(page, "edema")
    expect(page.get_by_test_id("editor-finding-edema")).to_have_attribute("aria-pressed", "true")
    go_to(page, CLICKED)


def test_a_row_picked_in_haste_is_in_hand_wherever_one_looks(page: Page) -> None:
    for finding, name in (("pneumothorax", "Pneumothorax"), ("heart", "Heart"), ("pneumothorax", "Pneumothorax")):
        page.get_by_test_id(f"finding-{finding}").click()
        page.get_by_role("button", name="Box or polygon").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("combobox", name="Finding")).to_have_value(name)
        dialog.get_by_role("button", name="Close").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        in_hand(page, finding)
        expect(page.get_by_test_id(f"editor-finding-{finding}")).to_have_attribute("aria-pressed", "true")


def test_the_model_s_number_shows_where_it_looked(page: Page) -> None:
    number = page.get_by_test_id("model-pleural_effusion")
    expect(number).to_have_text(".91")
    expect(number).to_have_attribute("title", re.compile(r"^classification-v\d+: \.91, present from \.43"))
    number.hover()
    pane = page.get_by_test_id("editor-pane")
    expect(pane).to_have_attribute("data-map", "pleural_effusion")
    page.get_by_test_id("finding-nodule").hover()
    expect(pane).to_have_attribute("data-map", "")


def test_the_report_s_sign_lights_up_its_sentence_and_the_sentence_its_finding(page: Page) -> None:
    sentence = page.get_by_test_id("sentence-1")
    expect(sentence).to_have_text(EFFUSION)
    page.get_by_test_id("report-pleural_effusion").hover()
    expect(sentence).to_have_class(re.compile("evidence"))
    expect(page.get_by_test_id("sentence-0")).not_to_have_class(re.compile("evidence"))
    page.get_by_test_id("finding-nodule").hover()
    expect(sentence).not_to_have_class(re.compile("evidence"))
    page.get_by_test_id("report-pleural_effusion").click()
    page.get_by_test_id("finding-nodule").hover()
    expect(sentence).to_have_class(re.compile("evidence"))
    sentence.hover()
    expect(page.locator(".line.spoken")).to_have_count(1)
    expect(page.locator(".line.spoken")).to_contain_text("Pleural effusion")
    assert "Heard: Pleural effusion present left" in (sentence.get_attribute("title") or "")


def test_a_finding_with_markup_in_its_name_is_only_text(page: Page, house: House) -> None:
    labelling.set_state(house, "Ana", CLICKED, "odd", State.PRESENT)
    page.reload()
    expect(page.get_by_test_id("finding-odd")).to_contain_text("<i id=odd>Odd</i>")
    expect(page.locator("#odd")).to_have_count(0)


def test_a_suggestion_taken_over_by_key_is_offered_no_more(page: Page, house: House) -> None:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[40:80, 40:80] = True
    suggest(house, CLICKED, "heart", mask)
    go_to(page, CLICKED)
    expect(page.get_by_test_id("panel-accept")).to_be_visible()
    pressed(page, "t")
    expect(page.get_by_test_id("panel-accept")).to_have_count(0)
    expect(page.get_by_test_id("finding-heart")).to_contain_text("draft")
    saved(page)
    pressed(page, "z")
    expect(page.get_by_test_id("panel-accept")).to_be_visible()
    page.get_by_test_id("panel-correct").click()
    expect(page.get_by_test_id("panel-accept")).to_have_count(0)
    in_hand(page, "heart")


def test_a_study_that_judges_the_models_is_assessed_without_them(page: Page, house: House) -> None:
    go_to(page, BLIND)
    expect(page.get_by_text("Read without suggestions")).to_be_visible()
    expect(page.get_by_test_id("model-pleural_effusion")).to_have_count(0)
    pressed(page, "s")
    saved(page)
    pressed(page, "Enter")
    expect(page.locator(".bar .step.here")).to_have_text("submitted")
    [version] = [each for each in labelling.history(house, BLIND) if each.source is Source.READER]
    assert not version.suggested


def test_two_tabs_that_say_different_things_are_told_and_both_are_kept(page: Page, house: House) -> None:
    go_to(page, DISPUTED)
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_test_id("finding-edema")).to_be_visible()
    other.locator("[data-testid=editor-pane][data-film=stored]").first.wait_for()
    page.get_by_test_id("say-edema-present").click()
    saved(page)
    other.get_by_test_id("say-edema-absent").click()
    expect(other.get_by_test_id("editor-notice-conflict-edema")).to_contain_text("Both are kept; look under Versions.")
    kept = {draft.state for draft in labelling.open_labels(house, "Ana", DISPUTED).drafts if draft.finding == "edema"}
    assert kept == {State.PRESENT, State.ABSENT}
    other.get_by_role("button", name=re.compile("^Versions")).click()
    expect(other.get_by_role("dialog").get_by_text("Draft, line 2", exact=True)).to_be_visible()
    other.get_by_role("dialog").get_by_role("button", name="Put this draft aside").click()
    expect(other.get_by_role("dialog")).to_have_count(0)
    [left] = [draft for draft in labelling.open_labels(house, "Ana", DISPUTED).drafts if draft.finding == "edema"]
    assert left.state is State.PRESENT
    other.close()


def test_a_word_survives_a_server_that_dies_before_it_heard_of_it(
    page: Page, house: House, workstation: Workstation
) -> None:
    go_to(page, DISPUTED)
    killed: list[int] = []

    def kill_first(route: Route) -> None:
        if not killed:
            killed.append(kill_server(workstation))
        route.continue_()

    page.route("**/rr/labels/**", kill_first)
    pressed(page, "Shift+D")
    expect(page.get_by_test_id("editor-notice-save")).to_contain_text("The server does not answer.")
    assert len(killed) == 1
    page.unroute("**/rr/labels/**")
    saved(page)
    said = drafts(house, DISPUTED)
    assert said["pneumonia"].state is State.ABSENT
    assert len(said) >= 14
    page.reload()
    says(page, "pneumonia", "absent")


def test_a_word_whose_acknowledgement_was_lost_is_kept_once(page: Page, house: House, workstation: Workstation) -> None:
    go_to(page, DISPUTED)
    lost: list[str] = []

    def lose_first(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.request.url)
        assert route.fetch().ok
        kill_server(workstation)
        route.abort()

    page.route("**/rr/labels/**", lose_first)
    page.get_by_test_id("say-pneumonia-uncertain").click()
    expect(page.get_by_test_id("editor-notice-save")).to_be_visible()
    page.unroute("**/rr/labels/**")
    saved(page)
    lines = [each for each in labelling.open_labels(house, "Ana", DISPUTED).drafts if each.finding == "pneumonia"]
    assert [(draft.state, draft.branch) for draft in lines] == [(State.UNCERTAIN, 1)]


def test_a_word_follows_after_a_reload_over_a_dead_server(page: Page, house: House) -> None:
    go_to(page, DISPUTED)
    page.once("dialog", lambda dialog: dialog.accept())
    page.route("**/rr/labels/**", lambda route: route.abort())
    page.get_by_test_id("say-fracture-present").click()
    expect(page.get_by_test_id("editor-notice-save")).to_be_visible()
    page.reload()
    page.unroute("**/rr/labels/**")
    says(page, "fracture", "present")
    wait_until(page, lambda: drafts(house, DISPUTED)["fracture"].state is State.PRESENT)


def test_readers_who_differ_are_settled_with_one_click(page: Page, house: House) -> None:
    go_to(page, DISPUTED)
    pressed(page, "Enter")
    expect(page.locator(".bar .step.here")).to_have_text("submitted")
    labelling.set_state(house, "Ben", DISPUTED, "fracture", State.ABSENT)
    labelling.set_state(house, "Ben", DISPUTED, "edema", State.PRESENT)
    reviewing.submit(house, "Ben", DISPUTED)
    page.goto(page.url.split("/review")[0] + "/?has=disagreement")
    row = page.locator("a.row").filter(has_text=f"patient-film{DISPUTED}")
    expect(row).to_contain_text("Fracture")
    expect(row).to_contain_text("readers differ")
    page.context.add_cookies([{"name": "reading-room-reader", "value": "Lee", "url": page.url.split("/?")[0]}])
    page.reload()
    row.click()
    in_hand(page, "fracture")
    voices = page.get_by_test_id("voices")
    expect(voices).to_contain_text("Ana")
    expect(voices).to_contain_text("Ben")
    page.get_by_test_id("settle-present").click()
    expect(page.get_by_test_id("settle-present")).to_have_attribute("aria-pressed", "true")
    saved(page)
    [settled] = [each for each in current(house, DISPUTED, "fracture") if each.source is Source.ADJUDICATED]
    assert (settled.reader, settled.state) == ("Lee", State.PRESENT)
    with house.database.reading() as session:
        assert studies.get_study(session, DISPUTED).state is ReviewState.SUBMITTED
    page.goto(page.url.split("/review")[0] + "/?has=disagreement")
    expect(row).to_have_count(0)


def test_what_was_settled_is_seen_by_the_readers_and_can_be_opened_again(page: Page, house: House) -> None:
    go_to(page, DISPUTED, "Ana")
    page.get_by_test_id("voices-fracture").click()
    expect(page.get_by_test_id("settle-present")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_title(re.compile("^Lee, "))).to_be_visible()
    page.get_by_test_id("settle-present").click()
    expect(page.get_by_test_id("settle-present")).to_have_attribute("aria-pressed", "false")
    wait_until(page, lambda: not any(v.source is Source.ADJUDICATED for v in current(house, DISPUTED, "fracture")))


def test_a_page_without_its_token_is_refused_in_a_sentence(page: Page, house: House) -> None:
    before = labelling.history(house, KEYED)
    refused = page.evaluate(
        "async () => { const answer = await fetch('/rr/labels/1/nodule', {method: 'POST', body: '{}'});"
        " return [answer.status, (await answer.json()).error]; }"
    )
    assert refused == [403, "This page may not save here. Reload it; the drawing is kept in the editor."]
    assert labelling.history(house, KEYED) == before


def kill_server(workstation: Workstation) -> int:
    """The web server dies at once, by its own number; `serve` starts another."""
    asked = f"app.server --port {urlsplit(workstation.url).port}"
    listed = subprocess.run(["ps", "-ww", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    [number] = [int(line.split()[0]) for line in listed.splitlines() if asked in line]
    os.kill(number, signal.SIGKILL)
    return number
