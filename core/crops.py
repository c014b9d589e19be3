"""A window of a film: cut out, and put back where it was."""

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.masks import Mask

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class Crop:
    """`height` x `width` pixels of a film from `top` and `left` on."""

    top: int
    left: int
    height: int
    width: int

    @classmethod
    def around(cls, mask: Mask, margin: float) -> "Crop | None":
        """The box of a mask (H, W), larger on each side by `margin` of its longer one, as far as the film reaches; None
        where nothing is marked."""
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return None
        top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
        more = math.ceil(margin * max(bottom - top, right - left))
        top, left = max(0, top - more), max(0, left - more)
        bottom, right = min(mask.shape[0], bottom + more), min(mask.shape[1], right + more)
        return cls(top, left, bottom - top, right - left)

    def cut(self, film: NDArray[Number]) -> NDArray[Number]:
        """What of a film (H, W) lies in the window."""
        return film[self.top : self.top + self.height, self.left : self.left + self.width]

    def put_back(self, part: NDArray[Number], height: int, width: int) -> NDArray[Number]:
        """(height, width): what `cut` gave, where it was, and 0 around it."""
        film = np.zeros((height, width), part.dtype)
        self.cut(film)[:] = part
        return film

    def share_of(self, height: int, width: int) -> float:
        """Of a film's area, in (0, 1]."""
        return self.height * self.width / (height * width)
