import io
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.studies import IncomingStudy, Skipped, Split, View
from data.images import mask_png, read_mask
from data.importers import IMPORTERS
from data.importers.plan import ImportOptions, MaskOfAnotherSize, NothingToImport
from data.tables import MissingColumns, MissingTable

OPTIONS = ImportOptions(secret=b"secret", view=View.FRONTAL)
Encode = Callable[..., bytes]


@pytest.fixture
def site(tmp_path: Path, film: np.ndarray, encoded: Encode) -> Path:
    folder = tmp_path / "site"
    (folder / "images").mkdir(parents=True)
    for number, stem in enumerate(("a", "b", "c")):
        (folder / "images" / f"{stem}.png").write_bytes(encoded(film + np.uint8(number)))
    for finding in ("Heart", "left_lung"):
        (folder / "masks" / finding).mkdir(parents=True)
        (folder / "masks" / finding / "a.png").write_bytes(mask_png(film > 100))
    return folder


def brought(
    folder: Path, options: ImportOptions = OPTIONS
) -> tuple[dict[str, IncomingStudy], list[Skipped], list[str]]:
    plan = IMPORTERS["folder"](folder, options)
    items = list(plan.studies)
    studies = {item.key: item for item in items if isinstance(item, IncomingStudy)}
    return studies, [item for item in items if isinstance(item, Skipped)], plan.warnings


def test_without_a_table_each_image_is_a_study_and_a_patient_of_its_own(site: Path, film: np.ndarray) -> None:
    studies, skipped, warnings = brought(site)
    assert [(s.patient, s.key, len(s.images)) for s in studies.values()] == [
        ("a", "a", 1),
        ("b", "b", 1),
        ("c", "c", 1),
    ]
    assert (skipped, warnings) == ([], [])
    masks = studies["a"].images[0].masks
    assert [mask.finding for mask in masks] == ["heart", "left_lung"]
    assert np.array_equal(read_mask(masks[0].png), film > 100)
    assert masks[0].stats.area == int((film > 100).sum())


def test_a_patient_whom_the_table_puts_into_two_splits_is_refused_and_listed(site: Path) -> None:
    (site / "cases.csv").write_text("image,patient,study,split\na.png,p1,s1,train\nb.png,p1,s2,test\nc.png,p2,s3,val\n")
    studies, skipped, _ = brought(site)
    assert {study.patient: study.split for study in studies.values()} == {"p2": Split.VALIDATION}
    assert [item.item for item in skipped] == ["patient p1"]
    assert "into test and into train" in skipped[0].reason


def test_films_without_a_view_are_taken_for_frontal_ones_and_that_is_said(site: Path) -> None:
    studies, _, warnings = brought(site, ImportOptions(secret=b""))
    assert all(study.images[0].view is View.FRONTAL for study in studies.values())
    assert any("taken for frontal" in warning for warning in warnings)


def test_a_view_may_be_given_for_films_that_do_not_tell_theirs(site: Path) -> None:
    studies, _, _ = brought(site, ImportOptions(secret=b"", view=View.PA))
    assert all(study.images[0].view is View.PA for study in studies.values())


def test_a_table_gives_patient_view_age_sex_split_notes_and_report(site: Path) -> None:
    (site / "anything.csv").write_text(
        "Image,Patient,View,Age,Sex,Split,Clinical_Notes,Report,hospital\n"
        'a.png,7,AP,46.0,f,valid,"cough, fever","FINDINGS: Clear lungs.\nIMPRESSION: Normal.",H\n'
        "images/b.png,7,PA,,,,,,H\n"
        "c,8,L,200,x,,,,H\n"
    )
    studies, skipped, warnings = brought(site)
    assert skipped == []
    a, b, c = studies["a"], studies["b"], studies["c"]
    assert (a.patient, b.patient, c.patient) == ("7", "7", "8")
    assert (a.age, a.sex, a.split, a.notes) == (46, "F", Split.VALIDATION, "cough, fever")
    assert (c.age, c.sex, c.split, c.notes) == (None, None, None, None)
    assert [study.images[0].view for study in (a, b, c)] == [View.AP, View.PA, View.LATERAL]
    assert a.report is not None
    assert (a.report.findings, a.report.impression) == ("Clear lungs.", "Normal.")
    assert b.report is None
    assert warnings == ["Columns of anything.csv that were not used: hospital."]


def test_rows_of_one_study_are_one_study(site: Path) -> None:
    (site / "cases.csv").write_text("image,patient,study,view\na,7,s1,PA\nb,7,s1,lateral\nc,8,s1,PA\n")
    studies, skipped, _ = brought(site)
    assert [image.name for image in studies["s1"].images] == ["a", "b"]
    assert "belongs to patient 7" in skipped[0].reason


