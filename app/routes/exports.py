"""Finished exports, each as one zip file to be taken away."""

from pathlib import Path

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from app.house import House
from app.routes.answers import in_sentences
from app.routes.numbers import parse
from app.services import handing


def export_routes(house: House) -> list[Route]:
    """`/exports/{job}.zip`: what an export job wrote."""

    async def export(request: Request) -> Response:
        number = parse("job", request.path_params["job"])
        name, body = await run_in_threadpool(handing.as_zip, house, number)
        return FileResponse(
            body,
            media_type="application/zip",
            filename=f"{name}.zip",
            headers={"Cache-Control": "no-store"},
            background=BackgroundTask(Path.unlink, body, missing_ok=True),
        )

    return [Route("/exports/{job}.zip", in_sentences(export))]
