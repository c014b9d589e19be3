"""The starter model in a workspace: put in use at the first start, and never in the way of what people decide."""

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.house import House
from app.services import backups, snapshots, upkeep
from app.services import models as registry
from app.services.starter import Brought, NoStarter, at_first_start, bring_in, welcome
from core.jobs import Job, JobKind
from core.manifests import from_bytes
from core.recipes import preset
from core.registry import ModelState
from core.snapshots import Manifest
from core.studies import Split, WorklistFilter
from core.workspace import Workspace
from data import starters
from data.starters import DamagedStarter, Starter
from data.store import Store
from db import jobs, models, predictions, studies, worklist
from db import snapshots as frozen
from db.engine import Database
from db.models import NewModel
from db.splits import PinnedFilmsJudge
from tests import starting
from tests.making import BY
from tests.test_docs import documented_shape, same_keys


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A starter model of seconds, made as the real one is."""
    return starting.made(tmp_path_factory.mktemp("starter"))


@pytest.fixture
def shipped(folder: Path) -> Starter:
    found = starters.read(folder)
    assert found is not None
    return found


def waiting(house: House) -> list[Job]:
    with house.database.reading() as session:
        return [job for job in jobs.jobs(session) if job.kind is JobKind.PREDICT and not job.state.is_over]


def suggested(house: House) -> dict[str, list[str]]:
    """The findings suggested on each study, by patient."""
    with house.database.reading() as session:
        rows = worklist.page(session, WorklistFilter()).rows
        films = {row.patient: [image.id for image in studies.get_study(session, row.id).images] for row in rows}
        return {name: [s.finding for s in predictions.open_suggestions(session, ids)] for name, ids in films.items()}


def manifest_of(house: House, name: str) -> Manifest:
    with house.database.reading() as session:
        return from_bytes(house.store.get(frozen.get_snapshot(session, name).sha))


def other_model(house: House) -> str:
    """A model of somebody's own, put in use."""
    (house.workspace.models / "own").mkdir(exist_ok=True)
    with house.database.writing() as session:
        recipe = preset("segmentation", "smoke").to_mapping()
        name = models.register(session, NewModel("segmentation", "own", recipe, ("heart",), "dice", {}), BY).name
    return registry.promote(house, name, "our own", BY).name


def test_the_first_start_puts_it_on_record_and_in_use(house: House, folder: Path, shipped: Starter) -> None:
    model = at_first_start(house, folder)
    assert model is not None
    assert (model.name, model.state, model.findings) == ("segmentation-v1", ModelState.CHAMPION, ("lungs",))
    assert model.created_by == "Reading Room"
    assert model.reason == "The starter model that comes with Reading Room: lungs, from Montgomery and Shenzhen."
    assert model.facts["starter"] == shipped.digest
    copied = house.workspace.models / model.folder
    assert {path.name: path.read_bytes() for path in copied.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }
    assert [path.name for path in house.workspace.models.iterdir()] == [model.folder]


def test_films_that_were_there_before_it_get_a_suggestion(house: House, folder: Path, tmp_path: Path) -> None:
    starting.bring_in_films(house, starting.folder_of_films(tmp_path / "films", 2, first=70), "ours")
    at_first_start(house, folder)
    (job,) = waiting(house)
    starting.do(house, job)
    read = [patient for patient, found in suggested(house).items() if found == ["lungs"]]
    assert read
    with house.database.reading() as session:
        rows = worklist.page(session, WorklistFilter()).rows
        assert {row.patient for row in rows if not studies.get_study(session, row.id).blind} == set(read)


def test_the_very_first_study_imported_after_it_has_a_suggestion(house: House, folder: Path, tmp_path: Path) -> None:
    at_first_start(house, folder)
    for job in waiting(house):
        starting.do(house, job)
    films = starting.folder_of_films(tmp_path / "films", 1, first=80)
    starting.bring_in_films(house, films, "ours")
    (job,) = waiting(house)
    assert job.parameters["dataset"] == "ours"
    assert starting.do(house, job).result["predictions"] == 1
    assert suggested(house) == {"film80": ["lungs"]}
    starting.bring_in_films(house, films, "ours")
    assert waiting(house) == []


def test_a_second_start_adds_nothing(house: House, folder: Path) -> None:
    at_first_start(house, folder)
    assert at_first_start(house, folder) is None
    assert len(registry.all_models(house)) == 1
    assert len(waiting(house)) == 1


def test_once_another_model_took_its_place_it_stays_away_until_somebody_goes_back(house: House, folder: Path) -> None:
    at_first_start(house, folder)
    own = other_model(house)
    assert at_first_start(house, folder) is None
    assert registry.model(house, "segmentation").name == own
    assert registry.model(house, "segmentation-v1").state is ModelState.ARCHIVED
    registry.roll_back(house, "segmentation", "misses the apices", BY)
    assert at_first_start(house, folder) is None
    assert registry.model(house, "segmentation").name == "segmentation-v1"


def test_a_workspace_with_a_model_of_its_own_never_gets_it_uninvited(house: House, folder: Path) -> None:
    own = other_model(house)
    assert at_first_start(house, folder) is None
    assert bring_in(house, BY, folder).model.state is ModelState.CANDIDATE
    assert registry.model(house, "segmentation").name == own


