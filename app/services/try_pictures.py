"""One picture of a tried film: the film, where the model looked, what it says and why, and which model it was."""

import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageDraw, ImageFont

from app import palette
from app.house import House
from app.services import trying, vocabulary
from core.errors import NotFound
from core.findings import State, by_key
from core.registry import RESEARCH_ONLY
from core.tries import Opinion, Try
from data import images

PANEL = 620
TABLE = 520
MARGIN = 28
ROW = 25
LINE = 20
SMALL, USUAL, LARGE = 13, 15, 18
OPACITY = 0.75
MOST_LINES = 6
"""Of a long text the first lines are drawn."""

Rgb = NDArray[np.uint8]


@dataclass
class Sheet:
    """A picture that is drawn from the top down."""

    width: int
    image: PIL.Image.Image = field(init=False)

    def __post_init__(self) -> None:
        self.image = PIL.Image.new("RGB", (self.width, 4_000), palette.GROUND)

    @property
    def pen(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.image)

    def write(
        self, left: float, top: float, text: str, size: int = USUAL, colour: str = palette.INK, anchor: str = "la"
    ) -> None:
        self.pen.text((left, top), text, fill=colour, font=_font(size), anchor=anchor)

    def paragraph(self, left: int, top: int, room: int, text: str, size: int = SMALL, colour: str = palette.INK) -> int:
        """Write text in lines of at most `room` pixels, a few of them; gives where the next thing may stand."""
        lines = _wrapped(text, room, size)
        if len(lines) > MOST_LINES:
            lines = [*lines[: MOST_LINES - 1], f"{lines[MOST_LINES - 1]} ..."]
        for line in lines:
            self.write(left, top, line, size, colour)
            top += LINE
        return top

    def png(self, height: int) -> bytes:
        out = io.BytesIO()
        self.image.crop((0, 0, self.width, height)).save(out, "PNG", optimize=True)
        return out.getvalue()


