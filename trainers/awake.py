"""Models in memory: those in use, which stay, and one guest that somebody tries and that goes again.

Each family is loaded by itself. A model that cannot be loaded, for whatever reason, is let alone for a while and
answers with that reason; the others go on. One that would not fit in memory is not begun with, because the system ends
a process that takes too much, and with it every model.
"""

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from core.errors import ReadingRoomError
from core.registry import SILENT_FAMILIES, ModelVersion
from core.workspace import Workspace
from db import embeddings, models
from db.engine import Database
from trainers.contract import Family
from trainers.families import FAMILIES
from trainers.memory import available_bytes

LET_ALONE_SECONDS = 60.0
GUEST_SECONDS = 600.0
ROOM_FOR_WEIGHTS = 2.5
ROOM_BESIDE = 256 * 2**20
"""While it is loaded a model lies in memory twice, and what it makes of a film needs room too."""

logger = logging.getLogger(__name__)


class NoModelYet(ReadingRoomError):
    """A question came before any model was in use."""

    def __init__(self, family: str) -> None:
        super().__init__(f"No {family} model is in use yet. Train one, and promote it on the Models screen.")


class NotLoaded(ReadingRoomError):
    """A model that is on record and could not be brought into memory; the message says why."""


class NoRoomFor(NotLoaded):
    def __init__(self, model: str, needed: int, free: int) -> None:
        super().__init__(
            f"{model} needs about {needed / 2**30:.1f} GiB of memory to be loaded, and {free / 2**30:.1f} GiB are "
            "free. Close other programs, or put a smaller model in use."
        )


@dataclass
class Loaded:
    """A model in memory."""

    version: ModelVersion
    family: Family[Any]
    model: Any
    asked_at: float = 0.0


@dataclass
class Awake:
    workspace: Workspace
    database: Database
    _in_use: dict[str, Loaded] = field(default_factory=dict)
    _guest: Loaded | None = None
    _let_alone: dict[int, tuple[float, ReadingRoomError]] = field(default_factory=dict)

    def refresh(self) -> None:
        """Load what has come into use since the last look, and let a guest go that nobody asks any more."""
        with self.database.reading() as session:
            answering = embeddings.version_answering
            current = {name: answering(session, name) for name in FAMILIES if name not in SILENT_FAMILIES}
        for name, version in current.items():
            known = self._in_use.get(name)
            if version is None:
                self._in_use.pop(name, None)
            elif known is None or known.version.id != version.id:
                with suppress(ReadingRoomError):
                    self._keep(version)
        if self._guest is not None and time.monotonic() - self._guest.asked_at > GUEST_SECONDS:
            self._guest = None

    def in_use(self, family: str) -> Loaded:
        """The model of a family that answers readers. Raises NoModelYet, CorruptModel, NotLoaded."""
        if (loaded := self._in_use.get(family)) is not None:
            return loaded
        with self.database.reading() as session:
            version = embeddings.version_answering(session, family)
        if version is None:
            raise NoModelYet(family)
        return self._keep(version)

    def called(self, name: str) -> Loaded:
        """Any version by its name. Raises NotFound, CorruptModel, NotLoaded."""
        with self.database.reading() as session:
            version = models.get_model(session, name)
        for loaded in (self._in_use.get(version.family), self._guest):
            if loaded is not None and loaded.version.id == version.id:
                loaded.asked_at = time.monotonic()
                return loaded
        self._guest = None
        self._guest = self._load(version)
        return self._guest

    def _keep(self, version: ModelVersion) -> Loaded:
        # The one before goes first: two at once may not fit.
        self._in_use.pop(version.family, None)
        if self._guest is not None and self._guest.version.id == version.id:
            self._in_use[version.family], self._guest = self._guest, None
        else:
            self._in_use[version.family] = self._load(version)
        logger.info("%s answers now", version.name)
        return self._in_use[version.family]

    def _load(self, version: ModelVersion) -> Loaded:
        since, reason = self._let_alone.get(version.id, (0.0, None))
        if reason is not None and time.monotonic() - since < LET_ALONE_SECONDS:
            raise reason.with_traceback(None)
        try:
            loaded = self._loaded(version)
        except ReadingRoomError as error:
            logger.error("%s cannot be loaded: %s", version.name, error)
            self._let_alone[version.id] = (time.monotonic(), error)
            raise
        except Exception as error:
            # Whatever one model does while it is loaded must not take the others with it.
            logger.exception("%s cannot be loaded", version.name)
            told = NotLoaded(f"{version.name} cannot be loaded ({type(error).__name__}: {error}).")
            self._let_alone[version.id] = (time.monotonic(), told)
            raise told from error
        self._let_alone.pop(version.id, None)
        return loaded

    def _loaded(self, version: ModelVersion) -> Loaded:
        self._require_room(version)
        family = FAMILIES[version.family]
        model = family.load(self.workspace.models / version.folder)
        try:
            family.warm(model)
        except ReadingRoomError as error:
            logger.warning("%s answers only for what it was trained on by name: %s", version.name, error)
        return Loaded(version, family, model, time.monotonic())

    def _require_room(self, version: ModelVersion) -> None:
        folder = self.workspace.models / version.folder
        weights = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
        needed, free = int(ROOM_FOR_WEIGHTS * weights) + ROOM_BESIDE, available_bytes()
        if free is not None and free < needed:
            raise NoRoomFor(version.name, needed, free)


def why_not(error: Exception, question: str) -> str:
    """Why there is no answer, in a sentence."""
    if isinstance(error, ReadingRoomError):
        return str(error)
    logger.error("%s could not be answered", question, exc_info=error)
    return f"The model could not answer ({type(error).__name__}: {error})."
