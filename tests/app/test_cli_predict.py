"""Reading films from the command line: a file, a folder with a bad file in it, pictures of them, and nothing left."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from app.cli import main
from app.cli.waiting import DEATHS, WorkerDied
from app.house import House
from app.services import try_files, trying
from core.tries import MOST_WORDS
from data.passing import Passing
from db import audit, tries, workers
from tests.app.answering import SHARES, answering, put_classifier
from tests.conftest import ROOT
from tests.making import film

DOCS = (ROOT / "docs" / "cli.md").read_text()


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any, str]]:
    """A command with --json: its exit code, its object, and what it said beside."""

    def command(*words: str) -> tuple[int, Any, str]:
        code = main([*words, "--json"])
        out, err = capfd.readouterr()
        (line,) = out.strip().splitlines()
        return code, json.loads(line), err

    return command


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    (folder / "ward").mkdir(parents=True)
    for seed, name in enumerate(("a.png", "b.jpg", "ward/a.png")):
        PIL.Image.fromarray(film(seed, 256, 224)).save(folder / name)
    (folder / "torn.png").write_bytes((folder / "a.png").read_bytes()[:900])
    (folder / ".DS_Store").write_bytes(b"litter")
    return folder


def places(house: House) -> list[str]:
    return list(Passing.of(house.workspace).places())


def test_a_film_is_read_with_and_without_its_context(house: House, run: Any, films: Path) -> None:
    put_classifier(house)
    with answering(house):
        code, told, _ = run("predict", "--image", str(films / "a.png"), "--context", "Cough for weeks.")
    assert code == 0
    assert (told["model"], told["context"], told["skipped"]) == ("classification-v1", "Cough for weeks.", [])
    (one,) = told["films"]
    assert (one["file"], one["width"], one["height"], one["picture"]) == ("a.png", 224, 256, None)
    first = one["findings"][0]
    assert first["finding"] == "cardiomegaly"
    assert (first["probability"], first["without_context"], first["with_context"]) == (0.91, 0.86, True)
    assert (first["threshold"], first["says"], first["words"][0]) == (0.5, "present", ["Cough", 0.3])
    assert len(one["findings"]) == len(SHARES)


def test_the_object_is_as_documented(house: House, run: Any, films: Path, tmp_path: Path) -> None:
    section = DOCS.split("\n## predict\n")[1].split("\n## ")[0]
    documented = json.loads(re.findall(r"```json\n(.*?)\n```", section, flags=re.DOTALL)[1])
    put_classifier(house)
    with answering(house):
        _, told, _ = run("predict", "--image", str(films), "--context", "Cough.", "--save", str(tmp_path / "out"))

    def keys(data: Any) -> Any:
        if isinstance(data, dict):
            return {name: keys(value) for name, value in data.items()}
        return [keys(data[0])] if isinstance(data, list) and data and isinstance(data[0], dict) else None

    assert keys(told) == keys(documented)


def test_of_a_folder_the_bad_file_is_told_and_the_rest_is_read(house: House, run: Any, films: Path) -> None:
    put_classifier(house)
    with answering(house):
        code, told, _ = run("predict", "--image", str(films))
    assert code == 0
    assert [one["file"] for one in told["films"]] == ["a.png", "b.jpg", "ward/a.png"]
    assert [each["item"] for each in told["skipped"]] == ["torn.png"]
    assert "cut off" in told["skipped"][0]["reason"]


def test_films_and_folders_may_be_named_together(house: House, run: Any, films: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    PIL.Image.fromarray(film(9, 256, 224)).save(other)
    put_classifier(house)
    with answering(house):
        _, told, _ = run("predict", "--image", str(films / "ward"), "--image", str(other))
    assert [one["file"] for one in told["films"]] == ["ward/a.png", str(other)]


def test_nothing_is_left_but_lines_on_the_audit_trail(house: House, run: Any, films: Path) -> None:
    put_classifier(house)
    with answering(house):
        run("predict", "--image", str(films))
    assert places(house) == []
    with house.database.reading() as session:
        assert tries.waiting(session, 5) == ()
        told = [event.action for event in audit.events(session)]
    assert told.count("try a film") == told.count("forget a tried film") == 3


def test_when_not_one_film_can_be_read_it_is_an_error_with_the_reasons(house: House, run: Any, films: Path) -> None:
    put_classifier(house)
    code, told, _ = run("predict", "--image", str(films / "torn.png"))
    assert code == 1
    assert told["error"].startswith("No film could be read. torn.png: The PNG is cut off")


def test_a_model_that_refuses_is_told_of_by_film(house: House, run: Any, films: Path) -> None:
    put_classifier(house)
    with answering(house, refusal="classification-v1 cannot be loaded."):
        code, told, _ = run("predict", "--image", str(films / "a.png"))
    assert code == 1
    assert told["error"] == "No film could be read. a.png: classification-v1 cannot be loaded."
    assert places(house) == []


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--image", "nowhere.png"), 1, "There is no file or folder nowhere.png."),
        (("--image", "{films}", "--save", "{films}/pictures"), 1, "not saved among the films"),
        (("--image", "{empty}"), 1, "There is no file in"),
        (("--image", "{films}", "--model", "classification-v7"), 1, 'no model "classification-v7"'),
        (("--image", "{films}", "--model", "segmentation"), 1, 'no model "segmentation"'),
        ((), 2, "Name a model and a --dataset, or films with --image."),
        (("classification", "--image", "{films}", "--dataset", "d"), 2, "Name a model and a --dataset"),
        (("--dataset", "d"), 2, "Name a model and a --dataset"),
    ],
)
def test_what_cannot_be_done_is_told(
    house: House, run: Any, films: Path, tmp_path: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    (tmp_path / "empty").mkdir()
    put_classifier(house)
    asked = [word.format(films=films, empty=tmp_path / "empty") for word in words]
    found, answer, _ = run("predict", *asked)
    assert found == code
    assert told in answer["error"]


def test_without_a_model_in_use_it_says_what_to_do(house: House, run: Any, films: Path) -> None:
    code, told, _ = run("predict", "--image", str(films))
    assert code == 1
    assert told["error"].startswith("No classification model is in use yet. Train one, and promote it")
    put_classifier(house, in_use=False)
    assert run("predict", "--image", str(films))[0] == 1
    with answering(house):
        assert run("predict", "classification-v1", "--image", str(films))[1]["model"] == "classification-v1"


def test_fifty_thousand_words_are_cut_and_that_is_told(house: House, run: Any, films: Path) -> None:
    put_classifier(house)
    with answering(house):
        _, told, _ = run("predict", "--image", str(films / "a.png"), "--context", " ".join(["cough"] * 50_000))
    assert len(told["context"].split()) == MOST_WORDS
    assert told["remarks"] == [f"Of the 50,000 words of the context the first {MOST_WORDS:,} are kept."]


def test_a_picture_of_each_film_is_saved_and_none_over_another(
    house: House, run: Any, films: Path, tmp_path: Path
) -> None:
    PIL.Image.fromarray(film(5, 256, 224)).save(films / "a.tif")
    put_classifier(house)
    with answering(house):
        _, told, _ = run("predict", "--image", str(films), "--context", "Cough.", "--save", str(tmp_path / "out"))
    saved = [Path(one["picture"]) for one in told["films"]]
    assert [place.name for place in saved] == [
        "a-classification-v1.png",
        "a.tif-classification-v1.png",
        "b-classification-v1.png",
        "ward-a-classification-v1.png",
    ]
    for place in saved:
        with PIL.Image.open(place) as picture:
            assert picture.width > 1000
            assert picture.height > 600


def test_people_get_a_table_of_each_film(house: House, films: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put_classifier(house)
    with answering(house):
        assert main(["predict", "--image", str(films), "--context", "Cough."]) == 0
    out = capfd.readouterr().out
    assert "ward/a.png (224 x 256)" in out
    assert "Cardiomegaly" in out
    assert "torn.png" in out
    assert "classification-v1. For research, not for clinical decisions." in out


def test_ctrl_c_forgets_what_is_under_way(house: House, films: Path) -> None:
    put_classifier(house)
    with house.database.writing() as session:
        workers.present(session, "inference@here:1", "inference", "here", 1)
    command = [sys.executable, "-m", "app", "predict", "--image", str(films), "--json"]
    asking = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    deadline = time.monotonic() + 60
    while len(places(house)) < 3 and time.monotonic() < deadline:
        with house.database.writing() as session:
            workers.present(session, "inference@here:1", "inference", "here", 1)
        time.sleep(0.05)
    assert len(places(house)) == 3
    asking.send_signal(signal.SIGINT)
    out, _ = asking.communicate(timeout=60)
    assert asking.returncode == 130
    assert json.loads(out) == {"error": "Interrupted."}
    assert places(house) == []


def test_an_inference_process_is_started_where_none_lives_and_its_death_is_told(
    house: House, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    class Dead:
        returncode = 1

        def poll(self) -> int:
            return 1

    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: started.append(command) or Dead())
    monkeypatch.setattr(try_files, "POLL_SECONDS", 0.0)
    put_classifier(house)
    with pytest.raises(WorkerDied, match=f"The inference process ended {DEATHS} times"):
        reading_until_it_dies(house, films)
    assert len(started) == DEATHS
    assert started[0][1:] == ["-m", "trainers.inference"]
    assert places(house) == []


def reading_until_it_dies(house: House, films: Path) -> None:
    from app.cli.waiting import INFERENCE, at_hand

    with at_hand(house, INFERENCE) as tend:
        reading = try_files.Reading(house, trying.heed("").context, trying.model_called(house), "ana", None, tend)
        list(reading.read(try_files.films_at([films])))
