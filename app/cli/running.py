"""Starting things: the workstation, its workers, an empty workspace."""

import os
import sys
import webbrowser
from typing import Annotated

import typer
from rich.console import Console

from app.clerk import work
from app.cli.output import AsJson, answer, say
from app.house import open_house
from app.services.demo import load_demo
from app.services.starter import welcome
from app.supervisor import LOOPBACK
from app.supervisor import serve as keep_serving
from core.workspace import workspace
from db.schema import revision

commands = typer.Typer()

DEFAULT_PORT = 8501


@commands.command()
def serve(
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = DEFAULT_PORT,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    demo: Annotated[bool, typer.Option(help="Put simulated studies into an empty database.")] = True,
    starter: Annotated[bool, typer.Option(help="Begin with the starter model where no segmentation model is.")] = True,
    browser: Annotated[bool, typer.Option(help="Show it in this desktop's browser, from a terminal.")] = True,
    as_json: AsJson = False,
) -> None:
    """Open the workstation: the web server, a training worker, the inference process and a clerk.

    Example: python -m app serve --port 8600
    """
    place = workspace()

    def prepare() -> None:
        say(f"Opening the workspace in {place.home}.")
        house = open_house(place)
        if demo:
            load_demo(house, say)
        if starter:
            welcome(house, say)

    def opened(url: str) -> None:
        answer({"url": url, "pid": os.getpid(), "home": str(place.home)}, as_json, lambda out: _open(out, url))
        if browser and not as_json and _has_desktop():
            webbrowser.open(url)

    if host not in LOOPBACK:
        say(
            f"Warning: listening on {host}. There is no sign-on yet, so everybody who reaches this address can read "
            "and change everything. Name the addresses it may be asked by in READING_ROOM_ALLOWED_HOSTS."
        )
    keep_serving(place, port, host, prepare, say, opened)


def _has_desktop() -> bool:
    # Without one, Python would start a browser in the terminal itself.
    shows = sys.platform in ("darwin", "win32") or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    return shows and sys.stdout.isatty()


@commands.command()
def worker(as_json: AsJson = False) -> None:
    """Run a training worker in this terminal. It does the trainings, evaluations and predictions that are asked for.

    Example: python -m app worker
    """
    _at_work("training worker", as_json)
    os.execv(sys.executable, [sys.executable, "-m", "trainers.worker"])  # noqa: S606


@commands.command()
def clerk(as_json: AsJson = False) -> None:
    """Run the clerk in this terminal. It does the imports and exports that are asked for on the screens.

    Example: python -m app clerk
    """
    _at_work("clerk", as_json)
    work()


@commands.command()
def init(
    demo: Annotated[bool, typer.Option("--demo", help="Put simulated studies into an empty database.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the workspace and bring its database up to date.

    Example: python -m app init --demo
    """
    house = open_house()
    studies = load_demo(house, say) if demo else 0
    home, shape = str(house.workspace.home), revision(house.database)
    data = {"home": home, "database": shape, "studies": studies}
    answer(data, as_json, lambda out: out.print(f"The workspace in {home} is ready (database {shape})."))


def _open(out: Console, url: str) -> None:
    out.print(f"Reading Room is open at {url}  (Ctrl-C stops it)", markup=False)


def _at_work(name: str, as_json: bool) -> None:
    data = {"process": name, "pid": os.getpid()}
    answer(data, as_json, lambda out: out.print(f"The {name} is at work (process {os.getpid()}); Ctrl-C stops it."))
