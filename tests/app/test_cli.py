"""The command line, as a person or a script meets it."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from app.cli import MODULES, main
from app.house import House
from app.services import snapshots, training
from core.jobs import JobState
from core.recipes import preset
from core.studies import View
from data.images import from_pixels, mask_png
from db import jobs, studies, workers
from tests.app.conftest import put_model
from tests.conftest import ROOT
from tests.making import block, film, image, put, read_study, study


class Told:
    """What a command printed, and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        """The one object on standard output."""
        lines = self.out.strip().splitlines()
        assert len(lines) == 1, self.out
        return json.loads(lines[0])


@pytest.fixture
def run(place: object, capfd: pytest.CaptureFixture[str]) -> Any:
    def command(*words: str) -> Told:
        capfd.readouterr()
        code = main(words)
        out, err = capfd.readouterr()
        return Told(code, out, err)

    return command


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    for seed in range(3):
        (folder / f"p{seed}.png").write_bytes(from_pixels(film(seed), 8).payload)
    (folder / "cut.png").write_bytes(from_pixels(film(9), 8).payload[:200])
    return folder


def test_help_names_every_command_and_that_it_is_for_research(run: Any) -> None:
    told = run("--help")
    assert told.code == 0
    assert all(f"  {name} " in told.out for name in MODULES)
    assert "not for clinical decisions" in " ".join(told.out.split())


@pytest.mark.parametrize("name", MODULES)
def test_every_command_has_help_with_an_example_and_speaks_json(run: Any, name: str) -> None:
    told = run(name, "--help")
    assert told.code == 0
    assert "Example:" in told.out
    assert f"python -m app {name}" in " ".join(told.out.split())
    assert "--json" in told.out


