"""The starter model: what ships with the house becomes the first model on record, so that the very first study has a
suggestion."""

import secrets
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from app.house import House
from core.errors import NotFound, ReadingRoomError, room_for
from core.registry import ModelVersion
from data import starters
from data.starters import Starter
from db import findings, models, promotion, splits
from db.models import NewModel

BY = "Reading Room"
FACT = "starter"
"""Under this name a model's facts hold the digest of the starter that it came from."""

Say = Callable[[str], None]


class NoStarter(NotFound):
    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"There is no starter model in {folder}. Make one from a folder with images/ and masks/lungs/: "
            "make starter SOURCE=path/to/montgomery-shenzhen"
        )


@dataclass(frozen=True)
class Brought:
    """The starter model as it is on record, and whether it was put there just now."""

    model: ModelVersion
    is_new: bool


def welcome(house: House, say: Say, folder: Path | None = None) -> None:
    """Bring the starter model in at the first start, and tell; without it the workstation starts all the same."""
    try:
        model = at_first_start(house, folder)
    except ReadingRoomError as refusal:
        # A model to begin with is a help, not a condition: whoever wants to read and draw can.
        say(f"Going on without the starter model. {refusal}")
        return
    if model is not None:
        say(f"{model.name} is in use. {model.reason}")


def at_first_start(house: House, folder: Path | None = None) -> ModelVersion | None:
    """Put the starter model on record and in use, unless a model of its family is on record already.

    Whoever archives it, or goes over to a model of their own, never gets it back uninvited. None when nothing was done.
    Raises DamagedStarter, PinnedFilmsJudge, DiskFull.
    """
    with house.database.reading() as session:
        if models.models(session, starters.FAMILY):
            return None
    starter = starters.read(folder or starters.FOLDER)
    if starter is None:
        return None
    _require_pinnable(house, starter)
    copied = _copy(house, starter)
    with house.database.writing() as session:
        # Another process may have been here since the first look.
        if models.models(session, starters.FAMILY):
            return None
        splits.pin(session, starter.images, _reason(starter))
        findings.ensure_findings(session, starter.findings, BY)
        model = models.register(session, _as_new(starter, copied), BY)
        return promotion.put_in_use(session, model.name, _reason(starter), BY)


def bring_in(house: House, by: str, folder: Path | None = None) -> Brought:
    """Put the starter model on record because a person says so, and in use where no model of its family is.

    Raises NoStarter, DamagedStarter, PinnedFilmsJudge, DiskFull.
    """
    place = folder or starters.FOLDER
    starter = starters.read(place)
    if starter is None:
        raise NoStarter(place)
    with house.database.reading() as session:
        known = _same(models.models(session, starters.FAMILY), starter)
    if known is not None:
        return Brought(known, False)
    _require_pinnable(house, starter)
    copied = _copy(house, starter)
    with house.database.writing() as session:
        known = _same(models.models(session, starters.FAMILY), starter)
        if known is not None:
            return Brought(known, False)
        splits.pin(session, starter.images, _reason(starter))
        findings.ensure_findings(session, starter.findings, by)
        model = models.register(session, _as_new(starter, copied), by)
        if models.champion(session, starters.FAMILY) is None:
            model = promotion.put_in_use(session, model.name, _reason(starter), by)
    return Brought(model, True)


def _reason(starter: Starter) -> str:
    names = ", ".join(finding.replace("_", " ") for finding in starter.findings)
    return f"The starter model that comes with Reading Room: {names}, from {starter.learned_from}."


def _as_new(starter: Starter, folder: str) -> NewModel:
    return NewModel(
        family=starters.FAMILY,
        folder=folder,
        recipe=starter.recipe,
        findings=starter.findings,
        headline=starter.headline,
        metrics=starter.metrics,
        facts={FACT: starter.digest, "learned_from": starter.learned_from},
    )


def _same(known: Iterable[ModelVersion], starter: Starter) -> ModelVersion | None:
    return next((model for model in known if model.facts.get(FACT) == starter.digest), None)


def _require_pinnable(house: House, starter: Starter) -> None:
    with house.database.reading() as session:
        splits.require_pinnable(session, starter.images)


def _copy(house: House, starter: Starter) -> str:
    """Copy the folder into the workspace under a name that tells its content; gives the name. Raises DiskFull."""
    name = f"{FACT}-{starter.digest[:12]}"
    place = house.workspace.models / name
    if place.is_dir():
        return name
    making = house.workspace.models / f".making-{name}-{secrets.token_hex(4)}"
    try:
        with room_for("the starter model's copy"):
            making.mkdir(parents=True)
            for file in (*starter.files, starters.DESCRIPTION):
                shutil.copyfile(starter.folder / file, making / file)
        making.replace(place)
    except OSError:
        # Another process that starts at the same moment has put the same content there.
        if not place.is_dir():
            raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return name
