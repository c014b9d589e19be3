"""ChestX-ray14 comes in as it is published: a table, folders of films, boxes and lists."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streaming import streamed

from core.findings import State
from core.labels import Source
from core.shapes import Shape, ShapeKind
from core.studies import IncomingStudy, Skipped, Split, View, torn_labels
from data.importers import IMPORTERS
from data.importers.classes import CHESTXRAY14, finding_of
from data.importers.plan import ImportOptions, NothingToImport
from data.tables import MissingColumns

OPTIONS = ImportOptions(secret=b"")
HEAD = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
)
ENTRIES = (
    "00000001_000.png,Cardiomegaly,0,1,058Y,M,PA,2682,2749,0.143,0.143,\n"
    "00000001_001.png,Cardiomegaly|Effusion,1,1,58,M,AP,2894,2729,0.143,0.144,\n"
    "00000002_000.png,No Finding,0,2,81,F,PA,2500,2048,0.171,0.171,\n"
    "00000003_000.png,Hernia|Pleural_Thickening,0,3,0,,PA,,,,,\n"
)
BOXES_HEAD = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
KEYS = {finding_of(name) for name in CHESTXRAY14}

Encode = Callable[..., bytes]


@pytest.fixture
def picture(film: np.ndarray, encoded: Encode) -> Callable[[int], bytes]:
    return lambda seed: encoded(film + np.uint8(seed), "PNG")


@pytest.fixture
def release(tmp_path: Path, picture: Callable[[int], bytes]) -> Path:
    """Four films of three patients in two of the release's folders."""
    folder = tmp_path / "nih"
    for seed, row in enumerate(ENTRIES.splitlines()):
        place = folder / ("images_001" if seed < 2 else "images_012") / "images" / row.split(",")[0]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(picture(seed))
    (folder / "Data_Entry_2017.csv").write_text(HEAD + ENTRIES)
    return folder


def brought(path: Path) -> tuple[list[IncomingStudy], list[Skipped], list[str]]:
    plan = IMPORTERS["nih"](path, OPTIONS)
    items = list(plan.studies)
    studies = [item for item in items if isinstance(item, IncomingStudy)]
    return studies, [item for item in items if isinstance(item, Skipped)], plan.warnings


def states(study: IncomingStudy) -> dict[str, State]:
    return {label.finding: label.state for label in study.labels}


def write(release: Path, entries: str) -> None:
    (release / "Data_Entry_2017.csv").write_text(HEAD + entries)


def test_each_row_is_a_film_and_a_study_in_the_order_of_the_follow_ups(release: Path) -> None:
    studies, skipped, _ = brought(release)
    assert skipped == []
    assert [(study.patient, study.key, study.order) for study in studies] == [
        ("1", "00000001_000", 0),
        ("1", "00000001_001", 1),
        ("2", "00000002_000", 0),
        ("3", "00000003_000", 0),
    ]
    assert [[(image.name, image.view) for image in study.images] for study in studies] == [
        [("00000001_000", View.PA)],
        [("00000001_001", View.AP)],
        [("00000002_000", View.PA)],
        [("00000003_000", View.PA)],
    ]
    assert [(study.age, study.sex, study.split) for study in studies] == [
        (58, "M", None),
        (58, "M", None),
        (81, "F", None),
        (0, None, None),
    ]


def test_what_is_not_named_is_absent_and_no_finding_stands_alone(release: Path) -> None:
    one, two, three, four = (states(study) for study in brought(release)[0])
    assert {finding for finding, state in two.items() if state is State.PRESENT} == {"cardiomegaly", "pleural_effusion"}
    assert one.keys() == two.keys() == three.keys() == KEYS | {"no_finding"}
    assert set(one.values()) == {State.PRESENT, State.ABSENT}
    assert one["no_finding"] is State.ABSENT
    assert three["no_finding"] is State.PRESENT
    assert {state for finding, state in three.items() if finding != "no_finding"} == {State.ABSENT}
    assert four["pleural_thickening"] is State.PRESENT
    assert {label.source for label in brought(release)[0][0].labels} == {Source.IMPORTED}


def test_findings_that_are_new_to_the_vocabulary_are_told(release: Path) -> None:
    (warning,) = brought(release)[2]
    assert "hernia, infiltration, mass, pleural_thickening" in warning


def test_a_label_outside_the_fourteen_is_listed_and_nothing_is_taken_for_absent(release: Path) -> None:
    write(release, ENTRIES.replace("Cardiomegaly|Effusion", "Cardiomegaly|Efusion"))
    studies, (skipped,), _ = brought(release)
    assert len(studies) == 4
    assert states(studies[1]) == {"cardiomegaly": State.PRESENT}
    assert skipped.item == "Data_Entry_2017.csv line 3"
    assert "Efusion" in skipped.reason


@pytest.mark.parametrize(("said", "why"), [("No Finding|Mass", "names some"), ("", "neither"), (" | ", "neither")])
def test_labels_that_contradict_themselves_or_say_nothing_are_listed(release: Path, said: str, why: str) -> None:
    write(release, ENTRIES.replace("No Finding", said))
    studies, (skipped,), _ = brought(release)
    assert studies[2].labels == ()
    assert len(studies) == 4
    assert why in skipped.reason


