"""Reports that a model wrote: each sentence with what was heard in it, and where on the films its words looked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from core.annotations import AskState
from core.errors import ReadingRoomError
from core.findings import State

SECTIONS: Final = ("findings", "impression")
"""The sections that a model may write, in reading order."""


class MalformedWriting(ReadingRoomError):
    """A written report on record is not of the shape that was agreed."""

    def __init__(self) -> None:
        super().__init__(
            "This written report cannot be read. It was made by another version of Reading Room: let the model write "
            "it again."
        )


class BadDecoding(ReadingRoomError):
    """Settings that no report can be written by."""


@dataclass(frozen=True)
class Decoding:
    """How words are chosen. `temperature` 0 takes the likeliest word each time; `top_k` 0 lets all words in; with more
    than one of `beams` the likeliest of that many beginnings are followed, and temperature and top_k do not matter.
    Never more than `most_tokens` are written. `prompt` is how the report begins. Equal seeds write equal reports.

    Raises BadDecoding.
    """

    temperature: float = 0.0
    top_k: int = 0
    beams: int = 1
    most_tokens: int = 160
    prompt: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 5:
            raise BadDecoding(f"The temperature lies between 0 and 5; not {self.temperature:g}.")
        if not (0 <= self.top_k <= 100_000 and 1 <= self.beams <= 16 and 1 <= self.most_tokens <= 1024):
            raise BadDecoding("top_k is 0 or more, beams lie between 1 and 16, and 1 to 1,024 tokens are written.")


@dataclass(frozen=True)
class Gaze:
    """Where on one film a sentence's words looked: rows of 0 to 255 over the whole film."""

    image: int
    map: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class WrittenSentence:
    """One sentence of a section. `heard` are the findings that the labeler hears in it."""

    section: str
    text: str
    heard: tuple[tuple[str, State], ...] = ()
    gaze: tuple[Gaze, ...] = ()


@dataclass(frozen=True)
class NewWriting:
    """What a model wrote about a study. `remarks` say in sentences what the reader should know of how it came about:
    a missing view, lungs that were not cut out, a report that ended because it grew too long."""

    study: int
    sentences: tuple[WrittenSentence, ...]
    decoding: Decoding = field(default_factory=Decoding)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Writing:
    """A written report on record. `model` is the name of the version that wrote it."""

    id: int
    study: int
    model: str
    sentences: tuple[WrittenSentence, ...]
    decoding: Decoding
    remarks: tuple[str, ...]
    created_at: datetime

    def section(self, name: str) -> str:
        return " ".join(each.text for each in self.sentences if each.section == name)

    @property
    def sections(self) -> tuple[tuple[str, str], ...]:
        """The sections that were written, in reading order, with their text."""
        return tuple((name, text) for name in SECTIONS if (text := self.section(name)))

    @property
    def text(self) -> str:
        return " ".join(each.text for each in self.sentences)


@dataclass(frozen=True)
class WritingAsk:
    """A question to the warm inference process: write about this study, in this way. An empty `model` means the one in
    use. `writing` names the answer, `answer` says why there is none."""

    id: int
    study: int
    model: str
    decoding: Decoding
    state: AskState
    asked_at: datetime
    writing: int | None = None
    answer: str | None = None


def plain(sentences: Sequence[WrittenSentence]) -> list[dict[str, Any]]:
    """As JSON holds it."""
    return [asdict(each) for each in sentences]


def sentences_of(told: Sequence[Mapping[str, Any]]) -> tuple[WrittenSentence, ...]:
    """The sentences that JSON holds. Raises MalformedWriting."""
    try:
        return tuple(
            WrittenSentence(
                str(each["section"]),
                str(each["text"]),
                tuple((str(finding), State(state)) for finding, state in each["heard"]),
                tuple(
                    Gaze(int(gaze["image"]), tuple(tuple(int(value) for value in row) for row in gaze["map"]))
                    for gaze in each["gaze"]
                ),
            )
            for each in told
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedWriting from error


def decoding_of(told: Mapping[str, Any]) -> Decoding:
    """The settings that JSON holds. Raises MalformedWriting, BadDecoding."""
    try:
        return Decoding(**told)
    except TypeError as error:
        raise MalformedWriting from error
