"""OpenI comes in from the parquet files of the hub, in each of the layouts in which it is found there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.reports import Report
from core.studies import IncomingStudy, Skipped, Split, View
from data.importers import IMPORTERS
from data.importers.plan import VIEW_ASSUMED, ImportOptions, NothingToImport
from data.tables import MissingColumns

OPTIONS = ImportOptions(secret=b"")
PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])

Picture = Callable[[int], bytes]


@pytest.fixture
def picture(film: np.ndarray, encoded: Callable[..., bytes]) -> Picture:
    return lambda seed: encoded(film + np.uint8(seed % 50), "JPEG" if seed % 2 else "PNG")


@pytest.fixture
def studies(picture: Picture) -> dict[str, Any]:
    """Three rows as the hub's most complete copy has them: two films and the report in sections; bytes bare."""
    return {
        "uid": [1, 2, 3],
        "MeSH": ["normal", "Cardiomegaly/borderline", "normal"],
        "Problems": ["normal", "Cardiomegaly", "normal"],
        "image": ["Xray Chest PA and Lateral", "Chest, 2 views", "PA chest"],
        "indication": ["Positive TB test", "Preop.", None],
        "comparison": ["None.", None, None],
        "findings": ["The heart is normal.", "Borderline cardiomegaly.", None],
        "impression": ["Normal chest x-XXXX.", "No acute findings.", None],
        "img_frontal": [picture(1), picture(2), picture(3)],
        "img_lateral": [picture(11), None, picture(13)],
    }


def write(place: Path, columns: dict[str, Any], schema: dict[str, pa.DataType] | None = None) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: pa.array(cells, (schema or {}).get(name)) for name, cells in columns.items()}
    pq.write_table(pa.table(arrays), place, row_group_size=2)
    return place


def brought(path: Path, options: ImportOptions = OPTIONS) -> tuple[list[IncomingStudy], list[Skipped], list[str]]:
    plan = IMPORTERS["openi-parquet"](path, options)
    items = list(plan.studies)
    found = [item for item in items if isinstance(item, IncomingStudy)]
    assert plan.total >= len({study.key for study in found})
    return found, [item for item in items if isinstance(item, Skipped)], plan.warnings


def test_a_row_is_a_study_with_its_two_films_and_its_report(tmp_path: Path, studies: dict[str, Any]) -> None:
    found, skipped, warnings = brought(write(tmp_path / "train-00000-of-00001.parquet", studies))
    assert (skipped, warnings) == ([], [])
    assert [(study.patient, study.key, study.split) for study in found] == [(n, n, None) for n in "123"]
    assert [[(image.name, image.view) for image in study.images] for study in found] == [
        [("frontal", View.FRONTAL), ("lateral", View.LATERAL)],
        [("frontal", View.FRONTAL)],
        [("frontal", View.FRONTAL), ("lateral", View.LATERAL)],
    ]
    assert found[0].report == Report(
        indication="Positive TB test",
        comparison="None.",
        technique="Xray Chest PA and Lateral",
        findings="The heart is normal.",
        impression="Normal chest x-XXXX.",
    )
    assert found[2].report is None


def test_a_row_may_be_a_film_with_its_view_and_rows_of_a_study_are_joined(tmp_path: Path, picture: Picture) -> None:
    columns = {
        "image": [{"bytes": picture(n), "path": f"CXR{n}_1_IM.png" if n < 3 else None} for n in range(1, 4)],
        "uid": ["7", "7", "8"],
        "projection": ["Frontal", "Lateral", "Frontal"],
        "report": ["FINDINGS: Clear lungs.\nIMPRESSION: Normal.", None, "Clear lungs."],
    }
    found, skipped, warnings = brought(write(tmp_path / "0000.parquet", columns, {"image": PICTURE}))
    assert (skipped, warnings) == ([], [])
    assert [[(image.name, image.view) for image in study.images] for study in found] == [
        [("CXR1_1_IM", View.FRONTAL), ("CXR2_1_IM", View.LATERAL)],
        [("0000-3", View.FRONTAL)],
    ]
    assert [study.report for study in found] == [
        Report(findings="Clear lungs.", impression="Normal."),
        Report(text="Clear lungs."),
    ]


def test_without_uid_each_row_is_a_study_and_unstated_views_are_told(tmp_path: Path, picture: Picture) -> None:
    columns = {"Image": [{"bytes": picture(n), "path": None} for n in range(3)], "Text": ["Clear.", "Opacity.", ""]}
    place = write(tmp_path / "part.parquet", columns, {"Image": PICTURE})
    found, skipped, warnings = brought(place)
    assert [study.key for study in found] == ["part-1", "part-2", "part-3"]
    assert {image.view for study in found for image in study.images} == {View.FRONTAL}
    assert (skipped, warnings) == ([], [VIEW_ASSUMED])
    found, _, warnings = brought(place, ImportOptions(secret=b"", view=View.PA))
    assert ({image.view for study in found for image in study.images}, warnings) == ({View.PA}, [])