def test_spacing_is_that_of_the_films_rows_as_they_are_here(release: Path) -> None:
    one, two, _, four = (study.images[0].facts for study in brought(release)[0])
    assert one.spacing_mm == pytest.approx(0.143 * 2749 / 48)
    assert two.spacing_mm == pytest.approx(0.144 * 2729 / 48)
    assert four.spacing_mm is None
    write(release, ENTRIES.replace("2749,0.143,0.143", "2749,0.143,inf"))
    assert brought(release)[0][0].images[0].facts.spacing_mm is None


def test_boxes_lie_on_the_copy_where_they_lay_on_the_film(release: Path) -> None:
    (release / "BBox_List_2017.csv").write_text(
        BOXES_HEAD
        + "00000001_000.png,Cardiomegaly,256,512,512.0,128,,,\n"
        + "00000001_001.png,Infiltrate,-0.5,0,10,1024.6,,,\n"
    )
    studies, skipped, _ = brought(release)
    assert skipped == []
    (box,) = studies[0].images[0].regions
    assert (box.finding, box.author) == ("cardiomegaly", None)
    assert box.shape == Shape(ShapeKind.BOX, ((16.0, 24.0), (48.0, 30.0)))
    (box,) = studies[1].images[0].regions
    assert box.finding == "infiltration"
    assert box.shape.points[0] == (0.0, 0.0)
    assert box.shape.points[1] == (pytest.approx(9.5 / 16), 48.0)
    assert studies[2].images[0].regions == ()


def test_boxes_that_are_none_are_listed_and_the_others_come_in(release: Path) -> None:
    bad = {
        "00000009_000.png,Mass,1,1,5,5": "on no line",
        "00000001_000.png,Kyphosis,1,1,5,5": "none of the collection's findings",
        "00000001_000.png,Mass,1,one,5,5": "four numbers",
        "00000001_000.png,Mass,1,1,0,5": "holds nothing",
        "00000001_000.png,Mass,1,1,nan,5": "holds nothing",
        "00000001_000.png,Mass,1,1,5,inf": "holds nothing",
        "00000001_000.png,Mass,1000,1,50,5": "runs out",
        "00000001_000.png,Mass,-40,1,50,5": "runs out",
    }
    rows = "".join(f"{row},,,\n" for row in bad) + "00000001_000.png,Mass,1,1\n"
    good = "00000001_000.png,Mass,1,1,5,5,,,\n"
    (release / "BBox_List_2017.csv").write_text(BOXES_HEAD + rows + good + good)
    studies, skipped, _ = brought(release)
    assert len(studies[0].images[0].regions) == 1
    assert [item.item for item in skipped] == [f"BBox_List_2017.csv line {line}" for line in range(2, 11)]
    assert all(why in item.reason for item, why in zip(skipped, bad.values(), strict=False))
    (release / "BBox_List_2017.csv").write_text("Image Index,Label,x,y,w,h\n")
    with pytest.raises(MissingColumns, match="finding label"):
        brought(release)


def test_the_makers_lists_give_the_split(release: Path) -> None:
    (release / "test_list.txt").write_text("00000002_000.png\r\n")
    (release / "train_val_list.txt").write_text("\ufeff00000001_000.png\n00000001_001.png\n")
    splits = {study.patient: study.split for study in brought(release)[0]}
    assert splits["1"] in (Split.TRAIN, Split.VALIDATION)
    assert splits["2"] is Split.TEST
    assert splits["3"] is None


def test_a_tenth_of_the_patients_left_to_divide_validates_always_the_same(
    release: Path, picture: Callable[[int], bytes]
) -> None:
    films = [f"{patient:08d}_00{number}.png" for patient in range(1, 301) for number in range(2)]
    place = release / "images"
    place.mkdir()
    for film in films:
        (place / film).write_bytes(picture(0))
    write(release, "".join(f"{film},Mass,0,{int(film[:8])},50,F,PA,,,,,\n" for film in films))
    (release / "train_val_list.txt").write_text("\n".join(films))
    once, again = brought(release)[0], brought(release)[0]
    assert once == again
    by_patient: dict[str, set[Split | None]] = {}
    for study in once:
        by_patient.setdefault(study.patient, set()).add(study.split)
    assert all(len(splits) == 1 for splits in by_patient.values())
    validating = sum(splits == {Split.VALIDATION} for splits in by_patient.values())
    assert 15 <= validating <= 50
    assert sum(splits == {Split.TRAIN} for splits in by_patient.values()) == 300 - validating


def test_a_patient_in_both_lists_is_refused_and_listed(release: Path) -> None:
    (release / "test_list.txt").write_text("00000001_000.png\n00000002_000.png\n")
    (release / "train_val_list.txt").write_text("00000001_001.png\n00000002_000.png\n")
    studies, skipped, _ = brought(release)
    assert [study.patient for study in studies] == ["3"]
    assert [item.item for item in skipped] == ["patient 1", "patient 2"]
    assert all("into test" in item.reason and "cannot judge" in item.reason for item in skipped)


