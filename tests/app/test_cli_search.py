"""Searching from the command line with a small model that learned from drawn films, its index, and its ablation."""

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.cli.waiting import INFERENCE, at_hand
from app.house import House, open_house
from app.services import workers
from core.studies import View
from core.workspace import Workspace
from data.passing import Passing
from data.png import grey
from db import audit, models
from db.schema import migrate
from tests.conftest import ROOT
from tests.trainers.conftest import House as Drawn
from tests.trainers.reported import add_reported, drawn, learn, put_in_use

STUDIES = 16
DOCS = (ROOT / "docs" / "cli.md").read_text()

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """A command with --json: its exit code and its object."""

    def command(*words: str) -> tuple[int, Any]:
        capfd.readouterr()
        code = main([*words, "--json"])
        (line,) = capfd.readouterr().out.strip().splitlines()
        return code, json.loads(line)

    return command


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("learned")
    house = Drawn(Workspace(home), migrate(Workspace(home)))
    add_reported(house, "drawn", STUDIES)
    learn(house, house.freeze("drawn-1", "drawn"), "small", minimum_steps=40)
    house.database.close()
    return home


@pytest.fixture
def stocked(place: Workspace, learned: Path) -> Drawn:
    """The house that commands open, with the studies and the model, which is not yet in use."""
    shutil.copytree(learned, place.home, dirs_exist_ok=True)
    return Drawn(place, migrate(place))


@contextmanager
def awake(house: Drawn) -> Iterator[None]:
    """With one inference process for several searches, each of which would otherwise start its own."""
    opened = open_house(house.workspace)
    with at_hand(opened, INFERENCE) as tend:
        tend()
        while not workers.lives(opened, INFERENCE.role):
            time.sleep(0.1)
        yield
    opened.database.close()


def documented(name: str) -> Any:
    section = DOCS.split(f"\n## {name}\n")[1].split("\n## ")[0]
    (body,) = re.findall(r"```json\n(.+?)```", section, flags=re.DOTALL)
    return json.loads(body)


def test_studies_are_found_by_words_by_a_study_by_a_report_and_by_a_film(
    stocked: Drawn, run: Run, tmp_path: Path
) -> None:
    put_in_use(stocked, "small")
    code, told = run("index")
    assert (code, told["answering"], told["pending"]) == (0, "retrieval-v1", 0)
    assert set(told) == set(documented("index"))
    report, film = tmp_path / "report.txt", tmp_path / "film.png"
    report.write_text("There is a huge square. It lies upper left.", encoding="utf-8")
    film.write_bytes(grey(drawn(4, View.PA)))
    ways = (
        ("a huge square",), ("--study", "drawn/study-3"), ("--study", "4"), ("--report", str(report)),
        ("--image", str(film)),
    )  # fmt: skip
    with awake(stocked):
        for way in ways:
            code, told = run("search", *way, "--limit", "3")
            assert (code, told["model"], len(told["hits"])) == (0, "retrieval-v1", 3), way
            assert told["searched"] == STUDIES - ("--study" in way)
            assert set(told) == set(documented("search"))
            assert set(told["hits"][0]) == set(documented("search")["hits"][0])
    assert list(Passing.of(stocked.workspace).places()) == [], "the film is forgotten"
    with stocked.database.reading() as session:
        deeds = {event.action for event in audit.events(session)}
    assert {"search by a film", "forget a film searched by"} <= deeds


def test_before_there_is_a_model_both_commands_say_what_to_do(house: House, run: Run) -> None:
    for words in (("search", "effusion"), ("index",)):
        code, told = run(*words)
        assert code == 1 and "No retrieval model is in use yet" in told["error"]


def test_what_cannot_be_searched_for_is_refused(stocked: Drawn, run: Run, tmp_path: Path) -> None:
    put_in_use(stocked, "small")
    torn = tmp_path / "torn.png"
    torn.write_bytes(b"\x89PNG\r\n\x1a\n torn")
    for words, code, sentence in (
        ((), 1, "There is nothing to search for"),
        (("...",), 1, "There is nothing to search for"),
        (("effusion", "--study", "1"), 2, "Give one thing to search by"),
        (("--study", "drawn/nobody"), 1, "There is no study drawn/nobody"),
        (("--image", str(tmp_path / "none.png")), 2, "cannot be read"),
        (("--image", str(torn)), 1, "PNG"),
    ):
        ended, told = run("search", *words)
        assert (ended, sentence in told["error"]) == (code, True), (words, told)
    assert list(Passing.of(stocked.workspace).places()) == []


def test_the_ablation_takes_one_step_after_the_other_and_writes_its_table(stocked: Drawn, run: Run) -> None:
    settings = (
        "network=bottleneck",
        "patch_width=16",
        "patch_layers=2",
        "patch_heads=2",
        "epochs=1",
        "minimum_steps=4",
    )
    words = [word for setting in settings for word in ("--set", setting)]
    code, told = run("train", "retrieval", "--snapshot", "drawn-1", "--preset", "smoke", *words, "--ablation")
    assert code == 0, told
    assert [step["variant"] for step in told["steps"]] == ["A", "B", "C", "D", "E"]
    with stocked.database.reading() as session:
        recipes = {one.name: one.recipe for one in models.models(session, "retrieval")}
    names = [step["model"] for step in told["steps"]]
    assert [recipes[name]["start_from"] for name in names] == ["", *names[:-1]]
    assert all(step["metrics"]["images_per_second"]["overall"]["value"] > 0 for step in told["steps"])
    kept = [step["metrics"]["patches_kept"]["overall"]["value"] for step in told["steps"]]
    assert kept[0] == kept[1] == 1.0 and kept[4] < 1.0
    table = Path(told["table"]).read_text(encoding="utf-8")
    assert table.count("\n| ") == 7 and "| E | retrieval-v5 |" in table


def test_only_retrieval_takes_steps(stocked: Drawn, run: Run) -> None:
    code, told = run("train", "segmentation", "--snapshot", "drawn-1", "--ablation")
    assert code == 1 and "Leave --ablation out" in told["error"]
