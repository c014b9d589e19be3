"""How fast the phantom makes films at 512x512 on one core: python -m tests.benchmarks.bench_phantom [studies]."""

import os
import sys
import time

import cv2

from data.phantom import simulate

WARM_UP = 3


def main(count: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    for index in range(WARM_UP):
        simulate(index)
    started, used = time.perf_counter(), time.process_time()
    images = sum(len(simulate(index).images) for index in range(WARM_UP, WARM_UP + count))
    wall, processor = time.perf_counter() - started, time.process_time() - used
    print(f"phantom 512x512, one core, N = {images} images of {count} studies")
    print(f"  {images / wall:6.1f} images/s by the clock, {images / processor:6.1f} images/s of processor time")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
