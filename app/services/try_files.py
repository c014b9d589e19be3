"""Trying many films by their files: a few at once, each forgotten as soon as its answer is here."""

import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.house import House
from app.services import trying
from app.services.try_pictures import most_telling, picture
from core.errors import NotFound, ReadingRoomError
from core.registry import ModelVersion
from core.studies import Skipped
from core.tries import Context, Try
from data.importers.films import files_below

AT_ONCE = 4
POLL_SECONDS = 0.1
_TOLD = 5


class NoFilms(NotFound):
    """Nothing lies where films were to be."""


class SaveElsewhere(ReadingRoomError):
    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"Pictures are not saved among the films in {folder}: the next run would take them for films. Name another "
            "folder."
        )


class NothingRead(ReadingRoomError):
    """Of all films not one could be read."""

    def __init__(self, skipped: Sequence[Skipped]) -> None:
        told = " ".join(f"{each.item}: {each.reason}" for each in skipped[:_TOLD])
        more = f" And {len(skipped) - _TOLD} more." if len(skipped) > _TOLD else ""
        super().__init__(f"No film could be read. {told}{more}")


@dataclass(frozen=True)
class FilmFile:
    """A file, and the name it is told under."""

    item: str
    path: Path


@dataclass(frozen=True)
class Answered:
    """A film that a model answered for, and the picture that was saved of it."""

    item: str
    film: trying.Film
    said: Try
    picture: Path | None


def films_at(places: Sequence[Path], save: Path | None = None) -> list[FilmFile]:
    """The files at some places, those of a folder by their names in it. Raises NoFilms, SaveElsewhere."""
    found = []
    for place in places:
        if place.is_file():
            found.append(FilmFile(str(place) if len(places) > 1 else place.name, place))
        elif not place.is_dir():
            raise NoFilms(f"There is no file or folder {place}.")
        elif save is not None and save.resolve().is_relative_to(place.resolve()):
            raise SaveElsewhere(place)
        else:
            top = Path(place.name) if len(places) > 1 else Path()
            found += [FilmFile(str(top / path.relative_to(place)), path) for path in files_below(place)]
    if not found:
        raise NoFilms(f"There is no file in {', '.join(str(place) for place in places)}.")
    return found


@dataclass
class Reading:
    """Films under way: who asks which model, with what context, and where pictures go. `tend` is called while waiting.

    Leaving it forgets every film whose answer was not waited for.
    """

    house: House
    context: Context
    model: ModelVersion
    reader: str
    save: Path | None
    tend: Callable[[], None]
    _under_way: deque[tuple[FilmFile, trying.Film, int]] = field(default_factory=deque)
    _taken: set[Path] = field(default_factory=set)

    def read(self, files: Sequence[FilmFile]) -> Iterator[Answered | Skipped]:
        """What the model says of each film. A bad file never stops the rest."""
        try:
            for file in files:
                if len(self._under_way) >= AT_ONCE:
                    yield self._next()
                try:
                    self._begin(file)
                except (ReadingRoomError, OSError) as error:
                    yield Skipped(file.item, _reason(error))
            while self._under_way:
                yield self._next()
        finally:
            for _, film, _ in self._under_way:
                trying.forget(self.house, film.place, self.reader)

    def _begin(self, file: FilmFile) -> None:
        film = trying.drop(self.house, file.path.read_bytes())
        try:
            number = trying.ask(self.house, film, self.context, self.model, self.reader)
        except BaseException:
            trying.forget(self.house, film.place, self.reader)
            raise
        self._under_way.append((file, film, number))

    def _next(self) -> Answered | Skipped:
        file, film, number = self._under_way[0]
        while not trying.is_answered(said := trying.look_up(self.house, number)):
            self.tend()
            time.sleep(POLL_SECONDS)
        try:
            trying.require_answer(said)
            place = self._save(file, said) if self.save is not None else None
            told: Answered | Skipped = Answered(file.item, film, said, place)
        except (ReadingRoomError, OSError) as error:
            told = Skipped(file.item, _reason(error))
        self._under_way.popleft()
        trying.forget(self.house, film.place, self.reader)
        return told

    def _save(self, file: FilmFile, said: Try) -> Path:
        assert self.save is not None
        self.save.mkdir(parents=True, exist_ok=True)
        whole = re.sub(r"[^\w.-]+", "-", file.item).lstrip("-.") or "film"
        place = self.save / f"{Path(whole).stem}-{said.model}.png"
        if place in self._taken:
            place = self.save / f"{whole}-{said.model}.png"
        self._taken.add(place)
        place.write_bytes(picture(self.house, said, most_telling(said.opinions).finding))
        return place


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, ReadingRoomError) else f"It cannot be read ({error})."
