import gzip
from pathlib import Path

import pytest

from core.studies import Skipped
from data.tables import BrokenTable, MissingColumns, MissingTable, Row, open_table


def written(folder: Path, body: bytes, name: str = "table.csv") -> Path:
    place = folder / name
    place.write_bytes(body)
    return place


def rows(place: Path) -> list[Row]:
    found = list(open_table(place).rows())
    assert all(isinstance(row, Row) for row in found)
    return [row for row in found if isinstance(row, Row)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_read_with_and_without_its_mark(tmp_path: Path, encoding: str) -> None:
    place = written(tmp_path, "uid,Notes\n1,größer als 3 µm\n".encode(encoding))
    table = open_table(place)
    assert table.columns == ("uid", "notes")
    assert table.note is None
    assert rows(place)[0]["notes"] == "größer als 3 µm"


def test_windows_1252_is_read_and_noted(tmp_path: Path) -> None:
    place = written(tmp_path, "uid,notes\n1,größer\n".encode("cp1252") + b"2,\x81\n")
    assert [row["notes"] for row in rows(place)] == ["größer", "\N{REPLACEMENT CHARACTER}"]
    assert "Windows-1252" in (open_table(place).note or "")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_seen_in_the_header(tmp_path: Path, separator: str) -> None:
    place = written(tmp_path, f"uid{separator}notes\n1{separator}two\n".encode())
    assert [(row["uid"], row["notes"]) for row in rows(place)] == [("1", "two")]


def test_a_gzipped_table_is_read(tmp_path: Path) -> None:
    place = written(tmp_path, gzip.compress(b"uid,notes\n1,two\n"), "table.csv.gz")
    assert rows(place)[0]["notes"] == "two"


def test_a_broken_gzip_is_told_when_the_table_is_opened(tmp_path: Path) -> None:
    whole = gzip.compress(b"uid,notes\n" + b"".join(b"%d,two\n" % n for n in range(5000)))
    damaged = bytearray(whole)
    damaged[len(damaged) // 2] ^= 0xFF
    for number, body in enumerate((whole[:-20], whole[: len(whole) // 2], b"uid,notes\n1,two\n", bytes(damaged))):
        with pytest.raises(BrokenTable, match=r"table.*csv\.gz cannot be unpacked.*Copy it again"):
            open_table(written(tmp_path, body, f"table{number}.csv.gz"))


def test_a_row_knows_its_line_across_quoted_line_breaks(tmp_path: Path) -> None:
    place = written(tmp_path, b'uid,notes\n1,"a\nb"\n\n2,c\n')
    assert [(row.line, row["notes"]) for row in rows(place)] == [(2, "a\nb"), (5, "c")]


def test_missing_columns_are_all_named_with_what_is_there(tmp_path: Path) -> None:
    table = open_table(written(tmp_path, b"uid,notes\n"))
    with pytest.raises(MissingColumns, match=r"table\.csv lacks the columns findings, impression\. It has: uid, notes"):
        table.require("uid", "findings", "impression")


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingTable, match=r"cases\.csv is not in"):
        open_table(tmp_path / "cases.csv")


def test_an_empty_file_has_no_columns(tmp_path: Path) -> None:
    table = open_table(written(tmp_path, b""))
    with pytest.raises(MissingColumns, match="none"):
        table.require("uid")


def test_a_row_of_another_width_is_skipped_and_the_rest_is_read(tmp_path: Path) -> None:
    found = list(open_table(written(tmp_path, b"uid,notes\n1\n2,b,c\n3,d\n")).rows())
    assert [item.item for item in found if isinstance(item, Skipped)] == ["table.csv line 2", "table.csv line 3"]
    assert [row["uid"] for row in found if isinstance(row, Row)] == ["3"]


def test_a_quotation_mark_that_is_never_closed_is_told_and_swallows_nothing_silently(tmp_path: Path) -> None:
    body = b'uid,notes\n1,a\n2,"b\n' + b"3,c\n" * 1500
    *_, last = open_table(written(tmp_path, body)).rows()
    assert isinstance(last, Skipped)
    assert last.item == "table.csv line 3"
    assert "not closed" in last.reason
