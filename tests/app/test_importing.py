"""What a person says of an import holds through the database, the snapshot, and every export of it."""

from pathlib import Path

import pytest

from app.house import House
from app.services import exporting, importing, snapshots
from app.services.importing import Choices
from core.findings import Side, State
from core.labels import Source, Statement, Zone
from core.reports import Report
from core.snapshots import Manifest
from core.studies import IncomingLabel, Split
from data.images import from_pixels, mask_png
from tests.making import BY, block, film, put, study

READ_BACK = {"coco": "coco", "png": "folder", "jsonl": "jsonl"}
OUTLINED = Choices(unmarked_absent=True)


def quiet(done: int, total: int, doing: str) -> None:
    pass


def absent(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    return {study.key: image.absent for study in manifest.studies for image in study.images}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Two films; the heart is marked on the first, both lungs on the second."""
    folder = tmp_path / "site"
    for number, (stem, findings) in enumerate({"a": ["heart"], "b": ["left_lung", "right_lung"]}.items()):
        (folder / "images").mkdir(parents=True, exist_ok=True)
        (folder / "images" / f"{stem}.png").write_bytes(from_pixels(film(number), 8).payload)
        for finding in findings:
            (folder / "masks" / finding).mkdir(parents=True)
            (folder / "masks" / finding / f"{stem}.png").write_bytes(mask_png(block()))
    return folder


@pytest.mark.parametrize("form", READ_BACK)
def test_what_is_absent_on_a_film_survives_the_snapshot_the_export_and_the_way_back(
    house: House, site: Path, tmp_path: Path, form: str
) -> None:
    importing.bring_in(house, "folder", site, "first", BY, quiet, OUTLINED)
    snapshots.freeze(house, "s", ["first"], BY)
    _, frozen = snapshots.read(house, "s")
    assert absent(frozen) == {"a": ("left_lung", "right_lung"), "b": ("heart",)}
    exporting.hand_out(house, form, tmp_path / "out", BY, quiet, snapshot="s", dataset=None)
    importing.bring_in(house, READ_BACK[form], tmp_path / "out", "again", BY, quiet)
    assert absent(snapshots.present(house, "again")) == absent(frozen)


@pytest.mark.parametrize("form", READ_BACK)
def test_whose_word_a_label_is_and_the_report_survive_the_snapshot_the_export_and_the_way_back(
    house: House, tmp_path: Path, form: str
) -> None:
    told = "There is fluid on the left."
    said = (
        Statement("pleural_effusion", State.PRESENT, Source.READER, Side.LEFT, Zone.LOWER, "Ann", suggested=True),
        Statement("pleural_effusion", State.ABSENT, Source.READER, reader="Bob"),
        Statement("pleural_effusion", State.UNCERTAIN, Source.ADJUDICATED, Side.BOTH, reader="Lead"),
        Statement("pleural_effusion", State.PRESENT, Source.IMPORTED),
        Statement("pleural_effusion", State.PRESENT, Source.LABELER, Side.LEFT, evidence=told),
    )
    incoming = [IncomingLabel(**vars(each)) for each in said]
    put(house, "first", study("s1", report=told, labels=incoming, split=Split.TRAIN))
    snapshots.freeze(house, "s", ["first"], BY)
    exporting.hand_out(house, form, tmp_path / "out", BY, quiet, snapshot="s", dataset=None)
    for _ in range(2):
        report = importing.bring_in(house, READ_BACK[form], tmp_path / "out", "again", BY, quiet)
        assert report.skipped == ()
    (again,) = snapshots.present(house, "again").studies
    assert again.labels == said
    assert again.report == Report(findings=told)


def test_labels_that_contradict_each_other_are_in_the_quality_report_of_rehearsal_and_import(
    house: House, tmp_path: Path
) -> None:
    torn = [IncomingLabel("edema", State.PRESENT), IncomingLabel("edema", State.ABSENT)]
    put(house, "first", study("s1", labels=torn))
    snapshots.freeze(house, "s", ["first"], BY)
    exporting.hand_out(house, "jsonl", tmp_path / "out", BY, quiet, snapshot="s", dataset=None)
    rehearsed = importing.rehearse(house, "jsonl", tmp_path / "out", "again", quiet)
    done = importing.bring_in(house, "jsonl", tmp_path / "out", "again", BY, quiet)
    assert rehearsed.skipped == done.skipped
    assert [each.item for each in done.skipped] == ["s1 edema"]
    (again,) = snapshots.present(house, "again").studies
    assert len(again.labels) == 2


def test_a_second_import_may_say_what_the_first_did_not(house: House, site: Path) -> None:
    importing.bring_in(house, "folder", site, "d", BY, quiet)
    assert absent(snapshots.present(house, "d")) == {"a": (), "b": ()}
    importing.bring_in(house, "folder", site, "d", BY, quiet, OUTLINED)
    assert absent(snapshots.present(house, "d")) == {"a": ("left_lung", "right_lung"), "b": ("heart",)}


@pytest.mark.realdata
def test_consolidation_is_marked_on_23_real_films_and_absent_on_the_other_47(house: House, cxr: Path) -> None:
    importing.bring_in(house, "folder", cxr / "covid-findings", "covid", BY, quiet, OUTLINED)
    snapshots.freeze(house, "covid-1", ["covid"], BY)
    snapshot, manifest = snapshots.read(house, "covid-1")
    assert snapshot.counts.by_finding["consolidation"] == 23
    assert sum("consolidation" in findings for findings in absent(manifest).values()) == 47
    assert not any("lungs" in findings for findings in absent(manifest).values())
