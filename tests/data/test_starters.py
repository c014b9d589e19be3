"""The starter's folder: what is whole is read, what is damaged is told, what is too large never ships."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.metrics import Estimate, Metric, metric_to_json
from data import starters
from data.starters import DamagedStarter, Starter, StarterTooLarge


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "starter"
    place.mkdir()
    dice = metric_to_json(Metric(Estimate(0.9, 0.8, 1.0, 5)))
    (place / starters.WEIGHTS).write_bytes(b"weights" * 100)
    (place / starters.RECIPE).write_text(json.dumps({"family": "segmentation", "preset": "smoke"}))
    (place / starters.METRICS).write_text(json.dumps({"metrics": {"dice": dice}}))
    (place / starters.IMAGES).write_text("a" * 64 + "\n" + "b" * 64 + "\n")
    starters.seal(place, ("lungs",), "dice", "two sets")
    return place


def read(folder: Path) -> Starter:
    found = starters.read(folder)
    assert found is not None
    return found


def test_what_was_sealed_is_read(folder: Path) -> None:
    found = read(folder)
    assert (found.findings, found.headline, found.learned_from) == (("lungs",), "dice", "two sets")
    assert found.images == ("a" * 64, "b" * 64)
    assert found.recipe == {"preset": "smoke"}
    assert found.metrics["dice"].overall.value == 0.9


def test_sealing_the_same_again_gives_the_same_digest_and_other_weights_another(folder: Path) -> None:
    before = read(folder).digest
    starters.seal(folder, ("lungs",), "dice", "two sets")
    assert read(folder).digest == before
    (folder / starters.WEIGHTS).write_bytes(b"others")
    starters.seal(folder, ("lungs",), "dice", "two sets")
    assert read(folder).digest != before


def test_a_folder_without_weights_holds_no_starter(tmp_path: Path) -> None:
    (tmp_path / starters.TERMS).write_text("terms")
    assert starters.read(tmp_path) is None
    assert starters.read(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / starters.WEIGHTS).write_bytes(b"weights" * 99),
        lambda folder: (folder / starters.WEIGHTS).unlink(),
        lambda folder: (folder / starters.IMAGES).write_text(""),
        lambda folder: (folder / starters.DESCRIPTION).unlink(),
        lambda folder: (folder / starters.DESCRIPTION).write_text("{"),
        lambda folder: (folder / starters.DESCRIPTION).write_text("[]"),
        lambda folder: (folder / starters.DESCRIPTION).write_text('{"files": {}}'),
    ],
)
def test_a_damaged_folder_is_told(folder: Path, damage: Callable[[Path], object]) -> None:
    damage(folder)
    with pytest.raises(DamagedStarter, match="is damaged"):
        starters.read(folder)


def test_a_description_reaches_no_file_outside_its_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("secret")
    told = json.loads((folder / starters.DESCRIPTION).read_text())
    told["files"]["../outside"] = "0" * 64
    (folder / starters.DESCRIPTION).write_text(json.dumps(told))
    with pytest.raises(DamagedStarter, match="does not lie in it"):
        starters.read(folder)


def test_more_than_nine_megabytes_are_refused(folder: Path) -> None:
    (folder / starters.WEIGHTS).write_bytes(bytes(starters.LIMIT))
    with pytest.raises(StarterTooLarge, match="at most 9 MB"):
        starters.seal(folder, ("lungs",), "dice", "two sets")
    assert not (folder / starters.DESCRIPTION).exists()


def test_the_one_that_ships_is_whole_with_its_terms_and_within_the_limit() -> None:
    files = [path for path in starters.FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= starters.LIMIT
    assert "National Library of Medicine" in (starters.FOLDER / starters.TERMS).read_text(encoding="utf-8")
    shipped = starters.read(starters.FOLDER)
    if shipped is not None:
        assert shipped.findings == ("lungs",)
        assert {starters.TERMS, "model_card.md", "model.json"} <= set(shipped.files)