def picture(house: House, one: Try, finding: str) -> bytes:
    """A PNG of an answered try: where the model looked for one finding, and what it says of all of them.

    Raises NotFound for a film that was forgotten, a question without an answer and a finding that it does not name.
    """
    chosen = trying.require_answer(one).opinion(finding)
    if chosen is None:
        raise NotFound(f"{one.model} says nothing of {finding} on this film.")
    known = by_key(vocabulary.vocabulary(house, include_retired=True))
    names = {key: each.name for key, each in known.items()}
    colour = known[finding].colour if finding in known else palette.ACCENT
    film = _film(trying.bytes_of(house, one.place, one.sha))
    looked = heated(film, _map(house, one, chosen), colour) if chosen.map else None
    panels = [(film, "The film")] if looked is None else [(film, "The film"), (looked, "Where the model looked")]
    sheet = Sheet(MARGIN * (len(panels) + 2) + PANEL * len(panels) + TABLE)
    sheet.write(MARGIN, MARGIN, one.model, LARGE)
    asked = f"{one.asked_at.astimezone():%d %b %Y, %H:%M}"
    sheet.write(sheet.width - MARGIN, MARGIN, asked, USUAL, palette.FAINT, "ra")
    top = MARGIN + 40
    bottoms = [_panel(sheet, place, top, pixels, words) for place, (pixels, words) in enumerate(panels)]
    left = sheet.width - MARGIN - TABLE
    bottoms.append(_table(sheet, left, top, one, chosen, names))
    below = _evidence(sheet, max(bottoms) + MARGIN, one, chosen, names)
    sheet.pen.line((MARGIN, below, sheet.width - MARGIN, below), fill=palette.LINE)
    sheet.write(MARGIN, below + 12, RESEARCH_ONLY, USUAL, palette.FAINT)
    sheet.write(sheet.width - MARGIN, below + 12, "Reading Room", USUAL, palette.FAINT, "ra")
    return sheet.png(below + 12 + LINE + MARGIN // 2)


def heated(film: Rgb, heat: NDArray[np.uint8], colour: str) -> Rgb:
    """A film (h, w) 8-bit grey under a map (h', w') 8-bit grey of its shape, as (h, w, 3): the finding's colour, as
    opaque as the map is bright."""
    size = (film.shape[1], film.shape[0])
    share = np.asarray(PIL.Image.fromarray(heat).resize(size, PIL.Image.Resampling.BICUBIC), np.float32) / 255
    weight = (OPACITY * share)[..., None]
    tint = np.asarray([int(colour[at : at + 2], 16) for at in (1, 3, 5)], np.float32)
    mixed: Rgb = np.rint((1 - weight) * film[..., None] + weight * tint).astype(np.uint8)
    return mixed


def _film(payload: bytes) -> Rgb:
    """(h, w) 8-bit grey as it is looked at, made to fit a panel."""
    facts, values = images.header(payload), images.read(payload)
    window = facts.window or images.display_window(values, facts.bits)
    film = PIL.Image.fromarray(images.to_8_bits(values, window, facts.bits, facts.photometric))
    scale = PANEL / max(film.size)
    size = (max(1, round(film.width * scale)), max(1, round(film.height * scale)))
    return np.asarray(film.resize(size, PIL.Image.Resampling.LANCZOS))


def _map(house: House, one: Try, chosen: Opinion) -> NDArray[np.uint8]:
    pixels = images.read(trying.bytes_of(house, one.place, chosen.map or ""))
    return images.to_8_bits(pixels)


def _panel(sheet: Sheet, place: int, top: int, pixels: Rgb, words: str) -> int:
    left = MARGIN + place * (PANEL + MARGIN)
    film = PIL.Image.fromarray(pixels).convert("RGB")
    sheet.image.paste(film, (left + (PANEL - film.width) // 2, top))
    sheet.write(left, top + film.height + 8, words, SMALL, palette.FAINT)
    return top + film.height + 8 + LINE


def _table(sheet: Sheet, left: int, top: int, one: Try, chosen: Opinion, names: Mapping[str, str]) -> int:
    has_context = any(each.has_context for each in one.opinions)
    columns = [(left + TABLE - 120, "film alone"), (left + TABLE, "with context")] if has_context else []
    columns = columns or [(left + TABLE, "film alone")]
    track = (left + 190, left + TABLE - (210 if has_context else 100))
    for right, heading in columns:
        sheet.write(right, top, heading, SMALL, palette.FAINT, "ra")
    top += ROW
    for each in one.opinions:
        middle = top + ROW // 2
        if each is chosen:
            sheet.pen.rectangle((left - 8, top, left + TABLE + 6, top + ROW - 2), fill=palette.RAISED)
        is_said = each.says is State.PRESENT
        name = _shortened(names.get(each.finding, each.finding.replace("_", " ")), 180, USUAL)
        sheet.write(left, middle, name, USUAL, palette.INK if is_said else palette.FAINT, "lm")
        _bar(sheet, track, middle, each, is_said)
        shares = (each.without_context, each.probability) if has_context else (each.probability,)
        for (right, _), share in zip(columns, shares, strict=True):
            sheet.write(right, middle, f"{share:.2f}", USUAL, palette.INK if is_said else palette.FAINT, "rm")
        top += ROW
    legend = "Bar: with context. Ring: film alone. " if has_context else ""
    sheet.write(left, top + 8, f"{legend}Mark: the threshold chosen on validation.", SMALL, palette.FAINT)
    return top + 8 + LINE


def _bar(sheet: Sheet, track: tuple[int, int], middle: int, each: Opinion, is_said: bool) -> None:
    start, end = track

    def at(share: float) -> float:
        return start + share * (end - start)

    pen = sheet.pen
    pen.rectangle((start, middle - 3, end, middle + 3), fill=palette.LINE)
    pen.rectangle(
        (start, middle - 3, at(each.probability), middle + 3), fill=palette.ACCENT if is_said else palette.DULL
    )
    if each.threshold is not None:
        pen.line((at(each.threshold), middle - 7, at(each.threshold), middle + 7), fill=palette.INK, width=2)
    if each.has_context:
        x = at(each.without_context)
        pen.ellipse((x - 4, middle - 4, x + 4, middle + 4), outline=palette.INK, fill=palette.GROUND, width=2)


def _evidence(sheet: Sheet, top: int, one: Try, chosen: Opinion, names: Mapping[str, str]) -> int:
    room = sheet.width - 2 * MARGIN
    name = names.get(chosen.finding, chosen.finding.replace("_", " "))
    parts = [
        (name, chosen.differential),
        ("Context", one.context),
        ("Heeded", ", ".join(f"{word} {weight:.2f}" for word, weight in chosen.words)),
        ("Note", " ".join(one.remarks)),
    ]
    for heading, text in parts:
        if text:
            sheet.write(MARGIN, top, heading, SMALL, palette.FAINT)
            top = sheet.paragraph(MARGIN, top + LINE, room, text) + LINE // 2
    return top


def _wrapped(text: str, room: int, size: int) -> list[str]:
    letters = max(8, int(room / _font(size).getlength("nnnnnnnnnn") * 10))
    return [line for part in text.splitlines() for line in textwrap.wrap(part, letters)]


def _shortened(text: str, room: int, size: int) -> str:
    font = _font(size)
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(f"{text}...") > room:
        text = text[:-1]
    return f"{text}..."


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """A font with Greek and Cyrillic letters: contexts come in other languages too."""
    import matplotlib

    place = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(place, size)


def most_telling(opinions: Sequence[Opinion]) -> Opinion:
    """Of several opinions the one that goes farthest beyond its threshold; where none does, the most probable."""
    present = [each for each in opinions if each.says is State.PRESENT and each.threshold is not None]
    return max(present or opinions, key=lambda each: each.probability - (each.threshold or 0.0 if present else 0.0))
