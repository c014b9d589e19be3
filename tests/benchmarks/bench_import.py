"""The whole of iu-xray, read, checked, hashed, flushed to the store and put on record, in seconds.

python -m tests.benchmarks.bench_import [--data ../shared/cxr/iu-xray] [--store-only]

Two numbers: the data room alone (read, check, hash, flush) and, unless --store-only, the whole import as the command
line does it, in a workspace of its own on the disk that holds --home.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from core.studies import IncomingStudy
from data.importers import IMPORTERS
from data.importers.plan import ImportOptions
from data.store import Store

BATCH = 64


def data_room(data: Path, home: Path) -> None:
    """Read every study and flush its bytes, as an import does, without a database."""
    started = time.perf_counter()
    store = Store(str(home / "store"))
    studies = IMPORTERS["iu-xray"](data, ImportOptions(secret=b"benchmark")).studies
    images = skipped = 0
    while batch := list(islice(studies, BATCH)):
        held = [image.payload for item in batch if isinstance(item, IncomingStudy) for image in item.images]
        skipped += sum(not isinstance(item, IncomingStudy) for item in batch)
        images += len(store.put_many(held))
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"data room     {seconds:6.1f} s for {images} images, {skipped} skipped, {memory:.0f} MiB at most")


def whole_import(data: Path, home: Path) -> None:
    """The command line's import into an empty workspace, and once more, when it should add nothing."""
    environment = os.environ | {"READING_ROOM_HOME": str(home / "workspace")}
    command = [sys.executable, "-m", "app", "import", "iu-xray", str(data), "--dataset", "iu", "--json"]
    for run in ("first import", "second import"):
        started = time.perf_counter()
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - started
        told = json.loads(done.stdout)
        print(f"{run:13} {seconds:6.1f} s, added {told['images']} images of {told['studies']} studies, "
              f"{told['duplicates']} duplicates, {len(told['skipped'])} skipped")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    here = Path(os.environ.get("READING_ROOM_CXR", "../shared/cxr"))
    parser.add_argument("--data", type=Path, default=here / "iu-xray")
    parser.add_argument(
        "--home", type=Path, help="A folder on the disk to measure; the system's temporary one if left out."
    )
    parser.add_argument("--store-only", action="store_true")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=wanted.home) as home:
        data_room(wanted.data, Path(home))
        if not wanted.store_only:
            whole_import(wanted.data, Path(home))


if __name__ == "__main__":
    main()
