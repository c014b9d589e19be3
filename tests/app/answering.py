"""In place of the process that answers for tried films: answers that are made up, at once."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from app.house import House
from core.registry import ModelVersion
from data.images import header
from data.passing import Passing
from data.png import grey
from db import models, tries, workers
from db.models import NewModel

SHARES = {"cardiomegaly": 0.91, "edema": 0.4, "nodule": 0.12}


def put_classifier(house: House, in_use: bool = True) -> ModelVersion:
    """A classification model on record that is nowhere on the disk."""
    with house.database.writing() as session:
        new = NewModel("classification", "nowhere", {"preset": "smoke"}, tuple(SHARES), "auroc", {})
        version = models.register(session, new, "tester")
        if in_use:
            models.promote(session, version.name, "for the test", "tester")
    return version


def say_that_it_lives(house: House) -> None:
    with house.database.writing() as session:
        workers.present(session, "inference@here:1", "inference", "here", 1)


def answer_all(house: House, refusal: str = "", more: Mapping[str, Any] | None = None) -> int:
    """Answer every film that waits: present from .5 up, a little more with a context; or refuse with a sentence."""
    with house.database.reading() as session:
        waiting = tries.waiting(session, 100)
    for one in waiting:
        store = Passing.of(house.workspace).store(one.place)
        facts = header(store.get(one.sha))
        heat = np.zeros((max(2, facts.height // 4), max(2, facts.width // 4)), np.uint8)
        heat[heat.shape[0] // 2 :, heat.shape[1] // 2 :] = 255
        said = {
            finding: _payload(finding, share, one.context, store.put(grey(heat))) for finding, share in SHARES.items()
        }
        with house.database.writing() as session:
            if refusal:
                tries.refuse(session, one.id, refusal)
            else:
                tries.answer(session, one.id, {finding: {**each, **(more or {})} for finding, each in said.items()})
    return len(waiting)


@contextmanager
def answering(house: House, refusal: str = "") -> Iterator[None]:
    """All the while somebody answers, and is on record as living."""
    stopped = threading.Event()

    def work() -> None:
        while not stopped.is_set():
            say_that_it_lives(house)
            answer_all(house, refusal)
            stopped.wait(0.05)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _payload(finding: str, share: float, context: str, map_sha: str) -> dict[str, Any]:
    words = context.split()[:3]
    return {
        "probability": share,
        "without_context": max(0.0, round(share - 0.05, 4)) if words else share,
        "context": "real" if words else "none",
        "threshold": 0.5,
        "says": "present" if share >= 0.5 else "absent",
        "map": map_sha if finding != "nodule" else None,
        "words": [[word, round(0.3 / (place + 1), 3)] for place, word in enumerate(words)],
        "nearest": [{"dataset": "iu", "key": "7", "state": "present", "similarity": 0.93}],
        "differential": f"{finding.capitalize()} {share:.2f}: the lower right of the picture.",
    }
