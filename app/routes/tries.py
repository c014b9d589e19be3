"""Films that are tried: the film, where a model looked, and the picture to take away. No browser may keep them."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.house import House
from app.routes.answers import in_sentences
from app.routes.films import shown
from app.routes.numbers import parse
from app.services import trying
from app.services.try_pictures import picture
from data import images

_FORGETTABLE = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def try_routes(house: House) -> list[Route]:
    """`/tries/{place}/film/{sha}`, `/tries/{place}/map/{sha}` and `/tries/{place}/{number}/{finding}.png`.

    A place's name is the only key to it, and nobody can guess one.
    """

    async def film(request: Request) -> Response:
        """The film as it is looked at, JPEG."""
        place, sha = request.path_params["place"], request.path_params["sha"]
        body = await run_in_threadpool(lambda: shown(trying.bytes_of(house, place, sha)))
        return Response(body, media_type=images.JPEG, headers=_FORGETTABLE)

    async def heat(request: Request) -> Response:
        """An 8-bit grey PNG of the film's shape, bright where the model looked."""
        place, sha = request.path_params["place"], request.path_params["sha"]
        body = await run_in_threadpool(trying.bytes_of, house, place, sha)
        return Response(body, media_type=images.PNG, headers=_FORGETTABLE)

    async def whole(request: Request) -> Response:
        place, finding = request.path_params["place"], request.path_params["finding"]
        number = parse("film", request.path_params["number"])

        def compose() -> bytes:
            return picture(house, trying.tried(house, place, number), finding)

        body = await run_in_threadpool(compose)
        headers = {**_FORGETTABLE, "Content-Disposition": 'attachment; filename="reading-room-try.png"'}
        return Response(body, media_type=images.PNG, headers=headers)

    return [
        Route("/tries/{place}/film/{sha}", in_sentences(film)),
        Route("/tries/{place}/map/{sha}", in_sentences(heat)),
        Route("/tries/{place}/{number}/{finding}.png", in_sentences(whole)),
    ]
