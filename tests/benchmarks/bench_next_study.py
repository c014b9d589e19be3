"""From pressing N to the next study's film on the screen: the whole workstation in Chromium on loopback.

    python -m tests.benchmarks.bench_next_study [--studies 30] [--side 2048]

Prints milliseconds, p50 and p95 over N studies, for the first picture of the film (its preview or its stored pixels).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Page

from app.house import open_house
from app.services import demo, importing
from core.workspace import HOME_VARIABLE, Workspace
from data.importers.plan import ImportPlan
from tests.browser.editor_driver import chromium

WATCH = """
(pane) => {
  window.shown = null;
  const began = performance.now();
  const before = pane.dataset.image;
  const root = pane.getRootNode();
  const look = () => {
    const now = root.querySelector('[data-testid=editor-pane]');
    if (now && now.dataset.image !== before && now.dataset.film !== 'none') {
      window.shown = performance.now() - began;
    } else {
      requestAnimationFrame(look);
    }
  };
  requestAnimationFrame(look);
}
"""
"""The editor keeps its root from study to study, so that is where the next film shows."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=30)
    parser.add_argument("--side", type=int, default=2048)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), wanted.studies + 2, wanted.side)
        server, url = serve(Path(folder))
        try:
            with chromium() as browser:
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.goto(url)
                times = [step(page) for _ in range(wanted.studies + 1)][1:]
        finally:
            server.terminate()
            server.wait(timeout=60)
    told = {
        "n": len(times),
        "side": wanted.side,
        "p50_ms": round(float(np.percentile(times, 50)), 1),
        "p95_ms": round(float(np.percentile(times, 95)), 1),
    }
    print(json.dumps(told))


def fill(home: Path, studies: int, side: int) -> None:
    house = open_house(Workspace(home))
    found = ImportPlan(studies, demo.simulated(studies, side))
    importing.take_in(house, "demo", found, "bench", "bench", lambda *_: None)
    house.database.close()


def serve(home: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", "--port", "8791", "--no-demo", "--no-starter", "--json"],
        env={**os.environ, HOME_VARIABLE: str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["url"]


def step(page: Page) -> float:
    """Go to the next study and give how long its film took to show, in milliseconds; the first step opens one."""
    if page.locator("[data-testid=editor-pane]").count() == 0:
        page.get_by_role("button", name="Next study").click(timeout=120_000)
        page.locator("[data-testid=editor-pane][data-film=stored]").wait_for(timeout=120_000)
        page.wait_for_timeout(3000)
        return 0.0
    page.locator("[data-testid=editor-pane]").first.evaluate(WATCH)
    page.keyboard.press("n")
    page.wait_for_function("window.shown !== null")
    shown: float = page.evaluate("window.shown")
    # A reader looks at a film for longer than this; meanwhile the next one is fetched ahead.
    page.wait_for_timeout(2000)
    return shown


if __name__ == "__main__":
    main()
