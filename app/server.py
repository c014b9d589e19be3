"""The web server: Streamlit's pages with our routes beside them, in one process. `python -m app.server` runs it."""

import argparse
import importlib
import pkgutil
import threading
from pathlib import Path

from starlette.middleware import Middleware
from streamlit.starlette import App

from app import screens
from app.house import House, open_house
from app.routes import routes
from app.security import Gatekeeper, allowed_hosts
from app.supervisor import leave_with_parent

LOOPBACK = "127.0.0.1"


def build(house: House) -> App:
    """The ASGI application over a workspace."""
    gate = Middleware(Gatekeeper, further=allowed_hosts())
    return App(Path(__file__).with_name("main.py"), routes=routes(house), middleware=[gate])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m app.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument("--host", default=LOOPBACK)
    wanted = parser.parse_args()
    leave_with_parent()
    options = {
        "server.port": wanted.port,
        "server.address": wanted.host,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "minimal",
        "logger.hideWelcomeMessage": True,
    }
    threading.Thread(target=_load_screens, name="load-screens", daemon=True).start()
    build(open_house()).run(config=options)


def _load_screens() -> None:
    """Load what the screens need while nobody waits for it; otherwise the first reader would."""
    for module in pkgutil.iter_modules(screens.__path__, f"{screens.__name__}."):
        importlib.import_module(module.name)


if __name__ == "__main__":
    main()