def test_simple_commands_load_neither_streamlit_nor_torch() -> None:
    code = (
        "import sys; from app.cli import main; main(['jobs']); print({'streamlit', 'torch', 'cv2'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("set()")


def test_init_makes_a_workspace(run: Any, home: Path) -> None:
    told = run("init", "--json")
    assert told.json == {"home": str(home), "database": told.json["database"], "studies": 0}
    assert (home / "reading-room.db").exists()


def test_an_import_says_what_it_added(run: Any, films: Path) -> None:
    told = run("import", "images", str(films), "--dataset", "loose", "--json")
    assert told.code == 0
    assert list(told.json) == ["dataset", "studies", "images", "masks", "reports", "duplicates", "skipped"]
    assert (told.json["dataset"], told.json["studies"], told.json["images"]) == ("loose", 3, 3)
    (left_out,) = told.json["skipped"]
    assert "cut.png" in left_out["item"]
    assert set(left_out) == {"item", "reason"}


def test_a_second_import_adds_nothing(run: Any, films: Path) -> None:
    run("import", "images", str(films), "--dataset", "loose")
    told = run("import", "images", str(films), "--dataset", "loose", "--json").json
    assert (told["studies"], told["images"], told["duplicates"]) == (0, 0, 3)


def test_a_rehearsed_import_keeps_nothing(run: Any, films: Path) -> None:
    told = run("import", "images", str(films), "--dataset", "loose", "--dry-run", "--json")
    assert told.json["studies"] == 3
    assert run("snapshot", "s", "--dataset", "loose", "--json").code == 1


def test_a_disk_that_fills_during_an_import_is_told_and_costs_nothing(
    run: Any, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("data.store.os.write", full)
        told = run("import", "images", str(films), "--dataset", "loose", "--json")
    assert told.code == 1
    assert "full" in told.json["error"]
    assert run("import", "images", str(films), "--dataset", "loose", "--json").json["images"] == 3
    assert run("doctor", "--json").json["ok"] is True


def test_an_import_is_on_record_as_a_job(run: Any, films: Path) -> None:
    run("import", "images", str(films), "--dataset", "loose")
    (job,) = run("jobs", "--json").json["jobs"]
    assert (job["kind"], job["state"], job["result"]["images"]) == ("import", "succeeded", 3)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("import", "images", "/nowhere", "--dataset", "d"), 1, "no /nowhere"),
        (("import", "tarot", ".", "--dataset", "d"), 1, "no kind of import"),
        (("snapshot", "s", "--dataset", "nope"), 1, "no dataset"),
        (("snapshot", "s", "--dataset", "d", "--split", "0.9,0.9,0.1"), 1, "add up to 1"),
        (("snapshot", "s", "--dataset", "d", "--split", "0.8,0.1,0.1", "--folds", "5"), 1, "--folds"),
        (("train", "astrology", "--snapshot", "s"), 1, "no model family"),
        (("train", "segmentation", "--snapshot", "nope"), 1, "no snapshot"),
        (("train", "segmentation", "--snapshot", "s", "--set", "epochs=many"), 1, "epochs is a number"),
        (("train", "segmentation", "--snapshot", "s", "--set", "dice_weight=0", "--set", "bce_weight=0"), 1, "all 0"),
        (("train", "segmentation", "--snapshot", "s", "--recipe", "/nowhere.yaml"), 1, "no recipe file"),
        (("evaluate", "segmentation-v9", "--snapshot", "s"), 1, "no model"),
        (("predict", "segmentation", "--dataset", "d"), 1, "no model"),
        (("export", "coco", "/tmp/x"), 1, "one of the two"),
        (("export", "pdf", "/tmp/x", "--dataset", "d"), 1, "no export format"),
        (("jobs", "show", "7"), 1, "no job 7"),
        (("jobs", "cancel", "7"), 1, "no job 7"),
        (("models", "show", "segmentation-v9"), 1, "no model"),
        (("promote", "segmentation-v9"), 1, "--reason"),
        (("promote", "segmentation-v9", "--reason", "good"), 1, "no model"),
        (("rollback", "segmentation", "--reason", "bad"), 1, "none to go back to"),
        (("restore", "/nowhere.tar"), 1, "no backup"),
        (("train", "segmentation"), 2, "--snapshot"),
        (("jobs", "--limit", "none"), 2, "--limit"),
        (("jobs", "show"), 2, "'job'"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_told_in_a_sentence(run: Any, words: tuple[str, ...], code: int, says: str) -> None:
    told = run(*words)
    assert (told.code, told.out) == (code, "")
    assert says in told.err
    assert "Traceback" not in told.err
    machines = run(*words, "--json")
    assert machines.code == code
    assert says in machines.json["error"]


def test_a_snapshot_tells_its_content_and_the_same_content_is_the_same_snapshot(run: Any, house: House) -> None:
    put(house, "d", study("a", [image(masks={"heart": block()})]), study("b", report="Clear lungs."))
    first = run("snapshot", "s", "--dataset", "d", "--json").json["snapshots"][0]
    again = run("snapshot", "s", "--dataset", "d", "--json").json["snapshots"][0]
    assert first["sha"] == again["sha"]
    assert (first["studies"], first["masks"], first["reports"]) == (2, 1, 1)
    assert sum(first["by_split"].values()) == 2


def test_a_split_that_contradicts_an_earlier_snapshot_is_refused(run: Any, house: House) -> None:
    put(house, "d", study("a"))
    assert run("snapshot", "s", "--dataset", "d", "--split", "0.7,0.2,0.1").code == 0
    assert "already split 0.7,0.2,0.1" in run("snapshot", "t", "--dataset", "d", "--split", "0.8,0.1,0.1").err


def test_a_snapshot_takes_what_the_filters_leave_and_counts_the_rest(run: Any, house: House) -> None:
    films = [image(), image("lateral", 1, view=View.LATERAL)]
    put(house, "d", study("a", films, report="Clear lungs and a heart of normal size."), study("b", report="Clear."))
    put(
        house, "d", study("c"), *(study(f"more{n}", report="There is no acute disease of the lungs.") for n in range(3))
    )
    words = ("--frontal-only", "--image-and-text", "--positive-only", "--min-report-characters", "30")
    told = run("snapshot", "s", "--dataset", "d", *words, "--json").json["snapshots"][0]
    assert (told["studies"], told["images"]) == (4, 4)
    assert told["left_out"]["films: of another view"] == 1
    assert told["left_out"]["studies: no text"] == 1
    assert told["left_out"]["studies: report under 30 characters"] == 1
    few = run("snapshot", "t", "--dataset", "d", *words, "--max-patients", "2")
    assert "patients: beyond the number asked for" in few.out
    assert "no report with findings and impression" in run("snapshot", "u", "--dataset", "d", "--full-narrative").err


def test_a_snapshot_that_wants_every_image_is_refused_where_the_store_lacks_one(run: Any, house: House) -> None:
    put(house, "d", study("a", report="Clear lungs."))
    place = house.store.path(read_study(house).images[0].sha)
    assert place is not None
    place.unlink()
    assert "not in the store" in run("snapshot", "s", "--dataset", "d", "--image-and-text").err
    assert run("snapshot", "s", "--dataset", "d").code == 0


def test_folds_make_one_snapshot_each(run: Any, house: House) -> None:
    put(house, "d", *(study(f"s{n}") for n in range(6)))
    made = run("snapshot", "f", "--dataset", "d", "--folds", "3", "--json").json["snapshots"]
    assert [each["name"] for each in made] == ["f-fold0", "f-fold1", "f-fold2"]
    assert sum(each["by_split"]["test"] for each in made) == 6


def test_an_export_can_be_imported_again(run: Any, house: House, tmp_path: Path) -> None:
    put(house, "d", study("a", [image(masks={"heart": block()})], report="Clear lungs."))
    run("snapshot", "s", "--dataset", "d")
    out = tmp_path / "out"
    told = run("export", "coco", str(out), "--snapshot", "s", "--json").json
    assert (told["form"], told["out"], told["masks"]) == ("coco", str(out), 1)
    back = run("import", "coco", str(out), "--dataset", "again", "--json").json
    assert (back["studies"], back["images"], back["masks"], back["reports"]) == (1, 1, 1, 1)
    assert "not empty" in run("export", "coco", str(out), "--snapshot", "s").err


def test_training_without_wait_queues_a_job_with_the_whole_recipe(run: Any, house: House, tmp_path: Path) -> None:
    put(house, "d", study("a", [image(masks={"heart": block()})]))
    run("snapshot", "s", "--dataset", "d")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("epochs: 7\nbatch_size: 2\n")
    words = ("train", "segmentation", "--snapshot", "s", "--preset", "smoke", "--recipe", str(recipe))
    job = run(*words, "--set", "epochs=3", "--promote", "rule", "--json").json["job"]
    stated = job["parameters"]["recipe"]
    assert (stated["epochs"], stated["batch_size"], stated["encoder"]) == (3, 2, "tiny")
    assert (job["state"], job["family"], job["snapshot"]) == ("queued", "segmentation", "s")
    assert job["parameters"]["promote"] == "rule"


def test_a_job_is_shown_cancelled_and_repeated(run: Any, house: House) -> None:
    put(house, "d", study("a", [image(masks={"heart": block()})]))
    snapshots.freeze(house, "s", ["d"], "ana")
    job = training.train(house, preset("segmentation", "smoke"), "s", "ana")
    shown = run("jobs", "show", str(job.id), "--json").json
    assert set(shown) == {"job", "latest", "log", "traceback"}
    assert run("jobs", "cancel", str(job.id), "--json").json["job"]["state"] == "cancelled"
    assert "cannot become" in run("jobs", "retry", str(job.id)).err


def test_doctor_finds_a_damaged_and_a_missing_blob(run: Any, house: House) -> None:
    put(house, "d", study("a"), study("b"))
    assert run("doctor", "--json").json["ok"] is True
    one, other = sorted(house.store.iterate())
    damaged, missing = house.store.path(one), house.store.path(other)
    assert damaged is not None
    assert missing is not None
    damaged.chmod(0o600)
    damaged.write_bytes(b"rot" + damaged.read_bytes()[3:])
    missing.unlink()
    told = run("doctor", "--json")
    levels = {check["name"]: check["level"] for check in told.json["checks"]}
    assert (told.code, told.json["ok"]) == (1, False)
    assert (levels["damaged blobs"], levels["missing blobs"], levels["database"]) == ("broken", "broken", "ok")
    assert run("doctor", "--quick").code == 1


def test_doctor_tells_a_database_that_is_none(run: Any, home: Path) -> None:
    (home / "reading-room.db").write_bytes(b"no database at all" * 300)
    told = run("doctor", "--json")
    assert told.code == 1
    assert "Restore a backup" in told.json["checks"][0]["detail"]


def test_models_are_compared_where_both_were_measured_and_nowhere_else(run: Any, house: House) -> None:
    put(house, "d", study("a", [image(masks={"heart": block()})]))
    snapshots.freeze(house, "first", ["d"], "ana")
    better, worse = put_model(house, [0.9, 0.8]), put_model(house, [0.7, 0.8])
    told = run("models", "compare", better.name, worse.name, "--snapshot", "first", "--json")
    assert told.json["difference"]["value"] == pytest.approx(0.1)
    told = run("models", "compare", better.name, worse.name, "--snapshot", "first", "--split", "test")
    assert told.code == 1
    assert "evaluate NAME --snapshot first --split test" in told.err


def test_doctor_counts_blobs_that_no_row_names(run: Any, house: House) -> None:
    put(house, "d", study("a"))
    house.store.put(b"left behind by a crash")
    told = run("doctor", "--json")
    assert told.code == 0
    assert {c["name"]: c["level"] for c in told.json["checks"]}["orphan blobs"] == "note"


def _say_that_a_trainer_lives(house: House) -> None:
    """So that a waiting command starts none of its own, and its job stays queued."""
    with house.database.writing() as session:
        workers.present(session, "trainer@elsewhere:1", "trainer", "elsewhere", 1)


def test_ctrl_c_during_a_wait_cancels_the_job(house: House) -> None:
    put(house, "d", study("a", [image(masks={"heart": block()})]))
    snapshots.freeze(house, "s", ["d"], "ana")
    command = [
        sys.executable,
        "-m",
        "app",
        "train",
        "segmentation",
        "--snapshot",
        "s",
        "--preset",
        "smoke",
        "--wait",
        "--json",
    ]
    waiting = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    deadline = time.monotonic() + 60
    while not training.recent_jobs(house) and time.monotonic() < deadline:
        _say_that_a_trainer_lives(house)
        time.sleep(0.05)
    for _ in range(10):
        _say_that_a_trainer_lives(house)
        time.sleep(0.05)
    waiting.send_signal(signal.SIGINT)
    out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 1
    assert json.loads(out) == {"error": "Job 1 was cancelled."}
    assert "Cancelling job 1" in err
    with house.database.reading() as session:
        assert jobs.get_job(session, 1).state is JobState.CANCELLED


def test_what_a_person_says_of_an_import_reaches_it(run: Any, house: House, films: Path) -> None:
    run("import", "images", str(films), "--dataset", "loose", "--view", "lateral")
    with house.database.reading() as session:
        assert studies.get_study(session, 1).images[0].view is View.LATERAL


def test_that_everything_was_outlined_reaches_an_import_and_is_told(run: Any, house: House, tmp_path: Path) -> None:
    for seed, stem in enumerate("ab"):
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "images" / f"{stem}.png").write_bytes(from_pixels(film(seed), 8).payload)
    (tmp_path / "masks" / "edema").mkdir(parents=True)
    (tmp_path / "masks" / "edema" / "a.png").write_bytes(mask_png(block()))
    told = run("import", "folder", str(tmp_path), "--dataset", "d", "--unmarked-absent", "--json")
    assert "Taken for absent on every film on which they are not marked: edema." in told.err
    found = {s.key: s.images[0].absent for s in snapshots.present(house, "d").studies}
    assert found == {"a": (), "b": ("edema",)}


def test_serving_beyond_this_machine_is_warned_of(run: Any) -> None:
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        told = run("serve", "--host", "0.0.0.0", "--port", str(other.getsockname()[1]))
    assert told.code == 1
    assert "There is no sign-on yet" in told.err
