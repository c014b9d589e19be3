"""The names of the files in which studies are written out and read back."""

from typing import Final

CASES: Final = "cases.csv"
MASKS: Final = "masks.csv"
REGIONS: Final = "regions.csv"
LABELS: Final = "labels.csv"
ANNOTATIONS: Final = "annotations.json"
STUDIES: Final = "studies.jsonl"

SEPARATOR: Final = ";"
"""Between the keys in a cell that lists several findings."""
