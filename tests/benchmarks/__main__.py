"""All benchmarks, one after the other, each as it is run alone: python -m tests.benchmarks [NAME ...].

Those that need a model or train one are started alone only: bench_paraphrases, cross_validation, loop_curve,
pretraining_effect, floor_mean_mask. So is labeler_gold, which takes a folder.
"""

import subprocess
import sys
from pathlib import Path

ALONE = ("bench_paraphrases",)
"""Needs to be told which model."""


def main(wanted: list[str]) -> int:
    known = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py") if path.stem not in ALONE)
    failed = []
    for name in known:
        if wanted and name.removeprefix("bench_") not in wanted:
            continue
        print(f"\n{name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"]).returncode:
            failed.append(name)
    if failed:
        print(f"\nDid not finish: {', '.join(failed)}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
