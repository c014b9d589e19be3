"""What is exported comes back the same."""

import csv
import dataclasses
import errno
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools import mask as reference

from core.errors import DiskFull
from core.findings import Side, State
from core.labels import EFFECTIVE_ORDER, Source, Statement, Zone
from core.manifests import content_hash
from core.masks import stats
from core.registry import RESEARCH_ONLY
from core.reports import Report
from core.shapes import Shape, ShapeKind
from core.snapshots import Manifest, SnapshotImage, SnapshotMask, SnapshotRegion, SnapshotStudy
from core.splits import SplitPolicy
from core.studies import IncomingLabel, IncomingStudy, Skipped, Split, View
from data import images, manifests
from data.exporters import EXPORTERS
from data.exporters.output import OutputNotEmpty
from data.importers import IMPORTERS
from data.importers.plan import ImportOptions
from data.store import BlobMissing, Store

READ_BACK = {"coco": "coco", "png": "folder", "jsonl": "jsonl"}
OPTIONS = ImportOptions(secret=b"secret")

texts = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t\r;,\"'=+-@"), max_size=40)
words = st.text(st.sampled_from("abcXYZ019 ._-/\\äß=+@'\""), min_size=1, max_size=12)
findings = st.sampled_from(["heart", "left_lung", "right_lung", "pleural_effusion"])
statements = st.builds(
    Statement,
    findings,
    st.sampled_from(State),
    st.sampled_from(EFFECTIVE_ORDER),
    st.none() | st.sampled_from(Side),
    st.none() | st.sampled_from(Zone),
    st.none() | texts.filter(bool),
    texts,
    st.booleans(),
)


def quiet(done: int, total: int, doing: str) -> None:
    pass


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def a_film(store: Store, seed: int, size: tuple[int, int] = (20, 24), bits: int = 8) -> SnapshotImage:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 1 << bits, size).astype(np.uint8 if bits == 8 else np.uint16)
    kept = images.from_pixels(pixels, bits, spacing_mm=0.143)
    return SnapshotImage(store.put(kept.payload), f"film-{seed}", View.PA, size[1], size[0], bits)


def a_mask(store: Store, finding: str, drawn: np.ndarray, version: int = 1, author: str = "ada") -> SnapshotMask:
    sha = store.put(images.mask_png(drawn))
    return SnapshotMask(finding, sha, stats(drawn), version, "manual", version % 2 == 0, author)


def blobs(seed: int, size: tuple[int, int] = (20, 24)) -> np.ndarray:
    """Disconnected regions, one with a hole."""
    drawn = np.random.default_rng(seed).random(size) < 0.05
    drawn[2:9, 3:12] = True
    drawn[4:6, 5:8] = False
    drawn[12:18, 14:22] = True
    return drawn


def a_manifest(*studies: SnapshotStudy) -> Manifest:
    datasets = tuple(sorted({study.dataset for study in studies}))
    return Manifest(datasets, {name: SplitPolicy() for name in datasets}, tuple(studies))


def a_study(store: Store, number: int = 1, **changes: object) -> SnapshotStudy:
    film = a_film(store, number)
    masks = (a_mask(store, "heart", blobs(number)), a_mask(store, "left_lung", blobs(number + 50), 2, "bea"))
    regions = (
        SnapshotRegion("nodule", Shape(ShapeKind.BOX, ((1.5, 2.25), (7.0, 90.0 / 7))), "ada"),
        SnapshotRegion("nodule", Shape(ShapeKind.POLYGON, ((-1.0, 2.0), (7.0, 9.0), (3.0, 11.0))), "bea"),
    )
    film = dataclasses.replace(film, masks=masks, absent=("pneumothorax", "fracture"), regions=regions)
    study = SnapshotStudy(
        dataset="site",
        patient=f"patient-{number}",
        key=f"study-{number}",
        split=Split.VALIDATION,
        images=(film,),
        report=Report(findings="The heart is large.", impression="=Cardiomegaly, +2 <b>", text="-see above"),
        labels=(
            Statement("cardiomegaly", State.PRESENT, Source.READER, Side.BOTH, Zone.LOWER, "Ada Example"),
            Statement("cardiomegaly", State.UNCERTAIN, Source.LABELER, evidence="The heart may be enlarged."),
        ),
        age=54,
        sex="F",
        notes="@home, 'quoted'\nsecond line",
    )
    return dataclasses.replace(study, **changes)


