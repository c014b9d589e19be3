"""From stored films and masks to the small squares that networks read, decoded once and kept.

A film is decoded, windowed to 8 bits and made square once; what is kept in the workspace's cache is its raw pixels,
under the film's content hash, the side and the way it was fitted. Every family and every process reads the same files,
so a training step spends next to nothing on loading. Whatever is in the cache can be deleted at any time.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from core.masks import Mask
from data import images
from data.store import Store

Square = NDArray[np.uint8]
Item = TypeVar("Item")
Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Placement:
    """Where a film of height x width lies in its square: `top`, `left`, `tall` and `wide` in square pixels."""

    top: int
    left: int
    tall: int
    wide: int

    @classmethod
    def of(cls, height: int, width: int, side: int, fit: str) -> "Placement":
        """`fit` "resize" squeezes the film to the square; "pad" keeps its shape, centred, with black beside it."""
        if fit == "resize":
            return cls(0, 0, side, side)
        scale = side / max(height, width)
        tall, wide = max(1, round(height * scale)), max(1, round(width * scale))
        return cls((side - tall) // 2, (side - wide) // 2, tall, wide)


def read_film(payload: bytes) -> NDArray[np.uint8]:
    """A stored film as (H, W) 8-bit grey values, through its own window, bright where little radiation arrived."""
    facts = images.header(payload)
    return images.to_8_bits(images.read(payload), facts.window, facts.bits, facts.photometric)


def to_square(pixels: NDArray[np.uint8], side: int, fit: str) -> Square:
    """The film made (side, side); averages where it shrinks."""
    place = Placement.of(pixels.shape[0], pixels.shape[1], side, fit)
    film = PillowImage.fromarray(pixels)
    film = film.resize((place.wide, place.tall), PillowImage.Resampling.BILINEAR)
    square = np.zeros((side, side), np.uint8)
    square[place.top : place.top + place.tall, place.left : place.left + place.wide] = np.asarray(film)
    return square


def mask_to_square(mask: Mask, side: int, fit: str) -> Square:
    """The mask made (side, side), 1 where at least half of what a pixel covers is marked."""
    return (to_square(mask.astype(np.uint8) * 255, side, fit) >= 128).astype(np.uint8)


def shows_something(square: Square) -> bool:
    """Whether a film is more than one even grey: of any other nothing can be learned or said."""
    return bool(square.min() != square.max())


def write_whole(place: Path, payload: bytes) -> None:
    """Put a file into the cache, where other processes see all of it or none."""
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(payload)
    unfinished.replace(place)


class FilmCache:
    """Films and masks of one side and fit. Reads go through the cache's files; what is missing is made from the store.

    Raises what the store and the image readers raise: BlobMissing, BlobCorrupt, UnreadableImage.
    """

    def __init__(self, cache: Path, store: Store, side: int, fit: str) -> None:
        self.cache, self.store, self.side, self.fit = cache, store, side, fit
        self._folder = cache / "squares" / f"{side}-{fit}"

    def film(self, sha: str) -> Square:
        """(side, side) uint8 grey values of the film with this content hash."""
        return self._read(sha, "film", lambda payload: to_square(read_film(payload), self.side, self.fit))

    def mask(self, shas: Sequence[str]) -> Square:
        """(side, side) of 0 and 1: the union of the masks with these content hashes; all 0 for none."""
        joined = np.zeros((self.side, self.side), np.uint8)
        for sha in shas:
            joined |= self._read(
                sha, "mask", lambda payload: mask_to_square(images.read_mask(payload), self.side, self.fit)
            )
        return joined

    def native_mask(self, shas: Sequence[str], height: int, width: int) -> Mask:
        """The same union at the film's own size."""
        joined = np.zeros((height, width), np.bool_)
        for sha in shas:
            joined |= images.read_mask(self.store.get(sha))
        return joined

    def warm(self, films: Iterable[str], masks: Iterable[str], each: Callable[[int], None]) -> None:
        """Make sure of everything named; `each` hears how many are done."""
        wanted = [(self.film, sha) for sha in films] + [(lambda sha: self.mask([sha]), sha) for sha in masks]
        for done, (make, sha) in enumerate(wanted, start=1):
            make(sha)
            each(done)

    def _read(self, sha: str, kind: str, make: Callable[[bytes], Square]) -> Square:
        place = self._folder / sha[:2] / f"{sha}.{kind}"
        try:
            kept = np.fromfile(place, np.uint8)
        except FileNotFoundError:
            kept = np.empty(0, np.uint8)
        if kept.size == self.side**2:
            return kept.reshape(self.side, self.side)
        made = make(self.store.get(sha))
        write_whole(place, made.tobytes())
        return made


def chunks(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """The items in their order, so many together; fewer at the end."""
    return [items[start : start + size] for start in range(0, len(items), size)]


class Batches(Generic[Item, Batch]):
    """Items in batches, shuffled anew each epoch by seed and epoch alone (in order, without a seed).

    An epoch passes `repeats` times over the items; `start_epoch` says which it is. With `weights` it draws as many,
    each item in proportion to its weight and spread as evenly as can be (systematic sampling). Lightning keeps
    `state_dict` in its checkpoints, so a run that is resumed in an epoch sees exactly the batches that the broken one
    would have seen.
    """

    def __init__(
        self,
        items: Sequence[Item],
        collate: Callable[[Sequence[Item], np.random.Generator], Batch],
        batch_size: int,
        seed: int | None = None,
        repeats: int = 1,
        weights: Sequence[float] | None = None,
    ) -> None:
        self.items, self.batch_size, self.repeats = items, batch_size, repeats
        self._collate, self._seed = collate, seed
        self._weights = None if weights is None or len(set(weights)) < 2 else np.asarray(weights, np.float64)
        self._epoch = self._position = 0

    def __len__(self) -> int:
        return -(-len(self.items) * self.repeats // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        if self._position >= len(self):
            self._position = 0
        order = self._order()
        while self._position < len(self):
            at = self._position
            self._position += 1
            chosen = order[at * self.batch_size : (at + 1) * self.batch_size]
            chance = np.random.default_rng((self._seed or 0, self._epoch, at))
            yield self._collate([self.items[i] for i in chosen], chance)

    def start_epoch(self, epoch: int) -> None:
        """Begin an epoch, unless it is the one in whose middle the loader stands."""
        if epoch != self._epoch:
            self._epoch, self._position = epoch, 0

    def _order(self) -> list[int]:
        everything = list(range(len(self.items)))
        if self._seed is None:
            return everything * self.repeats
        chance = np.random.default_rng((self._seed, self._epoch))
        if self._weights is not None:
            count = len(self.items) * self.repeats
            ends = np.cumsum(self._weights) / self._weights.sum() * count
            drawn = np.searchsorted(ends, np.arange(count) + chance.random(), side="right")
            return [int(i) for i in chance.permutation(np.minimum(drawn, len(self.items) - 1))]
        return [int(i) for _ in range(self.repeats) for i in chance.permutation(len(self.items))]

    def state_dict(self) -> dict[str, Any]:
        return {"epoch": self._epoch, "position": self._position}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._epoch, self._position = state["epoch"], state["position"]
