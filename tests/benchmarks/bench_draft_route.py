"""How long the server takes to acknowledge a stroke: POST over loopback, blob flushed, row committed.

python -m tests.benchmarks.bench_draft_route [--strokes 200] [--side 2048]

A real workstation server in a process of its own; the client sends run lengths of strokes as a reader draws them, each
the child of the one before. Prints one JSON object: milliseconds, p50 and p95.
"""

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from app.house import House, open_house
from app.security import issue_token
from core.masks import to_wire
from core.workspace import HOME_VARIABLE, Workspace
from tests.making import image, put, study


def strokes(count: int, side: int) -> list[bytes]:
    """A mask that grows stroke by stroke, as run lengths after each."""
    rng = np.random.default_rng(0)
    canvas = np.zeros((side, side), np.uint8)
    bodies = []
    for _ in range(count):
        centre, angle = rng.uniform(0.2, 0.8, 2) * side, rng.uniform(0, 2 * np.pi)
        end = centre + 0.12 * side * np.array([np.cos(angle), np.sin(angle)])
        cv2.line(canvas, tuple(map(int, centre)), tuple(map(int, end)), (1,), thickness=max(2, side // 60))
        bodies.append(to_wire(canvas.astype(bool)))
    return bodies


def measure(house: House, port: int, bodies: list[bytes]) -> list[float]:
    headers = {
        "Origin": f"http://127.0.0.1:{port}",
        "X-Reading-Room-Token": issue_token(house.workspace, "ana", "bench"),
    }
    connection = http.client.HTTPConnection("127.0.0.1", port)
    parent, taken = "", []
    for body in bodies:
        started = time.perf_counter()
        connection.request("POST", f"/rr/drafts/1/heart?parent={parent}", body, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        taken.append(1000 * (time.perf_counter() - started))
        parent = told["draft"]
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strokes", type=int, default=200)
    parser.add_argument("--side", type=int, default=2048)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, socket.socket() as probe:
        os.environ[HOME_VARIABLE] = folder
        house = open_house(Workspace(Path(folder)))
        pixels = np.zeros((wanted.side, wanted.side), np.uint8)
        put(house, "bench", study("a", [image(pixels=pixels)]))
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        server = subprocess.Popen([sys.executable, "-m", "app.server", "--port", str(port)], stderr=subprocess.DEVNULL)
        try:
            for _ in range(200):
                time.sleep(0.1)
                with socket.socket() as attempt:
                    if attempt.connect_ex(("127.0.0.1", port)) == 0:
                        break
            taken = measure(house, port, strokes(wanted.strokes + 5, wanted.side))[5:]
        finally:
            server.terminate()
            server.wait()
    p95 = statistics.quantiles(taken, n=20)[-1]
    figures = {"p50": round(statistics.median(taken), 1), "p95": round(p95, 1), "most": round(max(taken), 1)}
    print(json.dumps({"side": wanted.side, "strokes": len(taken), "ms": figures}))


if __name__ == "__main__":
    main()
