"""Splits and manifests: pure functions whose answers never change, and an algebra of patients that move together."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.findings import Side, State
from core.labels import Source, Statement
from core.manifests import MalformedManifest, content_hash, from_bytes, to_bytes
from core.snapshots import PatientsTorn, SnapshotFilter, require_disjoint
from core.splits import BadSplit, SplitPolicy, fold_of, split_of
from core.studies import Split, View

VALIDATION, TEST = {5}, {6, 10, 11, 14}
"""Of the first fifteen; written down once, and never to change: a patient keeps one split for ever."""

BEFORE_LABELS_HAD_SIDES = (
    b'{"cleaning":{"drop_marks":false,"drop_templated_normals":false},"datasets":["site"],"excluded":[],"filter":'
    b'{"findings":[],"max_patients":null,"min_report_characters":0,"views":[],"with_masks":false,"with_report":false},'
    b'"fold":null,"format":1,"policies":{"site":{"seed":1895,"test":0.1,"train":0.8,"validation":0.1}},"studies":'
    b'[{"age":54,"dataset":"site","images":[{"absent":["edema"],"bits":8,"height":12,"masks":[],"name":"pa","sha":'
    b'"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","view":"PA","width":10}],"key":"s1","labels":'
    b'[{"finding":"edema","source":"imported","state":"absent"},{"finding":"nodule","source":"imported","state":'
    b'"present"}],"notes":null,"patient":"p1","report":{"comparison":"","findings":"Clear.","impression":"",'
    b'"indication":"","technique":"","text":""},"sex":"F","split":"train"}],"vocabulary":[]}'
)
"""A manifest as it was written then."""

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@given(names, names, st.integers(0, 10**6))
def test_a_split_depends_on_dataset_patient_and_seed_alone(dataset: str, patient: str, seed: int) -> None:
    policy = SplitPolicy(seed=seed)
    assert split_of(dataset, patient, policy) is split_of(dataset, patient, SplitPolicy(seed=seed))


def test_these_patients_fall_here_for_ever() -> None:
    found = {n: split_of("jsrt", f"JPCLN{n:03d}", SplitPolicy()).value for n in range(1, 16)}
    assert {n for n, split in found.items() if split == "validation"} == VALIDATION
    assert {n for n, split in found.items() if split == "test"} == TEST


def test_the_shares_are_met_among_many_patients() -> None:
    policy = SplitPolicy(0.6, 0.25, 0.15)
    found = [split_of("d", f"p{n}", policy) for n in range(4000)]
    assert found.count(Split.TRAIN) / 4000 == pytest.approx(0.6, abs=0.03)
    assert found.count(Split.VALIDATION) / 4000 == pytest.approx(0.25, abs=0.03)


@given(st.floats(0.01, 0.98), st.floats(0, 1), names)
def test_a_larger_training_share_never_takes_a_patient_out_of_training(train: float, more: float, patient: str) -> None:
    larger = train + (1 - train) * more
    if split_of("d", patient, SplitPolicy(train, 1 - train, 0)) is Split.TRAIN:
        assert split_of("d", patient, SplitPolicy(larger, 1 - larger, 0)) is Split.TRAIN


@pytest.mark.parametrize(
    "text", ["", "0.8", "0.8,0.1", "0.8,0.1,0.2", "0,0.5,0.5", "a,b,c", "1.2,-0.1,-0.1", "nan,0,0"]
)
def test_shares_that_are_no_split_are_refused(text: str) -> None:
    with pytest.raises(BadSplit, match=r"0\.8,0\.1,0\.1"):
        SplitPolicy.parse(text)


def test_shares_are_read_as_written() -> None:
    assert SplitPolicy.parse("0.7, 0.2,0.1") == SplitPolicy(0.7, 0.2, 0.1)


@given(names, st.integers(2, 10))
def test_a_patient_is_in_one_of_the_folds(patient: str, folds: int) -> None:
    assert 0 <= fold_of("d", patient, folds) < folds


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"not json", b'{"studies": 1}', b"\xff"])
def test_bytes_that_are_no_manifest_are_refused(body: bytes) -> None:
    with pytest.raises(MalformedManifest):
        from_bytes(body)


def test_a_manifest_frozen_before_labels_had_sides_still_reads_and_keeps_its_hash() -> None:
    manifest = from_bytes(BEFORE_LABELS_HAD_SIDES)
    assert [label.state for label in manifest.studies[0].labels] == [State.ABSENT, State.PRESENT]
    assert to_bytes(manifest) == BEFORE_LABELS_HAD_SIDES
    assert content_hash(manifest) == "d6fb06d7014a1806daa5ad23dcd4c6fbd4b3ef1dda7b0b89c55656de34a4c3dc"


def test_what_filters_and_what_was_left_out_is_part_of_a_manifest() -> None:
    before = from_bytes(BEFORE_LABELS_HAD_SIDES)
    wanted = SnapshotFilter(views=(View.PA,), frontal_only=True, image_and_text=True, max_patients=3)
    manifest = replace(
        before, filter=wanted, left_out={"films: of another view": 2}, excluded=(("site/s2", "no text"),)
    )
    assert from_bytes(to_bytes(manifest)) == manifest
    assert manifest.counts().left_out == {"films: of another view": 2, "studies: no text": 1}
    hashes = {content_hash(each) for each in (before, manifest, replace(manifest, left_out={}))}
    assert len(hashes) == 3


@pytest.mark.parametrize("name", [field.name for field in fields(SnapshotFilter)])
def test_every_choice_of_a_filter_changes_the_hash(name: str) -> None:
    before = from_bytes(BEFORE_LABELS_HAD_SIDES)
    chosen: dict[str, object] = {"findings": ("edema",), "views": (View.PA,), "min_report_characters": 9}
    wanted = SnapshotFilter(**{name: chosen.get(name, True) if name != "max_patients" else 5})
    changed = replace(before, filter=wanted)
    assert content_hash(changed) != content_hash(before)
    assert from_bytes(to_bytes(changed)).filter == wanted


def test_a_patient_in_two_splits_is_found_and_refused() -> None:
    (study,) = from_bytes(BEFORE_LABELS_HAD_SIDES).studies
    again = replace(study, key="s2", split=Split.TEST)
    require_disjoint([study, replace(again, split=study.split), replace(again, patient="p2")])
    with pytest.raises(PatientsTorn, match=r"1 patients .*site/p1"):
        require_disjoint([study, again])


def test_where_and_by_whom_a_label_was_said_is_part_of_a_manifest() -> None:
    before = from_bytes(BEFORE_LABELS_HAD_SIDES)
    label = Statement("edema", State.PRESENT, Source.READER, Side.LEFT, reader="Ann", evidence="Fluid.", suggested=True)
    study = replace(before.studies[0], labels=(label,))
    manifest = replace(before, studies=(study,))
    assert from_bytes(to_bytes(manifest)) == manifest
    assert content_hash(manifest) != content_hash(before)


def test_present_findings_are_counted_by_the_word_that_counts() -> None:
    manifest = from_bytes(BEFORE_LABELS_HAD_SIDES)
    said = manifest.studies[0].labels
    counted = replace(said[0], state=State.PRESENT, source=Source.READER, reader="ana")
    overruled = replace(manifest, studies=(replace(manifest.studies[0], labels=(*said, counted)),))
    assert manifest.counts().by_label == {"nodule": 1}
    assert overruled.counts().by_label == {"edema": 1, "nodule": 1}
