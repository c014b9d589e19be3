"""Whether an answer is there: asked by the browser many times over, so it costs no run of a page."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.house import House
from app.routes.answers import in_sentences
from app.routes.numbers import parse
from app.services import questions, workers
from app.services.questions import Question
from core.errors import NotFound


def wait_routes(house: House) -> list[Route]:
    """`/waits/{question}/{number}`: {"waits": whether the question is open, "awake": whether a model could answer}."""

    async def wait(request: Request) -> Response:
        asked = request.path_params["question"]
        if asked not in list(Question):
            raise NotFound(f'Nobody asks for a "{asked[:40]}".')
        number = parse("question", request.path_params["number"])

        def look() -> dict[str, bool]:
            waits = questions.waits(house, Question(asked), number)
            return {"waits": waits, "awake": waits and workers.lives(house, "inference")}

        return JSONResponse(await run_in_threadpool(look), headers={"Cache-Control": "no-store"})

    return [Route("/waits/{question}/{number}", in_sentences(wait))]
