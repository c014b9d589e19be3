"""How a film must be turned to stand upright, read off DICOM's PatientOrientation (PS3.3 C.7.6.1.1.1)."""

from collections.abc import Sequence
from typing import Final

from core.studies import Turn, View

_FRONTAL: Final = {
    ("L", "F"): Turn.NONE,
    ("R", "F"): Turn.MIRROR,
    ("L", "H"): Turn.FLIP,
    ("R", "H"): Turn.ROTATE_180,
    ("F", "R"): Turn.ROTATE_90,
    ("H", "L"): Turn.ROTATE_270,
    ("F", "L"): Turn.TRANSPOSE,
    ("H", "R"): Turn.TRANSVERSE,
}
"""Directions in which the rows and the columns run, and the turn after which rows run to the patient's left and columns
to the feet."""

_LATERAL: Final = {"F": Turn.NONE, "H": Turn.ROTATE_180}
_LATERAL_LYING: Final = {"F": Turn.ROTATE_90, "H": Turn.ROTATE_270}

_SAID: Final = {
    Turn.MIRROR: "mirrored",
    Turn.FLIP: "upside down and mirrored",
    Turn.ROTATE_180: "upside down",
    Turn.ROTATE_90: "on its side",
    Turn.ROTATE_270: "on its side",
    Turn.TRANSPOSE: "on its side and mirrored",
    Turn.TRANSVERSE: "on its side and mirrored",
}


def upright(orientation: Sequence[str], view: View) -> tuple[Turn, str]:
    """The turn that sets a film upright, and why, in a sentence ("" when it stands).

    `orientation` is where the rows run to and where the columns run to, such as ("L", "F"); of a compound direction
    ("LF") the first letter counts. A lateral film has no left and right to set: it is only stood on its feet.
    """
    if len(orientation) != 2 or not all(orientation):
        return Turn.NONE, ""
    rows, columns = orientation[0][0].upper(), orientation[1][0].upper()
    if (rows, columns) in _FRONTAL and view is not View.LATERAL:
        turn = _FRONTAL[rows, columns]
    elif columns in _LATERAL and rows in "AP":
        turn = _LATERAL[columns]
    elif rows in _LATERAL_LYING and columns in "AP":
        turn = _LATERAL_LYING[rows]
    else:
        turn = Turn.NONE
    if turn is Turn.NONE:
        return turn, ""
    return turn, f"PatientOrientation {orientation[0]}\\{orientation[1]} says that the film was stored {_SAID[turn]}"