def test_a_missing_or_broken_film_is_listed_and_the_rest_comes_in(release: Path) -> None:
    (release / "images_001/images/00000001_000.png").unlink()
    (release / "images_012/images/00000002_000.png").write_bytes(b"")
    studies, skipped, _ = brought(release)
    assert [study.key for study in studies] == ["00000001_001", "00000003_000"]
    assert skipped[0] == Skipped("Data_Entry_2017.csv line 2", "the image 00000001_000.png is missing")
    assert skipped[1].item == "00000002_000.png"


def test_films_may_lie_in_one_folder_and_be_jpegs(release: Path, film: np.ndarray, encoded: Encode) -> None:
    whole = [study.key for study in brought(release)[0]]
    (release / "images").mkdir()
    for number, file in enumerate(sorted(release.glob("images_*/images/*.png"))):
        (release / "images" / file.with_suffix(".jpg").name).write_bytes(encoded(film + np.uint8(number), "JPEG"))
        file.unlink()
    assert [study.key for study in brought(release)[0]] == whole
    assert [study.key for study in brought(release / "Data_Entry_2017.csv")[0]] == whole


def test_the_newer_table_the_folder_around_it_or_a_zip_will_do(release: Path, tmp_path: Path) -> None:
    whole = brought(release)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in release.rglob("*"):
            archive.write(file, file.relative_to(tmp_path))
    assert brought(tmp_path / "all.zip")[0] == whole[0]
    (tmp_path / "all.zip").unlink()
    (release / "Data_Entry_2017.csv").rename(release / "Data_Entry_2017_v2020.csv")
    assert brought(tmp_path)[0] == whole[0]


def test_rows_of_one_film_that_say_the_same_are_told_and_what_contradicts_is_brought(release: Path) -> None:
    line = ENTRIES.splitlines(keepends=True)[0]
    write(release, ENTRIES + line + line.replace("Cardiomegaly", "Edema"))
    studies, (skipped,), _ = brought(release)
    assert skipped.item == "Data_Entry_2017.csv line 6"
    assert [study.key for study in studies].count("00000001_000") == 2
    said = [label for study in studies if study.key == "00000001_000" for label in study.labels]
    assert {item.item for item in torn_labels("s", said)} == {"s cardiomegaly", "s edema"}


def test_a_film_of_two_patients_or_of_none_is_listed(release: Path) -> None:
    strange = (
        "00000001_000.png,Mass,0,7,50,F,PA,,,,,\n"
        "copy.png,Mass,0,8,50,F,PA,,,,,\n"
        "copy.png,Mass,0,9,50,F,PA,,,,,\n"
        ",Mass,0,9,50,F,PA,,,,,\n"
        "00000009_000.png,Mass,0,,50,F,PA,,,,,\n"
        "../00000009_000.png,Mass,0,9,50,F,PA,,,,,\n"
        "a,b\n"
    )
    write(release, ENTRIES + strange)
    studies, skipped, _ = brought(release)
    assert len(studies) == 4
    reasons = {item.item.rsplit(" ", 1)[-1]: item.reason for item in skipped}
    assert "by its name" in reasons["6"]
    assert "missing" in reasons["7"]
    assert "patient 8 on an earlier line" in reasons["8"]
    assert "no film or no patient" in reasons["9"]
    assert "no film or no patient" in reasons["10"]
    assert "missing" in reasons["11"]
    assert "cells" in reasons["12"]


@pytest.mark.parametrize(
    ("age", "read"), [("058Y", 58), ("58", 58), ("009M", 0), ("155", None), ("411Y", None), ("old", None)]
)
def test_ages_that_nobody_has_are_left_unknown_and_told(release: Path, age: str, read: int | None) -> None:
    write(release, ENTRIES.replace(",81,", f",{age},"))
    studies, skipped, warnings = brought(release)
    assert studies[2].age == read
    assert skipped == []
    assert any(age in warning for warning in warnings) == (read is None)


def test_without_table_columns_or_films_the_import_is_refused_with_what_to_do(release: Path, tmp_path: Path) -> None:
    with pytest.raises(NothingToImport, match=r"No Data_Entry_2017\.csv"):
        brought(release / "images_001")
    write(release, "")
    (release / "Data_Entry_2017.csv").write_text("Image Index,Labels\n")
    with pytest.raises(MissingColumns, match="finding labels, patient id"):
        brought(release)
    for name in ("images_001", "images_012"):
        (release / name).rename(tmp_path / name)
    write(release, ENTRIES)
    with pytest.raises(NothingToImport, match="Unpack the films"):
        brought(release)


def test_a_table_of_many_rows_is_never_held(release: Path) -> None:
    said = "No Finding,0,{},50,F,PA,2500,2048,0.171,0.171,\n"
    write(release, "".join(f"{patient:08d}_000.png,{said.format(patient)}" for patient in range(1, 20_001)))
    found = streamed("nih", release)
    assert found.total == found.items == 20_000
    assert found.peak < 16 * 2**20
