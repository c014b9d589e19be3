"""A stand-in for the workstation's routes: keeps drafts in memory, and fails, stalls or forks when a test asks it to.

Run by `streamlit run editor_app.py`; the page script and the routes share this module, as they share the process.
"""

import asyncio
import hashlib
import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from core import masks

JS = Path(__file__).parents[2] / "app" / "mask_editor" / "js"
TOKEN = "token-of-the-reader"


@dataclass
class Draft:
    id: int
    image: int
    finding: str
    sha: str
    parent: int | None
    base: str
    suggestion: str


@dataclass
class Backend:
    """What the fake server holds. `study` is what the page shows next; see `put_study`."""

    study: dict[str, Any] = field(default_factory=dict)
    pixels: dict[str, tuple[NDArray[Any], int]] = field(default_factory=dict)
    masks: dict[str, bytes] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)
    labels: list[dict[str, Any]] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)
    runs: int = 0
    failing: int = 0
    failing_masks: bool = False
    says: str = ""
    delay: float = 0.0
    conflict: str | None = None

    def put_pixels(self, pixels: NDArray[Any], bits: int) -> str:
        sha = hashlib.sha256(pixels.tobytes() + str((pixels.shape, bits)).encode()).hexdigest()
        self.pixels[sha] = (pixels, bits)
        return sha

    def put_mask(self, mask: NDArray[np.bool_]) -> str:
        body = masks.to_wire(mask)
        sha = hashlib.sha256(body + str(mask.shape).encode()).hexdigest()
        self.masks[sha] = body
        self.sizes[sha] = (mask.shape[0], mask.shape[1])
        return sha

    def latest(self, image: int, finding: str) -> Draft | None:
        found = [draft for draft in self.drafts if draft.image == image and draft.finding == finding]
        return found[-1] if found else None


BACKEND = Backend()


async def pixels(request: Request) -> Response:
    stored, bits = BACKEND.pixels[request.path_params["sha"]]
    body = stored.astype("<u2" if bits > 8 else "u1").tobytes()
    headers = {
        "X-Width": str(stored.shape[1]),
        "X-Height": str(stored.shape[0]),
        "X-Bits-Stored": str(bits),
        "X-Max": str(int(stored.max())),
        "Cache-Control": "public, max-age=31536000, immutable",
    }
    return Response(body, media_type="application/octet-stream", headers=headers)


async def preview(request: Request) -> Response:
    stored, bits = BACKEND.pixels[request.path_params["sha"]]
    buffer = io.BytesIO()
    Image.fromarray((stored.astype(np.float32) * (255 / (2**bits - 1))).astype(np.uint8)).save(buffer, "JPEG")
    return Response(buffer.getvalue(), media_type="image/jpeg")


async def mask(request: Request) -> Response:
    if BACKEND.failing_masks:
        return JSONResponse({"error": "The mask is not in the store."}, status_code=404)
    return Response(BACKEND.masks[request.path_params["sha"]], media_type="application/octet-stream")


async def draft(request: Request) -> Response:
    body = await request.body()
    if BACKEND.delay:
        await asyncio.sleep(BACKEND.delay)
    if request.headers.get("X-Reading-Room-Token") != TOKEN:
        return JSONResponse({"error": "The token is not this reader's."}, status_code=403)
    if BACKEND.failing:
        return JSONResponse({"error": BACKEND.says}, status_code=BACKEND.failing)
    image = int(request.path_params["image"])
    described = next(each for each in BACKEND.study["images"] if each["id"] == image)
    drawn = masks.from_wire(body, described["height"], described["width"])
    parent = request.query_params["parent"]
    saved = Draft(
        id=len(BACKEND.drafts) + 1,
        image=image,
        finding=request.path_params["finding"],
        sha=BACKEND.put_mask(drawn),
        parent=int(parent) if parent else None,
        base=request.query_params["base"],
        suggestion=request.query_params["suggestion"],
    )
    BACKEND.drafts.append(saved)
    return JSONResponse(
        {
            "draft": saved.id,
            "saved_at": datetime.now(UTC).isoformat(),
            "area": int(drawn.sum()),
            "branch": 2 if BACKEND.conflict else 1,
            "conflict": BACKEND.conflict,
        }
    )


async def label(request: Request) -> Response:
    body = await request.body()
    if BACKEND.delay:
        await asyncio.sleep(BACKEND.delay)
    if request.headers.get("X-Reading-Room-Token") != TOKEN:
        return JSONResponse({"error": "The token is not this reader's."}, status_code=403)
    if BACKEND.failing:
        return JSONResponse({"error": BACKEND.says}, status_code=BACKEND.failing)
    parent = request.query_params["parent"]
    saved = {
        "id": len(BACKEND.labels) + 1,
        "study": request.path_params["study"],
        "finding": request.path_params["finding"],
        "word": json.loads(body),
        "parent": int(parent) if parent else None,
        "settled": request.url.path.endswith("/settled"),
    }
    BACKEND.labels.append(saved)
    number = {"version": saved["id"]} if saved["settled"] else {"draft": saved["id"]}
    return JSONResponse({**number, "saved_at": datetime.now(UTC).isoformat(), "conflict": BACKEND.conflict})


async def heat(request: Request) -> Response:
    """A map that is bright in the upper left quarter of its film."""
    grey = np.zeros((20, 20), np.uint8)
    grey[:10, :10] = 255
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "PNG")
    return Response(buffer.getvalue(), media_type="image/png")


async def source(request: Request) -> Response:
    """The editor's own files, so that a test can import one of them by itself."""
    return FileResponse(JS / Path(request.path_params["name"]).name, media_type="text/javascript")


async def control(request: Request) -> Response:
    """Set fields of the backend, or reset it with an empty study."""
    wanted = json.loads(await request.body())
    if wanted.pop("reset", False):
        BACKEND.__dict__.update(Backend().__dict__)
    for name, value in wanted.items():
        setattr(BACKEND, name, value)
    return JSONResponse({})


async def put(request: Request) -> Response:
    """Store an .npy array: a film (with ?bits=) or a mask."""
    array = np.load(io.BytesIO(await request.body()))
    bits = request.query_params.get("bits")
    sha = BACKEND.put_pixels(array, int(bits)) if bits else BACKEND.put_mask(array.astype(bool))
    return JSONResponse({"sha": sha})


async def report(request: Request) -> Response:
    """What the page shows, and what it and the editor did so far."""
    drafts = [
        {**draft.__dict__, "runs": np.frombuffer(BACKEND.masks[draft.sha], "<u4").tolist()} for draft in BACKEND.drafts
    ]
    told = {"labels": BACKEND.labels, "actions": BACKEND.actions, "runs": BACKEND.runs, "study": BACKEND.study}
    return JSONResponse({"drafts": drafts, **told})


ROUTES = [
    Route("/fake/pixels/{sha}", pixels),
    Route("/fake/preview/{sha}", preview),
    Route("/fake/masks/{sha}", mask),
    Route("/fake/drafts/{image}/{finding}", draft, methods=["POST"]),
    Route("/fake/labels/{study}/{finding}", label, methods=["POST"]),
    Route("/fake/labels/{study}/{finding}/settled", label, methods=["POST"]),
    Route("/fake/maps/{sha}", heat),
    Route("/fake/js/{name}", source),
    Route("/fake/control", control, methods=["POST"]),
    Route("/fake/put", put, methods=["POST"]),
    Route("/fake/report", report),
]
