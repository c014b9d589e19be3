"""MIMIC-CXR comes in as it is published: three tables, reports in a zip or a tree, films as JPEG or DICOM."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dicom_making import SECRET, dataset, saved
from streaming import streamed

from core.findings import State
from core.labels import Source
from core.studies import IncomingStudy, Skipped, Split, View
from data.archives import BadArchive
from data.importers import IMPORTERS
from data.importers.plan import ImportOptions, NothingToImport
from data.tables import BrokenTable, MissingColumns
from tests.data import mimic_making as making
from tests.data.mimic_making import LABELS, METADATA, REPORTS, SPLIT

OPTIONS = ImportOptions(secret=SECRET)
FILMS = list(making.films(6))

Encode = Callable[..., bytes]


@pytest.fixture
def picture(film: np.ndarray, encoded: Encode) -> bytes:
    return encoded(film, "JPEG")


@pytest.fixture
def release(tmp_path: Path, picture: bytes) -> Path:
    """Six patients with two studies of two films each."""
    return making.write(tmp_path / "mimic-cxr-jpg", picture=picture)


def brought(path: Path) -> tuple[list[IncomingStudy], list[Skipped], list[str]]:
    plan = IMPORTERS["mimic-cxr"](path, OPTIONS)
    items = list(plan.studies)
    studies = [item for item in items if isinstance(item, IncomingStudy)]
    assert plan.total >= len({study.key for study in studies})
    return studies, [item for item in items if isinstance(item, Skipped)], plan.warnings


def states(study: IncomingStudy) -> dict[str, State]:
    return {label.finding: label.state for label in study.labels}


def place(release: Path, number: int) -> Path:
    return release / FILMS[number].folder / f"{FILMS[number].dicom_id}.jpg"


def test_rows_of_a_study_are_its_views_with_report_and_labels(release: Path) -> None:
    studies, skipped, warnings = brought(release)
    assert (skipped, warnings) == ([], [])
    assert [(study.patient, study.key) for study in studies[:3]] == [
        ("p10000001", "s50000001"),
        ("p10000001", "s50000002"),
        ("p10000002", "s50000003"),
    ]
    assert len(studies) == 12
    assert [(image.name, image.view) for image in studies[0].images] == [
        (FILMS[0].dicom_id, View.PA),
        (FILMS[1].dicom_id, View.LATERAL),
    ]
    report = studies[1].report
    assert report is not None
    assert report.indication == "History: ___F with cough // eval for pneumonia"
    assert report.findings == "The heart is enlarged. There may be a small left pleural effusion."
    assert report.impression == "Cardiomegaly."
    assert report.comparison == "___"
    assert studies[1].order - studies[0].order == 31 * 24 * 60
    assert studies[0].order % (24 * 60) == 8 * 60 + 30


def test_every_state_of_a_label_comes_in(release: Path) -> None:
    one, two, three, *_ = brought(release)[0]
    assert states(one) == {"no_finding": State.PRESENT}
    assert states(two) == {
        "cardiomegaly": State.PRESENT,
        "edema": State.ABSENT,
        "pleural_effusion": State.UNCERTAIN,
        "pneumothorax": State.ABSENT,
    }
    assert states(three)["atelectasis"] is State.UNCERTAIN
    assert {label.source for label in two.labels} == {Source.IMPORTED}


def test_the_makers_split_is_kept_and_no_patient_is_in_two(release: Path) -> None:
    splits: dict[str, set[Split | None]] = {}
    for study in brought(release)[0]:
        splits.setdefault(study.patient, set()).add(study.split)
    given = [Split.TRAIN] * 4 + [Split.VALIDATION, Split.TEST]
    assert sorted(len(each) for each in splits.values()) == [1] * 6
    assert sorted(split for each in splits.values() for split in each if split) == sorted(given)


@pytest.mark.parametrize("gzipped", [True, False])
@pytest.mark.parametrize("zipped", [True, False])
def test_tables_may_be_gzipped_and_reports_lie_in_the_tree(
    release: Path, picture: bytes, tmp_path: Path, gzipped: bool, zipped: bool
) -> None:
    other = making.write(tmp_path / "other", picture=picture, gzipped=gzipped, zipped=zipped)
    assert brought(other) == brought(release)
    table = other / (f"{METADATA}.gz" if gzipped else METADATA)
    assert brought(table)[0] == brought(release)[0]


def test_reports_may_lie_in_a_folder_of_their_own_or_beside_the_release(
    release: Path, picture: bytes, tmp_path: Path
) -> None:
    whole = brought(release)
    shutil.move(release / REPORTS, tmp_path / REPORTS)
    assert brought(release) == whole
    with zipfile.ZipFile(tmp_path / REPORTS) as archive:
        archive.extractall(release / "mimic-cxr-reports")
    (tmp_path / REPORTS).unlink()
    assert brought(release) == whole


def test_dicom_films_come_in_under_the_names_of_the_tables(tmp_path: Path, picture: bytes) -> None:
    release = making.write(tmp_path / "mimic-cxr", picture=picture, ending=".dcm", patients=1)
    for number, film in enumerate(FILMS[:4]):
        path = release / film.folder / f"{film.dicom_id}.dcm"
        path.unlink()
        made = dataset(np.full((32, 24), 100 + number, np.uint16), 12, PatientID=str(film.subject))
        saved(path.parent, made, path.name)
    making.edit(release, METADATA, "PA,3056,2544,21800106,83014.531,CHEST (PA AND LAT),postero-anterior", ",,,,,,")
    studies, skipped, _ = brought(release)
    assert skipped == []
    assert [[image.name for image in study.images] for study in studies] == [
        [film.dicom_id for film in FILMS[:2]],
        [film.dicom_id for film in FILMS[2:4]],
    ]
    assert [image.view for image in studies[0].images] == [View.PA, View.LATERAL]


@pytest.mark.parametrize(
    ("view", "meaning", "expected"),
    [
        ("AP", "", View.AP),
        ("LL", "left lateral", View.LATERAL),
        ("", "antero-posterior", View.AP),
        ("XTABLE LATERAL", "lateral", View.LATERAL),
        ("AP LLD", "", View.UNKNOWN),
        ("SWIMMERS", "", View.UNKNOWN),
        ("", "", View.UNKNOWN),
    ],
)
def test_every_view_comes_in_by_its_position_or_by_the_meaning_of_its_code(
    release: Path, view: str, meaning: str, expected: View
) -> None:
    whole = making.rows(FILMS[0])[METADATA]
    changed = whole.replace(",PA,3056", f",{view},3056").replace("postero-anterior", meaning)
    making.edit(release, METADATA, whole, changed)
    images = {image.name: image.view for image in brought(release)[0][0].images}
    assert images == {FILMS[0].dicom_id: expected, FILMS[1].dicom_id: View.LATERAL}


def test_a_film_that_the_split_gives_to_another_study_or_patient_is_left_out_and_listed(release: Path) -> None:
    making.edit(release, SPLIT, f"{FILMS[0].dicom_id},50000001,10000001", f"{FILMS[0].dicom_id},50000001,10000002")
    making.edit(release, SPLIT, f"{FILMS[5].dicom_id},50000003,", f"{FILMS[5].dicom_id},50000009,")
    studies, skipped, _ = brought(release)
    assert [item.item for item in skipped] == [f"{SPLIT}.gz line 2", f"{SPLIT}.gz line 7"]
    assert "patient 10000002 here, of study 50000001 of patient 10000001 in" in skipped[0].reason
    assert "study 50000009" in skipped[1].reason
    names = {image.name for study in studies for image in study.images}
    assert names == {film.dicom_id for film in FILMS} - {FILMS[0].dicom_id, FILMS[5].dicom_id}


def test_a_patient_whom_the_table_puts_into_two_splits_is_refused(release: Path) -> None:
    whole = making.rows(FILMS[0])[SPLIT]
    making.edit(release, SPLIT, whole, whole.replace(whole.rpartition(",")[2], "test" if "train" in whole else "train"))
    studies, skipped, _ = brought(release)
    assert "p10000001" not in {study.patient for study in studies}
    assert [item.item for item in skipped] == ["patient 10000001"]
    assert "cannot judge" in skipped[0].reason


def test_films_that_only_one_of_the_two_tables_names_are_told(release: Path) -> None:
    making.edit(release, SPLIT, f"{FILMS[0].dicom_id},", "00000000-00000000,")
    studies, skipped, warnings = brought(release)
    assert (len(studies), skipped) == (12, [])
    assert warnings == [
        f"{SPLIT}.gz names 1 films that {METADATA}.gz does not.",
        f"{SPLIT}.gz gives no split for 1 films of {METADATA}.gz.",
    ]
    assert studies[0].split is studies[1].split is not None


def test_a_split_that_is_none_is_listed_and_the_patient_keeps_that_of_the_other_films(release: Path) -> None:
    whole = making.rows(FILMS[0])[SPLIT]
    making.edit(release, SPLIT, whole, whole.rpartition(",")[0] + ",practice")
    studies, (skipped,), _ = brought(release)
    assert "practice" in skipped.reason
    assert studies[0].split is studies[1].split is not None


def test_a_missing_or_broken_film_is_listed_and_the_rest_comes_in(release: Path) -> None:
    place(release, 0).unlink()
    broken = place(release, 5)
    broken.unlink()
    broken.write_bytes(b"\xff\xd8 torn")
    studies, skipped, _ = brought(release)
    assert len(studies) == 12
    assert [len(study.images) for study in studies[:3]] == [1, 2, 1]
    missing = f"the image {FILMS[0].dicom_id} of study s50000001 is missing"
    assert skipped[0] == Skipped(f"{METADATA}.gz line 2", missing)
    assert skipped[1].item == broken.name


def test_patients_of_whom_nothing_is_here_are_counted(tmp_path: Path, picture: bytes) -> None:
    release = making.write(tmp_path / "part", picture=picture, shown=2)
    studies, skipped, warnings = brought(release)
    assert (len(studies), skipped) == (4, [])
    assert warnings == [
        f"16 films in {METADATA}.gz are of patients of whom nothing is here; they were left.",
    ]


def test_a_report_that_is_missing_empty_or_damaged_is_listed_and_its_study_comes_in(release: Path) -> None:
    with zipfile.ZipFile(release / REPORTS, "w") as archive:
        for film in FILMS[4::2]:
            archive.writestr(f"{film.folder}.txt", "" if film.study == 50000003 else making.report(film))
    body = (release / REPORTS).read_bytes()
    at = body.index(b"FINAL REPORT")
    (release / REPORTS).write_bytes(body[:at] + b"F1NAL" + body[at + 5 :])
    studies, skipped, _ = brought(release)
    assert len(studies) == 12
    assert [study.key for study in studies if study.report is None] == [f"s5000000{n}" for n in range(1, 5)]
    assert skipped[0] == Skipped("study s50000001", f"its report files/p10/p10000001/s50000001.txt is not in {REPORTS}")
    assert [item.reason for item in skipped[2:3]] == ["the report is empty"]
    assert "cannot be unpacked" in skipped[3].reason


def test_a_report_missing_in_the_tree_is_listed(tmp_path: Path, picture: bytes) -> None:
    release = making.write(tmp_path / "tree", picture=picture, zipped=False)
    (release / "files/p10/p10000001/s50000001.txt").unlink()
    studies, (skipped,), _ = brought(release)
    assert studies[0].report is None
    assert skipped.reason == "its report p10/p10000001/s50000001.txt is missing"


def test_without_reports_labels_or_splits_the_studies_come_in_and_it_is_told(release: Path) -> None:
    for name in (REPORTS, f"{LABELS}.gz", f"{SPLIT}.gz"):
        (release / name).unlink()
    studies, skipped, warnings = brought(release)
    assert (len(studies), skipped, len(warnings)) == (12, [], 3)
    assert {(study.report, study.split, study.labels) for study in studies} == {(None, None, ())}


def test_a_film_named_twice_is_told_and_kept_once(release: Path) -> None:
    whole = making.rows(FILMS[1])[METADATA]
    making.edit(release, METADATA, whole, f"{whole}\n{whole}")
    studies, (skipped,), _ = brought(release)
    assert skipped.item == f"{METADATA}.gz line 4"
    assert "earlier line" in skipped.reason
    assert len(studies[0].images) == 2


def test_a_study_of_two_patients_and_ids_that_are_none_are_listed(release: Path) -> None:
    whole = making.rows(FILMS[-1])[METADATA]
    for new in ("aaaa,10000001,50000012", "../../etc,10000001,50000001", "bbbb,ten,50000001", ",10000001,50000001"):
        making.edit(release, METADATA, whole, f"{whole}\n{new}{',' * 9}")
    studies, skipped, _ = brought(release)
    assert len(studies) == 12
    assert sum("names no film, study or patient" in item.reason for item in skipped) == 3
    (other,) = [item for item in skipped if "names no film" not in item.reason]
    assert "study 50000012 is of patient 10000006 on an earlier line" in other.reason


def test_labels_out_of_range_or_of_another_patient_are_listed(release: Path) -> None:
    rows = [making.rows(film)[LABELS] for film in FILMS[::2]]
    making.edit(release, LABELS, rows[1], rows[1].replace("-1.0", "7"))
    making.edit(release, LABELS, rows[2], rows[2].replace("10000002", "10000006"))
    making.edit(release, LABELS, rows[3], rows[3].replace("50000004", "59999999"))
    studies, skipped, warnings = brought(release)
    assert "pleural_effusion" not in states(studies[1])
    assert states(studies[1])["cardiomegaly"] is State.PRESENT
    assert (studies[2].labels, studies[3].labels) == ((), ())
    assert [item.item for item in skipped] == [f"{LABELS}.gz line 3", f"{LABELS}.gz line 4"]
    assert "pleural effusion hold something else" in skipped[0].reason
    assert any("labels of 1 studies" in warning for warning in warnings)


def test_rows_of_labels_that_contradict_each_other_are_all_brought(release: Path) -> None:
    whole = making.rows(FILMS[2])[LABELS]
    making.edit(release, LABELS, whole, f"{whole}\n{whole.replace(',1.0', ',0.0')}")
    said = [label.state for label in brought(release)[0][1].labels if label.finding == "cardiomegaly"]
    assert said == [State.PRESENT, State.ABSENT]


def test_rows_of_a_study_need_not_stand_together(release: Path) -> None:
    first, last = (making.rows(film)[METADATA] for film in (FILMS[0], FILMS[-1]))
    making.edit(release, METADATA, f"{first}\n", "")
    making.edit(release, METADATA, last, f"{last}\n{first}")
    apart = [study for study in brought(release)[0] if study.key == "s50000001"]
    assert [[image.view for image in study.images] for study in apart] == [[View.LATERAL], [View.PA]]
    assert apart[0].report == apart[1].report is not None


@pytest.mark.parametrize("name", [METADATA, SPLIT, LABELS])
def test_a_broken_gzip_is_told_before_anything_comes_in(release: Path, name: str) -> None:
    table = release / f"{name}.gz"
    table.write_bytes(table.read_bytes()[:-30])
    with pytest.raises(BrokenTable, match="Copy it again"):
        brought(release)


def test_a_zip_of_reports_that_is_none_is_told(release: Path) -> None:
    with zipfile.ZipFile(release / REPORTS, "w") as archive:
        archive.writestr("readme.txt", "no report")
    with pytest.raises(NothingToImport, match="holds no report such as"):
        brought(release)
    (release / REPORTS).write_bytes(b"PK torn")
    with pytest.raises(BadArchive, match="Copy it again"):
        brought(release)


def test_without_metadata_columns_or_films_the_import_is_refused_with_what_to_do(release: Path, tmp_path: Path) -> None:
    deep = tmp_path / "deep" / "lonely"
    deep.mkdir(parents=True)
    with pytest.raises(NothingToImport, match="metadata"):
        brought(deep)
    shutil.move(release / f"{METADATA}.gz", deep)
    with pytest.raises(NothingToImport, match="Put the folder files there"):
        brought(deep)
    (release / METADATA).write_text("dicom_id,subject\n")
    with pytest.raises(MissingColumns, match="subject_id, study_id"):
        brought(release)


def test_tables_of_many_rows_are_never_held(tmp_path: Path, picture: bytes) -> None:
    release = making.write(tmp_path / "large", picture=picture, patients=3_000, shown=20)
    found = streamed("mimic-cxr", release)
    assert found.total == 6_000
    assert found.items == 40
    assert found.peak < 12 * 2**20
