"""Which patient learns, and which judges.

A patient keeps one split for ever. The split is a pure function of dataset, patient and seed, except that a split
given by the dataset's makers wins, and that patients who share an identical image move together.
"""

import hashlib
from dataclasses import dataclass

from core.errors import ReadingRoomError
from core.studies import Split

DEFAULT_SPLIT_SEED = 1895
"""The year of the first radiograph; fixed before anything was trained."""


class BadSplit(ReadingRoomError):
    """Fractions that are no split."""


class SplitContradicts(ReadingRoomError):
    """A split other than the one that earlier snapshots of the dataset froze."""

    def __init__(self, dataset: str, frozen: "SplitPolicy", asked: "SplitPolicy") -> None:
        super().__init__(
            f'Dataset "{dataset}" is already split {frozen} by an earlier snapshot; {asked} would move patients '
            "between training and test. Leave --split out to use the frozen one."
        )


@dataclass(frozen=True)
class SplitPolicy:
    """Shares of patients for training, validation and test, which add up to one, and the seed."""

    train: float = 0.8
    validation: float = 0.1
    test: float = 0.1
    seed: int = DEFAULT_SPLIT_SEED

    def __post_init__(self) -> None:
        shares = (self.train, self.validation, self.test)
        if not all(share >= 0 for share in shares) or abs(sum(shares) - 1) > 1e-6 or self.train == 0:
            raise BadSplit(f"A split is three shares that add up to 1, such as 0.8,0.1,0.1; not {self}.")

    def __str__(self) -> str:
        return f"{self.train:g},{self.validation:g},{self.test:g}"

    @classmethod
    def parse(cls, text: str, seed: int = DEFAULT_SPLIT_SEED) -> "SplitPolicy":
        """The policy that "0.8,0.1,0.1" states. Raises BadSplit."""
        try:
            train, validation, test = (float(part) for part in text.split(","))
        except ValueError:
            raise BadSplit(f'"{text}" is no split. Write three shares that add up to 1, such as 0.8,0.1,0.1.') from None
        return cls(train, validation, test, seed)


def split_of(dataset: str, patient: str, policy: SplitPolicy) -> Split:
    """Where a patient falls: a hash of dataset, patient and seed, cut by the policy's shares."""
    place = unit_interval("split", dataset, patient, str(policy.seed))
    if place < policy.train:
        return Split.TRAIN
    return Split.VALIDATION if place < policy.train + policy.validation else Split.TEST


def fold_of(dataset: str, patient: str, folds: int, seed: int = DEFAULT_SPLIT_SEED) -> int:
    """Which of `folds` evaluation folds tests this patient, 0 .. folds-1."""
    return int(unit_interval("fold", dataset, patient, str(seed)) * folds)


def unit_interval(*parts: str) -> float:
    """A hash of these words as a number, 0 <= x < 1: always the same, and as good as drawn by lot."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
