"""How much memory an import needs, measured in a process of its own.

In one that other tests have used, the interpreter's table of interned names may be due to double while the import runs,
which is then counted as the import's although it holds nothing.
"""

import json
import subprocess
import sys
import tracemalloc
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Streamed:
    """How many studies a plan promised, how many items came, and the bytes that were held at most meanwhile."""

    total: int
    items: int
    peak: int


def streamed(kind: str, path: Path) -> Streamed:
    """Read a whole import to its end, keeping nothing of it."""
    command = [sys.executable, "-m", "tests.data.streaming", kind, str(path)]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return Streamed(**json.loads(told))


def _measure(kind: str, path: Path) -> None:
    from data.importers import IMPORTERS
    from data.importers.plan import ImportOptions

    tracemalloc.start()
    plan = IMPORTERS[kind](path, ImportOptions(secret=b""))
    items = sum(1 for _ in plan.studies)
    _, peak = tracemalloc.get_traced_memory()
    sys.stdout.write(json.dumps({"total": plan.total, "items": items, "peak": peak}))


if __name__ == "__main__":
    _measure(sys.argv[1], Path(sys.argv[2]))
