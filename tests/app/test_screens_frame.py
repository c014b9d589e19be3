import re

import pytest

from app.house import House
from app.screens import frame, times
from tests.app.screen import screen, words


@pytest.mark.parametrize(
    "text", ["![x](https://evil.example/x.png)", "**bold** _it_", ":red[x] $a$ `b`", "a\\*b", "<b>"]
)
def test_text_from_outside_means_nothing_in_a_label(text: str) -> None:
    """Every mark that Markdown knows is escaped, and taking the escapes away gives the text again."""
    label = frame.plain(text)
    assert re.sub(r"\\(.)", r"\1", label) == text
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_`\[\]<>$!]", label)


def test_a_refusal_that_quotes_markup_shows_it_as_text(demo: House) -> None:
    told = words(screen("review", study="4711"))
    assert "There is no study number 4711. Choose one from the worklist." in told
    assert frame.escaped('<img src="x">') == '&lt;img src="x"&gt;'
    assert '"' not in frame.quoted('" onmouseover="alert(1)')


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.2, "1 s"), (40, "40 s"), (61, "1 min"), (3599, "1 h 0 min"), (11_100, "3 h 5 min")]
)
def test_durations_are_told_to_the_unit_that_matters(seconds: float, told: str) -> None:
    assert times.lasting(seconds) == told
