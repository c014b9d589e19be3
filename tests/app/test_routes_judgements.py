"""Judgements of reports as the browser posts them: kept before acknowledged, told of conflicts, or refused."""

import pytest
from httpx import Response
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app.house import House
from app.routes import routes
from app.routes.judgements import MOST_BYTES
from app.security import Gatekeeper, issue_token
from core.writing import NewWriting, WrittenSentence
from db import audit, judgements, models, people, writings
from db.models import NewModel
from tests.making import put, study

OURS = {"Origin": "http://localhost:8501"}
PINNED = {
    "kind": "false finding",
    "significant": True,
    "severity": 4,
    "passage": {"section": "findings", "start": 13, "end": 21, "words": "enlarged"},
    "replacement": "normal",
}
ELSEWHERE = {"section": "findings", "start": 0, "end": 3, "words": "His"}
SAID = {
    "errors": [PINNED],
    "quality": {"overall": 2, "would_sign": 1},
    "corrected": {"findings": "Now the heart is enlarged."},
}


@pytest.fixture
def client(house: House) -> TestClient:
    put(house, "d", study("a"))
    with house.database.writing() as session:
        model = models.register(session, NewModel("generation", "f", {}, (), "report_f1", {}), "tester").name
        writings.add(session, model, [NewWriting(1, (WrittenSentence("findings", "The heart is enlarged."),))])
    app = Starlette(routes=routes(house), middleware=[Middleware(Gatekeeper)])
    return TestClient(app, base_url="http://localhost:8501", raise_server_exceptions=False)


def post(client: TestClient, house: House, body: object = SAID, address: str = "1", reader: str = "ana") -> Response:
    headers = OURS | {"X-Reading-Room-Token": issue_token(house.workspace, reader, "session-1")}
    return client.post(f"/rr/judgements/{address}", json=body, headers=headers)


def test_a_judgement_is_on_record_when_it_is_acknowledged_and_its_errors_are_followed(
    client: TestClient, house: House
) -> None:
    told = post(client, house).json()
    assert told["conflict"] is None
    assert told["standing"] == [{"start": 17, "end": 25, "standing": "moved"}]
    with house.database.writing() as session:
        found = judgements.newest(session, people.ensure_reader(session, "ana"), 1)
    assert found is not None and found.id == told["judgement"] and not found.submitted


def test_a_judgement_counts_once_it_is_submitted_and_the_trail_tells_of_it(client: TestClient, house: House) -> None:
    number = post(client, house).json()["judgement"]
    assert post(client, house, address=f"1/submitted/{number}").status_code == 200
    with house.database.reading() as session:
        (found,) = judgements.submitted(session)
        (version,) = judgements.revisions(session, 1)
        event = audit.events(session, "writing 1")[0]
    assert found.id == number and version.sections == (("findings", "Now the heart is enlarged."),)
    assert (event.actor, event.action) == ("ana", "report judged")
    assert event.detail == "1 errors, overall 2, would sign 1, corrected"


def test_another_tab_that_goes_on_from_the_same_judgement_is_told(client: TestClient, house: House) -> None:
    first = post(client, house).json()["judgement"]
    post(client, house, SAID | {"corrected": {}}, f"1?parent={first}")
    told = post(client, house, SAID | {"errors": []}, f"1?parent={first}").json()
    assert "Both judgements are kept" in told["conflict"]


@pytest.mark.parametrize(
    ("address", "body", "status", "words"),
    [
        ("7", SAID, 404, "no written report number 7"),
        ("x", SAID, 400, "whole number"),
        ("1?parent=99", SAID, 404, "no judgement number 99"),
        ("1", [1], 400, "cannot be read"),
        ("1", {"quality": {"overall": 7, "would_sign": 1}}, 400, "from 1, not at all"),
        ("1", {"errors": [PINNED | {"passage": ELSEWHERE}]}, 400, "Mark the passage again"),
        ("1", {"corrected": {"findings": "a" * MOST_BYTES}}, 413, "larger than it can be"),
        ("1/submitted/9", {}, 404, "no judgement number 9"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_in_a_sentence(
    client: TestClient, house: House, address: str, body: object, status: int, words: str
) -> None:
    answer = post(client, house, body, address)
    assert answer.status_code == status
    assert words in answer.json()["error"]


def test_a_judgement_without_a_rating_or_of_another_reader_does_not_count(client: TestClient, house: House) -> None:
    number = post(client, house, {"errors": [PINNED]}).json()["judgement"]
    unrated = post(client, house, address=f"1/submitted/{number}")
    assert (unrated.status_code, "would sign" in unrated.json()["error"]) == (400, True)
    assert post(client, house, address=f"1/submitted/{number}", reader="ben").status_code == 403


def test_without_a_signed_word_for_whom_nothing_is_kept(client: TestClient, house: House) -> None:
    assert client.post("/rr/judgements/1", json=SAID, headers=OURS).status_code == 403
