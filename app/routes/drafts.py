"""Strokes as they are finished: kept as the reader's draft before they are acknowledged."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.house import House
from app.routes.answers import TOKEN_HEADER, in_sentences
from app.routes.bodies import body_of
from app.routes.numbers import parse, whole_number
from app.security import read_token
from app.services import reviewing
from core.annotations import SavedDraft
from core.masks import from_wire
from core.studies import Image
from db import studies


def draft_routes(house: House) -> list[Route]:
    """`POST /drafts/{image_id}/{finding}` with run lengths as the body and the token that names the reader."""

    async def save(request: Request) -> Response:
        reader = read_token(house.workspace, request.headers.get(TOKEN_HEADER, "")).reader
        finding = request.path_params["finding"]
        parent, base, suggestion = (whole_number(request, name) for name in ("parent", "base", "suggestion"))
        image = await run_in_threadpool(_image, house, parse("image", request.path_params["image_id"]))
        # One run a pixel is the longest that a mask of this film can be.
        body = await body_of(request, 4 * (image.facts.width * image.facts.height + 1), "The drawing")

        def keep() -> SavedDraft:
            mask = from_wire(body, image.facts.height, image.facts.width)
            return reviewing.save_stroke(house, reader, image.id, finding, mask, parent, base, suggestion)

        saved = await run_in_threadpool(keep)
        draft = saved.draft
        return JSONResponse(
            {
                "draft": draft.id,
                "saved_at": draft.saved_at.isoformat(),
                "area": draft.stats.area,
                "branch": draft.branch,
                "conflict": saved.conflict,
            }
        )

    return [Route("/drafts/{image_id}/{finding}", in_sentences(save), methods=["POST"])]


def _image(house: House, image_id: int) -> Image:
    with house.database.reading() as session:
        return studies.get_image(session, image_id)
