"""A film that is tried on a model without being imported: what came in, what is kept of it, what the model says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

from core.annotations import AskState
from core.errors import ReadingRoomError
from core.findings import State
from core.studies import View

MOST_WORDS = 1_000
MOST_CHARACTERS = 20_000
"""Of a longer context the beginning is kept. Text encoders read fewer words still."""

KEPT_FOR = timedelta(hours=12)
"""What nobody asked to forget is forgotten after this."""

_BORN = "%Y%m%d%H%M%S"


class MalformedOpinion(ReadingRoomError):
    """What a model said is not of the shape that was agreed."""

    def __init__(self, finding: str) -> None:
        super().__init__(
            f"What the model said of {finding} cannot be read. It was made by another version of Reading Room: "
            "train the model again."
        )


@dataclass(frozen=True)
class Context:
    """What is known before a film is read. Of the `words` that came in, `text` holds the first `kept`."""

    text: str
    words: int
    kept: int

    @property
    def is_cut(self) -> bool:
        return self.kept < self.words


def as_context(text: str) -> Context:
    """The text as it is kept: without signs that no text has, its lines as they were, cut where it is too long."""
    # NUL is refused by PostgreSQL, and half of a surrogate pair by everything.
    tidy = text.replace("\0", "").encode("utf-8", "ignore").decode().strip()
    words = len(tidy.split())
    kept, room = [], MOST_WORDS
    for line in tidy.splitlines():
        said = line.split()[:room]
        room -= len(said)
        kept.append(" ".join(said))
        if not room:
            break
    short = "\n".join(kept)
    if len(short) > MOST_CHARACTERS:
        short = short[:MOST_CHARACTERS].rpartition(" ")[0] or short[:MOST_CHARACTERS]
    return Context(short.strip(), words, len(short.split()))


@dataclass(frozen=True)
class Nearest:
    """A labelled study that looks alike, and what was known of it."""

    dataset: str
    key: str
    state: State
    similarity: float


@dataclass(frozen=True)
class Opinion:
    """What a model says of one finding on a film.

    `probability` is with the context where there was one, `without_context` from the film alone. From `threshold` up
    `says` is present. `map` names an 8-bit grey PNG of the film's shape, bright where the model looked. `words` are
    those of the context that it heeded, with their weight; `read_words` is how many of the context's words it read,
    None where it read all. `differential` is its evidence as text, `remarks` what a person should know of the answer.
    """

    finding: str
    probability: float
    without_context: float
    has_context: bool = False
    threshold: float | None = None
    says: State | None = None
    map: str | None = None
    words: tuple[tuple[str, float], ...] = ()
    nearest: tuple[Nearest, ...] = ()
    differential: str = ""
    read_words: int | None = None
    remarks: tuple[str, ...] = ()


def opinion_of(finding: str, payload: Mapping[str, Any]) -> Opinion:
    """The opinion in the payload of a classification model's prediction. Raises MalformedOpinion."""
    try:
        read = payload.get("read_words")
        return Opinion(
            finding=finding,
            probability=_share(payload["probability"]),
            without_context=_share(payload["without_context"]),
            has_context=payload.get("context") == "real",
            threshold=None if payload.get("threshold") is None else _share(payload["threshold"]),
            says=State(payload["says"]) if payload.get("says") else None,
            map=str(payload["map"]) if payload.get("map") else None,
            words=tuple((str(word), float(weight)) for word, weight in payload.get("words", ())),
            nearest=tuple(
                Nearest(str(n["dataset"]), str(n["key"]), State(n["state"]), float(n["similarity"]))
                for n in payload.get("nearest", ())
            ),
            differential=str(payload.get("differential") or ""),
            read_words=None if read is None else int(read),
            remarks=tuple(str(remark) for remark in payload.get("remarks", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedOpinion(finding) from error


@dataclass(frozen=True)
class NewTry:
    """A film in a place of its own, and what is asked of it."""

    place: str
    sha: str
    media_type: str
    view: View
    context: str
    model: str


@dataclass(frozen=True)
class Try:
    """A question about a film that is in no dataset, and what became of it: `opinions`, the most probable first, or
    `answer`, a sentence that says why there are none."""

    id: int
    place: str
    sha: str
    media_type: str
    view: View
    context: str
    model: str
    state: AskState
    asked_at: datetime
    opinions: tuple[Opinion, ...] = ()
    answer: str | None = None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know of the answer, each said once."""
        return tuple(dict.fromkeys(remark for each in self.opinions for remark in each.remarks))

    @property
    def differential(self) -> tuple[str, ...]:
        """The evidence for all findings, a paragraph each, each said once."""
        return tuple(dict.fromkeys(each.differential for each in self.opinions if each.differential))

    def opinion(self, finding: str) -> Opinion | None:
        return next((each for each in self.opinions if each.finding == finding), None)


def new_place(now: datetime) -> str:
    """A name that nobody can guess and that says when it was made."""
    return f"{now.astimezone(UTC):{_BORN}}-{token_hex(16)}"


def is_outworn(place: str, now: datetime) -> bool:
    """Whether what lies there was to be kept until now at the longest. A name that we did not give is never outworn."""
    try:
        born = datetime.strptime(place.partition("-")[0], _BORN).replace(tzinfo=UTC)
    except ValueError:
        return False
    return now - born > KEPT_FOR


def _share(value: Any) -> float:
    number = float(value)
    if not 0 <= number <= 1:
        raise ValueError(f"{value} is no probability")
    return number
