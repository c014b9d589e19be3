"""Small tables as HTML, every cell escaped, and how an estimate is told in them."""

from collections.abc import Sequence
from html import escape

from core.metrics import Estimate


def html_table(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """A table of plain text. `numbers` are the columns to set flush right."""

    def cells(tag: str, texts: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{' class=number' if place in numbers else ''}>{escape(text)}</{tag}>"
            for place, text in enumerate(texts)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<table class="rr-table"><thead><tr>{cells("th", headings)}</tr></thead><tbody>{body}</tbody></table>'


def estimated(estimate: Estimate, digits: int = 3) -> str:
    """A value with its 95 % interval where it has one, as "0.951 (0.940 to 0.962)"."""
    if estimate.value is None:
        return "not evaluable"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.{digits}f}"
    return f"{estimate.value:.{digits}f} ({estimate.low:.{digits}f} to {estimate.high:.{digits}f})"
