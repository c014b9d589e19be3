"""Films by content hash: the stored values for the editor, a preview and a thumbnail in 8 bits."""

import struct

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.routes.answers import in_sentences, named_by_content
from app.routes.cache import DiskCache
from core.studies import PixelFacts, Window
from data import images
from data.pixels import Pixels
from data.store import Store

THUMBNAIL_HEIGHT = 96
CARD_HEIGHT = 384
"""Films on a list, and on a card of their own."""
_FACTS = struct.Struct("<4I")


def film_routes(store: Store, cache: DiskCache) -> list[Route]:
    """`/pixels/{sha}`, `/preview/{sha}`, `/card/{sha}` and `/thumbnail/{sha}`."""

    async def pixels(request: Request) -> Response:
        """Row-major values, uint8 up to 8 bits, else uint16 little-endian."""
        sha = request.path_params["sha"]
        kept = await run_in_threadpool(cache.get_or_make, f"{sha}.pixels", lambda: stored_values(store.get(sha)))
        width, height, bits, most = _FACTS.unpack_from(kept)
        facts = {"X-Width": width, "X-Height": height, "X-Bits-Stored": bits, "X-Max": most}
        headers = {name: str(value) for name, value in facts.items()}
        return named_by_content(kept[_FACTS.size :], "application/octet-stream", headers)

    async def preview(request: Request) -> Response:
        """The film at its own size as it is looked at, JPEG."""
        sha = request.path_params["sha"]
        body = await run_in_threadpool(cache.get_or_make, f"{sha}.preview", lambda: shown(store.get(sha)))
        return named_by_content(body, images.JPEG)

    async def thumbnail(request: Request) -> Response:
        sha = request.path_params["sha"]
        body = await run_in_threadpool(cache.get_or_make, f"{sha}.thumbnail", lambda: thumbnail_of(store.get(sha)))
        return named_by_content(body, images.JPEG)

    async def card(request: Request) -> Response:
        sha = request.path_params["sha"]
        body = await run_in_threadpool(
            cache.get_or_make, f"{sha}.card", lambda: thumbnail_of(store.get(sha), CARD_HEIGHT)
        )
        return named_by_content(body, images.JPEG)

    return [
        Route("/pixels/{sha}", in_sentences(pixels)),
        Route("/preview/{sha}", in_sentences(preview)),
        Route("/card/{sha}", in_sentences(card)),
        Route("/thumbnail/{sha}", in_sentences(thumbnail)),
    ]


def stored_values(payload: bytes) -> bytes:
    """Width, height, bits and largest value as uint32, then the values. Raises UnreadableImage."""
    film = images.raw(payload)
    height, width = film.pixels.shape
    values = film.pixels.astype(np.uint8 if film.bits <= 8 else "<u2", copy=False)
    return _FACTS.pack(width, height, film.bits, film.max) + values.tobytes()


def shown(payload: bytes) -> bytes:
    """An 8-bit JPEG through the film's own window, or one over the middle of its values. Raises UnreadableImage."""
    if images.sniff(payload) == images.JPEG:
        return payload
    facts, values, window = _as_looked_at(payload)
    return images.preview(values, window, None, facts.photometric, facts.bits)


def thumbnail_of(payload: bytes, height: int = THUMBNAIL_HEIGHT) -> bytes:
    """A JPEG of this many pixels, or of the film's own if they are fewer. Raises UnreadableImage."""
    if images.sniff(payload) == images.JPEG:
        facts = images.header(payload)
        return images.thumbnail(payload, _longest_side(facts, height))
    facts, values, window = _as_looked_at(payload)
    # Windowing and averaging all of a large film for so small a picture costs more than reading it did.
    step = max(1, facts.height // (4 * height))
    return images.preview(values[::step, ::step], window, _longest_side(facts, height), facts.photometric, facts.bits)


def _as_looked_at(payload: bytes) -> tuple[PixelFacts, Pixels, Window | None]:
    facts, values = images.header(payload), images.read(payload)
    return facts, values, facts.window or images.display_window(values, facts.bits)


def _longest_side(facts: PixelFacts, height: int) -> int:
    return round(height * max(1.0, facts.width / facts.height))
