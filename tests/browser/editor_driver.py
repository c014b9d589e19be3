"""Starting the editor beside its stand-in backend, and reading what it did: for the tests and the benchmarks."""

import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from core.masks import Mask, from_runs

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Point = tuple[float, float]


@contextmanager
def backend() -> Iterator["BackendClient"]:
    """A Streamlit server with the editor's page and the stand-in routes, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "theme.base": "dark",
    }
    arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "editor_app.py", *arguments],
        cwd=HERE,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    client = BackendClient(f"http://127.0.0.1:{port}")
    try:
        client.wait_until_up(process)
        yield client
    finally:
        process.terminate()
        process.communicate(timeout=10)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        try:
            yield browser
        finally:
            browser.close()


class BackendClient:
    def __init__(self, url: str) -> None:
        self.url = url

    def wait_until_up(self, process: subprocess.Popen[bytes]) -> None:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health")
                return
            except (urllib.error.URLError, ConnectionError):
                if process.poll() is not None:
                    raise RuntimeError(process.communicate()[0].decode()) from None
                time.sleep(0.1)
        raise RuntimeError("The server did not start within 30 s.")

    def post(self, path: str, body: bytes) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.url}/fake{path}", data=body, method="POST")
        answer: dict[str, Any] = json.load(urllib.request.urlopen(request))
        return answer

    def control(self, **fields: object) -> None:
        self.post("/control", json.dumps(fields).encode())

    def put_film(self, pixels: NDArray[Any], bits: int) -> str:
        return str(self.post(f"/put?bits={bits}", _npy(pixels))["sha"])

    def put_mask(self, mask: Mask) -> str:
        return str(self.post("/put", _npy(mask))["sha"])

    def report(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.load(urllib.request.urlopen(f"{self.url}/fake/report"))
        return answer

    def image(
        self,
        pixels: NDArray[Any],
        bits: int,
        *,
        id: int = 1,
        view: str = "PA",
        layers: Sequence[dict[str, Any]],
        **more: object,
    ) -> dict[str, Any]:
        """Store a film and describe it as `editor_page.py` reads it."""
        height, width = pixels.shape
        described = {"id": id, "sha": self.put_film(pixels, bits), "width": width, "height": height, "bits": bits}
        return {**described, "view": view, "is_frontal": view == "PA", "layers": list(layers), **more}


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def layer(finding: str = "effusion", name: str = "Effusion", colour: str = "#4FA3D1", **more: object) -> dict[str, Any]:
    return {"finding": finding, "name": name, "colour": colour, **more}


def film(height: int = 300, width: int = 260, bits: int = 12, seed: int = 0) -> NDArray[np.uint16]:
    """A smooth film with every stored value in use."""
    rows, columns = np.mgrid[:height, :width]
    wave = np.sin(rows / 40 + seed) + np.cos(columns / 30) + rows / height
    spread = (wave - wave.min()) / (wave.max() - wave.min())
    return (spread * (2**bits - 1)).astype(np.uint16)


def until(condition: Callable[[], bool], otherwise: Callable[[], str] = lambda: "it never came true") -> None:
    """Wait up to ten seconds for a condition. Raises AssertionError with what `otherwise` says."""
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise())
        time.sleep(0.02)


@dataclass
class EditorOnPage:
    """One editor in one browser tab, and the hand that draws on it."""

    page: Page
    server: BackendClient
    errors: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, context: BrowserContext, server: BackendClient) -> "EditorOnPage":
        page = context.new_page()
        editor = cls(page, server)
        page.on("pageerror", lambda error: editor.errors.append(str(error)))
        page.goto(server.url)
        editor.wait_for_film()
        return editor

    def wait_for_film(self, pane: int = 0) -> None:
        self.page.locator("[data-testid=editor-pane][data-film=stored]").nth(pane).wait_for()
        # Streamlit lays its page out in several strokes; the film is where it will stay when two looks agree.
        seen = ""
        while seen != (seen := f"{self.view(pane)} {self.page.get_by_test_id('editor-pane').nth(pane).bounding_box()}"):
            self.page.wait_for_timeout(60)

    def to_image(self, x: float, y: float, pane: int = 0) -> Point:
        """The film point under a screen point, from the pane's own numbers."""
        element = self.page.get_by_test_id("editor-pane").nth(pane)
        scale, left, top = (float(part) for part in str(element.get_attribute("data-view")).split())
        box = element.bounding_box()
        assert box
        return (x - box["x"] - left) / scale, (y - box["y"] - top) / scale

    def to_screen(self, x: float, y: float, pane: int = 0) -> Point:
        """A whole screen point near the film point."""
        element = self.page.get_by_test_id("editor-pane").nth(pane)
        scale, left, top = (float(part) for part in str(element.get_attribute("data-view")).split())
        box = element.bounding_box()
        assert box
        return round(box["x"] + left + x * scale), round(box["y"] + top + y * scale)

    def drag(self, path: Sequence[Point], *, button: str = "left", pane: int = 0) -> list[Point]:
        """Drag along film points; gives the film points that the browser was in truth told, after screen rounding."""
        screen = [self.to_screen(*point, pane=pane) for point in path]
        exact = [self.to_image(*point, pane=pane) for point in screen]
        self.page.mouse.move(*screen[0])
        self.page.mouse.down(button=button)  # type: ignore[arg-type]
        for point in screen[1:]:
            self.page.mouse.move(*point)
        self.page.mouse.up(button=button)  # type: ignore[arg-type]
        return exact

    def settle(self) -> None:
        """Let the browser handle what it was told and paint it."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def view(self, pane: int = 0) -> str:
        """How the film lies in its pane: scale, left, top."""
        return str(self.page.get_by_test_id("editor-pane").nth(pane).get_attribute("data-view"))

    def wheel(self, x: float, y: float, *turns: float) -> None:
        """Turn the wheel over a film point, and wait until each turn is seen."""
        self.page.mouse.move(*self.to_screen(x, y))
        for turn in turns:
            before = self.view()
            self.page.mouse.wheel(0, turn)
            until(lambda before=before: self.view() != before)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def set_brush(self, diameter: int) -> None:
        for _ in range(200):
            shown = int(self.page.get_by_test_id("editor-size-reading").inner_text().split()[0])
            if shown == diameter:
                return
            self.press("]" if shown < diameter else "[")
        raise AssertionError(f"The brush never came to {diameter} pixels.")

    def status(self) -> str:
        return self.page.get_by_test_id("editor-save-status").inner_text()

    def wait_for_status(self, words: str) -> None:
        self.page.get_by_test_id("editor-save-status").filter(has_text=words).wait_for()

    def wait_for_drafts(self, count: int) -> list[dict[str, Any]]:
        """All drafts on the server, once there are `count` and the page knows it."""
        until(
            lambda: len(self.server.report()["drafts"]) >= count,
            lambda: f"{len(self.server.report()['drafts'])} of {count} drafts came; the page says {self.status()!r}",
        )
        self.wait_for_status("saved")
        drafts: list[dict[str, Any]] = self.server.report()["drafts"]
        return drafts

    def wait_for_action(self) -> dict[str, Any]:
        until(lambda: bool(self.server.report()["actions"]), lambda: "no action came")
        return dict(self.server.report()["actions"][-1])


def mask_of(draft: dict[str, Any], shape: tuple[int, int]) -> Mask:
    return from_runs(draft["runs"], *shape)


def draw_capsules(mask: Mask, path: Sequence[Point], diameter: int, value: bool) -> None:
    """The brush's definition, pixel by pixel: centres within diameter / 2 of the path between snapped points."""
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]].astype(np.int64)
    x, y = 2 * columns + 1, 2 * rows + 1
    snapped = [_snap(point, diameter) for point in path]
    for (ax, ay), (bx, by) in zip(snapped, snapped[1:] or snapped, strict=False):
        dx, dy = bx - ax, by - ay
        length2 = dx * dx + dy * dy
        along = (x - ax) * dx + (y - ay) * dy
        cross = (x - ax) * dy - (y - ay) * dx
        near_start = (x - ax) ** 2 + (y - ay) ** 2 <= diameter**2
        near_end = (x - bx) ** 2 + (y - by) ** 2 <= diameter**2
        beside = (along > 0) & (along < length2) & (cross**2 <= diameter**2 * length2)
        mask[near_start | near_end | beside] = value


def _snap(point: Point, diameter: int) -> tuple[int, int]:
    """In half pixels: an odd brush on a pixel's centre, an even one on a corner."""
    if diameter % 2:
        return 2 * int(np.floor(point[0])) + 1, 2 * int(np.floor(point[1])) + 1
    return 2 * int(np.floor(point[0] + 0.5)), 2 * int(np.floor(point[1] + 0.5))


def winding(shape: tuple[int, int], path: Sequence[Point]) -> NDArray[np.int64]:
    """How often a closed path winds around every pixel's centre."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    x, y = columns + 0.5, rows + 0.5
    turns = np.zeros(shape, dtype=np.int64)
    for (ax, ay), (bx, by) in zip(path, [*path[1:], path[0]], strict=True):
        if ay == by:
            continue
        crosses = (y >= min(ay, by)) & (y < max(ay, by))
        at = ax + (y - ay) * (bx - ax) / (by - ay)
        turns += np.where(crosses & (at <= x), 1 if by > ay else -1, 0)
    return turns
