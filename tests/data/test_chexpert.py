"""CheXpert comes in as it lies on disk: two tables, and the tree of films that they name."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streaming import streamed

from core.findings import CHEXPERT, State
from core.labels import Source
from core.studies import IncomingStudy, Skipped, Split, View, torn_labels
from data.importers import IMPORTERS
from data.importers.plan import ImportOptions, NothingToImport
from data.tables import MissingColumns

OPTIONS = ImportOptions(secret=b"")
NAMES = (
    "No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,"
    "Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices"
)
HEAD = f"Path,Sex,Age,Frontal/Lateral,AP/PA,{NAMES}\n"
TRAIN = (
    "CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,1.0,,,,,,,,,0.0,,,,1.0\n"
    "CheXpert-v1.0-small/train/patient00002/study2/view1_frontal.jpg,Male,87,Frontal,PA,,,-1.0,1.0,,-1.0,-1.0,,-1.0,,-1.0,,1.0,\n"
    "CheXpert-v1.0-small/train/patient00002/study2/view2_lateral.jpg,Male,87,Lateral,,,,-1.0,1.0,,-1.0,-1.0,,-1.0,,-1.0,,1.0,\n"
    "CheXpert-v1.0-small/train/patient00002/study1/view1_frontal.jpg,Unknown,83,Frontal,,,,,1.0,,,-1.0,,,,,,1.0,\n"
)
VALID = (
    "CheXpert-v1.0-small/valid/patient64541/study1/view1_frontal.jpg,Male,73,Frontal,AP,"
    "0.0,1.0,1.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0\n"
)

Encode = Callable[..., bytes]
Put = Callable[[Path, str], None]


@pytest.fixture
def put(film: np.ndarray, encoded: Encode) -> Put:
    """A film where a table's path says."""

    def put(top: Path, path: str) -> None:
        place = top / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shade = np.uint8(sum(path.encode()) % 50)
        place.write_bytes(encoded(film + shade, "JPEG"))

    return put


@pytest.fixture
def release(tmp_path: Path, put: Put) -> Path:
    """The folder as it is downloaded, small size."""
    folder = tmp_path / "CheXpert-v1.0-small"
    for row in (TRAIN + VALID).splitlines():
        put(tmp_path, row.split(",")[0])
    (folder / "train.csv").write_text(HEAD + TRAIN)
    (folder / "valid.csv").write_text(HEAD + VALID)
    return folder


def brought(path: Path) -> tuple[list[IncomingStudy], list[Skipped], list[str]]:
    plan = IMPORTERS["chexpert"](path, OPTIONS)
    items = list(plan.studies)
    studies = [item for item in items if isinstance(item, IncomingStudy)]
    assert plan.total >= len(studies)
    return studies, [item for item in items if isinstance(item, Skipped)], plan.warnings


def states(study: IncomingStudy) -> dict[str, State]:
    return {label.finding: label.state for label in study.labels}


def test_rows_of_a_study_are_its_views_and_the_path_tells_patient_and_study(release: Path) -> None:
    studies, skipped, warnings = brought(release)
    assert (skipped, warnings) == ([], [])
    assert [(study.patient, study.key, study.order) for study in studies] == [
        ("patient00001", "patient00001_study1", 1),
        ("patient00002", "patient00002_study2", 2),
        ("patient00002", "patient00002_study1", 1),
        ("patient64541", "patient64541_study1", 1),
    ]
    assert [(image.name, image.view) for image in studies[1].images] == [
        ("view1_frontal", View.PA),
        ("view2_lateral", View.LATERAL),
    ]
    assert [(study.sex, study.age) for study in studies] == [("F", 68), ("M", 87), (None, 83), ("M", 73)]
    assert [study.images[0].view for study in studies] == [View.AP, View.PA, View.FRONTAL, View.AP]


def test_one_zero_minus_one_and_blank_are_present_absent_uncertain_and_nothing(release: Path) -> None:
    one, two, _, valid = brought(release)[0]
    assert states(one) == {
        "no_finding": State.PRESENT,
        "pneumothorax": State.ABSENT,
        "support_devices": State.PRESENT,
    }
    assert states(two)["cardiomegaly"] is State.UNCERTAIN
    assert "pneumothorax" not in states(two)
    assert len(two.labels) == 7
    assert states(valid).keys() == {finding.key for finding in CHEXPERT}
    assert {label.source for label in valid.labels} == {Source.IMPORTED}


