"""The command line: commands by subject, each a thin layer over a service.

Only the module of the command that was typed is loaded, so that listing the jobs does not wait for what serving needs.
"""

import importlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from app.cli.output import show_error
from core.errors import ReadingRoomError
from core.registry import RESEARCH_ONLY

MODULES: Mapping[str, str] = {
    "serve": "app.cli.running",
    "worker": "app.cli.running",
    "clerk": "app.cli.running",
    "init": "app.cli.running",
    "import": "app.cli.material",
    "findings": "app.cli.material",
    "label": "app.cli.labelling",
    "snapshot": "app.cli.material",
    "export": "app.cli.material",
    "export-ratings": "app.cli.ratings",
    "import-ratings": "app.cli.ratings",
    "train": "app.cli.training",
    "evaluate": "app.cli.training",
    "predict": "app.cli.trying",
    "search": "app.cli.searching",
    "index": "app.cli.searching",
    "jobs": "app.cli.jobs",
    "models": "app.cli.registry",
    "promote": "app.cli.registry",
    "rollback": "app.cli.registry",
    "starter": "app.cli.starter",
    "backup": "app.cli.upkeep",
    "restore": "app.cli.upkeep",
    "doctor": "app.cli.upkeep",
}
"""Each command and the module it lives in, in the order that --help lists them."""

USAGE = 2
INTERRUPTED = 130


def build(modules: Sequence[str] = tuple(dict.fromkeys(MODULES.values()))) -> typer.Typer:
    """The commands of these modules under one roof."""
    root = typer.Typer(
        name="python -m app",
        help=f"Reading Room: read chest X-rays, and train the models that help. {RESEARCH_ONLY}",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    root.callback()(lambda: None)
    for name in modules:
        root.add_typer(importlib.import_module(name).commands)
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code: 0 done, 1 refused or failed, 2 not understood, 130 interrupted.

    The one place where the house's errors become a sentence, and with --json a JSON object.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    module = MODULES.get(words[0]) if words else None
    try:
        outcome: Any = build([module] if module else tuple(dict.fromkeys(MODULES.values())))(
            args=words, prog_name="python -m app", standalone_mode=False
        )
    except ReadingRoomError as error:
        show_error(str(error), as_json)
        return 1
    except typer.TyperException as error:
        about = ["python -m app", *words[: 1 if module else 0], "--help"]
        show_error(f"{error.format_message()} See {' '.join(about)}.", as_json)
        return USAGE
    except (KeyboardInterrupt, typer.Abort):
        outcome = INTERRUPTED
    if outcome == INTERRUPTED:
        # Typer itself makes this of a Ctrl-C, and says nothing.
        show_error("Interrupted.", as_json)
    return outcome if isinstance(outcome, int) else 0
