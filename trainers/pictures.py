"""Small pictures of films for people to look at: outlines, panels side by side, heat, and the words under them."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from core.masks import Mask

Colour = tuple[int, int, int]

TRUTH_COLOUR: Colour = (46, 196, 182)
PREDICTED_COLOUR: Colour = (242, 184, 75)
GROUND: Colour = (14, 17, 22)
INK: Colour = (201, 209, 219)
SIDE = 320
STRIP = 24
LETTER = 13

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Look:
    """A film, what is really there and what a model marked, small enough to keep many: (h, w) each."""

    pixels: Pixels
    truth: Mask
    predicted: Mask

    @classmethod
    def of(cls, pixels: Pixels, truth: Mask, predicted: Mask, side: int = SIDE) -> "Look":
        """`pixels` (H, W) uint8 and masks of the same size, made `side` pixels at the longer edge."""
        return cls(shrunk(pixels, side), _shrunk_mask(truth, side), _shrunk_mask(predicted, side))


def shrunk(pixels: Pixels, side: int) -> Pixels:
    """(H, W) uint8 made `side` pixels at the longer edge, its shape kept."""
    film = Image.fromarray(pixels)
    scale = side / max(film.size)
    size = (max(1, round(film.width * scale)), max(1, round(film.height * scale)))
    return np.asarray(film.resize(size, Image.Resampling.BILINEAR))


def tri_panel(look: Look, caption: str) -> Image.Image:
    """Film, film with truth, film with prediction, each (h, w), under a strip of words."""
    film = Image.fromarray(look.pixels).convert("RGB")
    panels = [film, _filled(film, look.truth, TRUTH_COLOUR), _filled(film, look.predicted, PREDICTED_COLOUR)]
    sheet = Image.new("RGB", (3 * film.width, film.height + STRIP), GROUND)
    for place, panel in enumerate(panels):
        sheet.paste(panel, (place * film.width, STRIP))
    draw = ImageDraw.Draw(sheet)
    write(draw, 6, caption, film.width - 10)
    write(draw, film.width + 6, "truth", film.width, TRUTH_COLOUR)
    write(draw, 2 * film.width + 6, "prediction", film.width, PREDICTED_COLOUR)
    return sheet


def overlay(look: Look, caption: str) -> Image.Image:
    """The film with both outlines, (h, w), under a strip of words and over a legend."""
    film = outlined(look)
    sheet = Image.new("RGB", (film.width, film.height + 2 * STRIP), GROUND)
    sheet.paste(film, (0, STRIP))
    draw = ImageDraw.Draw(sheet)
    write(draw, 6, caption, film.width - 10)
    left = 6
    for word, colour in (("truth", TRUTH_COLOUR), ("prediction", PREDICTED_COLOUR)):
        draw.line((left, sheet.height - STRIP // 2, left + 16, sheet.height - STRIP // 2), fill=colour, width=3)
        write(draw, left + 22, word, film.width, top=sheet.height - STRIP)
        left += 22 + 8 * len(word) + 18
    return sheet


def outlined(look: Look) -> Image.Image:
    """The film (h, w) with the outline of the truth and, over it, that of the prediction."""
    film = Image.fromarray(look.pixels).convert("RGB")
    for mask, colour in ((look.truth, TRUTH_COLOUR), (look.predicted, PREDICTED_COLOUR)):
        film.paste(colour, (0, 0), _edge(mask))
    return film


def heated(look: Look, heat: NDArray[np.float32], caption: str) -> Image.Image:
    """The film under the heat (h, w) in [0, 1], and the outline of the prediction, under a strip of words."""
    film = under_heat(look.pixels, heat)
    film.paste(PREDICTED_COLOUR, (0, 0), _edge(look.predicted))
    sheet = Image.new("RGB", (film.width, film.height + STRIP), GROUND)
    sheet.paste(film, (0, STRIP))
    write(ImageDraw.Draw(sheet), 6, caption, film.width - 10)
    return sheet


def under_heat(pixels: Pixels, heat: NDArray[np.float32]) -> Image.Image:
    """The film (h, w) under the heat (h, w) in [0, 1]."""
    coloured = matplotlib.colormaps["inferno"](heat)[:, :, :3]
    share = (0.65 * np.sqrt(heat))[:, :, None]
    mixed = (1 - share) * pixels[:, :, None] + share * 255 * coloured
    return Image.fromarray(mixed.round().astype(np.uint8))


def strip(films: Sequence[Image.Image], caption: str) -> Image.Image:
    """Films of one size side by side under a strip of words."""
    sheet = Image.new("RGB", (sum(film.width for film in films), films[0].height + STRIP), GROUND)
    left = 0
    for film in films:
        sheet.paste(film, (left, STRIP))
        left += film.width
    write(ImageDraw.Draw(sheet), 6, caption, sheet.width - 10)
    return sheet


def write(draw: ImageDraw.ImageDraw, left: int, words: str, room: int, colour: Colour = INK, top: int = 0) -> None:
    """Words on a drawing, of which the last are kept where there is no room for all."""
    font = ImageFont.load_default(LETTER)
    while words and draw.textlength(words, font) > room:
        words = words[1:]
    draw.text((left, top + 4), words, fill=colour, font=font)


def _shrunk_mask(mask: Mask, side: int) -> Mask:
    return shrunk(mask.astype(np.uint8) * 255, side) >= 128


def _filled(film: Image.Image, mask: Mask, colour: Colour) -> Image.Image:
    shown = film.copy()
    shown.paste(colour, (0, 0), Image.fromarray(mask.astype(np.uint8) * 110))
    return shown


def _edge(mask: Mask) -> Image.Image:
    """Two pixels along the border, one on each side of it."""
    whole = Image.fromarray(mask.astype(np.uint8) * 255)
    grown, eaten = whole.filter(ImageFilter.MaxFilter(3)), whole.filter(ImageFilter.MinFilter(3))
    return Image.fromarray(np.asarray(grown) - np.asarray(eaten))
