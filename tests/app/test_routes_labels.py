"""Words on findings as the browser posts them: kept before acknowledged, forked and told, refused in sentences."""

from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from httpx import Response
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app.house import House
from app.routes import routes
from app.security import Gatekeeper, issue_token
from app.services import labelling, reviewing
from core.findings import Side, State
from core.labels import Source, Zone
from core.reviews import ReviewState
from db import audit
from db.engine import DatabaseBusy
from tests.making import put, read_study, study

OURS = {"Origin": "http://localhost:8501"}
PRESENT = {"state": "present", "side": "left", "zone": "lower"}


@pytest.fixture
def client(house: House) -> TestClient:
    put(house, "d", study("a"))
    app = Starlette(routes=routes(house), middleware=[Middleware(Gatekeeper)])
    return TestClient(app, base_url="http://localhost:8501", raise_server_exceptions=False)


def post(
    client: TestClient,
    house: House,
    word: object = PRESENT,
    reader: str = "ana",
    query: str = "",
    address: str = "1/nodule",
) -> Response:
    headers = OURS | {"X-Reading-Room-Token": issue_token(house.workspace, reader, "session-1")}
    return client.post(f"/rr/labels/{address}?{query}", json=word, headers=headers)


def test_a_word_is_on_record_when_it_is_acknowledged(client: TestClient, house: House) -> None:
    told = post(client, house).json()
    assert (told["branch"], told["conflict"]) == (1, None)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(told["saved_at"])).total_seconds()) < 60
    draft = labelling.open_labels(house, "ana", 1).line("nodule").draft
    assert draft is not None
    assert (draft.id, draft.state, draft.side, draft.zone) == (told["draft"], State.PRESENT, Side.LEFT, Zone.LOWER)
    assert read_study(house).state is ReviewState.DRAFT


def test_a_word_goes_on_from_the_word_before_and_sent_twice_is_kept_once(client: TestClient, house: House) -> None:
    first = post(client, house).json()["draft"]
    second = post(client, house, {"state": "absent"}, query=f"parent={first}&base=").json()
    again = post(client, house, {"state": "absent"}, query=f"parent={first}&base=").json()
    assert (second["branch"], second["conflict"]) == (1, None)
    assert (again["draft"], again["conflict"]) == (second["draft"], None)


def test_a_second_tab_is_told_and_both_words_are_kept(client: TestClient, house: House) -> None:
    first = post(client, house).json()["draft"]
    post(client, house, {"state": "absent"}, query=f"parent={first}")
    other = post(client, house, {"state": "uncertain"}, query=f"parent={first}").json()
    assert "another tab" in other["conflict"]
    assert {draft.state for draft in labelling.open_labels(house, "ana", 1).drafts} == {State.ABSENT, State.UNCERTAIN}


def test_what_settles_is_on_record_with_who_and_when_and_sent_twice_is_kept_once(
    client: TestClient, house: House
) -> None:
    told = post(client, house, reader="lee", address="1/nodule/settled").json()
    again = post(client, house, reader="lee", address="1/nodule/settled").json()
    assert (again["version"], again["conflict"]) == (told["version"], None)
    [version] = labelling.history(house, 1, "nodule")
    assert (version.id, version.source, version.reader) == (told["version"], Source.ADJUDICATED, "lee")
    assert version.created_at == datetime.fromisoformat(told["saved_at"])
    with house.database.reading() as session:
        assert [event.actor for event in audit.events(session) if event.action == "adjudicate"] == ["lee"]


