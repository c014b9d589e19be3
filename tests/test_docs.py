"""docs/cli.md says what the commands do: each command, each option, each key of each JSON object."""

import inspect
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from app.cli import MODULES, build, main
from app.house import House
from app.services import training
from core.metrics import Estimate, Evaluation, ItemScore, Metric
from core.recipes import preset
from db import models
from db.models import NewModel
from tests.making import block, image, put, study

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "cli.md").read_text()

OPEN = {"parameters", "result", "metrics", "per_finding", "by_finding", "left_out", "latest", "versions"}
"""Keys whose value is a mapping from names that differ from case to case."""


def commands() -> dict[str, Any]:
    """Every command and subcommand by the words it is called with."""

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        if words:
            yield " ".join(words), command
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, (*words, name))

    return dict(walk(typer.main.get_command(build()), ()))


COMMANDS = commands()


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", TEXT, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


SECTIONS = sections()


def documented_shape(name: str) -> Any:
    found = re.search(r"```json\n(.*?)\n```", SECTIONS[name], flags=re.DOTALL)
    assert found, name
    return json.loads(found[1])


def same_keys(told: Any, documented: Any, where: str) -> None:
    if isinstance(documented, dict) and isinstance(told, dict):
        assert set(told) == set(documented), where
        for key in documented:
            if key not in OPEN:
                same_keys(told[key], documented[key], f"{where}.{key}")
    if isinstance(documented, list) and isinstance(told, list) and told and documented:
        same_keys(told[0], documented[0], f"{where}[]")


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    assert set(SECTIONS) == set(COMMANDS)
    assert {name.split()[0] for name in COMMANDS} == set(MODULES)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_and_option_is_documented_and_no_other(name: str) -> None:
    told = re.findall(r"^\| (`.+?) \| (.+) \|$", SECTIONS[name], flags=re.MULTILINE)
    documented = {tuple(re.findall(r"`(.+?)`", words)): says for words, says in told}
    known = {
        ((p.name.upper(),) if p.param_type_name == "argument" else (*p.opts, *p.secondary_opts)): p.help
        for p in COMMANDS[name].params
        if "--json" not in p.opts and p.name != "help"
    }
    assert documented == known


@pytest.mark.parametrize("name", COMMANDS)
def test_the_description_and_the_example_are_those_of_help(name: str) -> None:
    says, _, example = inspect.cleandoc(COMMANDS[name].help).partition("\n\nExample: ")
    assert " ".join(says.split()) in " ".join(SECTIONS[name].split())
    assert f"\n    {example}\n" in SECTIONS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_is_one_that_the_command_understands(name: str) -> None:
    example = inspect.cleandoc(COMMANDS[name].help).partition("Example: ")[2]
    words = shlex.split(example)[shlex.split(example).index("app") + 1 :]
    command = COMMANDS[name]
    # Parsed and not run: a wrong option or a missing argument raises here.
    command.make_context(name, words[len(name.split()) :])


def test_every_environment_variable_is_documented() -> None:
    named = set()
    for folder in ("app", "core", "data", "db"):
        for path in (ROOT / folder).rglob("*.py"):
            named |= set(re.findall(r'"(READING_ROOM_[A-Z_]+)"', path.read_text()))
    assert named - {"READING_ROOM_SUPERVISOR"} <= set(re.findall(r"READING_ROOM_[A-Z_]+", TEXT))


def test_files_that_the_documents_point_to_are_there() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} points to {target}"


def test_the_json_of_every_command_that_answers_at_once_is_as_documented(
    house: House, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put(house, "demo", study("a", [image(masks={"heart": block()})], report="Clear lungs."), study("b"))
    out = str(tmp_path / "out")
    told: dict[str, Any] = {}

    def run(name: str, *words: str) -> None:
        assert main([*name.split(), *words, "--json"]) == 0, name
        told[name] = json.loads(capfd.readouterr().out)

    run("init")
    run("findings")
    run("label", "--dataset", "demo")
    run("snapshot", "s", "--dataset", "demo")
    run("export", "coco", out, "--snapshot", "s")
    run("import", "coco", out, "--dataset", "again")
    run("export-ratings", str(tmp_path / "ratings.jsonl"))
    run("import-ratings", str(tmp_path / "ratings.jsonl"))
    job = training.train(house, preset("segmentation", "smoke"), "s", "ana")
    for _ in range(2):
        with house.database.writing() as session:
            models.register(session, model(), "ana")
    run("jobs")
    run("jobs show", str(job.id))
    run("jobs cancel", str(job.id))
    run("models")
    run("models show", "segmentation-v1")
    for name in ("segmentation-v1", "segmentation-v2"):
        with house.database.writing() as session:
            models.record_evaluation(session, measured(name), "ana")
    run("models compare", "segmentation-v2", "segmentation-v1", "--snapshot", "s", "--split", "test")
    run("promote", "segmentation-v1", "--reason", "the first")
    run("promote", "segmentation-v2", "--reason", "the second")
    run("rollback", "segmentation", "--reason", "worse")
    run("backup", str(tmp_path / "b.tar"))
    house.database.close()
    run("restore", str(tmp_path / "b.tar"), "--force")
    told["doctor"] = (main(["doctor", "--json"]), json.loads(capfd.readouterr().out))[1]
    for name, data in told.items():
        same_keys(data, documented_shape(name), name)
    same_keys(told["jobs cancel"], documented_shape("jobs retry"), "jobs retry")


def test_the_scores_of_train_and_evaluate_are_as_documented() -> None:
    one = Estimate(0.9, 0.8, 1.0, 5)
    told = Evaluation("m", "s", "test", 5, 1.0, {"dice": Metric(one, {"heart": one})}).to_json()
    for name in ("train", "evaluate"):
        documented = documented_shape(name)
        same_keys(told, documented, name)
        same_keys(told["metrics"]["dice"], documented["metrics"]["dice"], name)
        same_keys(
            told["metrics"]["dice"]["per_finding"]["heart"], documented["metrics"]["dice"]["per_finding"]["heart"], name
        )


def test_a_prediction_answers_as_documented() -> None:
    # The trainers write this result and the app may not import them, so their text is what can be held to the page.
    source = (ROOT / "trainers" / "handlers.py").read_text()
    returned = re.search(r"def predict_job.*?return \{(.*?)\}", source, flags=re.DOTALL)
    assert returned
    assert set(re.findall(r'^\s+"(\w+)":', returned[1], flags=re.MULTILINE)) == set(documented_shape("predict"))


def measured(name: str) -> Evaluation:
    return Evaluation(name, "s", "test", 1, 1.0, {}, (ItemScore("a", "p", "heart", {"dice": 0.9}),))


def model() -> NewModel:
    one = Estimate(0.9, 0.8, 1.0, 5)
    return NewModel("segmentation", "m", {}, ("heart",), "dice", {"dice": Metric(one)}, "s")
