"""The command that measures a model of open_clip beside this house's own, gone through with small ones."""

import json
from pathlib import Path

import pytest

from tests.benchmarks import untrained_search
from tests.benchmarks.workbench import Workbench
from tests.trainers.conftest import House
from tests.trainers.reported import add_reported
from tests.trainers.test_retrieval_contract import smoke
from tests.trainers.tiny_openclip import save_tiny_clip
from trainers.retrieval.protocols import GRADED, HEADLINE


def test_an_untrained_model_is_measured_as_ours_are_and_beside_one(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_reported(house, "drawn", 60)
    house.freeze("drawn-1", "drawn")
    save_tiny_clip(tmp_path / "clip")
    with Workbench(house) as bench:
        ours = bench.trained(smoke(minimum_steps=60, epochs=1), "drawn-1")
    words = ["drawn-1", "--folder", str(tmp_path / "clip"), "--split", "validation", "--beside", ours.name]
    untrained_search.main([*words, "--json"])
    told = json.loads(capsys.readouterr().out)
    metrics = told["metrics"]
    assert told["n"] == metrics["i2t_recall@10"]["overall"]["n"] > 2
    for name in ("i2t_recall@10", "t2i_graded_ndcg@10", "t2i_recall@5"):
        floor = metrics[f"{name}_floor"]["overall"]
        assert floor["low"] <= floor["value"] <= floor["high"]
    assert set(told["compared"]) == {HEADLINE, GRADED}
    assert told["compared"][GRADED]["n"] == told["n"]
    assert "open_clip_pytorch_model.bin" in told["model"]

    untrained_search.main(words)
    shown = capsys.readouterr().out
    assert "random order" in shown and f"{ours.name} minus untrained" in shown
