"""When a page may ask for itself to be drawn anew: never across what the reader asked for."""

from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

SOURCE = (Path(__file__).resolve().parents[2] / "app" / "parts" / "js" / "calm.js").read_text(encoding="utf-8")

pytestmark = pytest.mark.browser


def test_a_page_is_calm_once_nothing_is_touched_and_nothing_that_was_asked_for_is_under_way(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content("<div data-testid=stApp data-test-script-state=notRunning></div><button>Go</button>")
    page.evaluate(
        """async (address) => {
            const { Calm } = await import(address);
            window.calm = new Calm(new AbortController().signal);
        }""",
        f"data:text/javascript,{quote(SOURCE)}",
    )

    def is_calm(state: str) -> bool:
        page.evaluate("state => document.querySelector('[data-testid=stApp]').dataset.testScriptState = state", state)
        return bool(page.evaluate("window.calm.is"))

    assert is_calm("notRunning")
    assert not is_calm("running") and not is_calm("rerunRequested")
    page.get_by_role("button").click()
    assert not is_calm("notRunning"), "a moment after a click"
    page.wait_for_function("window.calm.is")
    page.close()