def test_an_empty_mask_states_that_the_finding_is_absent_and_stays_a_mask(site: Path, film: np.ndarray) -> None:
    (site / "masks" / "Heart" / "b.png").write_bytes(mask_png(np.zeros_like(film, dtype=bool)))
    studies, _, _ = brought(site)
    image = studies["b"].images[0]
    assert image.absent == ("heart",)
    assert [(mask.finding, mask.stats.area, mask.stats.box) for mask in image.masks] == [("heart", 0, None)]


OUTLINED = ImportOptions(secret=b"secret", view=View.FRONTAL, unmarked_absent=True)


def mark(site: Path, finding: str, stem: str, mask: np.ndarray) -> None:
    (site / "masks" / finding).mkdir(exist_ok=True)
    (site / "masks" / finding / f"{stem}.png").write_bytes(mask_png(mask))


def absent(studies: dict[str, IncomingStudy]) -> dict[str, tuple[str, ...]]:
    return {key: study.images[0].absent for key, study in studies.items()}


def test_what_is_not_marked_is_unknown_unless_the_person_says_that_it_is_absent(site: Path) -> None:
    studies, _, warnings = brought(site)
    assert absent(studies) == {"a": (), "b": (), "c": ()}
    assert warnings == []
    studies, skipped, warnings = brought(site, OUTLINED)
    assert absent(studies) == {"a": (), "b": ("heart", "left_lung"), "c": ("heart", "left_lung")}
    assert skipped == []
    assert warnings == ["Taken for absent on every film on which they are not marked: heart, left_lung."]


def test_a_film_with_a_part_is_not_without_the_whole_nor_one_with_the_whole_without_its_parts(
    site: Path, film: np.ndarray
) -> None:
    mark(site, "right_lung", "a", film > 100)
    mark(site, "lungs", "b", film > 100)
    studies, _, _ = brought(site, OUTLINED)
    assert absent(studies) == {"a": (), "b": ("heart",), "c": ("heart", "left_lung", "lungs", "right_lung")}


def test_a_mask_that_cannot_be_read_does_not_make_its_finding_absent(site: Path, film: np.ndarray) -> None:
    (site / "masks" / "Heart" / "b.png").write_bytes(b"not a picture")
    mark(site, "Heart", "c", np.ones((5, 7), dtype=bool))
    studies, skipped, _ = brought(site, OUTLINED)
    assert absent(studies) == {"a": (), "b": ("left_lung",), "c": ("left_lung",)}
    assert len(skipped) == 2


def test_a_finding_marked_nowhere_is_not_taken_for_looked_for(site: Path, film: np.ndarray) -> None:
    mark(site, "nodule", "b", np.zeros_like(film, dtype=bool))
    (site / "masks" / "edema").mkdir()
    (site / "masks" / "edema" / "b.png").write_bytes(b"not a picture")
    studies, _, _ = brought(site, OUTLINED)
    assert absent(studies) == {"a": (), "b": ("heart", "left_lung", "nodule"), "c": ("heart", "left_lung")}


def test_a_mask_of_another_size_is_left_out_and_its_image_comes_in(site: Path) -> None:
    (site / "masks" / "Heart" / "b.png").write_bytes(mask_png(np.ones((5, 7), dtype=bool)))
    studies, (skipped,), _ = brought(site)
    assert studies["b"].images[0].masks == ()
    assert isinstance(skipped, MaskOfAnotherSize)
    assert skipped.item == "masks/heart/b.png"
    assert "7 x 5" in skipped.reason
    assert "64 x 48" in skipped.reason


def test_a_mask_without_its_image_and_a_mask_that_is_no_picture_are_told(site: Path) -> None:
    (site / "masks" / "Heart" / "zzz.png").write_bytes(mask_png(np.ones((5, 7), dtype=bool)))
    (site / "masks" / "Heart" / "b.png").write_bytes(b"not a picture")
    _, skipped, _ = brought(site)
    assert {item.item for item in skipped} == {"masks/heart/zzz.png", "masks/heart/b.png"}


