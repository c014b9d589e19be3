"""Zip archives unpacked with care: no entry leaves the folder, none swells beyond reason, and a refused one is told."""

import shutil
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

from core.errors import ReadingRoomError, room_for
from core.studies import Skipped

_SWELLING: Final = 200
_SMALL: Final = 64 << 20
_LARGEST_ENTRY: Final = 8 << 30
_MOST_ENTRIES: Final = 2_000_000
_CHUNK: Final = 1 << 20
_LAYOUT: Final = ("images", "masks")


class BadArchive(ReadingRoomError):
    """A zip that cannot be read at all, or that holds more than fits."""


@dataclass(frozen=True)
class Unpacked:
    """Where an archive was unpacked to, and the entries that were refused."""

    folder: Path
    refused: tuple[Skipped, ...]


def is_archive(path: Path) -> bool:
    return path.is_file() and zipfile.is_zipfile(path)


def unpack(archive: Path, folder: Path) -> Unpacked:
    """Unpack a zip into an empty folder. Raises BadArchive and DiskFull.

    Refused one by one: names that lead out of the folder, links, encrypted entries, entries of more than 8 GiB, and
    entries above 64 MiB that are packed more than 200 to 1. A single top folder around everything is taken off.
    """
    refused: list[Skipped] = []
    with room_for(f"unpacking into {folder}"):
        try:
            with zipfile.ZipFile(archive) as opened:
                entries = [entry for entry in opened.infolist() if not entry.is_dir()]
                _require_room(archive, entries, folder)
                for entry in entries:
                    reason = _objection(entry)
                    if reason is None:
                        reason = _write(opened, entry, folder)
                    if reason:
                        refused.append(Skipped(entry.filename, reason))
        except zipfile.BadZipFile as error:
            raise BadArchive(f"{archive.name} is no zip archive that can be read ({error}). Copy it again.") from error
    return Unpacked(_top(folder), tuple(refused))


def _require_room(archive: Path, entries: list[zipfile.ZipInfo], folder: Path) -> None:
    if len(entries) > _MOST_ENTRIES:
        raise BadArchive(f"{archive.name} holds {len(entries):,} files; at most {_MOST_ENTRIES:,} are unpacked.")
    needed = sum(entry.file_size for entry in entries if _objection(entry) is None)
    if needed > shutil.disk_usage(folder).free:
        raise BadArchive(
            f"{archive.name} unpacks to {needed / 1e9:,.1f} GB, which does not fit on the disk that holds {folder}. "
            "Free some space, or unpack it elsewhere and import the folder."
        )


def _objection(entry: zipfile.ZipInfo) -> str | None:
    name = entry.filename.replace("\\", "/")
    parts = PurePosixPath(name).parts
    if name.startswith("/") or PureWindowsPath(name).drive or ".." in parts or "\0" in name:
        return "its name leads out of the archive's folder, so it was not unpacked"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "it is a link, and links are not followed"
    if entry.flag_bits & 0x1:
        return "it is encrypted; unpack the archive with its password and import the folder"
    if entry.file_size > _LARGEST_ENTRY:
        return f"it unpacks to {entry.file_size:,} bytes, more than any film or table"
    if entry.file_size > _SMALL and entry.file_size > _SWELLING * max(entry.compress_size, 1):
        return f"it swells from {entry.compress_size:,} to {entry.file_size:,} bytes, as only a zip bomb does"
    return None


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> str | None:
    """Write one entry; a sentence when its bytes are damaged, and then nothing of it is left."""
    place = folder / PurePosixPath(entry.filename.replace("\\", "/"))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with opened.open(entry) as source, place.open("xb") as target:
            shutil.copyfileobj(source, target, _CHUNK)
    except (FileExistsError, NotADirectoryError):
        return "another entry of the archive has this name; the first was kept"
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error) as error:
        place.unlink(missing_ok=True)
        return f"it cannot be unpacked ({error})"
    return None


def _top(folder: Path) -> Path:
    """The folder itself, or the one folder that everything in it lies in, unless that is part of a layout."""
    held = [each for each in folder.iterdir() if each.name != "__MACOSX" and not each.name.startswith(".")]
    is_wrapped = len(held) == 1 and held[0].is_dir() and held[0].name not in _LAYOUT
    return held[0] if is_wrapped else folder
