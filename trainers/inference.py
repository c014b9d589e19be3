"""The warm inference process: keeps the models in use loaded, and answers what readers ask within a moment.

    python -m trainers.inference

A question is a row in the database: a prompt on an image, answered by a suggestion; a search, answered by the studies
that are like what is asked; a study to be written about, answered by a report; or a film that somebody tries, answered
by what a model says of it. Where there is no answer, a sentence says why. Readers' questions go first. It runs beside
the training worker, which is niced and leaves it room; one thread is enough for it.
"""

import argparse
import logging
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import torch

from core.annotations import Ask, NewPrediction
from core.errors import ReadingRoomError
from core.reports import Report
from core.reviews import ReviewState
from core.studies import Image, Split, Study
from core.tries import KEPT_FOR, Try, is_outworn, opinion_of
from core.workspace import Workspace, workspace
from data.images import header
from data.passing import Forgotten, Passing
from data.store import BlobMissing, Store
from db import asks, predictions, searches, studies, tries
from db.engine import Database, DatabaseBusy
from db.schema import migrate
from db.work import on_record, worker_name
from trainers.awake import Awake, why_not
from trainers.contract import Case, FindingNotLearned, Shelf
from trainers.drafting import Drafter
from trainers.memory import keep_freed_memory
from trainers.searching.answering import Searcher

ROLE = "inference"
POLL_SECONDS = 0.1
SWEEP_SECONDS = 600.0
ANSWERS_WITH = "segmentation"

logger = logging.getLogger(__name__)


class NothingSaid(ReadingRoomError):
    """A model looked at a film that is tried and had no answer."""

    def __init__(self, model: str) -> None:
        super().__init__(f"{model} says nothing of this film. It reads frontal films of the chest that show something.")


@dataclass
class Answerer:
    """Answers questions with models that are awake."""

    workspace: Workspace
    database: Database
    awake: Awake = field(init=False)
    searcher: Searcher = field(init=False)
    drafter: Drafter = field(init=False)
    _swept_at: float | None = None

    def __post_init__(self) -> None:
        self.awake = Awake(self.workspace, self.database)
        self.searcher = Searcher(self.workspace, self.database, self.awake)
        self.drafter = Drafter(self.workspace, self.database, self.awake)

    def refresh(self) -> None:
        """Load what has come into use since the last look. A model that cannot be loaded is logged, and answers by
        saying so when it is asked."""
        self.awake.refresh()

    def answer_waiting(self) -> int:
        """Answer all readers' questions and searches that wait, a report that is asked for, and one film that is tried;
        gives how many there were."""
        with self.database.reading() as session:
            waiting = asks.waiting(session)
        for ask in waiting:
            self._answer(ask)
        searched = self.searcher.answer_waiting() + self.drafter.answer_waiting()
        with self.database.reading() as session:
            tried = tries.waiting(session)
        for one in tried:
            self._look_at(one)
        return len(waiting) + searched + len(tried)

    def sweep(self) -> None:
        """From time to time, forget tried films that nobody asked to forget, and what was searched for."""
        if self._swept_at is not None and time.monotonic() - self._swept_at < SWEEP_SECONDS:
            return
        self._swept_at = time.monotonic()
        passing, now = Passing.of(self.workspace), datetime.now(UTC)
        with self.database.writing() as session:
            searches.forget_before(session, now - KEPT_FOR)
        for place in [place for place in passing.places() if is_outworn(place, now)]:
            passing.forget(place)
            with self.database.writing() as session:
                tries.forget(session, place)
                searches.forget(session, place)

    def _answer(self, ask: Ask) -> None:
        try:
            version_id, found = self._suggest(ask)
        except Exception as error:
            # The edge of the process: one question that fails must not silence the answers to all others.
            words = why_not(error, f"question {ask.id}")
            with self.database.writing() as session:
                asks.answer(session, ask.id, None, words)
            return
        with self.database.writing() as session:
            (number,) = predictions.add_predictions(session, version_id, [found])
            asks.answer(session, ask.id, number, None)

    def _suggest(self, ask: Ask) -> tuple[int, NewPrediction]:
        loaded = self.awake.in_use(ANSWERS_WITH)
        if ask.finding not in loaded.version.findings:
            raise FindingNotLearned(loaded.version.name, ask.finding, loaded.version.findings)
        with self.database.reading() as session:
            study = studies.study_of_image(session, ask.image_id)
        case = Case(study, tuple(image for image in study.images if image.id == ask.image_id))
        prompts: Mapping[str, str] = {ask.finding: ask.prompt}
        shelf = Shelf(Store(self.workspace.store_url), self.workspace.cache, (self.workspace.weights,))
        (found,) = loaded.family.predict(loaded.model, [case], prompts, shelf)
        return loaded.version.id, found

    def _look_at(self, one: Try) -> None:
        try:
            said = self._opinions(one)
        except Exception as error:
            # As above.
            words = why_not(error, f"film {one.id}")
            with self.database.writing() as session:
                still_wanted = tries.refuse(session, one.id, words)
        else:
            with self.database.writing() as session:
                still_wanted = tries.answer(session, one.id, said)
        if not still_wanted:
            # Forgotten while it was looked at, and what was made of it meanwhile lies there again.
            Passing.of(self.workspace).forget(one.place)

    def _opinions(self, one: Try) -> dict[str, Mapping[str, Any]]:
        loaded = self.awake.called(one.model)
        passing = Passing.of(self.workspace)
        store = passing.store(one.place)
        try:
            facts = header(store.get(one.sha))
        except BlobMissing:
            raise Forgotten from None
        film = Image(0, 0, "film", one.sha, one.view, facts, one.media_type)
        told = Report(indication=one.context) if one.context else None
        study = Study(0, "try", "", "", Split.TEST, ReviewState.UNREAD, (film,), told)
        shelf = Shelf(store, passing.cache(one.place), (self.workspace.weights,))
        found = loaded.family.predict(loaded.model, [Case(study, (film,))], None, shelf)
        if not found:
            raise NothingSaid(one.model)
        for each in found:
            opinion_of(each.finding, each.payload)
        return {each.finding: each.payload for each in found}


def answer_forever(answerer: Answerer, stopped: threading.Event) -> None:
    """Look for questions every tenth of a second until `stopped` is set, on record as living all the while."""
    with on_record(answerer.database, worker_name(ROLE), ROLE, stopped):
        while not stopped.is_set():
            answered = 0
            with suppress(DatabaseBusy):
                answerer.refresh()
                answered = answerer.answer_waiting() or answerer.searcher.keep_up()
                answerer.sweep()
            if not answered:
                stopped.wait(POLL_SECONDS)


def main(arguments: list[str] | None = None) -> int:
    argparse.ArgumentParser(prog="python -m trainers.inference", description=__doc__.splitlines()[0]).parse_args(
        arguments
    )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    torch.set_num_threads(1)
    keep_freed_memory()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    place = workspace()
    database = migrate(place)
    try:
        answer_forever(Answerer(place, database), stopped)
    finally:
        database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