def test_what_settles_can_be_taken_back(client: TestClient, house: House) -> None:
    post(client, house, address="1/nodule/settled")
    assert post(client, house, {"state": "unassessed"}, address="1/nodule/settled").status_code == 200
    assert labelling.open_labels(house, "ana", 1).line("nodule").adjudicated is None


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ({"state": "maybe"}, '"maybe" is no state of a finding. Name one of present, absent, uncertain, unassessed'),
        ({"state": 1}, '"1" is no state'),
        ({"state": True}, '"True" is no state'),
        ({"state": ["present"]}, "is no state"),
        ({}, "The state is missing"),
        ({"side": "left"}, "The state is missing"),
        ({"state": "present", "side": "middle"}, '"middle" is no side of a finding. Name one of left, right, both'),
        ({"state": "present", "zone": "apical"}, '"apical" is no zone of a finding. Name one of upper, mid, lower'),
        ({"state": "absent", "side": "left"}, "A finding that is absent has no side and no zone."),
        ({"state": "unassessed", "zone": "mid"}, "A finding that is unassessed has no side and no zone."),
        ([], "JSON"),
        ("present", "JSON"),
        (None, "JSON"),
    ],
)
@pytest.mark.parametrize("address", ["1/nodule", "1/nodule/settled"])
def test_what_cannot_be_said_is_refused_in_a_sentence(
    client: TestClient, house: House, word: object, says: str, address: str
) -> None:
    refused = post(client, house, word, address=address)
    assert refused.status_code == 400
    assert says in refused.json()["error"]
    assert refused.json()["error"].endswith((".", "}."))
    assert labelling.history(house, 1) == ()
    assert labelling.open_labels(house, "ana", 1).drafts == ()


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 900, b'{"state": "present"'])
def test_a_body_that_is_no_json_is_refused(client: TestClient, house: House, body: bytes) -> None:
    headers = OURS | {"X-Reading-Room-Token": issue_token(house.workspace, "ana", "session-1")}
    assert client.post("/rr/labels/1/nodule", content=body, headers=headers).status_code == 400


def test_a_body_longer_than_a_word_is_refused(client: TestClient, house: House) -> None:
    refused = post(client, house, {"state": "present", "more": "x" * 2000})
    assert refused.status_code == 413
    assert "larger than it can be" in refused.json()["error"]


@pytest.mark.parametrize("query", ["parent=x", "base=-1", "parent=1e3", "parent=" + "9" * 30])
def test_numbers_that_are_none_are_refused(client: TestClient, house: House, query: str) -> None:
    assert post(client, house, query=query).status_code == 400


@pytest.mark.parametrize("address", ["x/nodule", "-1/nodule", "9999999999999999999999/nodule", "x/nodule/settled"])
def test_a_study_that_is_no_number_is_refused(client: TestClient, house: House, address: str) -> None:
    assert post(client, house, address=address).status_code == 400


@pytest.mark.parametrize("address", ["99/nodule", "1/unheard_of", "99/nodule/settled", "1/unheard_of/settled"])
def test_what_is_not_on_record_is_not_found(client: TestClient, house: House, address: str) -> None:
    refused = post(client, house, address=address)
    assert refused.status_code == 404
    assert refused.json()["error"].endswith(".")


def test_a_word_on_what_is_not_known_here_is_not_found(client: TestClient, house: House) -> None:
    assert post(client, house, query="parent=99").status_code == 404
    assert post(client, house, query="base=99").status_code == 404


def test_another_readers_token_cannot_go_on_with_a_word(client: TestClient, house: House) -> None:
    anas = post(client, house).json()["draft"]
    refused = post(client, house, {"state": "absent"}, reader="ben", query=f"parent={anas}")
    assert refused.status_code == 403
    assert "another reader" in refused.json()["error"]


@pytest.mark.parametrize("address", ["1/nodule", "1/nodule/settled"])
@pytest.mark.parametrize("token", ["", "nonsense", "W10.abc.def"])
def test_a_word_without_a_token_of_ours_is_refused(client: TestClient, token: str, address: str) -> None:
    refused = client.post(f"/rr/labels/{address}", json=PRESENT, headers=OURS | {"X-Reading-Room-Token": token})
    assert refused.status_code == 403
    assert "Reload" in refused.json()["error"]


@pytest.mark.parametrize("address", ["1/nodule", "1/nodule/settled"])
def test_a_page_of_another_site_may_not_say_anything(client: TestClient, house: House, address: str) -> None:
    headers = {"X-Reading-Room-Token": issue_token(house.workspace, "ana", "session-1")}
    for origin in ({}, {"Origin": "http://evil.example"}, OURS | {"Sec-Fetch-Site": "cross-site"}):
        assert client.post(f"/rr/labels/{address}", json=PRESENT, headers=headers | origin).status_code == 403
    assert labelling.history(house, 1) == ()


def test_a_busy_database_is_told(client: TestClient, house: House) -> None:
    with patch("app.services.labelling.label_drafts.save_draft", side_effect=DatabaseBusy):
        assert post(client, house).status_code == 503


def test_a_submitted_study_goes_back_to_draft_when_a_word_changes(client: TestClient, house: House) -> None:
    post(client, house)
    reviewing.submit(house, "ana", 1)
    base = labelling.history(house, 1, "nodule")[0].id
    told = post(client, house, {"state": "absent"}, query=f"base={base}").json()
    assert told["conflict"] is None
    assert read_study(house).state is ReviewState.DRAFT
