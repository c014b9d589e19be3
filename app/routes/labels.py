"""What readers say of findings, kept as they say it: a word before it is acknowledged, and the word that settles."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.house import House
from app.routes.answers import TOKEN_HEADER, in_sentences
from app.routes.bodies import body_of
from app.routes.numbers import parse, whole_number
from app.security import read_token
from app.services import labelling
from core.errors import ReadingRoomError
from core.findings import Side, State
from core.labels import LabelVersion, SavedLabel, Zone

MOST_BYTES = 1000

Choice = TypeVar("Choice", bound=StrEnum)


class NoWord(ReadingRoomError):
    """A body that says nothing of a finding, or what cannot be said."""


@dataclass(frozen=True)
class Word:
    state: State
    side: Side | None = None
    zone: Zone | None = None


def label_routes(house: House) -> list[Route]:
    """`POST /labels/{study}/{finding}` keeps a reader's word as a draft, and under it `/settled` the word that settles.

    The body is {"state": ..., "side": ..., "zone": ...}; the token names the reader.
    """

    async def save(request: Request) -> Response:
        reader = read_token(house.workspace, request.headers.get(TOKEN_HEADER, "")).reader
        parent, base = whole_number(request, "parent"), whole_number(request, "base")
        study, finding = parse("study", request.path_params["study"]), request.path_params["finding"]
        word = word_in(await body_of(request, MOST_BYTES, "A word on a finding"))

        def keep() -> SavedLabel:
            return labelling.set_state(house, reader, study, finding, word.state, word.side, word.zone, parent, base)

        saved = await run_in_threadpool(keep)
        draft = saved.draft
        return JSONResponse(
            {
                "draft": draft.id,
                "saved_at": draft.saved_at.isoformat(),
                "branch": draft.branch,
                "conflict": saved.conflict,
            }
        )

    async def settle(request: Request) -> Response:
        reader = read_token(house.workspace, request.headers.get(TOKEN_HEADER, "")).reader
        study, finding = parse("study", request.path_params["study"]), request.path_params["finding"]
        word = word_in(await body_of(request, MOST_BYTES, "A word on a finding"))

        def keep() -> LabelVersion:
            return labelling.adjudicate(house, reader, study, finding, word.state, word.side, word.zone)

        version = await run_in_threadpool(keep)
        told = {"version": version.id, "saved_at": version.created_at.isoformat(), "conflict": None}
        return JSONResponse(told)

    return [
        Route("/labels/{study}/{finding}", in_sentences(save), methods=["POST"]),
        Route("/labels/{study}/{finding}/settled", in_sentences(settle), methods=["POST"]),
    ]


def word_in(body: bytes) -> Word:
    """Raises NoWord."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise NoWord('What is said of a finding is JSON, such as {"state": "present", "side": "left", "zone": null}.')
    state = _one_of(State, told, "state")
    if state is None:
        raise NoWord(f"The state is missing. Name one of {', '.join(State)}.")
    word = Word(state, _one_of(Side, told, "side"), _one_of(Zone, told, "zone"))
    if state in (State.ABSENT, State.UNASSESSED) and (word.side or word.zone):
        raise NoWord(f"A finding that is {state} has no side and no zone.")
    return word


def _one_of(kind: type[Choice], told: dict[str, object], name: str) -> Choice | None:
    said = told.get(name)
    if said is None:
        return None
    if not isinstance(said, str) or said not in set(kind):
        raise NoWord(f'"{str(said)[:40]}" is no {name} of a finding. Name one of {", ".join(kind)}, or none.')
    return kind(said)
