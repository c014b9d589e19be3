from app.house import House
from app.screens.worklist import Shown
from app.services import labelling, reviewing
from core.findings import State
from core.reviews import ReviewState
from core.studies import View, WorklistFilter, WorklistSort
from core.workspace import Workspace
from db import findings
from tests.app.conftest import STUDIES
from tests.app.screen import part, press, screen, words
from tests.judging import judge
from tests.making import read_study


def test_an_empty_house_says_what_to_do_next_and_leads_there(place: Workspace) -> None:
    at = screen("worklist")
    assert "No study is here yet." in words(at)
    assert "Look first" in [button.label for button in press(at, "Import studies").button]


def test_it_lists_every_study_with_its_state_and_its_film(demo: House) -> None:
    rows = part(screen("worklist"), "table")["rows"]
    assert len(rows) == STUDIES
    assert {row["state"] for row in rows} == {"unread"}
    assert all(row["thumbnails"][0].startswith("/rr/thumbnail/") for row in rows)


def test_every_screen_says_that_it_is_for_research(demo: House) -> None:
    for name in ("worklist", "review", "train", "models", "data"):
        assert "For research, not for clinical decisions." in words(screen(name))


def test_a_filter_in_the_address_is_kept_over_a_reload(demo: House) -> None:
    reviewing.submit(demo, "tester", 3)
    at = screen("worklist", state="submitted")
    assert [row["id"] for row in part(at, "table")["rows"]] == [3]
    assert at.query_params["state"] == "submitted"


def test_a_chosen_filter_goes_into_the_address(demo: House) -> None:
    at = screen("worklist")
    at.selectbox(key="worklist-finding").select("heart").run()
    assert at.query_params["finding"] == "heart"
    assert all(any(f["name"] == "Heart" for f in row["findings"]) for row in part(at, "table")["rows"])


def test_the_search_reads_the_reports(demo: House) -> None:
    at = screen("worklist")
    at.text_input(key="worklist-search").input("nosuchword").run()
    assert "No study passes these filters." in words(at)
    press(at, "Clear all filters")
    assert len(part(at, "table")["rows"]) == STUDIES


def test_next_study_opens_the_one_that_the_queue_offers(demo: House) -> None:
    reviewing.submit(demo, "tester", 1)
    at = press(screen("worklist"), "Next study")
    assert part(at, "mask_editor")["study_id"] == "2"
    assert part(at, "bar")["why"]


def test_where_sources_disagree_one_sees_who_says_what(demo: House) -> None:
    said = {2: "pleural_effusion", 3: "cardiomegaly"}
    for number, finding in said.items():
        film = read_study(demo, number).images[0]
        judge(demo, film.id, finding, 0.07, State.ABSENT)
        for name, state in (("Ada", State.PRESENT), ("Ben", State.ABSENT)):
            labelling.set_state(demo, name, number, finding, state)
            reviewing.submit(demo, name, number)
    at = screen("worklist", has="disagreement")
    rows = {row["id"]: row for row in part(at, "table")["rows"]}
    assert set(said) <= rows.keys()
    [chip] = [chip for chip in rows[3]["disputes"] if chip["name"] == "Cardiomegaly"]
    assert "readers differ" in chip["says"]
    assert "model − .07" in chip["says"]
    assert all(row["disputes"] for row in rows.values())
    assert all(row["disputes"] == [] for row in part(screen("worklist"), "table")["rows"])


def test_who_settles_is_led_from_one_disputed_study_to_the_next_though_they_were_submitted(demo: House) -> None:
    for number in (2, 5):
        for name, state in (("Ada", State.PRESENT), ("Ben", State.ABSENT)):
            labelling.set_state(demo, name, number, "fracture", state)
            reviewing.submit(demo, name, number)
    disputed = WorklistFilter(disagrees=True)
    assert reviewing.next_study(demo, disputed) == (2, "readers disagree on fracture")
    assert reviewing.next_study(demo, disputed, after=2) == (5, "readers disagree on fracture")
    labelling.adjudicate(demo, "Lee", 2, "fracture", State.ABSENT)
    assert reviewing.next_study(demo, disputed, after=5) is None


def test_a_page_past_the_last_shows_the_last(demo: House) -> None:
    assert len(part(screen("worklist", page="40"), "table")["rows"]) == STUDIES


def test_words_that_mean_nothing_in_an_address_are_passed_over(demo: House) -> None:
    assert len(part(screen("worklist", state="asleep", page="-1", sort="luck"), "table")["rows"]) == STUDIES


def test_an_address_says_all_that_is_shown_and_reads_back_the_same() -> None:
    shown = Shown(
        WorklistFilter(
            ReviewState.DRAFT,
            "demo",
            "heart",
            View.PA,
            has_mask=True,
            has_suggestion=True,
            reader="Ada",
            search="left",
            disagrees=True,
        ),
        WorklistSort.PATIENT,
        3,
    )
    assert Shown.from_address(shown.to_address()) == shown
    assert Shown().to_address() == {}


def test_a_reader_can_be_added_and_is_at_the_screen_then(demo: House) -> None:
    at = screen("worklist")
    next(box for box in at.text_input if box.label == "Another reader").input("Ada Byron")
    press(at, "Add and switch")
    assert part(at, "presence")["reader"] == "Ada Byron"


def test_a_retired_finding_is_still_named_on_the_studies_that_have_it(demo: House) -> None:
    with demo.database.writing() as session:
        findings.retire_finding(session, "heart", "tester")
    rows = part(screen("worklist"), "table")["rows"]
    assert any(chip["name"] == "Heart" for row in rows for chip in row["findings"])
