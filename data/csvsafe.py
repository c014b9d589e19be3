"""Cells that spreadsheets would run as formulas, made harmless on the way out and restored on the way in.

A spreadsheet takes a cell that begins with = + - @, a tab or a carriage return for a formula, wherever the file came
from. Such a cell gets an apostrophe in front (the OWASP advice on CSV injection). A cell that already begins with an
apostrophe and would be taken for an escaped one gets another, so that `restored` undoes `harmless` for every text.
"""

from typing import Final

_MARK: Final = "'"
_STARTS_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    return _MARK + text if text.startswith(_STARTS_FORMULA) or _looks_escaped(text) else text


def restored(cell: str) -> str:
    """The text that `harmless` made the cell from."""
    return cell[1:] if _looks_escaped(cell) else cell


def _looks_escaped(text: str) -> bool:
    return text.startswith(_MARK) and text[1:].startswith((*_STARTS_FORMULA, _MARK))