def read_back(form: str, folder: Path) -> list[IncomingStudy]:
    items = list(IMPORTERS[READ_BACK[form]](folder, OPTIONS).studies)
    assert [item for item in items if isinstance(item, Skipped)] == []
    return [item for item in items if isinstance(item, IncomingStudy)]


def as_snapshot(incoming: IncomingStudy, like: SnapshotStudy, store: Store) -> SnapshotStudy:
    """The incoming study as it would be frozen, with the numbers that only a database gives taken from `like`."""
    films = []
    for image, old in zip(incoming.images, like.images, strict=True):
        masks = [
            SnapshotMask(
                m.finding, store.put(m.png), m.stats, before.version, before.origin, m.suggested, m.author or ""
            )
            for m, before in zip(image.masks, sorted(old.masks, key=lambda m: (m.finding, m.version)), strict=True)
        ]
        facts = image.facts
        sha = store.put(image.payload)
        regions = tuple(SnapshotRegion(x.finding, x.shape, x.author or "") for x in image.regions)
        films.append(
            SnapshotImage(
                sha, image.name, image.view, facts.width, facts.height, facts.bits, tuple(masks), image.absent, regions
            )
        )
    assert incoming.split is not None
    return SnapshotStudy(
        dataset=like.dataset,
        patient=incoming.patient,
        key=incoming.key,
        split=incoming.split,
        images=tuple(films),
        report=incoming.report,
        labels=tuple(Statement(**vars(x)) for x in incoming.labels),
        age=incoming.age,
        sex=incoming.sex,
        notes=incoming.notes,
    )


def in_export_order(study: SnapshotStudy) -> SnapshotStudy:
    films = tuple(
        dataclasses.replace(
            film,
            masks=tuple(sorted(film.masks, key=lambda m: (m.finding, m.version))),
            absent=tuple(sorted({*film.absent, *(m.finding for m in film.masks if m.stats.area == 0)})),
        )
        for film in study.images
    )
    return dataclasses.replace(study, images=films)


@pytest.mark.parametrize("form", READ_BACK)
def test_an_export_read_back_is_what_was_exported(form: str, store: Store, tmp_path: Path) -> None:
    empty = np.zeros((20, 24), dtype=bool)
    two_films = (a_film(store, 7), dataclasses.replace(a_film(store, 8, (30, 18), 12), view=View.LATERAL))
    studies = [
        a_study(store, 1),
        a_study(store, 2, report=None, labels=(), age=None, sex=None, notes=None, split=Split.TEST),
        a_study(store, 3, images=two_films, split=Split.TRAIN),
    ]
    film = dataclasses.replace(studies[1].images[0], masks=(a_mask(store, "nodule", empty),), absent=())
    studies[1] = dataclasses.replace(studies[1], images=(film,))
    out = tmp_path / "out"
    told = EXPORTERS[form](a_manifest(*studies), store, out, quiet)
    assert (told.studies, told.images, told.masks) == (3, 4, 3)
    again = read_back(form, out)
    assert [as_snapshot(a, b, store) for a, b in zip(again, studies, strict=True)] == [
        in_export_order(study) for study in studies
    ]
    deep = again[2].images[1].facts
    assert (deep.bits, deep.spacing_mm) == (12, 0.143)


