"""What every test can rely on: a workspace of its own, and in CI no test that quietly did not run."""

import os
import shutil
import sys
from collections.abc import Generator
from pathlib import Path

# Two test processes on two cores: were each to take both for its arithmetic, all would crawl.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

from app.house import House
from core.workspace import DATABASE_VARIABLE, HOME_VARIABLE, STORE_VARIABLE, Workspace
from data.store import Store
from db.engine import Database
from db.schema import migrate

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable

# How long an example takes says how busy the machine is; speed is measured elsewhere.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


LONGEST_FIRST = ("browser", "trainers", "app")
"""Folders of the tests whose files take longest."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of two test processes, whoever takes the last long file would keep the other waiting for it."""

    def turn(item: pytest.Item) -> int:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=turn)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if os.environ.get("READING_ROOM_STRICT") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which READING_ROOM_STRICT forbids: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace's folder for this test, which commands and processes started by it find too."""
    place = tmp_path / "workspace"
    monkeypatch.setenv(HOME_VARIABLE, str(place))
    for variable in (DATABASE_VARIABLE, STORE_VARIABLE, "READING_ROOM_ALLOWED_HOSTS"):
        monkeypatch.delenv(variable, raising=False)
    return place


@pytest.fixture(scope="session")
def cxr() -> Path:
    """The real chest X-rays. Tests are skipped only when their folder is missing."""
    named = os.environ.get("READING_ROOM_CXR")
    folder = Path(named) if named else ROOT.parent / "shared" / "cxr"
    if not folder.is_dir():
        pytest.skip(f"the real chest X-rays are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def fresh_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database that holds the vocabulary and nothing else, to be copied."""
    place = Workspace(tmp_path_factory.mktemp("fresh"))
    database = migrate(place)
    file = database.file
    assert file is not None
    database.close()
    return file


@pytest.fixture
def place(home: Path, fresh_database: Path) -> Workspace:
    """A workspace with a migrated, empty database."""
    workspace = Workspace(home).prepare()
    file = Database(workspace.database_url).file
    assert file is not None
    shutil.copy(fresh_database, file)
    return workspace


@pytest.fixture
def database(place: Workspace) -> Generator[Database]:
    opened = Database(place.database_url)
    yield opened
    opened.close()


@pytest.fixture
def house(place: Workspace, database: Database) -> House:
    return House(place, database, Store(place.store_url))
