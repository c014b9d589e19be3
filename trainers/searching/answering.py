"""Answering what is like something, with the model whose index is whole, and keeping its index up with the studies."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import ReadingRoomError
from core.registry import SEARCHING_FAMILY
from core.reports import sentences
from core.search import (
    USUAL,
    Asked,
    Hit,
    NewSearch,
    NoIndexYet,
    NothingEmbedded,
    Search,
)
from core.studies import Image, Study
from core.workspace import Workspace
from data.passing import Forgotten, Passing
from data.store import BlobMissing, Store
from db import embeddings, searches, studies
from db.engine import Database
from trainers.awake import Awake, Loaded
from trainers.contract import Shelf
from trainers.datasets import FilmCache, read_film, shows_something
from trainers.families import FAMILIES
from trainers.retrieval.data import Pose, split_text
from trainers.retrieval.explanation import likeness_heat, text_heat
from trainers.searching.embedding import embed_some, lists_at
from trainers.searching.holdings import Holdings

MAP_SIDE = 16
FEW = 4
"""Studies that are embedded between two looks at the questions that wait."""
SWEEP_SECONDS = 300.0
SENTENCES_READ = 24
SEARCHER = "Reading Room"
"""Who asks for an index to be made anew."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Query:
    """What is searched for, as the model has it, and what a person should know of that. `words` are those asked, as
    sentences; none where a film or a study is asked about."""

    vector: NDArray[np.float32]
    words: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass
class Searcher:
    """Beside the answers to other questions in the warm inference process."""

    workspace: Workspace
    database: Database
    awake: Awake
    _holdings: dict[int, Holdings] = field(default_factory=dict)
    _stamp: tuple[int, tuple[int, datetime | None]] | None = None
    _swept_at: float = 0.0
    _made: datetime | None = None

    def answer_waiting(self) -> int:
        """Answer what waits; gives how many questions there were."""
        with self.database.reading() as session:
            waiting = searches.waiting(session)
        for search in waiting:
            self._answer(search)
        return len(waiting)

    def keep_up(self) -> int:
        """Embed a few of the studies that came in or changed; gives how many there were."""
        with self.database.reading() as session:
            answering = embeddings.answering(session)
            if answering is None:
                return 0
            stamp = (answering.id, embeddings.stamp(session))
        if stamp == self._stamp and time.monotonic() - self._swept_at < SWEEP_SECONDS:
            return 0
        try:
            loaded = self.awake.called(answering.name)
        except ReadingRoomError:
            return 0
        done = embed_some(self.database, answering, loaded.model, self._shelf(), FEW)
        if not done:
            self._stamp, self._swept_at = stamp, time.monotonic()
        return done

    def _answer(self, search: Search) -> None:
        try:
            model, searched, hits, remarks = self._found(search.asked)
        except Exception as error:
            # The edge of the process: one question that fails must not silence the answers to all others.
            words = str(error)
            if not isinstance(error, ReadingRoomError):
                logger.error("search %s could not be answered", search.id, exc_info=error)
                words = f"The search could not be answered ({type(error).__name__}: {error})."
            with self.database.writing() as session:
                searches.refuse(session, search.id, words)
            return
        with self.database.writing() as session:
            searches.answer(session, search.id, model, searched, hits, remarks)

    def _found(self, asked: NewSearch) -> tuple[str, int, list[Hit], tuple[str, ...]]:
        with self.database.reading() as session:
            version = embeddings.answering(session)
        if version is None:
            raise NoIndexYet
        loaded = self.awake.called(version.name)
        holdings = self._held(loaded)
        query = self._query(asked, loaded, holdings)
        with self.database.reading() as session:
            among = embeddings.among(session, asked.filter)
            images = embeddings.images_of_view(session, asked.filter.view) if asked.filter.view is not None else None
            without = embeddings.of_same_patient(session, asked.study) if asked.study is not None else ()
        found, searched = holdings.nearest(query.vector, asked.limit, among, images, without)
        hits = [self._hit(study, image, similarity, query, loaded) for study, image, similarity in found]
        return version.name, searched, hits, query.remarks

    def _held(self, loaded: Loaded) -> Holdings:
        """The rows of a model as they now are; those of others are let go."""
        number = loaded.version.id
        held = self._holdings.get(number)
        with self.database.reading() as session:
            made = embeddings.made_at(session, number)
            if held is None or self._made != made:
                name = loaded.version.name
                held = Holdings(embeddings.rows_after(session, number), lists_at(self.workspace, name), name)
                self._holdings, self._made = {number: held}, made
            elif embeddings.last_number(session, number) > held.newest:
                held.add(embeddings.rows_after(session, number, held.newest))
            is_slow = held.lacks_lists
        if is_slow:
            with self.database.writing() as session:
                embeddings.lists_wanted(session, loaded.version, SEARCHER)
        return held

    def _query(self, asked: NewSearch, loaded: Loaded, holdings: Holdings) -> Query:
        family: Any = FAMILIES[SEARCHING_FAMILY]
        if asked.kind is Asked.TEXT:
            return Query(family.embed_text(loaded.model, asked.text), split_text(asked.text))
        if asked.kind is Asked.STUDY:
            assert asked.study is not None
            vector = holdings.vector_of(asked.study)
            if vector is None:
                with self.database.reading() as session:
                    raise NothingEmbedded(studies.get_study(session, asked.study).key)
            return Query(vector)
        try:
            pixels = read_film(Passing.of(self.workspace).store(asked.place).get(asked.sha))
        except BlobMissing:
            raise Forgotten from None
        strange = family.strangeness(loaded.model, pixels)
        remarks = [] if strange <= USUAL and shows_something(pixels) else [_strange(strange)]
        return Query(family.embed_film(loaded.model, pixels, asked.view), remarks=tuple(remarks))

    def _hit(self, number: int, image: int, similarity: float, query: Query, loaded: Loaded) -> Hit:
        with self.database.reading() as session:
            study = studies.get_study(session, number)
        film = _film_of(study, image)
        heat = _heat(loaded.model, film, query, self._shelf().films(loaded.model.recipe))
        return Hit(number, film.id, round(similarity, 4), heat, _nearest_sentence(study, query, loaded.model))

    def _shelf(self) -> Shelf:
        return Shelf(Store(self.workspace.store_url), self.workspace.cache, (self.workspace.weights,))


