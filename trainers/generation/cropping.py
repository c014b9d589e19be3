"""Frontal films cropped to the lungs: which model finds them, and the squares and windows that come of it."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.crops import Crop
from core.masks import Mask
from core.recipes import GenerationRecipe
from trainers.checkpoints import sha256_of
from trainers.contract import InUse, Shelf
from trainers.datasets import FilmCache, Square, read_film, to_square, write_whole
from trainers.folders import WEIGHTS
from trainers.retrieval.data import Pose
from trainers.segmentation import model as segmentation
from trainers.segmentation.model import SegmentationModel, at_native_size
from trainers.segmentation.prompts import words_on

LUNGS = (("lungs",), ("left_lung", "right_lung"))
"""The findings that are both lungs together."""
GOOD = 0.9
"""Dice that the lower bound of the interval reaches for each of them, by a model that is good enough."""
SMALLEST, LARGEST = 0.15, 0.95
"""Share of the film that a window with lungs takes; one that is smaller has missed them, a larger one crops nothing."""
SPECK = 0.1
"""Of the largest marked piece; what is smaller is no lung."""
FOLDER = "lungs"


@dataclass(frozen=True)
class LungFinder:
    """A segmentation model that finds the lungs, by its name and the hash of its weights."""

    name: str
    sha: str
    margin: float
    model: SegmentationModel
    findings: tuple[str, ...]

    @classmethod
    def of(cls, name: str, folder: Path, margin: float) -> "LungFinder":
        """Raises CorruptModel."""
        model = segmentation.load(folder)
        return cls(name, sha256_of(folder / WEIGHTS), margin, model, _lungs_of([f.key for f in model.findings]))

    @property
    def fingerprint(self) -> str:
        """Of all on which its windows depend."""
        return hashlib.sha256(f"{self.sha} {self.margin}".encode()).hexdigest()[:16]

    def window(self, pixels: NDArray[np.uint8]) -> Crop | None:
        """Around the lungs on a film (H, W); None where they are not found, or fill it."""
        recipe = self.model.recipe
        asked = {key: words_on(finding, None, recipe.text) for key in self.findings
                 if (finding := self.model.finding(key)) is not None}  # fmt: skip
        features = self.model.encode([to_square(pixels, recipe.image_size, recipe.fit)])
        logits = self.model.outline(features, asked, None)
        marked = at_native_size(logits, pixels.shape[0], pixels.shape[1], recipe.fit).amax(dim=0).cpu().numpy() >= 0.5
        crop = Crop.around(_without_specks(marked), self.margin)
        if crop is None or not SMALLEST <= crop.share_of(pixels.shape[0], pixels.shape[1]) <= LARGEST:
            return None
        return crop

    def save(self, folder: Path) -> None:
        """Beside the model whose films it crops, so that the windows stay what they were whatever is put in use."""
        (folder / FOLDER).mkdir()
        segmentation.save(self.model, folder / FOLDER)


class Views:
    """Films as a model reads them: the frontal ones cropped by `lungs`, if there are any."""

    def __init__(self, whole: FilmCache, lungs: LungFinder | None) -> None:
        self.side = whole.side
        self._whole, self._cropped = whole, CroppedFilms(whole, lungs) if lungs is not None else None

    def film(self, sha: str, pose: Pose) -> Square:
        """(side, side) uint8. Raises what FilmCache raises."""
        return self._of(pose).film(sha)

    def window(self, sha: str, pose: Pose) -> Crop | None:
        """What of the film is read; None where all of it is."""
        films = self._of(pose)
        return films.window(sha) if isinstance(films, CroppedFilms) else None

    def warm(self, wanted: Iterable[tuple[str, Pose]], each: Callable[[int], None]) -> None:
        """Make sure of everything named; `each` hears how many are done."""
        for done, (sha, pose) in enumerate(wanted, start=1):
            self.film(sha, pose)
            each(done)

    def _of(self, pose: Pose) -> FilmCache:
        return self._cropped if self._cropped is not None and pose is Pose.FRONTAL else self._whole


class CroppedFilms(FilmCache):
    """Beside each square lies the window that it shows, as JSON."""

    def __init__(self, whole: FilmCache, lungs: LungFinder) -> None:
        super().__init__(whole.cache, whole.store, whole.side, whole.fit)
        self._lungs = lungs
        self._folder = self._folder.with_name(f"{self._folder.name}-{FOLDER}-{lungs.fingerprint}")

    def film(self, sha: str) -> Square:
        def cropped(payload: bytes) -> Square:
            pixels = read_film(payload)
            crop = self._record(sha, self._lungs.window(pixels))
            return to_square(pixels if crop is None else crop.cut(pixels), self.side, self.fit)

        return self._read(sha, "film", cropped)

    def window(self, sha: str) -> Crop | None:
        try:
            told = json.loads(self._place(sha).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return self._record(sha, self._lungs.window(read_film(self.store.get(sha))))
        return Crop(**told) if told else None

    def _record(self, sha: str, crop: Crop | None) -> Crop | None:
        write_whole(self._place(sha), json.dumps(asdict(crop) if crop is not None else None).encode())
        return crop

    def _place(self, sha: str) -> Path:
        return self._folder / sha[:2] / f"{sha}.json"


def lungs_for(recipe: GenerationRecipe, shelf: Shelf) -> tuple[LungFinder | None, str]:
    """Who finds the lungs for a training by this recipe; or nobody, and why. Raises CorruptModel."""
    if recipe.crop == "none" or recipe.reads != "films":
        return None, ""
    champion = shelf.in_use("segmentation")
    why = _not_good_enough(champion)
    if champion is None or why:
        return None, why
    return LungFinder.of(champion.name, champion.folder, recipe.crop_margin), ""


def _not_good_enough(champion: InUse | None) -> str:
    """Why a model does not find lungs well enough; "" where it does."""
    if champion is None:
        return "no segmentation model is in use"
    measured = champion.metrics["dice"].per_finding if "dice" in champion.metrics else {}
    lungs = _lungs_of(measured)
    if not lungs:
        return f"{champion.name}, the segmentation model in use, was not measured on lungs"
    for key in lungs:
        found = measured[key]
        if found.low is None or found.low < GOOD:
            low = "unknown" if found.low is None else f"{found.low:.3f}"
            return (
                f"{champion.name} has on {key.replace('_', ' ')} a Dice whose lower bound is {low}, where {GOOD} is "
                "asked for"
            )
    return ""


def _lungs_of(keys: Iterable[str]) -> tuple[str, ...]:
    known = set(keys)
    return next((pair for pair in LUNGS if known.issuperset(pair)), ())


def _without_specks(marked: Mask) -> Mask:
    pieces, count = ndimage.label(marked)
    if count < 2:
        return marked
    sizes = np.bincount(pieces.ravel())[1:]
    kept: Mask = np.isin(pieces, 1 + np.flatnonzero(sizes >= SPECK * sizes.max()))
    return kept