def test_two_that_start_at_the_same_moment_put_it_on_record_once(house: House, place: Workspace, folder: Path) -> None:
    at_once = threading.Barrier(2)
    brought: list[object] = []

    def start() -> None:
        database = Database(place.database_url)
        at_once.wait()
        brought.append(at_first_start(House(place, database, Store(place.store_url)), folder))
        database.close()

    both = [threading.Thread(target=start) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(model is None for model in brought) == [False, True]
    assert len(registry.all_models(house)) == 1
    assert len(list(place.models.iterdir())) == 1


def test_the_films_that_taught_it_train_in_every_dataset(
    house: House, folder: Path, shipped: Starter, tmp_path: Path
) -> None:
    at_first_start(house, folder)
    starting.bring_in_films(house, starting.folder_of_films(tmp_path / "films", starting.FILMS + 30), "elsewhere")
    snapshots.freeze(house, "first", ["elsewhere"], BY)
    manifest = manifest_of(house, "first")
    by_split = {split: {image.sha for s in manifest.of(split) for image in s.images} for split in Split}
    assert set(shipped.images) <= by_split[Split.TRAIN]
    assert by_split[Split.VALIDATION] and by_split[Split.TEST]


def test_films_that_came_in_before_it_are_moved_to_training_too(
    house: House, folder: Path, shipped: Starter, tmp_path: Path
) -> None:
    starting.bring_in_films(house, starting.folder_of_films(tmp_path / "films"), "elsewhere")
    at_first_start(house, folder)
    snapshots.freeze(house, "first", ["elsewhere"], BY)
    judging = {
        image.sha
        for study in manifest_of(house, "first").studies
        if study.split is not Split.TRAIN
        for image in study.images
    }
    assert not judging & set(shipped.images)


def test_where_its_films_are_frozen_to_judge_it_does_not_come_in(house: House, folder: Path, tmp_path: Path) -> None:
    starting.bring_in_films(house, starting.folder_of_films(tmp_path / "films"), "elsewhere")
    snapshots.freeze(house, "first", ["elsewhere"], BY)
    with pytest.raises(PinnedFilmsJudge, match="elsewhere are frozen to judge"):
        at_first_start(house, folder)
    assert registry.all_models(house) == ()
    assert list(house.workspace.models.iterdir()) == []


def test_a_folder_without_weights_changes_nothing(house: House, tmp_path: Path) -> None:
    assert at_first_start(house, tmp_path) is None
    assert registry.all_models(house) == ()
    with pytest.raises(NoStarter, match="make starter"):
        bring_in(house, BY, tmp_path)


def test_a_damaged_folder_is_told_and_the_workstation_starts(house: House, folder: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn"
    shutil.copytree(folder, torn)
    (torn / starters.WEIGHTS).write_bytes(b"half of it")
    with pytest.raises(DamagedStarter):
        at_first_start(house, torn)
    said: list[str] = []
    welcome(house, said.append, torn)
    assert len(said) == 1
    assert said[0].startswith("Going on without the starter model.")
    assert "damaged" in said[0]
    assert registry.all_models(house) == ()
    welcome(house, said.append, folder)
    welcome(house, said.append, folder)
    assert said[1:] == [f"segmentation-v1 is in use. {registry.model(house, 'segmentation').reason}"]


def test_by_hand_it_comes_in_once(house: House, folder: Path) -> None:
    first = bring_in(house, BY, folder)
    assert (first.is_new, first.model.state, first.model.created_by) == (True, ModelState.CHAMPION, BY)
    assert bring_in(house, BY, folder) == Brought(registry.model(house, first.model.name), False)
    assert at_first_start(house, folder) is None


def test_doctor_and_backup_take_it_for_a_model_like_any_other(house: House, folder: Path, tmp_path: Path) -> None:
    at_first_start(house, folder)
    assert upkeep.examine(house.workspace, False, lambda *_: None).is_well
    backups.back_up(house, tmp_path / "backup.tar", lambda *_: None)
    elsewhere = Workspace(tmp_path / "elsewhere")
    backups.restore(elsewhere, tmp_path / "backup.tar", False, lambda *_: None)
    opened = starting.open_at(elsewhere.home)
    try:
        assert at_first_start(opened, folder) is None
        assert (elsewhere.models / registry.model(opened, "segmentation").folder / starters.WEIGHTS).is_file()
    finally:
        opened.database.close()


def test_the_command_answers_as_documented(
    house: House, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def run() -> tuple[int, Any]:
        code = main(["starter", "--json"])
        return code, json.loads(capfd.readouterr().out)

    monkeypatch.setattr(starters, "FOLDER", tmp_path)
    code, told = run()
    assert code == 1
    assert "make starter" in told["error"]
    monkeypatch.setattr(starters, "FOLDER", folder)
    assert run()[1]["added"] is True
    code, told = run()
    assert (code, told["added"], told["model"]["name"]) == (0, False, "segmentation-v1")
    same_keys(told, documented_shape("starter"), "starter")
