"""How long a stroke takes to be safe: encoding, POST and acknowledgement of a mask, in Chromium on loopback.

    python -m tests.benchmarks.bench_stroke_save                                         against the stand-in routes
    python -m tests.benchmarks.bench_stroke_save --url http://127.0.0.1:8501/review      against a running workstation

The stand-in keeps drafts in memory, so its numbers are the browser's and the protocol's share; the other way adds the
disk and the database. Prints one JSON object: milliseconds, p50 and p95 over N strokes.
"""

import argparse
import json

import numpy as np
from playwright.sync_api import BrowserContext

from tests.browser.editor_driver import EditorOnPage, backend, chromium, film, layer

WATCH = """
window.saves = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (entry.name === "stroke-save") window.saves.push(entry.duration);
}).observe({ type: "measure" });
window.isSaving = () => {
  const hosts = [...document.querySelectorAll("*")].filter((each) => each.shadowRoot);
  const light = hosts.map((each) => each.shadowRoot.querySelector(".status")).find((each) => each);
  return light.dataset.state === "saving" || light.dataset.state === "failed";
};
"""


def measure_saves(editor: EditorOnPage, strokes: int, seed: int = 0) -> list[float]:
    """Draw random curves, each once the one before it is saved, until `strokes` are. Milliseconds of each save.

    Brush and eraser take turns, so that the mask neither fills up nor stays simple.
    """
    random = np.random.default_rng(seed)
    box = editor.page.get_by_test_id("editor-film").first.bounding_box()
    assert box
    low = np.array([box["x"] + 0.3 * box["width"], box["y"] + 0.2 * box["height"]])
    high = np.array([box["x"] + 0.7 * box["width"], box["y"] + 0.8 * box["height"]])
    saved = 0
    while saved < strokes:
        editor.press("be"[random.integers(2)])
        start, end = random.uniform(low, high), random.uniform(low, high)
        editor.page.mouse.move(*start)
        editor.page.mouse.down()
        for step in np.linspace(0, 1, 12)[1:]:
            editor.page.mouse.move(*(start + (end - start) * step + random.normal(0, 6, 2)))
        editor.page.mouse.up()
        # A stroke that changes nothing (an eraser on empty ground) is not saved: the light then stays as it was.
        editor.page.wait_for_function("count => window.saves.length > count || !window.isSaving()", arg=saved)
        saved = int(editor.page.evaluate("window.saves.length"))
    saves: list[float] = editor.page.evaluate("window.saves")
    return saves


def summary(milliseconds: list[float], **more: object) -> dict[str, object]:
    p50, p95 = np.percentile(milliseconds, [50, 95])
    worst = max(milliseconds)
    return {"n": len(milliseconds), "p50_ms": round(p50, 1), "p95_ms": round(p95, 1), "max_ms": round(worst, 1), **more}


def against_stand_in(context: BrowserContext, size: int, strokes: int) -> dict[str, object]:
    with backend() as server:
        server.control(reset=True)
        image = server.image(film(size, size), 12, layers=[layer()])
        server.control(study={"study_id": "bench", "active_finding": "effusion", "images": [image]})
        saves = measure_saves(EditorOnPage.open(context, server), strokes)
        runs = len(server.report()["drafts"][-1]["runs"])
    return summary(saves, size=size, runs_in_the_last_mask=runs, server="stand-in")


def against(url: str, context: BrowserContext, strokes: int) -> dict[str, object]:
    page = context.new_page()
    page.goto(url)
    page.locator("[data-testid=editor-pane][data-film=stored]").first.wait_for(timeout=30_000)
    saves = measure_saves(EditorOnPage(page, server=None), strokes)  # type: ignore[arg-type]
    return summary(saves, server=url)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="a page of a running workstation that shows the editor")
    parser.add_argument("--size", type=int, default=2048, help="pixels on a side of the stand-in's film")
    parser.add_argument("--strokes", type=int, default=200)
    options = parser.parse_args()
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_init_script(WATCH)
        if options.url:
            result = against(options.url, context, options.strokes)
        else:
            result = against_stand_in(context, options.size, options.strokes)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
