import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from app.clerk import handlers
from app.house import House, open_house
from app.routes import routes
from app.services import handing, holdings, snapshots, training, uploads, vocabulary
from app.services.uploads import NothingDropped
from core.findings import Kind
from core.jobs import JobState
from core.workspace import Workspace
from db import work
from tests.app.screen import press, screen, words


def clerk_works(house: House) -> None:
    """Let the clerk do the oldest job that waits."""
    assert work.work_once(house.database, handlers(house), "clerk") is not None


def name_a_folder(at: AppTest, folder: Path) -> None:
    next(box for box in at.selectbox if box.label == "Kind").select("images")
    next(box for box in at.text_input if box.label == "Dataset").input("mine")
    next(box for box in at.text_input if box.label == "Path").input(str(folder))
    at.run()


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    for shade in range(3):
        Image.new("L", (40, 50), 60 * shade + 20).save(folder / f"film{shade}.png")
    (folder / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    return folder


def test_an_import_is_looked_at_first_and_nothing_is_kept_then(place: Workspace, films: Path) -> None:
    house = open_house(place)
    at = screen("data")
    name_a_folder(at, films)
    press(at, "Look first")
    clerk_works(house)
    at.run()
    told = words(at)
    assert "Would come in" in told
    assert "torn.png" in told
    assert holdings.dataset_names(house) == ()
    press(at, "Import 3 studies")
    clerk_works(house)
    at.run()
    assert "Came in" in words(at)
    assert holdings.dataset_names(house) == ("mine",)
    assert "torn.png" in words(screen("data", section="Quality reports"))


def test_that_everything_was_outlined_is_said_where_masks_come_in(place: Workspace, films: Path) -> None:
    at = screen("data")
    name_a_folder(at, films)
    assert not [toggle for toggle in at.toggle if toggle.key == "import-unmarked-absent"]
    at.selectbox(key="import-kind").select("folder").run()
    at.toggle(key="import-unmarked-absent").set_value(True).run()
    press(at, "Look first")
    assert training.recent_jobs(open_house(place))[0].parameters["choices"]["unmarked_absent"] is True


def test_an_import_that_fails_says_why(place: Workspace, tmp_path: Path) -> None:
    at = screen("data")
    name_a_folder(at, tmp_path / "nowhere")
    press(at, "Look first")
    clerk_works(open_house(place))
    at.run()
    assert training.recent_jobs(open_house(place))[0].state is JobState.FAILED
    assert 'role="alert"' in words(at)


def test_it_says_when_the_clerk_is_not_there(place: Workspace, films: Path) -> None:
    at = screen("data")
    name_a_folder(at, films)
    press(at, "Look first")
    assert "The clerk is not running" in words(at)


def test_datasets_tell_what_they_hold_and_can_be_read_blind(demo: House) -> None:
    at = screen("data", section="Datasets")
    assert "8 studies of" in words(at)
    next(toggle for toggle in at.toggle if toggle.label == "Read without suggestions").set_value(True)
    at.run()
    assert holdings.holdings(demo).datasets[0].blind


def test_a_finding_is_added_retired_and_brought_back(demo: House) -> None:
    at = screen("data", section="Findings")
    next(box for box in at.text_input if box.label == "Name").input("Hiatus hernia")
    next(box for box in at.text_input if box.label == "Also said as").input("sliding hernia, ")
    press(at, "Add")
    added = vocabulary.vocabulary(demo)[-1]
    assert (added.key, added.name, added.prompts) == ("hiatus_hernia", "Hiatus hernia", ("sliding hernia",))
    vocabulary.retire(demo, "hiatus_hernia", "tester")
    assert "retired" in words(screen("data", section="Findings"))
    vocabulary.add(demo, "Hiatus hernia", Kind.FINDING, "#F2B84B", (), "tester")
    assert not vocabulary.vocabulary(demo)[-1].retired


def test_a_finding_without_a_name_is_refused_in_a_sentence(demo: House) -> None:
    at = press(screen("data", section="Findings"), "Add")
    assert "A finding needs a name" in words(at)


def test_a_name_with_markup_in_it_stays_text(demo: House) -> None:
    vocabulary.add(demo, "<img src=x onerror=alert(1)>", Kind.FINDING, "#F2B84B", (), "tester")
    assert "<img src=x" not in words(screen("data", section="Findings"))


def test_what_a_snapshot_takes_is_chosen_and_what_it_left_out_is_told(demo: House) -> None:
    # The dialog alone: a page that is run again without its button having been pressed closes it.
    script = "from app.screens.freezing import freeze_dialog\nfreeze_dialog()"
    at = AppTest.from_string(script, default_timeout=60).run()
    next(box for box in at.text_input if box.label == "Name").input("frontal")
    next(toggle for toggle in at.toggle if toggle.label == "Only frontal films").set_value(True)
    next(box for box in at.number_input if box.label == "Patients of each dataset").set_value(2)
    at.run()
    press(at, "Freeze")
    _, manifest = snapshots.read(demo, "frontal")
    assert (manifest.filter.frontal_only, manifest.filter.max_patients) == (True, 2)
    assert "patients: beyond the number asked for" in words(screen("data", section="Snapshots"))


def test_an_export_is_done_by_the_clerk_and_taken_away_as_one_file(frozen: House) -> None:
    press(screen("data", section="Exports"), "Export")
    clerk_works(frozen)
    (job,) = training.recent_jobs(frozen)
    assert f'href="/rr/exports/{job.id}.zip"' in words(screen("data", section="Exports"))
    client = TestClient(Starlette(routes=routes(frozen)), base_url="http://localhost:8501")
    with zipfile.ZipFile(io.BytesIO(client.get(f"/rr/exports/{job.id}.zip").content)) as archive:
        assert any("manifest" in name for name in archive.namelist())
    assert list(frozen.workspace.cache.glob("*.zip")) == [], "the packed copy is gone once it is taken away"


def test_only_finished_exports_can_be_taken_away(frozen: House) -> None:
    job = handing.ask(frozen, "coco", "tester", snapshot="first")
    client = TestClient(Starlette(routes=routes(frozen)), base_url="http://localhost:8501")
    assert client.get(f"/rr/exports/{job.id}.zip").status_code == 404
    assert client.get("/rr/exports/4711.zip").status_code == 404
    assert client.get("/rr/exports/..%2F..%2Fsecret.zip").status_code in (400, 404)


class File:
    def __init__(self, name: str, body: bytes = b"x") -> None:
        self.name = name
        self._body = body

    def getvalue(self) -> bytes:
        return self._body


def test_dropped_files_keep_their_folders_but_never_leave_the_workspace(house: House) -> None:
    folder = uploads.keep(
        house, [File("images/a.png"), File("../../b.png"), File("/etc/c.png"), File("..\\d.png"), File("e.png\0")]
    )
    assert house.workspace.home in folder.parents
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {"images/a.png", "b.png", "etc/c.png", "d.png", "e.png"}


def test_a_dropped_archive_is_imported_itself(house: House) -> None:
    assert uploads.keep(house, [File("films.zip")]).name == "films.zip"


def test_dropping_nothing_is_told(house: House) -> None:
    with pytest.raises(NothingDropped):
        uploads.keep(house, [])


@pytest.mark.parametrize(
    ("sentence", "finding"),
    [
        ("Small left pleural effusion.", "pleural_effusion"),
        ("There is air in the pleural space.", "pneumothorax"),
        ("The left lung is clear.", "left_lung"),
        ("Two nodules are seen.", "nodule"),
        ("Degenerative changes of the spine.", None),
        ("No finding.", None),
    ],
)
def test_a_sentence_is_heard_by_the_longest_name_in_it(house: House, sentence: str, finding: str | None) -> None:
    heard = vocabulary.heard_in(sentence, vocabulary.vocabulary(house))
    assert (heard.key if heard else None) == finding
