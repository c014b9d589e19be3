"""Trying a film on a model without importing it: what is dropped is read, shown, and forgotten."""

from dataclasses import dataclass
from datetime import UTC, datetime

from app.house import House
from app.security import workspace_secret
from core.annotations import AskState
from core.errors import NotFound, ReadingRoomError
from core.notes import context_of, language_note
from core.registry import ModelState, ModelVersion
from core.reports import Report
from core.studies import PixelFacts, View
from core.tries import Context, NewTry, Try, as_context, is_outworn, new_place
from data.door import admit
from data.passing import Forgotten, Passing
from db import audit, findings, models, people, tries

FAMILY = "classification"


class NoModelToTry(ReadingRoomError):
    def __init__(self) -> None:
        super().__init__(
            f"No {FAMILY} model is in use yet. Train one, and promote it on the Models screen; a version that is not "
            f"in use is tried by its name, such as {FAMILY}-v1."
        )


class TriesNoFilms(ReadingRoomError):
    """A model of a family that says nothing of a film as a whole."""

    def __init__(self, model: ModelVersion) -> None:
        super().__init__(f"{model.name} is a {model.family} model. Films are tried on a {FAMILY} model.")


@dataclass(frozen=True)
class Film:
    """A film in its place, and what a person should know of it."""

    place: str
    sha: str
    media_type: str
    view: View
    facts: PixelFacts
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Heeded:
    """What is made of a context: how it is kept, what of it a model may read, and what a person should know."""

    context: Context
    read: str
    cautions: tuple[str, ...]


def versions(house: House) -> tuple[ModelVersion, ...]:
    """The models that films can be tried on: the one in use first, then the newest."""
    with house.database.reading() as session:
        known = models.models(session, FAMILY)
    return tuple(sorted(known, key=lambda model: (model.state is not ModelState.CHAMPION, -model.number)))


def model_called(house: House, name: str = FAMILY) -> ModelVersion:
    """The version of this name, or the one in use of this family. Raises NoModelToTry, TriesNoFilms, NotFound."""
    with house.database.reading() as session:
        if name == FAMILY and models.champion(session, FAMILY) is None:
            raise NoModelToTry
        model = models.get_model(session, name)
    if model.family != FAMILY:
        raise TriesNoFilms(model)
    return model


def drop(house: House, payload: bytes) -> Film:
    """Let a film in, de-identified, into a place of its own. Raises UnreadableImage, CannotDeidentify, DiskFull."""
    sweep(house)
    admitted = admit(payload, workspace_secret(house.workspace))
    image = admitted.image
    place = new_place(datetime.now(UTC))
    sha = Passing.of(house.workspace).store(place).put(image.payload)
    return Film(place, sha, image.media_type, image.view, image.facts, admitted.cautions)


def heed(text: str) -> Heeded:
    """What a model may read of a context as it was typed."""
    context = as_context(text)
    read = context_of(Report(indication=context.text), None) if context.text else ""
    cautions = []
    if context.is_cut:
        cautions.append(f"Of the {context.words:,} words of the context the first {context.kept:,} are kept.")
    if context.text and not read:
        cautions.append("Nothing of the text tells what was known before the film, so it is read without context.")
    if note := language_note(read):
        cautions.append(note)
    return Heeded(context, read, tuple(cautions))


def ask(house: House, film: Film, context: Context, model: ModelVersion, reader: str) -> int:
    """Ask a model about a film; gives the question's number. Raises Forgotten."""
    if not Passing.of(house.workspace).store(film.place).has(film.sha):
        raise Forgotten
    new = NewTry(film.place, film.sha, film.media_type, film.view, context.text, model.name)
    with house.database.writing() as session:
        number = tries.ask(session, new, people.ensure_reader(session, reader))
        words = "1 word" if context.kept == 1 else f"{context.kept:,} words"
        told = f"{film.facts.width:,} x {film.facts.height:,} pixels, {words} of context"
        audit.record(session, reader, "try a film", model.name, told)
    return number


def look_up(house: House, number: int) -> Try:
    """What became of a question. Raises NotFound when it was forgotten."""
    with house.database.reading() as session:
        return tries.get_try(session, number)


def tried(house: House, place: str, number: int) -> Try:
    """A question by its number, for whoever knows the film's place. Raises NotFound."""
    found = look_up(house, number)
    if found.place != place:
        raise Forgotten
    return found


def bytes_of(house: House, place: str, sha: str) -> bytes:
    """A film, or a map of where a model looked, by its place. Raises NotFound, BlobCorrupt."""
    store = Passing.of(house.workspace).store(place)
    if not store.has(sha):
        raise Forgotten
    return store.get(sha)


def forget(house: House, place: str, reader: str) -> None:
    """Take the film of a place, all that was said of it and its context away, for good. Raises Forgotten."""
    Passing.of(house.workspace).forget(place)
    with house.database.writing() as session:
        if tries.forget(session, place):
            audit.record(session, reader, "forget a tried film", place.partition("-")[0])


def sweep(house: House) -> None:
    """Forget what nobody asked to forget in time."""
    passing, now = Passing.of(house.workspace), datetime.now(UTC)
    for place in [place for place in passing.places() if is_outworn(place, now)]:
        passing.forget(place)
        with house.database.writing() as session:
            tries.forget(session, place)


def names(house: House) -> dict[str, str]:
    """How findings are called, by key, those no longer offered among them."""
    with house.database.reading() as session:
        return {finding.key: finding.name for finding in findings.vocabulary(session, include_retired=True)}


def is_answered(one: Try) -> bool:
    return one.state is not AskState.WAITING


def require_answer(one: Try) -> Try:
    """Raises NotFound with the sentence of the model that refused."""
    if one.state is AskState.REFUSED:
        raise NotFound(one.answer or f"{one.model} gave no answer.")
    return one
