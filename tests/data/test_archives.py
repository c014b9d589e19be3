import io
import stat
import zipfile
from pathlib import Path

import pytest

from data import archives
from data.archives import BadArchive, is_archive, unpack


def zipped(place: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(place, "w", compression) as archive:
        for name, body in entries.items():
            archive.writestr(zipfile.ZipInfo(name), body, compression)
    return place


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def room(tmp_path: Path) -> Path:
    folder = tmp_path / "a" / "room"
    folder.mkdir(parents=True)
    return folder


def test_names_that_lead_out_are_refused_one_by_one_and_the_rest_comes_out(tmp_path: Path, room: Path) -> None:
    bad = ["../evil.png", "images/../../evil.png", "/etc/evil.png", "C:\\evil.png", "..\\evil.png"]
    place = zipped(tmp_path / "a.zip", dict.fromkeys(bad, b"x") | {"images/good.png": b"good", "cases.csv": b"image\n"})
    unpacked = unpack(place, room)
    assert {"../evil.png", "/etc/evil.png", bad[1]} <= {refused.item for refused in unpacked.refused}
    assert all("leads out" in refused.reason for refused in unpacked.refused)
    assert len(unpacked.refused) == len(bad)
    assert files(tmp_path) == {"a.zip", "a/room/images/good.png", "a/room/cases.csv"}


def test_a_link_is_not_followed(tmp_path: Path, room: Path) -> None:
    link = zipfile.ZipInfo("images/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("cases.csv", "image")
    (refused,) = unpack(tmp_path / "a.zip", room).refused
    assert "link" in refused.reason


def test_an_entry_that_swells_like_a_bomb_is_refused(
    tmp_path: Path, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_SMALL", 1 << 16)
    place = zipped(tmp_path / "a.zip", {"bomb.png": bytes(1 << 20), "small.png": bytes(100)})
    (refused,) = unpack(place, room).refused
    assert refused.item == "bomb.png"
    assert "bomb" in refused.reason
    assert files(room) == {"small.png"}


def test_an_archive_that_does_not_fit_is_refused_before_it_is_unpacked(
    tmp_path: Path, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = zipped(tmp_path / "a.zip", {"film.png": bytes(1000)})
    usage = archives.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda path: usage._replace(free=10))
    with pytest.raises(BadArchive, match="does not fit"):
        unpack(place, room)
    assert files(room) == set()


def test_a_damaged_entry_is_left_out_whole(tmp_path: Path, room: Path) -> None:
    place = zipped(tmp_path / "a.zip", {"one.png": b"first" * 40, "two.png": b"second"}, zipfile.ZIP_STORED)
    body = bytearray(place.read_bytes())
    body[body.index(b"firstfirst") + 7] ^= 0xFF
    place.write_bytes(body)
    (refused,) = unpack(place, room).refused
    assert refused.item == "one.png"
    assert files(room) == {"two.png"}


def test_a_file_cut_off_is_no_archive(tmp_path: Path, room: Path) -> None:
    place = zipped(tmp_path / "a.zip", {"one.png": b"first" * 40})
    assert is_archive(place)
    place.write_bytes(place.read_bytes()[:60])
    assert not is_archive(place)
    with pytest.raises(BadArchive, match=r"a\.zip"):
        unpack(place, room)


def test_a_single_top_folder_is_taken_off_but_not_one_of_the_layout(tmp_path: Path, room: Path) -> None:
    place = zipped(tmp_path / "a.zip", {"site/images/x.png": b"", "site/cases.csv": b"", "__MACOSX/._x": b""})
    assert unpack(place, room).folder == room / "site"
    other = tmp_path / "other"
    other.mkdir()
    assert unpack(zipped(tmp_path / "b.zip", {"images/x.png": b""}), other).folder == other


def test_of_two_entries_with_one_name_the_first_is_kept(tmp_path: Path, room: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x.png", "first")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("x.png", "second")
    place = tmp_path / "a.zip"
    place.write_bytes(out.getvalue())
    assert len(unpack(place, room).refused) == 1
    assert (room / "x.png").read_text() == "first"
