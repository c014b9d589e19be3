"""What the browser tests stand on: the whole workstation on a free port with a workspace of its own and a reader's
browser in front of it; and the editor by itself beside a stand-in backend."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from core.workspace import HOME_VARIABLE
from tests.browser.editor_driver import BackendClient, backend, chromium

ROOT = Path(__file__).resolve().parents[2]

PATIENCE = 60_000
"""Milliseconds until something that should come about counts as not coming: enough for a machine with other work."""


@dataclass(frozen=True)
class Workstation:
    """A running `serve`, its address and its workspace."""

    url: str
    home: Path


def serving(home: Path) -> tuple[subprocess.Popen[str], Workstation]:
    """Start the server, the worker, the inference process and the clerk over an empty workspace."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", "--port", str(_free_port()), "--no-demo", "--no-starter", "--json"],
        cwd=ROOT,
        env={**os.environ, HOME_VARIABLE: str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    told = process.stdout.readline()
    assert told, "the workstation did not start"
    return process, Workstation(json.loads(told)["url"], home)


def stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate(timeout=60)


@pytest.fixture(scope="module")
def workstation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workstation]:
    process, opened = serving(tmp_path_factory.mktemp("workstation"))
    yield opened
    stop(process)


@pytest.fixture(scope="module")
def reader_context() -> Iterator[BrowserContext]:
    """One reader's browser, kept over the tests of a module."""
    expect.set_options(timeout=PATIENCE)
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
        context.set_default_timeout(PATIENCE)
        yield context
        context.close()


@pytest.fixture(scope="module")
def page(workstation: Workstation, reader_context: BrowserContext) -> Iterator[Page]:
    """The reader's page; any uncaught error on it fails the module."""
    opened = reader_context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(workstation.url)
    # The page writes its reader's name into a cookie once it is drawn; a test that chooses another comes after.
    opened.locator("[data-testid=presence] .dot").wait_for(state="attached")
    yield opened
    assert errors == []


@pytest.fixture(scope="module")
def running() -> Iterator[BackendClient]:
    with backend() as client:
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def server(running: BackendClient) -> BackendClient:
    running.control(reset=True)
    return running


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[BrowserContext]:
    """One browser window for all tests, so that Streamlit's own files are fetched once."""
    opened = browser.new_context(viewport={"width": 1440, "height": 900})
    opened.set_default_timeout(8000)
    yield opened
    opened.close()


@pytest.fixture
def context(window: BrowserContext, server: BackendClient) -> Iterator[BrowserContext]:
    """The window as if it were new: nothing kept in it, no page open."""
    blank = window.new_page()
    kept = {"origin": server.url, "storageTypes": "local_storage,indexeddb"}
    window.new_cdp_session(blank).send("Storage.clearDataForOrigin", kept)
    yield window
    for page in window.pages:
        page.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