def test_bad_images_never_stop_the_rest(site: Path, film: np.ndarray, encoded: Encode) -> None:
    whole = encoded(film)
    (site / "images" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (site / "images" / "text.txt").write_text("hello")
    (site / "images" / "empty.png").write_bytes(b"")
    (site / "images" / "a.jpg").write_bytes(encoded(film, "JPEG"))
    (site / "images" / ".DS_Store").write_bytes(b"litter")
    studies, skipped, _ = brought(site)
    assert set(studies) == {"a", "b", "c"}
    assert sorted(item.item for item in skipped) == [
        "images/a.png",
        "images/cut.png",
        "images/empty.png",
        "images/text.txt",
    ]


def test_bad_rows_never_stop_the_rest(site: Path) -> None:
    (site / "cases.csv").write_bytes(b"image,patient,notes\na,7,M\xfcller\nnone,8,x\na,9,again\nb\nc,10,\n")
    studies, skipped, warnings = brought(site)
    assert (studies["a"].patient, studies["a"].notes, studies["c"].patient) == ("7", "Müller", "10")
    assert [item.item for item in skipped] == ["cases.csv line 3", "cases.csv line 4", "cases.csv line 5"]
    assert any("Windows-1252" in warning for warning in warnings)
    assert any("1 of 3 images" in warning for warning in warnings)


def test_a_table_without_an_image_column_is_refused_by_name(site: Path) -> None:
    (site / "cases.csv").write_text("patient,view\n1,PA\n")
    with pytest.raises(MissingColumns, match="image"):
        brought(site)


def test_the_table_may_be_named_and_has_to_be_there(site: Path, tmp_path: Path) -> None:
    (site / "x.csv").write_text("image,patient\na,1\n")
    (site / "y.csv").write_text("image,patient\na,2\n")
    studies, _, warnings = brought(site)
    assert studies["a"].patient == "a"
    assert "x.csv, y.csv" in warnings[0]
    for named in (Path("y.csv"), site / "y.csv"):
        studies, _, _ = brought(site, ImportOptions(secret=b"", view=View.FRONTAL, table=named))
        assert studies["a"].patient == "2"
    with pytest.raises(MissingTable):
        brought(site, ImportOptions(secret=b"", view=View.FRONTAL, table=Path("z.csv")))


def test_a_folder_of_another_layout_is_refused_with_the_layout(tmp_path: Path) -> None:
    with pytest.raises(NothingToImport, match="folder images"):
        brought(tmp_path)
    with pytest.raises(NothingToImport, match="nothing at"):
        brought(tmp_path / "nowhere")


def test_a_foreign_cell_that_begins_with_an_apostrophe_is_left_alone(site: Path) -> None:
    (site / "cases.csv").write_text("image,patient,notes\na,1,'=quoted\n")
    studies, _, _ = brought(site)
    assert studies["a"].notes == "'=quoted"


def test_a_zip_of_the_folder_is_the_folder_and_leaves_nothing_behind(site: Path, tmp_path: Path) -> None:
    place = tmp_path / "site.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for path in sorted(site.rglob("*.png")):
            archive.write(path, Path("site") / path.relative_to(site))
        archive.writestr("../evil.png", b"x")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    studies, skipped, _ = brought(place, ImportOptions(secret=b"", view=View.FRONTAL, scratch=scratch))
    plain, _, _ = brought(site)
    assert studies == plain
    assert [item.item for item in skipped] == ["../evil.png"]
    assert list(scratch.iterdir()) == []
    assert not (tmp_path / "evil.png").exists()


def test_a_zip_of_something_else_leaves_nothing_behind_either(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "hello")
    (tmp_path / "a.zip").write_bytes(out.getvalue())
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pytest.raises(NothingToImport):
        brought(tmp_path / "a.zip", ImportOptions(secret=b"", view=View.FRONTAL, scratch=scratch))
    assert list(scratch.iterdir()) == []


def test_studies_are_read_a_few_at_a_time(
    site: Path, film: np.ndarray, encoded: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        (site / "images" / f"x{number:02}.png").write_bytes(encoded(film))
    read: list[str] = []
    plain = Path.read_bytes

    def noted(self: Path) -> bytes:
        read.append(self.name)
        return plain(self)

    monkeypatch.setattr(Path, "read_bytes", noted)
    studies = IMPORTERS["folder"](site, OPTIONS).studies
    next(studies)
    assert len(read) < 20


@pytest.mark.realdata
def test_the_real_folders_come_in_whole(cxr: Path) -> None:
    expected = {"montgomery-shenzhen": (704, 704, 704), "jsrt": (247, 741, 247), "covid-findings": (70, 410, 51)}
    for name, (images, masks, patients) in expected.items():
        studies, skipped, _ = brought(cxr / name)
        assert skipped == []
        assert len(studies) == images
        assert sum(len(image.masks) for study in studies.values() for image in study.images) == masks
        assert len({study.patient for study in studies.values()}) == patients
    views = Counter(study.images[0].view for study in studies.values())
    assert views == {View.PA: 63, View.AP: 7}
    assert all(study.notes for study in studies.values() if study.key == "covid-001")


@pytest.mark.realdata
def test_where_annotators_outlined_everything_the_real_films_without_consolidation_are_known(cxr: Path) -> None:
    studies, _, _ = brought(cxr / "covid-findings", OUTLINED)
    films = [study.images[0] for study in studies.values()]
    without = [film for film in films if "consolidation" in film.absent]
    assert len(films) - len(without) == 23
    assert not any(mask.finding in film.absent for film in films for mask in film.masks)
