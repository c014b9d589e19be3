"""Searching in the browser: by words, by a film, from a study, and the cases beside the one that is read."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from app.house import House, local_reader, open_house
from app.services import searching
from core.studies import Split, View
from core.workspace import Workspace
from data.passing import Passing
from data.png import grey
from db import people, reviews
from tests.browser.conftest import PATIENCE, Workstation
from tests.trainers.conftest import House as Drawn
from tests.trainers.reported import add_reported, drawn, learn, put_in_use

STUDIES = 24
LONG = 2 * PATIENCE


@pytest.fixture(scope="module")
def house(workstation: Workstation) -> Iterator[House]:
    """The workstation's own workspace, with drawn films and their reports."""
    opened = open_house(Workspace(workstation.home))
    add_reported(Drawn(opened.workspace, opened.database), "drawn", STUDIES)
    yield opened
    opened.database.close()


@pytest.fixture(scope="module")
def searchable(house: House) -> House:
    """With a model in use, whose index the workstation's own worker made."""
    ours = Drawn(house.workspace, house.database)
    learn(ours, ours.freeze("drawn-1", "drawn"), "small")
    put_in_use(ours, "small")
    return house


def found(page: Page) -> Locator:
    return page.get_by_test_id("hits").locator("a.card")


def search_for(page: Page, words: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(words)
    box.press("Enter")


def go_to(page: Page, address: str) -> None:
    page.goto(f"{page.url.split('/', 3)[0]}//{page.url.split('/', 3)[2]}/{address}")


def test_without_a_model_the_screen_says_what_to_do(page: Page, house: House) -> None:
    go_to(page, "search")
    expect(page.get_by_text("Studies cannot be searched by meaning yet.")).to_be_visible()
    expect(page.get_by_role("button", name="Train a model")).to_be_visible()


def test_the_index_is_made_in_the_background_and_told_meanwhile(page: Page, searchable: House) -> None:
    page.reload()
    for _ in range(LONG // 500):
        if searching.standing(searchable).answering is not None:
            break
        page.wait_for_timeout(500)
    standing = searching.standing(searchable)
    assert standing.answering is not None and standing.pending == 0 and not standing.is_behind


def test_words_find_films_and_a_key_opens_one(page: Page, searchable: House) -> None:
    page.reload()
    expect(page.get_by_role("button", name="Enlarged heart")).to_be_visible()
    search_for(page, "There is a huge square. It lies upper left.")
    expect(found(page)).to_have_count(12, timeout=LONG)
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_in_viewport()
    expect(found(page).first.locator("b")).to_be_in_viewport()
    expect(found(page).first.locator(".source")).to_have_text("imported")
    expect(page.get_by_test_id("search-told")).to_have_text(f"retrieval-v1, among {STUDIES} studies")
    expect(found(page).first.locator(".line")).to_contain_text("There is a")
    first = found(page).first
    expect(first.locator(".heat")).to_have_css("opacity", "0")
    first.hover()
    expect(first.locator(".heat")).to_have_css("opacity", "0.7")
    page.mouse.move(0, 0)
    page.keyboard.press("ArrowDown")
    expect(first).to_be_focused()
    title = first.locator("b").inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("bar-patient")).to_have_text(title)


def test_going_back_brings_what_was_found_though_similar_cases_are_awaited(page: Page) -> None:
    page.get_by_test_id("stPageLink-NavLink").filter(has_text="Search").click()
    expect(found(page)).to_have_count(12)


def test_filters_come_before_the_ranking_and_may_leave_nothing(page: Page) -> None:
    choose(page, "View", "lateral")
    expect(page.get_by_test_id("search-told")).to_contain_text(f"among {STUDIES} studies")
    choose(page, "Split", "Test")
    expect(page.get_by_test_id("search-told")).to_contain_text(f"among {STUDIES // 4} studies")
    expect(found(page)).to_have_count(STUDIES // 4)
    choose(page, "Finding", "Pneumothorax")
    expect(page.get_by_text("No searchable study passes these filters")).to_be_visible()


def test_a_query_that_says_nothing_is_answered_with_a_sentence(page: Page) -> None:
    go_to(page, "search")
    search_for(page, "...")
    expect(page.get_by_text("There is nothing to search for")).to_be_visible()


def test_markup_in_a_query_is_only_text(page: Page) -> None:
    search_for(page, "<b id=odd>square</b>")
    expect(page.get_by_test_id("search-words")).to_have_text("<b id=odd>square</b>")
    assert page.locator("#odd").count() == 0


def test_a_dropped_film_finds_studies_and_is_forgotten(page: Page, searchable: House, tmp_path: Path) -> None:
    go_to(page, "search")
    film = tmp_path / "film.png"
    film.write_bytes(grey(drawn(4, View.PA)))
    page.locator("[data-testid=stChatInput] input[type=file]").set_input_files(film)
    expect(page.get_by_test_id("stChatInput").get_by_text("film.png")).to_be_visible()
    page.get_by_test_id("stChatInputSubmitButton").click()
    expect(found(page)).to_have_count(12, timeout=LONG)
    expect(page.locator("img.rr-asked")).to_be_visible()
    assert len(list(Passing.of(searchable.workspace).places())) == 1
    page.get_by_role("button", name="Forget this film").click()
    expect(page.locator("img.rr-asked")).to_have_count(0)
    assert list(Passing.of(searchable.workspace).places()) == []


def test_a_film_that_is_none_of_the_chest_is_answered_with_a_caution(page: Page, tmp_path: Path) -> None:
    go_to(page, "search")
    odd = tmp_path / "odd.png"
    odd.write_bytes(grey((np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)))
    page.locator("[data-testid=stChatInput] input[type=file]").set_input_files(odd)
    page.get_by_test_id("stChatInputSubmitButton").click()
    expect(page.get_by_text("unlike those that the model learned from")).to_be_visible(timeout=LONG)
    expect(found(page)).to_have_count(12)


def number_in(searchable: House, split: Split) -> int:
    return next(n for n in range(1, STUDIES + 1) if searching.study(searchable, n).split is split)


def seen_similar(searchable: House) -> bool:
    """Whether what the reader says of the blind study counts as informed from now on."""
    with searchable.database.writing() as session:
        reader = people.ensure_reader(session, local_reader())
        return reviews.saw_similar(session, number_in(searchable, Split.TEST), reader)


def test_similar_cases_stand_beside_the_one_that_is_read(page: Page, searchable: House) -> None:
    number = number_in(searchable, Split.TRAIN)
    go_to(page, f"review?study={number}")
    expect(found(page)).to_have_count(4, timeout=LONG)
    assert page.get_by_test_id(f"hit-{number}").count() == 0
    title, there = found(page).first.locator("b").inner_text(), found(page).first.get_attribute("data-testid")
    assert there is not None
    found(page).first.click()
    expect(page.get_by_test_id("bar-patient")).to_have_text(title)
    expect(page.get_by_test_id(there)).to_have_count(0)
    expect(found(page)).to_have_count(4, timeout=LONG)
    page.get_by_role("button", name="Hide", exact=True).click()
    expect(found(page)).to_have_count(0)
    page.get_by_role("button", name="Show", exact=True).click()
    expect(found(page)).to_have_count(4)


def test_a_study_that_is_read_blind_shows_none_unless_asked(page: Page, searchable: House) -> None:
    go_to(page, f"review?study={number_in(searchable, Split.TEST)}")
    show = page.get_by_role("button", name="Show", exact=True)
    expect(show).to_be_visible()
    expect(found(page)).to_have_count(0)
    assert not seen_similar(searchable)
    show.click()
    expect(found(page)).to_have_count(4, timeout=LONG)
    assert seen_similar(searchable)
    page.get_by_role("button", name="All", exact=True).click()
    expect(found(page)).to_have_count(12, timeout=LONG)
    expect(page.get_by_role("button", name="Back to the study")).to_be_visible()


def choose(page: Page, name: str, option: str) -> None:
    box = page.get_by_role("combobox", name=name)
    box.fill(option)
    page.get_by_role("option", name=option, exact=True).click()
