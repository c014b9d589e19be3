"""Every query of the worklist over 100,000 studies, in milliseconds.

python -m tests.benchmarks.bench_worklist [--studies 100000]
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from core.reviews import ReviewState
from core.studies import View, WorklistFilter, WorklistSort
from core.workspace import Workspace
from db import standing, worklist
from db.engine import Database
from db.schema import migrate
from db.tables import DatasetRow, DisagreementRow, ImageRow, PatientRow, ReportRow, StudyFindingRow, StudyRow, now

WORDS = ("heart", "lung", "effusion", "opacity", "clear", "left", "right", "lower", "upper", "lobe", "normal", "stable")
ROUNDS = 20


def fill(database: Database, studies: int) -> None:
    """A worklist as a large department might have it; every tenth study has a mask, every fifth is submitted, on every
    seventh model and report disagree."""
    rng = random.Random(0)
    findings = ["cardiomegaly", "pleural_effusion", "pneumothorax", "nodule"]
    with database.writing() as session:
        session.add(
            DatasetRow(
                id=1, name="big", split_train=0.8, split_validation=0.1, split_test=0.1, split_seed=1, blind=False
            )
        )
        session.flush()
        numbers = range(1, studies + 1)
        session.bulk_insert_mappings(
            PatientRow, [{"id": i, "dataset_id": 1, "key": f"P{i}", "split": "train"} for i in numbers]
        )
        session.bulk_insert_mappings(
            StudyRow,
            [
                {
                    "id": i, "dataset_id": 1, "patient_id": i, "key": f"S{i}", "patient_key": f"P{i}",
                    "state": "submitted" if i % 5 == 0 else "unread", "has_mask": i % 10 == 0, "has_report": True,
                    "has_suggestion": i % 3 == 0, "disagrees": i % 7 == 0,
                    "queue_rank": rng.random() if i % 7 else -0.9 + 0.4 * rng.random(),
                    "changed_at": now(), "queue_reason": "",
                }
                for i in numbers
            ],
        )  # fmt: skip
        session.bulk_insert_mappings(
            ImageRow,
            [
                {
                    "study_id": i, "position": p, "name": f"{p}.png", "sha": f"{i:060d}{p:04d}",
                    "media_type": "image/png", "view": view, "width": 2048, "height": 2048, "bits": 12,
                    "photometric": "MONOCHROME2", "turn": "none",
                }
                for i in numbers
                for p, view in enumerate(("PA", "lateral"))
            ],
        )  # fmt: skip
        texts = [" ".join(rng.choices(WORDS, k=40)) for _ in range(1000)]
        empty = {"indication": "", "comparison": "", "technique": "", "impression": "", "text": ""}
        session.bulk_insert_mappings(
            ReportRow, [{"study_id": i, "findings": f"{texts[i % 1000]} case {i}.", **empty} for i in numbers]
        )
        session.bulk_insert_mappings(
            StudyFindingRow, [{"study_id": i, "finding": findings[i % 4]} for i in numbers if i % 2 == 0]
        )
        session.bulk_insert_mappings(
            DisagreementRow,
            [
                {"study_id": i, "finding": findings[i % 4], "labeler": "absent", "model": "present", "probability": 0.9}
                for i in numbers
                if i % 7 == 0
            ],
        )


def queries(database: Database) -> dict[str, Callable[[], object]]:
    def listed(
        wanted: WorklistFilter, sort: WorklistSort = WorklistSort.QUEUE, offset: int = 0
    ) -> Callable[[], object]:
        def run() -> object:
            with database.reading() as session:
                return worklist.page(session, wanted, sort, offset)

        return run

    def counts() -> object:
        with database.reading() as session:
            return worklist.counts_by_state(session, "big")

    def following() -> object:
        with database.reading() as session:
            return worklist.next_in_queue(session, WorklistFilter(), after=77), worklist.neighbours(session, 77)

    def disputed() -> object:
        with database.reading() as session:
            return standing.disputed(session, "big", "nodule", 200)

    return {
        "first page": listed(WorklistFilter()),
        "page 1000": listed(WorklistFilter(), offset=50_000),
        "unread": listed(WorklistFilter(state=ReviewState.UNREAD)),
        "submitted of a dataset": listed(WorklistFilter(state=ReviewState.SUBMITTED, dataset="big")),
        "with a finding": listed(WorklistFilter(finding="nodule")),
        "lateral view": listed(WorklistFilter(view=View.LATERAL)),
        "has mask": listed(WorklistFilter(has_mask=True)),
        "has suggestion, unread": listed(WorklistFilter(has_suggestion=True, state=ReviewState.UNREAD)),
        "model and report disagree": listed(WorklistFilter(disagrees=True)),
        "disagree, unread": listed(WorklistFilter(disagrees=True, state=ReviewState.UNREAD)),
        "disagree, of a dataset": listed(WorklistFilter(disagrees=True, dataset="big")),
        "disagreements on a finding": disputed,
        "search, rare word": listed(WorklistFilter(search="case 777")),
        "search, common words": listed(WorklistFilter(search="heart effusion")),
        "search, finding and state": listed(
            WorklistFilter(search="opacity", finding="nodule", state=ReviewState.UNREAD)
        ),
        "by last change": listed(WorklistFilter(), WorklistSort.CHANGED),
        "by patient": listed(WorklistFilter(), WorklistSort.PATIENT),
        "counts by state": counts,
        "next in queue": following,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=100_000)
    studies = parser.parse_args().studies
    with tempfile.TemporaryDirectory() as folder:
        database = migrate(Workspace(Path(folder)))
        fill(database, studies)
        print(f"{studies:,} studies, {ROUNDS} rounds: median and slowest, in ms")
        for name, query in queries(database).items():
            query()
            times = []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                query()
                times.append((time.perf_counter() - began) * 1000)
            print(f"{name:28} {statistics.median(times):7.1f} {max(times):7.1f}")


if __name__ == "__main__":
    main()
