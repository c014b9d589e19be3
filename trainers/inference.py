"""The warm inference process: keeps the models in use loaded, and answers what readers ask within a moment.

    python -m trainers.inference

A question is a row in the database: a prompt on an image. The answer is a suggestion, or a sentence that says why there
is none. It runs beside the training worker, which is niced and leaves it room; one thread is enough for it.
"""

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import torch

from core.annotations import Ask
from core.errors import ReadingRoomError
from core.registry import SILENT_FAMILIES, ModelVersion
from core.workspace import Workspace, workspace
from data.store import Store
from db import asks, models, predictions, studies
from db.engine import Database, DatabaseBusy
from db.schema import migrate
from db.work import on_record, worker_name
from trainers.contract import Case, Family, FindingNotLearned, Shelf
from trainers.families import FAMILIES
from trainers.memory import keep_freed_memory

ROLE = "inference"
POLL_SECONDS = 0.1
ANSWERS_WITH = "segmentation"

logger = logging.getLogger(__name__)


class NoModelYet(ReadingRoomError):
    """A question came before any model was in use."""

    def __init__(self, family: str) -> None:
        super().__init__(f"No {family} model is in use yet. Train one, and promote it on the Models screen.")


@dataclass
class Loaded:
    """A model in use, in memory."""

    version: ModelVersion
    family: Family[Any]
    model: Any


@dataclass
class Answerer:
    """Answers questions with the families' models in use, which it loads when they change and keeps."""

    workspace: Workspace
    database: Database
    _loaded: dict[str, Loaded] = field(default_factory=dict)

    @property
    def shelf(self) -> Shelf:
        return Shelf(Store(self.workspace.store_url), self.workspace.cache, (self.workspace.weights,))

    def refresh(self) -> None:
        """Load what has come into use since the last look. A model that cannot be loaded is logged, and answers by
        saying so when it is asked."""
        with self.database.reading() as session:
            current = {name: models.champion(session, name) for name in FAMILIES if name not in SILENT_FAMILIES}
        for name, version in current.items():
            known = self._loaded.get(name)
            if version is None:
                self._loaded.pop(name, None)
            elif known is None or known.version.id != version.id:
                with suppress(ReadingRoomError):
                    self._load(name, version)

    def answer_waiting(self) -> int:
        """Answer all questions that wait; gives how many there were."""
        with self.database.reading() as session:
            waiting = asks.waiting(session)
        for ask in waiting:
            self._answer(ask)
        return len(waiting)

    def _load(self, name: str, version: ModelVersion) -> Loaded:
        self._loaded.pop(name, None)
        try:
            model = FAMILIES[name].load(self.workspace.models / version.folder)
        except ReadingRoomError as error:
            logger.error("%s cannot be loaded: %s", version.name, error)
            raise
        try:
            FAMILIES[name].warm(model)
        except ReadingRoomError as error:
            logger.warning("%s answers only for what it was trained on by name: %s", version.name, error)
        self._loaded[name] = Loaded(version, FAMILIES[name], model)
        logger.info("%s answers now", version.name)
        return self._loaded[name]

    def _answer(self, ask: Ask) -> None:
        try:
            version_id, found = self._predict(ask)
        except ReadingRoomError as refusal:
            with self.database.writing() as session:
                asks.answer(session, ask.id, None, str(refusal))
            return
        except Exception as error:
            # The edge of the process: one question that fails must not silence the answers to all others.
            logger.exception("question %s could not be answered", ask.id)
            with self.database.writing() as session:
                asks.answer(session, ask.id, None, f"The model could not answer ({type(error).__name__}: {error}).")
            return
        with self.database.writing() as session:
            (number,) = predictions.add_predictions(session, version_id, [found])
            asks.answer(session, ask.id, number, None)

    def _predict(self, ask: Ask) -> tuple[int, Any]:
        loaded = self._champion()
        if ask.finding not in loaded.version.findings:
            raise FindingNotLearned(loaded.version.name, ask.finding, loaded.version.findings)
        with self.database.reading() as session:
            study = studies.study_of_image(session, ask.image_id)
        case = Case(study, tuple(image for image in study.images if image.id == ask.image_id))
        prompts: Mapping[str, str] = {ask.finding: ask.prompt}
        (found,) = loaded.family.predict(loaded.model, [case], prompts, self.shelf)
        return loaded.version.id, found

    def _champion(self) -> Loaded:
        loaded = self._loaded.get(ANSWERS_WITH)
        if loaded is not None:
            return loaded
        with self.database.reading() as session:
            version = models.champion(session, ANSWERS_WITH)
        if version is None:
            raise NoModelYet(ANSWERS_WITH)
        return self._load(ANSWERS_WITH, version)


def answer_forever(answerer: Answerer, stopped: threading.Event) -> None:
    """Look for questions every tenth of a second until `stopped` is set, on record as living all the while."""
    with on_record(answerer.database, worker_name(ROLE), ROLE, stopped):
        while not stopped.is_set():
            with suppress(DatabaseBusy):
                answerer.refresh()
                answerer.answer_waiting()
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
