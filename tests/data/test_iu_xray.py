import io
from collections import Counter
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from core.findings import State
from core.labels import Source
from core.studies import IncomingStudy, Skipped, View
from data.images import mask_png, read_mask
from data.importers import IMPORTERS
from data.importers.plan import ImportOptions, NothingToImport
from data.tables import MissingColumns, MissingTable

OPTIONS = ImportOptions(secret=b"secret")
REPORTS = "uid,MeSH,Problems,image,indication,comparison,findings,impression\n"
PROJECTIONS = "uid,filename,projection\n"


def picture(seed: int, kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (16, 16), dtype=np.uint8)
    PIL.Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Two studies in the layout of the release, the images with another extension than the table says."""
    folder = tmp_path / "iu"
    images = folder / "images" / "images_normalized"
    images.mkdir(parents=True)
    for number, stem in enumerate(("1_IM-0001-4001.dcm", "1_IM-0001-3001.dcm", "2_IM-0652-1001.dcm")):
        (images / f"{stem}.jpg").write_bytes(picture(number))
    (folder / "indiana_reports.csv").write_text(
        REPORTS + '1,normal,normal,PA and Lateral,Cough,None.,"The heart is normal, XXXX.",No acute disease.\n'
        "2,Opacity,Opacity,PA,,,Opacity at the left base.,\n"
    )
    (folder / "indiana_projections.csv").write_text(
        PROJECTIONS
        + "1,1_IM-0001-4001.dcm.png,Frontal\n1,1_IM-0001-3001.dcm.png,Lateral\n2,2_IM-0652-1001.dcm.png,Frontal\n"
    )
    return folder


def brought(folder: Path) -> tuple[list[IncomingStudy], list[Skipped], list[str]]:
    plan = IMPORTERS["iu-xray"](folder, OPTIONS)
    items = list(plan.studies)
    studies = [item for item in items if isinstance(item, IncomingStudy)]
    assert plan.total >= len(studies)
    return studies, [item for item in items if isinstance(item, Skipped)], plan.warnings


def test_a_uid_is_a_study_and_a_patient_with_its_views_and_report(release: Path) -> None:
    (one, two), skipped, _ = brought(release)
    assert skipped == []
    assert (one.patient, one.key) == ("1", "1")
    assert [(image.name, image.view) for image in one.images] == [
        ("1_IM-0001-4001.dcm", View.FRONTAL),
        ("1_IM-0001-3001.dcm", View.LATERAL),
    ]
    assert one.report is not None
    assert (one.report.indication, one.report.comparison, one.report.technique) == ("Cough", "None.", "PA and Lateral")
    assert one.report.findings == "The heart is normal, XXXX."
    assert one.report.impression == "No acute disease."
    assert two.report is not None
    assert two.report.impression == ""


def test_what_the_store_will_keep_is_the_file_itself(release: Path) -> None:
    (one, _), _, _ = brought(release)
    assert one.images[0].payload == picture(0)
    assert one.images[0].media_type == "image/jpeg"


def test_labels_beside_the_reports_become_imported_labels_by_their_finding(release: Path) -> None:
    (release / "finding_labels.csv").write_text(
        "uid,Effusion,Cardiomegaly,Hernia,normal\n1,0,,0,1\n2,1,-1,1,0\n3,1,1,1,1\n"
    )
    (one, two), skipped, warnings = brought(release)
    assert {label.finding: label.state for label in one.labels} == {
        "pleural_effusion": State.ABSENT,
        "hernia": State.ABSENT,
        "no_finding": State.PRESENT,
    }
    assert {label.finding: label.state for label in two.labels} == {
        "pleural_effusion": State.PRESENT,
        "cardiomegaly": State.UNCERTAIN,
        "hernia": State.PRESENT,
        "no_finding": State.ABSENT,
    }
    assert skipped == []
    assert any("hernia" in warning for warning in warnings)


def test_a_label_that_is_no_state_is_told(release: Path) -> None:
    (release / "finding_labels.csv").write_text("uid,Effusion,Edema\n1,7,1\n")
    (one, _), skipped, _ = brought(release)
    assert [label.finding for label in one.labels] == ["edema"]
    assert skipped[0].item == "finding_labels.csv line 2"
    assert "effusion" in skipped[0].reason


def test_rows_of_one_uid_that_say_the_same_are_told_and_what_contradicts_is_kept_apart(release: Path) -> None:
    (release / "finding_labels.csv").write_text("uid,Effusion,Edema\n1,1,0\n1,1,0\n1,,0\n2,1,0\n2,0,0\n,1,1\n")
    (one, two), skipped, _ = brought(release)
    assert [(label.finding, label.state) for label in one.labels] == [
        ("pleural_effusion", State.PRESENT),
        ("edema", State.ABSENT),
    ]
    assert [(label.finding, label.state) for label in two.labels] == [
        ("pleural_effusion", State.PRESENT),
        ("edema", State.ABSENT),
        ("pleural_effusion", State.ABSENT),
    ]
    assert {label.source for label in two.labels} == {Source.IMPORTED}
    reasons = {item.item: item.reason for item in skipped}
    assert reasons.keys() == {f"finding_labels.csv line {line}" for line in (3, 4, 7)}
    assert "says the same" in reasons["finding_labels.csv line 3"]
    assert "no uid" in reasons["finding_labels.csv line 7"]


def test_labels_of_studies_without_a_film_are_counted(release: Path) -> None:
    (release / "finding_labels.csv").write_text("uid,Edema\n1,1\n77,1\n78,0\n")
    _, skipped, warnings = brought(release)
    assert skipped == []
    assert any("labels of 2 studies" in warning for warning in warnings)


def test_a_column_without_a_name_holds_no_finding(release: Path) -> None:
    (release / "finding_labels.csv").write_text("uid,Edema,\n1,1,1\n")
    (one, _), skipped, _ = brought(release)
    assert [label.finding for label in one.labels] == ["edema"]
    assert skipped == []


def test_a_label_table_with_rows_that_cannot_be_told_apart_leaves_the_rest(release: Path) -> None:
    (release / "finding_labels.csv").write_text("uid,Edema,Effusion\n1,1\n2,1,0\n")
    (one, two), (skipped,), _ = brought(release)
    assert (one.labels, len(two.labels)) == ((), 2)
    assert skipped.item == "finding_labels.csv line 2"


def test_a_label_table_without_uids_is_refused(release: Path) -> None:
    (release / "finding_labels.csv").write_text("study,Edema\n1,1\n")
    with pytest.raises(MissingColumns, match="uid"):
        brought(release)


def test_masks_come_from_masked_where_it_is_present(release: Path) -> None:
    lungs = np.zeros((16, 16), dtype=bool)
    lungs[4:12, 2:6] = True
    (release / "masked" / "Left Lung").mkdir(parents=True)
    (release / "masked" / "1_IM-0001-4001.dcm.png").write_bytes(mask_png(lungs))
    (release / "masked" / "Left Lung" / "1_IM-0001-4001.dcm.png").write_bytes(mask_png(lungs))
    (release / "masked" / "2_IM-0652-1001.dcm.png").write_bytes(mask_png(np.zeros((9, 9), dtype=bool)))
    (one, two), skipped, _ = brought(release)
    assert {mask.finding for mask in one.images[0].masks} == {"lungs", "left_lung"}
    assert np.array_equal(read_mask(one.images[0].masks[0].png), lungs)
    assert two.images[0].masks == ()
    assert "9 x 9" in skipped[0].reason


def test_missing_tables_and_columns_are_named(release: Path) -> None:
    (release / "indiana_projections.csv").write_text("uid,file\n1,x\n")
    with pytest.raises(MissingColumns, match="filename, projection"):
        brought(release)
    (release / "indiana_reports.csv").unlink()
    with pytest.raises(MissingTable, match=r"indiana_reports\.csv"):
        brought(release)


def test_a_folder_without_images_is_refused(release: Path) -> None:
    (release / "images").rename(release / "pictures")
    with pytest.raises(NothingToImport, match="images_normalized"):
        brought(release)


def test_of_duplicate_uids_the_first_is_kept_and_the_rest_told(release: Path) -> None:
    with (release / "indiana_reports.csv").open("a") as file:
        file.write("1,,,,,,Another text.,\n")
    with (release / "indiana_projections.csv").open("a") as file:
        file.write("2,1_IM-0001-4001.dcm.png,Lateral\n")
    (one, two), skipped, _ = brought(release)
    assert one.report is not None
    assert one.report.findings.startswith("The heart")
    assert len(two.images) == 1
    assert {item.item for item in skipped} == {"indiana_reports.csv line 4", "indiana_projections.csv line 5"}


def test_a_truncated_or_missing_image_leaves_the_rest_of_its_study(release: Path) -> None:
    images = release / "images" / "images_normalized"
    lateral = images / "1_IM-0001-3001.dcm.jpg"
    lateral.write_bytes(lateral.read_bytes()[:-30])
    (images / "2_IM-0652-1001.dcm.jpg").unlink()
    (one,), skipped, _ = brought(release)
    assert [image.view for image in one.images] == [View.FRONTAL]
    reasons = {item.item: item.reason for item in skipped}
    assert "cut off" in reasons["1_IM-0001-3001.dcm.jpg"]
    assert "no file of this name" in reasons["2_IM-0652-1001.dcm"]
    assert "study 2" in reasons


def test_html_and_formulas_in_a_report_stay_text(release: Path) -> None:
    (release / "indiana_reports.csv").write_text(REPORTS + '1,,,,,,<script>alert(1)</script>,"=HYPERLINK(""x"")"\n')
    (one, two), _, _ = brought(release)
    assert one.report is not None
    assert one.report.findings == "<script>alert(1)</script>"
    assert one.report.impression == '=HYPERLINK("x")'
    assert two.report is None


def test_a_report_without_images_is_told(release: Path) -> None:
    with (release / "indiana_reports.csv").open("a") as file:
        file.write("77,,,,,,Clear.,\n")
    _, skipped, _ = brought(release)
    assert skipped[0].item == "study 77"


@pytest.mark.realdata
def test_all_of_the_real_collection_comes_in(cxr: Path) -> None:
    studies, skipped, _ = brought(cxr / "iu-xray")
    assert len(studies) == 3450
    assert sum(len(study.images) for study in studies) == 6677
    assert skipped == []
    assert all(study.report for study in studies)
    assert all(len(study.labels) == 15 for study in studies)
    present = Counter(label.finding for s in studies for label in s.labels if label.state is State.PRESENT)
    assert (present["no_finding"], present["pneumothorax"], present["cardiomegaly"]) == (1227, 18, 304)
