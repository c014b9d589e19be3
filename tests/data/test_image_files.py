import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from core.studies import IncomingStudy, Skipped, View
from data.images import read
from data.importers import IMPORTERS
from data.importers.plan import ImportOptions, NothingToImport

OPTIONS = ImportOptions(secret=b"secret", view=View.FRONTAL)
Encode = Callable[..., bytes]


def brought(path: Path, options: ImportOptions = OPTIONS) -> tuple[list[IncomingStudy], list[Skipped], list[str]]:
    plan = IMPORTERS["images"](path, options)
    items = list(plan.studies)
    studies = [item for item in items if isinstance(item, IncomingStudy)]
    return studies, [item for item in items if isinstance(item, Skipped)], plan.warnings


@pytest.fixture
def loose(tmp_path: Path, film: np.ndarray, encoded: Encode) -> Path:
    folder = tmp_path / "loose"
    (folder / "p1").mkdir(parents=True)
    (folder / "one.png").write_bytes(encoded(film))
    (folder / "p1" / "two.jpg").write_bytes(encoded(film, "JPEG"))
    tifffile.imwrite(folder / "p1" / "three.tif", film.astype(np.uint16) * 257)
    (folder / "notes.txt").write_text("hello")
    return folder


def test_each_film_is_a_study_and_a_patient_of_its_own_and_folders_are_asked_about(
    loose: Path, film: np.ndarray
) -> None:
    studies, skipped, warnings = brought(loose)
    assert [(study.patient, study.key) for study in studies] == [
        ("one", "one"),
        ("p1/three", "p1/three"),
        ("p1/two", "p1/two"),
    ]
    assert [item.item for item in skipped] == ["notes.txt"]
    assert "one patient per folder" in warnings[0]
    deep = studies[1].images[0]
    assert deep.facts.bits == 16
    assert np.array_equal(read(deep.payload), film.astype(np.uint16) * 257)


def test_a_folder_is_a_patient_when_the_person_says_so(loose: Path) -> None:
    studies, _, warnings = brought(loose, ImportOptions(secret=b"", view=View.FRONTAL, patient_per_folder=True))
    assert [study.patient for study in studies] == ["one", "p1", "p1"]
    assert warnings == []


def test_a_single_file_is_imported(loose: Path) -> None:
    studies, _, warnings = brought(loose / "one.png")
    assert [(study.key, study.images[0].name) for study in studies] == [("one", "one")]
    assert warnings == []


def test_truncated_files_bombs_and_dicom_are_left_out_with_a_reason(
    loose: Path, film: np.ndarray, encoded: Encode
) -> None:
    whole = encoded(film)
    (loose / "cut.png").write_bytes(whole[:-20])
    (loose / "huge.png").write_bytes(whole[:16] + struct.pack(">II", 30_000, 30_000) + whole[24:])
    (loose / "film.dcm").write_bytes(b"\0" * 128 + b"DICM")
    studies, skipped, _ = brought(loose)
    assert len(studies) == 3
    assert {item.item for item in skipped} == {"notes.txt", "cut.png", "huge.png", "film.dcm"}


def test_nothing_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NothingToImport):
        brought(tmp_path)
