"""From pieces to reports: the text by section, each sentence with what the labeler hears in it and where it looked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.crops import Crop
from core.findings import State
from core.labeler import label
from core.reports import Report, sentences
from core.writing import Gaze, WrittenSentence
from trainers.generation.pieces import Pieces
from trainers.gradcam import Heat, over_film, resized
from trainers.retrieval.data import Pose

CUT = "The report grew too long and was ended."
FINEST = 16
"""The longer side of the map of where a sentence looked, at most."""


class Span(NamedTuple):
    """A sentence, and which of a report's pieces wrote it: from `first` up to `last`."""

    section: str
    text: str
    first: int
    last: int


@dataclass(frozen=True)
class LookedAt:
    """A film that was read: its number on record, its size in pixels before it was made square, and the window of it
    that was, None for all."""

    image: int
    height: int
    width: int
    window: Crop | None = None

    def over(self, heat: Heat, side: int, fit: str) -> Heat:
        """The heat of its square as heat of the whole film."""
        if self.window is None:
            return over_film(heat, self.height, self.width, side, fit)
        window = self.window
        inside = resized(over_film(heat, window.height, window.width, side, fit), (window.height, window.width))
        return window.put_back(inside, self.height, self.width)


def report_of(pieces: Pieces, written: Sequence[int]) -> Report:
    """What was written, by section."""
    told: dict[str, str] = {}
    for section, own in pieces.sections(written):
        told[section] = " ".join(part for part in (told.get(section, ""), pieces.read_out(own)) if part)
    return Report(**told)


def spans_of(pieces: Pieces, written: Sequence[int]) -> tuple[Span, ...]:
    """The sentences of what was written, section by section, and the pieces that they are of."""
    return tuple(span for section, start, own in _runs(pieces, written) for span in _spans(pieces, section, start, own))


def written_sentence(
    span: Span, looks: Mapping[Pose, Heat], films: Mapping[Pose, LookedAt], side: int, fit: str
) -> WrittenSentence:
    """A sentence with what is heard in it, and where on the films it looked, whose squares are of this `side`."""
    gaze = tuple(Gaze(films[pose].image, _rows(films[pose].over(heat, side, fit))) for pose, heat in looks.items())
    return WrittenSentence(span.section, span.text, heard_in(span.text), gaze)


def heard_in(text: str) -> tuple[tuple[str, State], ...]:
    """The findings that the labeler hears in a sentence."""
    return tuple((one.finding, one.state) for one in label(Report(findings=text)))


def _rows(heat: Heat) -> tuple[tuple[int, ...], ...]:
    """The heat as rows of 0 to 255, no finer than it has to be."""
    scale = FINEST / max(heat.shape)
    small = resized(heat, tuple(max(1, round(length * min(1.0, scale))) for length in heat.shape))
    return tuple(tuple(int(value) for value in row) for row in (small.clip(0, 1) * 255).round())


def _runs(pieces: Pieces, written: Sequence[int]) -> Iterator[tuple[str, int, list[int]]]:
    """Each section that was opened: its name, where its pieces begin, and these."""
    start = 0
    for section, own in pieces.sections(written):
        start = written.index(pieces.opening(section), start) + 1
        yield section, start, own


def _spans(pieces: Pieces, section: str, start: int, own: Sequence[int]) -> Iterator[Span]:
    text = pieces.raw(own)
    # What the first pieces say together, piece by piece: where each ends in the text.
    ends = [len(pieces.raw(own[: count + 1])) for count in range(len(own))]
    for one in sentences(Report(text=text)):
        first = next((place for place, end in enumerate(ends) if end > one.start), len(own))
        last = next((place + 1 for place, end in enumerate(ends) if end >= one.end), len(own))
        yield Span(section, pieces.tidy(one.text), start + first, start + last)
