"""Masks by content hash, as the editor's run lengths, and maps of where a model looked."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.routes.answers import in_sentences, named_by_content
from app.routes.numbers import whole_number
from core.masks import require_size, to_wire
from data import images
from data.images import read_mask
from data.pixels import UnreadableImage
from data.store import Store


def mask_routes(store: Store) -> list[Route]:
    """`/masks/{sha}?w=&h=`, refused when the mask is of another size than the film it is to lie on; `/maps/{sha}`."""

    async def mask(request: Request) -> Response:
        sha = request.path_params["sha"]
        width, height = whole_number(request, "w"), whole_number(request, "h")
        body = await run_in_threadpool(run_lengths, store, sha, width, height)
        return named_by_content(body, "application/octet-stream")

    async def heat(request: Request) -> Response:
        """An 8-bit grey PNG."""
        return named_by_content(await run_in_threadpool(picture, store, request.path_params["sha"]), images.PNG)

    return [Route("/masks/{sha}", in_sentences(mask)), Route("/maps/{sha}", in_sentences(heat))]


def picture(store: Store, sha: str) -> bytes:
    """A picture as it is stored, once it has proved to be one. Raises BlobMissing, BlobCorrupt, UnreadableImage."""
    body = store.get(sha)
    if images.sniff(body) != images.PNG:
        raise UnreadableImage("This is no map of where a model looked.")
    images.header(body)
    return body


def run_lengths(store: Store, sha: str, width: int | None, height: int | None) -> bytes:
    """Raises BlobMissing, BlobCorrupt, MalformedMask, MaskSizeDiffers."""
    mask = read_mask(store.get(sha))
    require_size(mask, height or mask.shape[0], width or mask.shape[1])
    return to_wire(mask)
