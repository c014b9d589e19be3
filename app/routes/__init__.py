"""The routes beside the pages: films and masks to the editor, strokes and labels back, exports and tries to take."""

from starlette.routing import Mount, Route

from app.house import House
from app.routes.cache import DiskCache
from app.routes.drafts import draft_routes
from app.routes.exports import export_routes
from app.routes.films import film_routes
from app.routes.judgements import judgement_routes
from app.routes.labels import label_routes
from app.routes.masks import mask_routes
from app.routes.tries import try_routes
from app.routes.waits import wait_routes

PREFIX = "/rr"


def routes(house: House) -> list[Route | Mount]:
    """All routes of ours, to be mounted beside Streamlit's."""
    films = film_routes(house.store, DiskCache(house.workspace.cache / "films"))
    saving = [*draft_routes(house), *label_routes(house), *judgement_routes(house)]
    rest = [*mask_routes(house.store), *export_routes(house), *try_routes(house), *wait_routes(house)]
    return [Mount(PREFIX, routes=[*films, *saving, *rest])]
