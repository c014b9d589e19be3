"""From files to incoming images and masks: the part that all importers share."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from core.findings import slug
from core.masks import MalformedMask, Mask, MaskSizeDiffers, require_size, stats
from core.studies import IncomingImage, IncomingMask, Skipped, Split, View
from data import images, records
from data.importers.plan import MaskOfAnotherSize
from data.pixels import UnreadableImage

Item = TypeVar("Item")
Result = TypeVar("Result")

_PASSED_OVER: Final = ("__MACOSX", "Thumbs.db", "desktop.ini")
_SPLITS: Final = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "val": Split.VALIDATION,
    "valid": Split.VALIDATION,
    "validate": Split.VALIDATION,
    "validation": Split.VALIDATION,
    "test": Split.TEST,
    "testing": Split.TEST,
}
_OLDEST: Final = 130


def files_below(folder: Path) -> list[Path]:
    """All files in a tree in a fixed order, without what operating systems leave about."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not _is_litter(path.relative_to(folder)))


def by_stem(folder: Path) -> tuple[dict[str, Path], list[Skipped]]:
    """The files of a tree by their path without extension; of two that differ in extension only, the first."""
    found: dict[str, Path] = {}
    skipped: list[Skipped] = []
    for path in files_below(folder):
        stem = path.relative_to(folder).with_suffix("").as_posix()
        if stem in found:
            item = path.relative_to(folder.parent).as_posix()
            skipped.append(Skipped(item, f"{found[stem].name} has the same name; the first was kept"))
        found.setdefault(stem, path)
    return found, skipped


def film(path: Path, name: str, view: View) -> IncomingImage:
    """A PNG, JPEG or TIFF file as an image. Raises UnreadableImage."""
    return film_of(path.read_bytes(), name, view)


def film_of(payload: bytes, name: str, view: View) -> IncomingImage:
    """What was in a PNG, JPEG or TIFF file as an image. Raises UnreadableImage."""
    kept = images.to_keep(payload)
    return IncomingImage(
        name=name,
        view=view,
        facts=kept.facts,
        payload=kept.payload,
        media_type=kept.media_type,
        turn=kept.turn,
        turn_reason=kept.turn_reason,
    )


def drawn(finding: str, payload: bytes, image: IncomingImage, item: str) -> IncomingMask | Skipped:
    """The mask in a file, when it is readable and of its image's size."""
    try:
        mask = images.mask_from_file(payload)
    except UnreadableImage as error:
        return Skipped(item, str(error))
    try:
        require_size(mask, image.facts.height, image.facts.width)
    except MaskSizeDiffers as error:
        return MaskOfAnotherSize(item, str(error))
    return IncomingMask(finding, images.mask_png(mask), stats(mask))


def decoded(segmentation: Any, image: IncomingImage, item: str) -> Mask | Skipped:
    """The mask in COCO run lengths, when they can be read and are of its image's size."""
    try:
        return records.drawn(segmentation, image.facts.height, image.facts.width)
    except MaskSizeDiffers as error:
        return MaskOfAnotherSize(item, str(error))
    except (MalformedMask, records.MalformedRecord) as error:
        return Skipped(item, f"the mask cannot be read ({error})")


def finding_folders(folder: Path) -> tuple[dict[str, dict[str, Path]], list[Skipped]]:
    """`<finding>/<stem>.png` below a folder: for each finding, its files by stem."""
    found: dict[str, dict[str, Path]] = {}
    skipped: list[Skipped] = []
    for each in sorted(folder.iterdir()) if folder.is_dir() else []:
        if each.is_dir() and not _is_litter(Path(each.name)):
            files, doubles = by_stem(each)
            found.setdefault(slug(each.name), {}).update(files)
            skipped += doubles
    return found, skipped


def ahead(work: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """`work` on each item in order, a few items ahead of whoever reads, in threads."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def age_in_years(text: str) -> int | None:
    """The age in "46", "46.0" or DICOM's "046Y" (months, weeks and days count as 0 years); None when it is none."""
    match = re.fullmatch(r"\s*(\d{1,3})(?:\.\d*)?\s*([YMWD]?)\s*", text, re.IGNORECASE)
    if match is None:
        return None
    number, unit = int(match.group(1)), match.group(2).upper()
    years = {"": number, "Y": number, "M": number // 12, "W": number // 52, "D": number // 365}[unit]
    return years if years <= _OLDEST else None


def sex_letter(text: str) -> str | None:
    """M, F or O (other); None when the text says neither."""
    letter = text.strip()[:1].upper()
    return letter if letter in ("M", "F", "O") else None


def split_named(text: str) -> Split | None:
    return _SPLITS.get(text.strip().lower())


def _is_litter(relative: Path) -> bool:
    return any(part.startswith(".") or part in _PASSED_OVER for part in relative.parts)
