"""What readers say of written reports, kept as they say it; and that it counts."""

import json

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.house import House
from app.routes.answers import TOKEN_HEADER, in_sentences
from app.routes.bodies import body_of
from app.routes.numbers import parse, whole_number
from app.security import read_token
from app.services import reporting
from app.services.reporting import Seen
from core.judgements import MalformedJudgement, Said, said_of

MOST_BYTES = 1_000_000


def judgement_routes(house: House) -> list[Route]:
    """`POST /judgements/{writing}` keeps what a reader says of a written report, `?parent=` what it goes on from;
    under it `/submitted/{judgement}` lets it count. The token names the reader."""

    async def save(request: Request) -> Response:
        reader = read_token(house.workspace, request.headers.get(TOKEN_HEADER, "")).reader
        parent, writing = whole_number(request, "parent"), parse("writing", request.path_params["writing"])
        said = _said_in(await body_of(request, MOST_BYTES, "A judgement"))
        saved, shown = await run_in_threadpool(lambda: reporting.save(house, reader, writing, said, parent))
        return JSONResponse(
            {
                "judgement": saved.judgement.id,
                "saved_at": saved.judgement.saved_at.isoformat(),
                "conflict": saved.conflict,
                **seen(shown),
            }
        )

    async def submit(request: Request) -> Response:
        reader = read_token(house.workspace, request.headers.get(TOKEN_HEADER, "")).reader
        number = parse("judgement", request.path_params["judgement"])
        done = await run_in_threadpool(lambda: reporting.submit(house, reader, number))
        return JSONResponse({"judgement": done.id, "saved_at": done.saved_at.isoformat()})

    return [
        Route("/judgements/{writing}", in_sentences(save), methods=["POST"]),
        Route("/judgements/{writing}/submitted/{judgement}", in_sentences(submit), methods=["POST"]),
    ]


def seen(shown: Seen) -> dict[str, object]:
    """What follows from a judgement, as the page takes it."""
    return {
        "standing": [
            {"start": each.passage.start, "end": each.passage.end, "standing": each.standing} if each else None
            for each in shown.standing
        ],
        "loose": {"sentences": [list(place) for place in shown.loose.sentences], "masks": list(shown.loose.masks)},
    }


def _said_in(body: bytes) -> Said:
    """Raises MalformedJudgement, BadRating."""
    try:
        return said_of(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise MalformedJudgement from error