@pytest.mark.parametrize("form", READ_BACK)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_study_survives_the_way_out_and_back(
    form: str, store: Store, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    studies = []
    for number in range(data.draw(st.integers(1, 3))):
        film = a_film(store, number, (9, 11))
        cells = st.lists(st.booleans(), min_size=99, max_size=99)
        marked = data.draw(st.lists(st.tuples(findings, cells), max_size=3))
        masks = tuple(
            a_mask(store, finding, np.array(bits).reshape(9, 11), version)
            for version, (finding, bits) in enumerate(marked, 1)
        )
        report = Report(findings=data.draw(texts), text=data.draw(texts))
        studies.append(
            SnapshotStudy(
                dataset="site",
                patient=data.draw(words),
                key=f"{number}{data.draw(words)}",
                split=data.draw(st.sampled_from(Split)),
                images=(dataclasses.replace(film, name=data.draw(words), masks=masks),),
                report=None if report.is_empty else report,
                notes=data.draw(texts) or None,
                labels=tuple(data.draw(st.lists(statements, max_size=3))),
            )
        )
    folder = tmp_path_factory.mktemp("export") / "out"
    EXPORTERS[form](a_manifest(*studies), store, folder, quiet)
    again = {study.key: study for study in read_back(form, folder)}
    assert {key: as_snapshot(again[key], s, store) for s in studies for key in [s.key]} == {
        s.key: in_export_order(s) for s in studies
    }


@pytest.mark.parametrize("form", EXPORTERS)
def test_two_exports_of_one_snapshot_do_not_differ_by_a_byte(form: str, store: Store, tmp_path: Path) -> None:
    studies = [a_study(store, number) for number in range(4)]
    first = EXPORTERS[form](a_manifest(*studies), store, tmp_path / "first", quiet)
    second = EXPORTERS[form](a_manifest(*reversed(studies)), store, tmp_path / "elsewhere" / "second", quiet)
    assert first.manifest_sha256 == second.manifest_sha256
    assert contents(first.folder) == contents(second.folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("form", EXPORTERS)
def test_the_manifest_names_every_file_every_version_author_and_split(form: str, store: Store, tmp_path: Path) -> None:
    manifest = a_manifest(a_study(store))
    EXPORTERS[form](manifest, store, tmp_path / "out", quiet)
    body = json.loads((tmp_path / "out" / "manifest.json").read_bytes())
    written = contents(tmp_path / "out")
    assert {file["path"] for file in body["files"]} == written.keys() - {"manifest.json"}
    assert all(manifests.ExportedFile.of(f["path"], written[f["path"]]).sha256 == f["sha256"] for f in body["files"])
    assert body["notice"] == RESEARCH_ONLY
    assert body["snapshot_sha256"] == content_hash(manifest)
    masks = body["snapshot"]["studies"][0]["images"][0]["masks"]
    assert [(mask["version"], mask["author"]) for mask in masks] == [(1, "ada"), (2, "bea")]
    assert body["snapshot"]["studies"][0]["split"] == "validation"
    assert manifests.snapshot_in(tmp_path / "out") == manifest


def test_coco_run_lengths_are_the_ones_that_the_coco_tools_read(store: Store, tmp_path: Path) -> None:
    EXPORTERS["coco"](a_manifest(a_study(store)), store, tmp_path / "out", quiet)
    body = json.loads((tmp_path / "out" / "annotations.json").read_bytes())
    mark = body["annotations"][0]
    decoded = reference.decode(mark["segmentation"]).astype(bool)
    assert np.array_equal(decoded, blobs(1))
    assert mark["area"] == int(reference.area(mark["segmentation"]))
    assert mark["bbox"] == reference.toBbox(mark["segmentation"]).tolist()


def test_two_readers_masks_of_one_finding_both_come_out_and_back(store: Store, tmp_path: Path) -> None:
    study = a_study(store)
    masks = (a_mask(store, "heart", blobs(1), 3, "ada"), a_mask(store, "heart", blobs(2), 5, "bea"))
    study = dataclasses.replace(study, images=(dataclasses.replace(study.images[0], masks=masks),))
    for form in READ_BACK:
        EXPORTERS[form](a_manifest(study), store, tmp_path / form, quiet)
        (again,) = read_back(form, tmp_path / form)
        assert [(m.author, store.put(m.png)) for m in again.images[0].masks] == [(m.author, m.sha) for m in masks]


def test_studies_of_several_datasets_keep_apart_when_read_back(store: Store, tmp_path: Path) -> None:
    here, there = a_study(store, 1), a_study(store, 1, dataset="other", patient="someone")
    for form in READ_BACK:
        EXPORTERS[form](a_manifest(here, there), store, tmp_path / form, quiet)
        again = read_back(form, tmp_path / form)
        assert [(s.patient, s.key) for s in again] == [
            ("other/someone", "other/study-1"),
            ("site/patient-1", "site/study-1"),
        ]
        assert all(len(s.labels) == 2 for s in again)


@pytest.mark.parametrize("form", ["coco", "jsonl"])
def test_a_label_out_of_range_is_told_and_the_study_comes_in_without_it(
    form: str, store: Store, tmp_path: Path
) -> None:
    EXPORTERS[form](a_manifest(a_study(store)), store, tmp_path / "out", quiet)
    file = tmp_path / "out" / {"coco": "annotations.json", "jsonl": "studies.jsonl"}[form]
    file.write_text(re.sub(r'("state": ?)"present"', r'\1"perhaps"', file.read_text()))
    skipped, study = list(IMPORTERS[READ_BACK[form]](tmp_path / "out", OPTIONS).studies)
    assert isinstance(skipped, Skipped)
    assert isinstance(study, IncomingStudy)
    assert "perhaps" in skipped.reason
    assert [label.source for label in study.labels] == [Source.LABELER]


@pytest.mark.parametrize(
    ("column", "value"), [("state", "2"), ("source", "a friend"), ("side", "top"), ("zone", "left")]
)
def test_a_row_of_labels_out_of_range_is_told_by_its_line(
    column: str, value: str, store: Store, tmp_path: Path
) -> None:
    EXPORTERS["png"](a_manifest(a_study(store)), store, tmp_path / "out", quiet)
    table = tmp_path / "out" / "labels.csv"
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows[0][column] = value
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    items = list(IMPORTERS["folder"](tmp_path / "out", OPTIONS).studies)
    (skipped,) = [item for item in items if isinstance(item, Skipped)]
    (study,) = [item for item in items if isinstance(item, IncomingStudy)]
    assert (skipped.item, value in skipped.reason) == ("labels.csv line 2", True)
    assert len(study.labels) == 1


def test_labels_of_exports_made_before_labels_had_sides_are_read(store: Store, tmp_path: Path) -> None:
    EXPORTERS["png"](a_manifest(a_study(store)), store, tmp_path / "out", quiet)
    (tmp_path / "out" / "labels.csv").write_text(
        "dataset,patient,study,finding,state,source\nsite,patient-1,study-1,edema,absent,imported\n"
    )
    (study,) = read_back("png", tmp_path / "out")
    assert study.labels == (IncomingLabel("edema", State.ABSENT),)


def test_formulas_are_harmless_in_the_tables_and_whole_after_reading_back(store: Store, tmp_path: Path) -> None:
    EXPORTERS["png"](a_manifest(a_study(store)), store, tmp_path / "out", quiet)
    with (tmp_path / "out" / "cases.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["impression"] == "'=Cardiomegaly, +2 <b>"
    assert row["notes"].startswith("'@home")
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.values())
    (again,) = read_back("png", tmp_path / "out")
    assert again.report is not None
    assert again.report.impression == "=Cardiomegaly, +2 <b>"


@pytest.mark.parametrize("form", EXPORTERS)
def test_a_folder_with_something_in_it_is_refused_and_left_alone(form: str, store: Store, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputNotEmpty, match="not empty"):
        EXPORTERS[form](a_manifest(a_study(store)), store, tmp_path / "out", quiet)
    assert contents(tmp_path / "out") == {"thesis.txt": b"mine"}
    (tmp_path / "empty").mkdir()
    EXPORTERS[form](a_manifest(a_study(store)), store, tmp_path / "empty", quiet)


@pytest.mark.parametrize("form", EXPORTERS)
def test_an_export_that_is_stopped_or_fails_leaves_nothing(
    form: str, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "exports" / "out"
    manifest = a_manifest(*(a_study(store, number) for number in range(3)))

    class Cancelled(Exception):
        pass

    def cancel(done: int, total: int, doing: str) -> None:
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        EXPORTERS[form](manifest, store, place, cancel)
    assert list(place.parent.iterdir()) == []

    lost = dataclasses.replace(manifest.studies[0].images[0], sha="0" * 64)
    broken = a_manifest(dataclasses.replace(manifest.studies[0], images=(lost,)))
    with pytest.raises(BlobMissing):
        EXPORTERS[form](broken, store, place, quiet)
    assert list(place.parent.iterdir()) == []

    def full(self: Path, body: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DiskFull):
        EXPORTERS[form](manifest, store, place, quiet)
    assert list(place.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("points", "why"),
    [("1 2", "Draw it again"), ("1 2;3", "unpack"), ("1 2;nan 4", "no point"), ("a b;c d", "float")],
)
def test_a_region_that_cannot_be_read_is_listed_and_the_rest_comes_in(
    points: str, why: str, store: Store, tmp_path: Path
) -> None:
    EXPORTERS["png"](a_manifest(a_study(store)), store, tmp_path / "out", quiet)
    table = tmp_path / "out" / "regions.csv"
    head, first, second = table.read_text().splitlines()
    broken = first.replace("1.5 2.25;7.0 12.857142857142858", points)
    assert broken != first
    table.write_text(f"{head}\n{broken}\n{second}\n")
    items = list(IMPORTERS["folder"](tmp_path / "out", OPTIONS).studies)
    (skipped,) = (item for item in items if isinstance(item, Skipped))
    assert skipped.item == "regions.csv line 2"
    assert why in skipped.reason
    (again,) = (item for item in items if isinstance(item, IncomingStudy))
    assert [region.shape.kind for region in again.images[0].regions] == [ShapeKind.POLYGON]


def test_a_broken_region_in_a_json_export_is_listed(store: Store, tmp_path: Path) -> None:
    EXPORTERS["jsonl"](a_manifest(a_study(store)), store, tmp_path / "out", quiet)
    place = tmp_path / "out" / "studies.jsonl"
    place.write_text(place.read_text().replace('"kind": "box"', '"kind": "cloud"'))
    items = list(IMPORTERS["jsonl"](tmp_path / "out", OPTIONS).studies)
    assert [item.item for item in items if isinstance(item, Skipped)] == ["a region on film-1"]
    (again,) = (item for item in items if isinstance(item, IncomingStudy))
    assert len(again.images[0].regions) == 1


def test_an_export_without_regions_has_no_table_of_them(store: Store, tmp_path: Path) -> None:
    study = a_study(store)
    bare = dataclasses.replace(study, images=(dataclasses.replace(study.images[0], regions=()),))
    EXPORTERS["png"](a_manifest(bare), store, tmp_path / "out", quiet)
    assert not (tmp_path / "out" / "regions.csv").exists()
    (again,) = read_back("png", tmp_path / "out")
    assert again.images[0].regions == ()


def test_images_of_one_name_get_names_of_their_own(store: Store, tmp_path: Path) -> None:
    first = a_study(store, 1)
    second = a_study(store, 2)
    renamed = dataclasses.replace(second.images[0], name="FILM-1")
    second = dataclasses.replace(second, images=(renamed,))
    EXPORTERS["png"](a_manifest(first, second), store, tmp_path / "out", quiet)
    files = sorted(path.name.lower() for path in (tmp_path / "out" / "images").iterdir())
    assert len(set(files)) == 2
    assert [study.images[0].name for study in read_back("png", tmp_path / "out")] == ["film-1", "FILM-1"]


def test_the_master_has_a_line_for_each_image_with_its_text_and_the_labels_that_count(
    store: Store, tmp_path: Path
) -> None:
    two_films = (a_film(store, 7), dataclasses.replace(a_film(store, 8), view=View.LATERAL))
    studies = a_study(store, 1, images=two_films, split=Split.TRAIN), a_study(store, 2, report=None, labels=())
    told = EXPORTERS["master"](a_manifest(*studies), store, tmp_path / "out", quiet)
    assert (told.studies, told.images) == (2, 3)
    lines = [json.loads(line) for line in (tmp_path / "out" / "master.jsonl").read_text().splitlines()]
    assert [(line["study"], line["image"], line["view"], line["split"]) for line in lines] == [
        ("study-1", "film-7", "PA", "train"),
        ("study-1", "film-8", "lateral", "train"),
        ("study-2", "film-2", "PA", "validation"),
    ]
    assert lines[0]["views"] == ["PA", "lateral"]
    assert lines[0]["text"] == "The heart is large. =Cardiomegaly, +2 <b>"
    assert [line["labels"] for line in lines] == [{"cardiomegaly": "present"}] * 2 + [{}]
    assert [store.path(line["sha256"]) for line in lines] == [tmp_path / "store" / line["file"] for line in lines]
    assert not (tmp_path / "out" / "images").exists()


def test_findings_are_counted_by_split_and_state(store: Store, tmp_path: Path) -> None:
    def said(state: State) -> tuple[Statement, ...]:
        return (Statement("edema", state, Source.IMPORTED),)

    studies = [
        a_study(store, 1, labels=said(State.PRESENT), split=Split.TRAIN),
        a_study(store, 2, labels=said(State.ABSENT), split=Split.TRAIN),
        a_study(store, 3, labels=(), split=Split.TRAIN),
        a_study(store, 4, labels=said(State.UNCERTAIN), split=Split.TEST),
    ]
    EXPORTERS["master"](a_manifest(*studies), store, tmp_path / "out", quiet)
    with (tmp_path / "out" / "findings_by_split.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert {column: count for column, count in row.items() if count != "0"} == {
        "finding": "edema",
        "train_present": "1",
        "train_absent": "1",
        "train_unassessed": "1",
        "test_uncertain": "1",
    }


def test_progress_is_told_study_by_study(store: Store, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    manifest = a_manifest(*(a_study(store, number) for number in range(3)))
    EXPORTERS["jsonl"](manifest, store, tmp_path / "out", lambda done, total, doing: told.append((done, total)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def items(kind: str, folder: Path) -> Iterator[IncomingStudy | Skipped]:
    return IMPORTERS[kind](folder, OPTIONS).studies


def test_coco_of_other_tools_comes_in_with_polygons_filled_and_instances_joined(store: Store, tmp_path: Path) -> None:
    film = a_film(store, 1)
    (tmp_path / "film.png").write_bytes(store.get(film.sha))
    squares = [[2, 2, 6, 2, 6, 6, 2, 6], [10, 10, 14, 10, 14, 14, 10, 14]]
    body = {
        "images": [{"id": 9, "file_name": "film.png", "width": 24, "height": 20}],
        "categories": [{"id": 3, "name": "Left Lung"}],
        "annotations": [
            {"id": n, "image_id": 9, "category_id": 3, "segmentation": [square]} for n, square in enumerate(squares)
        ],
    }
    (tmp_path / "instances.json").write_text(json.dumps(body))
    (study,) = items("coco", tmp_path)
    assert isinstance(study, IncomingStudy)
    (mask,) = study.images[0].masks
    assert mask.finding == "left_lung"
    drawn = images.read_mask(mask.png)
    assert drawn[4, 4]
    assert drawn[12, 12]
    assert not drawn[8, 8]


def test_in_coco_too_what_is_not_marked_is_absent_where_the_person_says_so(store: Store, tmp_path: Path) -> None:
    corner = [1, 1, 4, 1, 4, 4]
    for number in range(3):
        (tmp_path / f"film{number}.png").write_bytes(store.get(a_film(store, number).sha))
    body = {
        "images": [{"id": n, "file_name": f"film{n}.png"} for n in range(3)],
        "categories": [{"id": n, "name": name} for n, name in enumerate(("Lungs", "Left lung", "Edema", "Fracture"))],
        "annotations": [
            {"image_id": 0, "category_id": 0, "segmentation": [corner]},
            {"image_id": 1, "category_id": 1, "segmentation": [corner]},
            {"image_id": 1, "category_id": 2, "segmentation": "unreadable"},
        ],
    }
    (tmp_path / "instances.json").write_text(json.dumps(body))
    known = {study.key: study.images[0].absent for study in items("coco", tmp_path) if isinstance(study, IncomingStudy)}
    assert known == {"film0": (), "film1": (), "film2": ()}
    plan = IMPORTERS["coco"](tmp_path, dataclasses.replace(OPTIONS, unmarked_absent=True))
    known = {study.key: study.images[0].absent for study in plan.studies if isinstance(study, IncomingStudy)}
    assert known == {"film0": ("edema",), "film1": (), "film2": ("edema", "left_lung", "lungs")}
    assert plan.warnings == ["Taken for absent on every film on which they are not marked: edema, left_lung, lungs."]


def test_a_broken_line_or_mask_never_stops_the_rest(store: Store, tmp_path: Path) -> None:
    EXPORTERS["jsonl"](a_manifest(a_study(store, 1), a_study(store, 2)), store, tmp_path / "out", quiet)
    place = tmp_path / "out" / "studies.jsonl"
    lines = place.read_text().splitlines()
    record = json.loads(lines[0])
    record["images"][0]["masks"][0]["segmentation"]["size"] = [5, 5]
    record["images"][0]["masks"][1]["segmentation"]["counts"] = "~~~"
    place.write_text("\n".join(["{broken", json.dumps(record), lines[1]]))
    found = list(items("jsonl", tmp_path / "out"))
    assert [type(item).__name__ for item in found] == [
        "Skipped",
        "MaskOfAnotherSize",
        "Skipped",
        "IncomingStudy",
        "IncomingStudy",
    ]
    assert "line 1" in found[0].item  # type: ignore[union-attr]


def test_an_image_outside_the_folder_is_not_read(store: Store, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(store.get(a_film(store, 1).sha))
    inside = tmp_path / "in"
    (inside / "images").mkdir(parents=True)
    body = {"images": [{"id": 1, "file_name": "../../secret.png"}], "categories": [], "annotations": []}
    (inside / "annotations.json").write_text(json.dumps(body))
    (found,) = items("coco", inside)
    assert isinstance(found, Skipped)