def test_train_trains_and_valid_validates(release: Path) -> None:
    splits = {study.patient: study.split for study in brought(release)[0]}
    assert splits == {
        "patient00001": Split.TRAIN,
        "patient00002": Split.TRAIN,
        "patient64541": Split.VALIDATION,
    }


def test_either_table_alone_is_enough(release: Path) -> None:
    assert [study.split for study in brought(release / "valid.csv")[0]] == [Split.VALIDATION]
    (release / "valid.csv").unlink()
    assert len(brought(release)[0]) == 3


def test_the_folder_around_it_the_films_or_a_zip_will_do_as_well(release: Path, tmp_path: Path) -> None:
    whole = brought(release)
    assert brought(release.parent) == whole
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in release.rglob("*"):
            archive.write(file, file.relative_to(tmp_path))
    assert brought(tmp_path / "all.zip") == whole
    studies, skipped, warnings = brought(release / "valid")
    assert [study.patient for study in studies] == ["patient64541"]
    assert skipped == []
    assert warnings == ["No film that train.csv names is here; it was left."]


def test_films_of_full_size_in_batches_are_found_whatever_the_prefix(release: Path) -> None:
    (release / "train").rename(release / "CheXpert-v1.0 batch 2 (train 1)")
    (release / "train.csv").write_text(HEAD + TRAIN.replace("CheXpert-v1.0-small/", "CheXpert-v1.0/"))
    studies, skipped, _ = brought(release)
    assert (len(studies), skipped) == (4, [])
    (release / "train.csv").write_text(HEAD + TRAIN.replace("CheXpert-v1.0-small/train/", ""))
    assert len(brought(release)[0]) == 4


def test_a_row_whose_image_is_missing_is_listed_and_the_rest_comes_in(release: Path) -> None:
    (release / "train/patient00002/study2/view1_frontal.jpg").unlink()
    (release / "train/patient00001/study1/view1_frontal.jpg").unlink()
    studies, skipped, _ = brought(release)
    assert [study.key for study in studies] == ["patient00002_study2", "patient00002_study1", "patient64541_study1"]
    assert [image.view for image in studies[0].images] == [View.LATERAL]
    assert [item.item for item in skipped] == ["train.csv line 2", "train.csv line 3"]
    assert all("is missing" in item.reason and "view1_frontal.jpg" in item.reason for item in skipped)


def test_a_broken_film_is_listed_and_the_rest_comes_in(release: Path) -> None:
    place = release / "train/patient00001/study1/view1_frontal.jpg"
    place.write_bytes(place.read_bytes()[:-20])
    (release / "valid/patient64541/study1/view1_frontal.jpg").write_bytes(b"")
    studies, skipped, _ = brought(release)
    assert len(studies) == 2
    assert "cut off" in skipped[0].reason
    assert len(skipped) == 2


def test_rows_of_one_study_that_contradict_each_other_are_both_kept(release: Path) -> None:
    lines = TRAIN.splitlines()
    lines[2] = lines[2].replace("Lateral,,,,-1.0,1.0", "Lateral,,,,0.0,1.0")
    (release / "train.csv").write_text(HEAD + "\n".join(lines) + "\n")
    study = brought(release)[0][1]
    said = [label.state for label in study.labels if label.finding == "cardiomegaly"]
    assert said == [State.UNCERTAIN, State.ABSENT]
    assert [item.item for item in torn_labels(study.key, study.labels)] == ["patient00002_study2 cardiomegaly"]


def test_labels_out_of_range_are_listed_and_the_others_taken(release: Path) -> None:
    (release / "valid.csv").write_text(HEAD + VALID.replace("AP,0.0,1.0,1.0", "AP,2.0,maybe,1.0"))
    *_, study = brought(release)[0]
    (skipped,) = brought(release)[1]
    assert skipped.item == "valid.csv line 2"
    assert "enlarged cardiomediastinum, no finding" in skipped.reason
    assert len(study.labels) == 12


def test_a_path_that_names_no_film_is_listed(release: Path) -> None:
    strange = [
        "../../etc/passwd",
        "nowhere",
        "CheXpert-v1.0-small/train/patient1/view1_frontal.jpg",
        "train/patient1/study1/view1_oblique.jpg",
        "train/patient٣/study1/view1_frontal.jpg",
    ]
    rest = "," * 18
    (release / "train.csv").write_text(HEAD + TRAIN + "".join(f"{path}{rest}\n" for path in strange))
    studies, skipped, _ = brought(release)
    assert len(studies) == 4
    assert [item.item for item in skipped] == [f"train.csv line {line}" for line in range(6, 6 + len(strange))]
    assert "view1_oblique" in skipped[3].reason


