from hypothesis import given
from hypothesis import strategies as st

from data.csvsafe import harmless, restored

tricky = st.text(st.sampled_from("=+-@'\t\r\nab 1"), max_size=8) | st.text(max_size=20)


@given(text=tricky)
def test_every_text_comes_back(text: str) -> None:
    assert restored(harmless(text)) == text


@given(text=tricky)
def test_no_cell_begins_as_a_formula_does(text: str) -> None:
    assert not harmless(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_ordinary_text_is_left_as_it_is() -> None:
    for text in ("", "No effusion.", "3 cm", "'quoted'", "'", "a=b", " =1"):
        assert harmless(text) == text
    assert harmless("=HYPERLINK(1)") == "'=HYPERLINK(1)"
