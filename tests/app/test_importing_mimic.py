"""MIMIC-CXR from its folder to a snapshot: everything comes in, the filters choose, and nothing is lost by them."""

import io
import json
from pathlib import Path

import PIL.Image
import pytest

from app.house import House
from app.services import exporting, importing, snapshots
from core.findings import State
from core.manifests import content_hash
from core.reports import SHORT_REPORT
from core.snapshots import SnapshotFilter, disjoint
from core.studies import Split, View
from tests.data import mimic_making as making
from tests.making import BY, film

PATIENTS = 12
SEARCHABLE = SnapshotFilter(
    frontal_only=True,
    full_narrative=True,
    positive_only=True,
    image_and_text=True,
    min_report_characters=SHORT_REPORT,
)


def quiet(done: int, total: int, doing: str) -> None:
    pass


def picture(number: int) -> bytes:
    out = io.BytesIO()
    PIL.Image.fromarray(film(number)).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def mimic(house: House, tmp_path: Path) -> House:
    release = making.write(tmp_path / "mimic", patients=PATIENTS, picture=picture)
    told = importing.bring_in(house, "mimic-cxr", release, "mimic", BY, quiet)
    assert (told.studies, told.images, told.reports, told.skipped) == (24, 48, 24, ())
    again = importing.bring_in(house, "mimic-cxr", release, "mimic", BY, quiet)
    assert (again.studies, again.images, again.reports) == (0, 0, 0)
    return house


def test_everything_comes_in_and_the_makers_split_stands(mimic: House) -> None:
    whole = snapshots.present(mimic, "mimic")
    assert {image.view for study in whole.studies for image in study.images} == {View.PA, View.LATERAL}
    states = {label.state for study in whole.studies for label in study.labels}
    assert states == {State.PRESENT, State.ABSENT, State.UNCERTAIN}
    patients = {study.patient: study.split for study in whole.studies}
    assert sorted(patients.values()) == [Split.TEST] * 2 + [Split.TRAIN] * 8 + [Split.VALIDATION] * 2
    assert disjoint(whole.studies)


def test_the_filters_choose_and_count_and_every_row_has_an_image_and_a_text(mimic: House) -> None:
    frozen = snapshots.freeze(mimic, "search", ["mimic"], BY, wanted=SEARCHABLE)
    _, manifest = snapshots.read(mimic, "search")
    assert len(manifest.studies) == frozen.counts.studies == 16
    for study in manifest.studies:
        assert [image.view for image in study.images] == [View.PA]
        assert all(mimic.store.has(image.sha) for image in study.images)
        assert study.report is not None
        assert len(study.report.narrative) >= SHORT_REPORT
        assert {label.state for label in study.labels} == {State.PRESENT}
    assert frozen.counts.left_out["studies: no report with findings and impression"] == 8
    assert frozen.counts.left_out["films: of another view"] == 16
    assert frozen.counts.left_out["labels: not of a finding that is present"] > 0
    assert len(snapshots.present(mimic, "mimic").studies) == 24


def test_so_many_patients_are_always_the_same_and_keep_the_splits_shares(mimic: House) -> None:
    wanted = SnapshotFilter(max_patients=6)
    one = snapshots.freeze(mimic, "few", ["mimic"], BY, wanted=wanted)
    two = snapshots.freeze(mimic, "few-again", ["mimic"], BY, wanted=wanted)
    assert one.sha == two.sha
    _, manifest = snapshots.read(mimic, "few")
    assert content_hash(manifest) == one.sha
    patients = {study.patient: study.split for study in manifest.studies}
    assert sorted(patients.values()) == [Split.TEST, *[Split.TRAIN] * 4, Split.VALIDATION]


def test_the_master_of_the_snapshot_has_an_image_and_a_text_on_every_row(mimic: House, tmp_path: Path) -> None:
    snapshots.freeze(mimic, "search", ["mimic"], BY, wanted=SEARCHABLE)
    exporting.hand_out(mimic, "master", tmp_path / "out", BY, quiet, snapshot="search", dataset=None)
    rows = [json.loads(line) for line in (tmp_path / "out" / "master.jsonl").read_text().splitlines()]
    assert len(rows) == 16
    splits: dict[str, set[str]] = {}
    for row in rows:
        assert mimic.store.has(row["sha256"])
        assert len(row["text"]) >= SHORT_REPORT
        assert set(row["labels"].values()) == {"present"}
        splits.setdefault(row["patient"], set()).add(row["split"])
    assert {len(each) for each in splits.values()} == {1}
    head, *table = (tmp_path / "out" / "findings_by_split.csv").read_text().splitlines()
    assert head.startswith("finding,train_present,train_absent")
    assert any(line.startswith("cardiomegaly,") for line in table)