def test_a_path_cannot_lead_out_of_the_folder(release: Path, put: Put) -> None:
    put(release.parent.parent, "patient00009/study1/view1_frontal.jpg")
    row = "../../patient00009/study1/view1_frontal.jpg" + "," * 18
    (release / "train.csv").write_text(HEAD + TRAIN + row + "\n")
    studies, (skipped,), _ = brought(release)
    assert len(studies) == 4
    assert "is missing" in skipped.reason


def test_a_patient_in_both_tables_is_refused_and_listed(release: Path, put: Put) -> None:
    path = "CheXpert-v1.0-small/valid/patient00002/study9/view1_frontal.jpg"
    put(release.parent, path)
    (release / "valid.csv").write_text(HEAD + VALID + path + "," * 18 + "\n")
    studies, (skipped,), _ = brought(release)
    assert {study.patient for study in studies} == {"patient00001", "patient64541"}
    assert skipped.item == "patient patient00002"
    assert "into train and into validation" in skipped.reason


def test_a_film_named_twice_is_kept_once_and_told(release: Path) -> None:
    (release / "valid.csv").write_text(HEAD + VALID + VALID)
    *_, study = brought(release)[0]
    (skipped,) = brought(release)[1]
    assert len(study.images) == 1
    assert skipped.item == "valid.csv line 3"


def test_rows_of_a_study_that_stand_apart_come_in_one_after_the_other(release: Path) -> None:
    first, second, third, fourth = TRAIN.splitlines(keepends=True)
    (release / "train.csv").write_text(HEAD + second + first + third + fourth)
    studies, skipped, _ = brought(release)
    assert skipped == []
    assert [study.key for study in studies].count("patient00002_study2") == 2


def test_ages_that_nobody_has_are_left_unknown_and_told(release: Path) -> None:
    (release / "valid.csv").write_text(HEAD + VALID.replace(",73,", ",414,"))
    studies, _, warnings = brought(release)
    assert studies[-1].age is None
    assert warnings == ["1 ages in valid.csv are none that a person has (414); they were left unknown."]


def test_columns_that_are_no_findings_are_named_and_not_taken_for_labels(release: Path) -> None:
    (release / "valid.csv").write_text((HEAD + VALID).replace("Pleural Effusion", "Pleural Efusion"))
    studies, _, warnings = brought(release)
    assert len(studies[-1].labels) == 13
    assert warnings == ["Columns of valid.csv that were not used: pleural efusion."]


def test_a_table_without_paths_films_or_tables_is_refused_with_what_to_do(release: Path, tmp_path: Path) -> None:
    (release / "valid.csv").write_text(HEAD.replace("Path", "File") + VALID)
    with pytest.raises(MissingColumns, match="path"):
        brought(release)
    (release / "valid.csv").write_text(HEAD + VALID)
    (release / "train.csv").unlink()
    (release / "valid").rename(tmp_path / "elsewhere")
    with pytest.raises(NothingToImport, match=r"None of the films that valid\.csv names"):
        brought(release)
    (release / "train").rename(release / "films")
    lonely = tmp_path / "deep" / "lonely"
    lonely.mkdir(parents=True)
    with pytest.raises(NothingToImport, match=r"No train\.csv or valid\.csv"):
        brought(lonely)
    (lonely / "valid.csv").write_text(HEAD + VALID)
    with pytest.raises(NothingToImport, match="No CheXpert films"):
        brought(lonely)


def test_a_table_of_many_rows_is_never_held(release: Path, put: Put) -> None:
    put(release.parent, "CheXpert-v1.0-small/train/patient1/study1/view1_frontal.jpg")
    said = f"Male,50,Frontal,AP,1.0{',' * 13}"
    with (release / "train.csv").open("w") as file:
        file.write(HEAD)
        file.writelines(f"train/patient{each}/study1/view1_frontal.jpg,{said}\n" for each in range(1, 6_001))
    (release / "valid.csv").unlink()
    found = streamed("chexpert", release)
    assert found.total == found.items == 6_000
    assert found.peak < 12 * 2**20