def _strange(strange: float) -> str:
    return (
        f"This film is unlike those that the model learned from ({strange:.1f} times as far from them as all but "
        "one in a hundred of theirs), so what it finds means little."
    )


def _film_of(study: Study, image: int) -> Image:
    """The film that a study is shown by: the one that was found, else its first frontal one."""
    named = next((film for film in study.images if film.id == image), None)
    return named or next((film for film in study.images if film.view.is_frontal), study.images[0])


def _heat(model: Any, film: Image, query: Query, films: FilmCache) -> tuple[tuple[int, ...], ...]:
    """What on the film speaks for the query, a coarse map of it; none where the film cannot be read."""
    pose, height, width = Pose.of(film.view), film.facts.height, film.facts.width
    try:
        square = films.film(film.sha)
    except ReadingRoomError:
        return ()
    if query.words:
        heat = text_heat(model, square, pose, query.words, height, width)
    else:
        heat = likeness_heat(model, square, pose, query.vector, height, width)
    return coarse(heat)


def coarse(heat: NDArray[np.float32]) -> tuple[tuple[int, ...], ...]:
    """A map with values in [0, 1], of any size, as rows of 0 to 255, MAP_SIDE on its longer side."""
    scale = MAP_SIDE / max(heat.shape)
    height, width = (max(1, round(side * scale)) for side in heat.shape)
    small = cv2.resize(heat.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return tuple(tuple(row) for row in np.rint(small * 255).astype(int).tolist())


def _nearest_sentence(study: Study, query: Query, model: Any) -> str:
    """The sentence of the report that comes nearest to the words asked, by the model's own measure."""
    if not query.words or study.report is None:
        return ""
    said = [each.text for each in sentences(study.report) if any(map(str.isalnum, each.text))][:SENTENCES_READ]
    return said[int(np.argmax(model.texts(_alone(said)) @ query.vector))] if said else ""


def _alone(said: Sequence[str]) -> list[tuple[str, ...]]:
    return [(sentence,) for sentence in said]