def test_a_row_may_hold_several_films(tmp_path: Path, picture: Picture) -> None:
    films = [{"bytes": picture(1), "path": None}, {"bytes": picture(2), "path": None}]
    columns = {"images": [films], "findings": ["Clear."], "uid": [5.0]}
    (study,), _, _ = brought(write(tmp_path / "a.parquet", columns, {"images": pa.list_(PICTURE)}))
    assert study.key == "5"
    assert [image.name for image in study.images] == ["a-1", "a-1-2"]


def test_shards_of_several_splits_give_the_split_and_a_study_in_two_is_refused(
    tmp_path: Path, studies: dict[str, Any]
) -> None:
    write(tmp_path / "data/train-00000-of-00001.parquet", studies)
    write(tmp_path / "data/test-00000-of-00001.parquet", {**studies, "uid": [4, 5, 3]})
    found, (refused,), _ = brought(tmp_path)
    assert {study.key: study.split for study in found} == {
        "1": Split.TRAIN,
        "2": Split.TRAIN,
        "4": Split.TEST,
        "5": Split.TEST,
    }
    assert refused.item == "patient 3"


def test_films_that_are_missing_or_broken_are_listed_and_the_rest_comes_in(
    tmp_path: Path, studies: dict[str, Any]
) -> None:
    films = {"img_frontal": [b"torn", None, *studies["img_frontal"][2:]]}
    found, skipped, _ = brought(write(tmp_path / "a.parquet", {**studies, **films}))
    assert [study.key for study in found] == ["1", "3"]
    assert [item.item for item in skipped] == ["a.parquet row 1, frontal", "a.parquet row 2"]
    assert skipped[1].reason == "the row holds no film"


def test_columns_found_and_missing_are_named(tmp_path: Path, studies: dict[str, Any]) -> None:
    texts = {name: cells for name, cells in studies.items() if not name.startswith("img_")}
    with pytest.raises(MissingColumns, match=r"img_frontal or image .*It has: uid, MeSH, Problems, image, indication"):
        brought(write(tmp_path / "a.parquet", texts))
    films = {name: studies[name] for name in ("uid", "img_frontal")}
    with pytest.raises(MissingColumns, match=r"findings, impression, report or text\. It has: uid, img_frontal"):
        brought(write(tmp_path / "a.parquet", films))


@pytest.mark.parametrize("body", [b"", b"PAR1", b"no parquet at all" * 9])
def test_a_file_that_is_no_parquet_is_listed_and_the_others_come_in(
    tmp_path: Path, studies: dict[str, Any], body: bytes
) -> None:
    (tmp_path / "a.parquet").write_bytes(body)
    with pytest.raises(NothingToImport, match="copy it again"):
        brought(tmp_path)
    write(tmp_path / "b.parquet", studies)
    found, (skipped,), _ = brought(tmp_path)
    assert len(found) == 3
    assert skipped.item == "a.parquet"


def test_what_stands_before_the_damage_in_a_file_comes_in(tmp_path: Path, studies: dict[str, Any]) -> None:
    place = write(tmp_path / "a.parquet", studies)
    body = bytearray(place.read_bytes())
    group = pq.read_metadata(place).row_group(1)
    pages = [group.column(n) for n in range(group.num_columns)]
    for column in pages:
        body[column.data_page_offset : column.data_page_offset + 8] = b"\xff" * 8
    place.write_bytes(body)
    found, skipped, _ = brought(place)
    assert [study.key for study in found] == ["1", "2"]
    assert skipped[0].item == "a.parquet from row 3"
    assert "copy it again" in skipped[0].reason


def test_a_folder_without_parquet_is_told(tmp_path: Path) -> None:
    with pytest.raises(NothingToImport, match="No parquet file"):
        brought(tmp_path)


def test_a_file_of_many_films_is_never_held(tmp_path: Path, encoded: Callable[..., bytes]) -> None:
    noise = np.random.default_rng(0)
    bodies = [encoded(noise.integers(0, 256, (256, 256), np.uint8), "PNG") for _ in range(20)]
    place = tmp_path / "a.parquet"
    columns = {"uid": list(range(400)), "img_frontal": bodies * 20, "findings": ["Clear."] * 400}
    pq.write_table(pa.table(columns), place, row_group_size=20, use_dictionary=False, compression="none")
    del columns
    before, most, count = pa.total_allocated_bytes(), 0, 0
    for _ in IMPORTERS["openi-parquet"](place, OPTIONS).studies:
        most, count = max(most, pa.total_allocated_bytes() - before), count + 1
    assert count == 400
    assert place.stat().st_size > 24 * 2**20
    assert most < 6 * 2**20
