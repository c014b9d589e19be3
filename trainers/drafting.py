"""Reports that models draft: on many studies as a job, and on one when somebody asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import ReadingRoomError
from core.registry import WRITING_FAMILY, ModelVersion
from core.studies import Study
from core.workspace import Workspace
from core.writing import NewWriting, WritingAsk
from data.store import Store
from db import studies, writings
from db.engine import Database
from trainers.awake import Awake, Loaded, why_not
from trainers.contract import Shelf, Watch
from trainers.datasets import chunks
from trainers.families import FAMILIES

AT_ONCE = 8


class NothingToWriteAbout(ReadingRoomError):
    """A study without a film that can be read."""

    def __init__(self) -> None:
        super().__init__("This study has no film that the model reads, so there is nothing to write about.")


class WritesNoReports(ReadingRoomError):
    """Another kind of model is asked for a report."""

    def __init__(self, model: str) -> None:
        super().__init__(f"{model} writes no reports. Choose a generation model, or leave the model out.")


def draft_all(
    database: Database, version: ModelVersion, model: Any, shelf: Shelf, chosen: Sequence[Study], watch: Watch
) -> int:
    """Draft a report on each of these studies on which this model has written none; gives how many were written."""
    family: Any = FAMILIES[WRITING_FAMILY]
    with database.reading() as session:
        done = writings.written_about(session, version.id)
    pending, made, looked = [study for study in chosen if study.id not in done], 0, 0
    for group in chunks(pending, AT_ONCE):
        written: list[NewWriting] = family.write(model, group, None, shelf)
        with database.writing() as session:
            writings.add(session, version.name, written)
        made, looked = made + len(written), looked + len(group)
        watch.report(looked, len(pending), f"{version.name} writes reports")
    return made


@dataclass(frozen=True)
class Drafter:
    """Answers who asks for a report, with models that are awake."""

    workspace: Workspace
    database: Database
    awake: Awake

    def answer_waiting(self) -> int:
        """Write one of the reports that are asked for; gives how many there were, 0 or 1."""
        with self.database.reading() as session:
            waiting = writings.waiting_asks(session)
        for ask in waiting:
            self._answer(ask)
        return len(waiting)

    def _answer(self, ask: WritingAsk) -> None:
        try:
            loaded = self._writer(ask)
            written = self._write(ask, loaded)
        except Exception as error:
            # The edge of the process: one question that fails must not silence the answers to all others.
            words = why_not(error, f"report {ask.id}")
            with self.database.writing() as session:
                writings.refuse(session, ask.id, words)
            return
        with self.database.writing() as session:
            writings.answer(session, ask.id, loaded.version.name, written)

    def _writer(self, ask: WritingAsk) -> Loaded:
        loaded = self.awake.called(ask.model) if ask.model else self.awake.in_use(WRITING_FAMILY)
        if loaded.version.family != WRITING_FAMILY:
            raise WritesNoReports(loaded.version.name)
        return loaded

    def _write(self, ask: WritingAsk, loaded: Loaded) -> NewWriting:
        with self.database.reading() as session:
            study = studies.get_study(session, ask.study)
        shelf = Shelf(Store(self.workspace.store_url), self.workspace.cache, (self.workspace.weights,))
        family: Any = loaded.family
        written: list[NewWriting] = family.write(loaded.model, [study], ask.decoding, shelf)
        if not written:
            raise NothingToWriteAbout
        return written[0]
